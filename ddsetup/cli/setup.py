"""`ddsetup setup`: ask, observe, plan, show, confirm, carry out, prove."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.cli.call import Call
from ddsetup.cli.guided import Guide, given_of, leaving, offer_to_resume
from ddsetup.cli.proof import make_traffic, monitored, prove
from ddsetup.cli.results import NOT_SEEN, base_report, with_all_looked_at, with_outcomes, with_signals
from ddsetup.cli.showing import agree
from ddsetup.config import FILE_NAME, as_command, config_values, save_config
from ddsetup.dialogue import forget
from ddsetup.errors import UsageError
from ddsetup.given import Given
from ddsetup.links import links
from ddsetup.prompter import Back
from ddsetup.report import FOUNDATION, Report, exit_code_of

if TYPE_CHECKING:
    from ddsetup.flow import Host, Prepared, Session

WAIT_SECONDS = 900
"""How long a run waits for data by itself: CloudWatch metrics take the longest to get to Datadog."""


def run(call: Call) -> Report:
    """Set up monitoring; the report with outcomes and signals."""
    from ddsetup.cli.trial import sandbox_for

    with sandbox_for(call) if call.value("sandbox") else nullcontext(call) as here:
        return _set_up(here)


def _set_up(call: Call) -> Report:
    host = call.host()
    with leaving(call, host):
        session, prepared = _agreed_plan(call, host)
    with closing(prepared.sweep) if prepared.sweep else nullcontext():
        return _carried_out(call, host, session, prepared)


def _carried_out(call: Call, host: Host, session: Session, prepared: Prepared) -> Report:
    from ddsetup import flow

    report = base_report("setup", session, prepared.plan)
    if call.given.on("dry_run"):
        return report
    forget(host.state_dir)
    interrupted, since = False, None
    report = replace(report, exit_code=exit_code_of(report.outcomes))
    if prepared.plan.changes:
        applied = flow.carry_out(
            session, prepared.plan.changes, prepared.snapshot, command="setup", late=prepared.late
        )
        interrupted, since = session.host.cancel.is_set(), applied.since
        report = with_outcomes(report, applied.run, applied.outcomes, interrupted)
        call.console.rest()
    if interrupted or report.exit_code == 1:
        return report
    report = _proven(call, session, prepared, report, since)
    if prepared.sweep is not None:
        prepared = flow.complete(session, prepared)
        report = with_all_looked_at(report, prepared.plan)
    return _with_ways_on(call, host, prepared, report)


def _agreed_plan(call: Call, host: Host) -> tuple[Session, Prepared]:
    """The plan, confirmed unless there is nothing to confirm; going back leads to the last question."""
    offer_to_resume(call, host)
    guide = Guide(call, host)
    while True:
        session, prepared = guide.plan()
        if call.given.on("dry_run") or not prepared.plan.changes:
            return session, prepared
        try:
            agree(call, session, prepared.plan, prepared.answers)
            return session, prepared
        except Back:
            guide.put_back(prepared)
            host.dialogue.back()
        except BaseException:
            guide.put_back(prepared)
            raise


def _proven(
    call: Call, session: Session, prepared: Prepared, report: Report, since: datetime | None
) -> Report:
    """The report with the proof, unless it is not wanted.

    Functions that were left alone have nothing to prove. Nobody waits if nothing was changed, or if what
    all data has to pass through could not be made.
    """
    if not call.given.on("verify", True):
        return report
    left_alone = {s.resource.id for s in prepared.plan.skipped if s.status == "skipped"}
    failed = [o.resource for o in report.outcomes if o.status not in ("applied", "unchanged")]
    left_alone |= {resource.id for resource in failed}
    selected = monitored(prepared.snapshot, prepared.selected)
    functions = tuple(f for f in selected if f.arn not in left_alone)
    make_traffic(call, session, functions)
    hopeless = any(resource.kind in FOUNDATION for resource in failed)
    wait = 0 if since is None or hopeless else WAIT_SECONDS
    return with_signals(report, prove(call, session, functions, prepared.answers, since=since, wait=wait))


def _with_ways_on(call: Call, host: Host, prepared: Prepared, report: Report) -> Report:
    """Links, the same run for CI, and what to do about data that is not there; answers are saved."""
    answers, given = prepared.answers, given_of(call, host)
    wanted = [as_command(answers, given)]
    if report.exit_code == NOT_SEEN:
        wanted.insert(0, f"ddsetup verify --wait {WAIT_SECONDS}")
    _save(call, given, prepared)
    pages = links(answers.site, prepared.selected, tuple(prepared.snapshot.accounts))
    return replace(report, links=pages, next=tuple(wanted))


def _save(call: Call, given: Given, prepared: Prepared) -> None:
    """Keep the answers of a guided run; nobody was asked in any other."""
    if not call.can_ask or call.sandbox:
        return
    path = call.config or Path(call.directory) / FILE_NAME
    try:
        if save_config(path, config_values(prepared.answers, given)):
            call.console.say(f"answers saved in {path}")
    except UsageError as error:
        call.console.say(f"{error.where}: {error.what}", "dim")
