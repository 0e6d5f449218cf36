"""Datadog's macro, which templates need in their region: whether it is there; deployed, if that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.ask.asking import Scope
from ddsetup.ask.prompter import Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.gateways.aws.stacks import read_stack
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import CredentialsError, DdsetupError, Denied, GatewayError
from ddsetup.project.iac.macro_stack import MACRO_STACK, install_command, macro_change

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Host, Session
    from ddsetup.gateways.aws.session import Aws

_READY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_ANY_SITE = "datadoghq.com"
"""Runs are kept by site; a macro belongs to none."""


def for_iac(call: Call, host: Host) -> dict[str, Json]:
    """The macro in the region that is meant; "unknown" without credentials, permission or region."""
    region = next(iter(call.given.items("region")), "")
    try:
        aws = call.aws()
        region = region or aws.default_region or ""
        if not region:
            return _said("", "unknown")
        site = call.given.text("site") or _ANY_SITE
        session = _session(host, aws, site, region)
        return settled(call, session, Lane(session.identity.account, region))
    except (CredentialsError, Denied, GatewayError) as error:
        call.console.say(f"whether the macro is installed cannot be told: {error.what}", "dim")
        return _said(region, "unknown")


def _session(host: Host, aws: Aws, site: str, region: str) -> Session:
    """AWS alone, as no Datadog key is needed for a macro."""
    from ddsetup.flow.verbs import Session

    return Session(host=host, aws=aws, identity=aws.identity(), scope=Scope(site, (region,)))


def settled(call: Call, session: Session, lane: Lane) -> dict[str, Json]:
    """Whether the macro is in a region, after it was deployed if somebody wanted that.

    Raises CredentialsError, Denied or GatewayError when that cannot be told.
    """
    stack = read_stack(session.aws, lane, MACRO_STACK)
    if stack is not None and stack.status != "DELETE_COMPLETE":
        state = "installed" if stack.status in _READY else "failed"
        return _said(
            lane.region, state, reason="" if state == "installed" else f"its stack is {stack.status}"
        )
    if call.given.on("dry_run") or not _may_deploy(call, session.host, lane.region):
        return _said(lane.region, "missing")
    return _deployed(call, session, lane)


def _may_deploy(call: Call, host: Host, region: str) -> bool:
    """Whether its stack may be created: by a flag of its own, or when asked."""
    if call.value("install"):
        return True
    if host.prompter is None or call.given.on("yes"):
        return False
    text = f"Datadog's macro is missing in {region}. Deploy its stack {MACRO_STACK}?"
    why = "Templates that name the macro cannot be deployed without it. Given back by ddsetup undo."
    return bool(host.prompter.ask(Prompt(kind="confirm", text=text, why=why, default=True)))


def _deployed(call: Call, session: Session, lane: Lane) -> dict[str, Json]:
    from ddsetup.flow import verbs

    change = macro_change(lane, call.given.text("macro_template_url"))
    try:
        applied = verbs.carry_out(session, (change,), nothing_of_aws(session), command="iac")
    except DdsetupError as error:
        return _said(lane.region, "failed", reason=error.what)
    call.console.rest()
    (outcome,) = applied.outcomes
    state = "deployed" if outcome.status == "applied" else "failed"
    return _said(lane.region, state, run=applied.run, reason=outcome.reason)


def _said(region: str, state: str, *, run: str = "", reason: str = "") -> dict[str, Json]:
    return {
        "stack": MACRO_STACK,
        "region": region,
        "state": state,
        "reason": reason,
        "run": run,
        "command": install_command(region),
    }
