"""`ddsetup sandbox up`: an AWS account and a Datadog on this machine."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

from ddsetup.cli.sandbox.named import registry, running
from ddsetup.cli.trial import operator_policy, scenarios_of
from ddsetup.facts.kinds import CHOSEN
from ddsetup.flow.call import Call
from ddsetup.model.account import Json
from ddsetup.model.lines import Line, Look, line
from ddsetup.model.report import Report
from ddsetup.sandbox.model import Sandbox, SandboxOptions, new_account
from ddsetup.settings.given import Given, Raw
from ddsetup.settings.setting import Value
from ddsetup.show.report_lines import report_lines
from ddsetup.show.status_lines import fact


def run(call: Call) -> Report:
    """Start one; in the foreground until Ctrl-C, or detached."""
    from ddsetup.sandbox import control, detached

    call.console.sandbox = True
    options = _options(call)
    if call.value("detach"):
        return _report(detached.up(options), alone=len(running(call)) == 1)
    with control.start(options) as sandbox:
        # The one document of this command comes at its end; until then a person is told.
        call.console.lines(report_lines(replace(_report(sandbox), sandbox=False), Look(), blocks))
        call.console.say("Ctrl-C stops it")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            call.console.say("stopping")
    return Report(command="sandbox up", sandbox=True, account=sandbox.account, regions=sandbox.regions)


_ANY_SOURCE: dict[str, Value] = {**dict.fromkeys(CHOSEN, ("all",)), "publish": True}
_MODES: tuple[dict[str, Value], ...] = (
    {"via": "forwarder", "subscribe": "automatic", "forwarder_upgrade": True},
    {"via": "forwarder", "subscribe": "direct", "on_conflict": "replace"},
    {"via": "forwarder", "subscribe": "account", "metrics": "stream"},
    {"via": "extension", "subscribe": "account", "durable_events": True},
    {"via": "forwarder", "resource_collection": True, "resource_tag": ("any=any",)},
    {"via": "forwarder", "forwarder_upgrade": True, "forwarder_param": ("InstallAsLayer=false",)},
)
"""What is going to be set up is not known yet, and how neither: the operator may do it in every way."""


def every_policy(
    given: Given, account: str, regions: tuple[str, ...], scenarios: tuple[str, ...]
) -> dict[str, object]:
    """All that `ddsetup policy` prints for the modes, each statement once."""
    held: dict[str, Json] = {}
    for mode in _MODES:
        wish = {key: Raw(value, "file", "sandbox up") for key, value in {**_ANY_SOURCE, **mode}.items()}
        policy: Json = operator_policy(Given(wish).over(given), account, regions, scenarios)
        held |= {json.dumps({**s, "Sid": ""}): s for s in policy["Statement"]}
    statements = [{**s, "Sid": f"{s['Sid']}{number}"} for number, s in enumerate(held.values())]
    return {"Version": "2012-10-17", "Statement": statements}


def _options(call: Call) -> SandboxOptions:
    regions = call.given.items("region") or ("us-east-1",)
    account, scenarios = new_account(), scenarios_of(call.value("scenario") or ())
    options = SandboxOptions(
        operator_policy=every_policy(call.given, account, regions, scenarios),
        account=account,
        name=call.value("name") or "",
        registry=registry(call),
        scenarios=scenarios,
        regions=regions,
    )
    if call.value("functions") is not None:
        options = replace(options, many=call.value("functions"))
    if call.value("time_scale") is not None:
        options = replace(options, time_scale=call.value("time_scale"))
    if call.value("forwarder_zip") is not None:
        options = replace(options, forwarder_zip=call.directory / Path(call.value("forwarder_zip")))
    return options


def _report(sandbox: Sandbox, *, alone: bool = True) -> Report:
    named = "" if alone else f" {sandbox.name}"
    first = "ddsetup org status" if "organisation" in sandbox.scenarios else "ddsetup setup"
    return Report(
        command="sandbox up",
        account=sandbox.account,
        regions=sandbox.regions,
        sandbox=True,
        data=described(sandbox),
        next=(f'eval "$(ddsetup sandbox env{named})"', first),
    )


def described(sandbox: Sandbox) -> dict[str, object]:
    """What there is to know about a sandbox, without its keys."""
    return {
        "name": sandbox.name,
        "aws": sandbox.aws_endpoint_url,
        "datadog": sandbox.datadog_url,
        "account": sandbox.account,
        "regions": list(sandbox.regions),
        "scenarios": list(sandbox.scenarios),
        "detached": sandbox.detached,
        "directory": str(sandbox.directory),
    }


def blocks(report: Report, _look: Look) -> list[Line]:
    """One sandbox (`up`) or several (`status`, `down`)."""
    data = report.data
    several = data.get("sandboxes", [data] if "aws" in data else [])
    if not several:
        return [line("none")] if "sandboxes" in data else []
    found: list[Line] = []
    for sandbox in several:
        regions, scenarios = ", ".join(sandbox["regions"]), ", ".join(sandbox["scenarios"])
        found.append(fact("Sandbox", sandbox["name"]))
        found.append(fact("AWS", f"{sandbox['aws']}  (account {sandbox['account']}, {regions})"))
        found.append(fact("Datadog", sandbox["datadog"]))
        found.append(fact("Scenarios", scenarios))
    return found
