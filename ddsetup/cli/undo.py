"""`ddsetup undo`: give back what a run changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.journal.runs import Run, Runs, list_runs
from ddsetup.journal.undo import in_force, pending, undo_changes
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.change import Plan
from ddsetup.model.lines import Look, Span, counted, line, names
from ddsetup.model.report import Report
from ddsetup.settings.given import Given, Raw

if TYPE_CHECKING:
    from ddsetup.model.event import Event


def run(call: Call) -> Report:
    """Show the runs, or carry out the inverse of one."""
    if call.value("list"):
        return _list(call)
    from ddsetup.flow import verbs

    # Who we are decides which run is meant, and the run where to work: so AWS is asked twice.
    quiet = replace(call.host(), on_event=_nothing)
    account = verbs.connect(call.given, quiet, command="undo", datadog=False).identity.account
    chosen, runs = verbs.choose_run(call.state_dir(), call.value("run"), account)
    changes = undo_changes(chosen, runs)
    if changes and not call.given.on("dry_run"):
        verbs.check_built_on(chosen, runs, call.prompter())
    session = verbs.connect(call.given.over(_scope_of(chosen)), call.host(), command="undo")
    warnings = tuple(
        f"run {chosen.id} did not come to its end; what it began last may or may not be there"
        for _ in pending(chosen)[:1]
    )
    plan = Plan(changes=changes, warnings=warnings)
    report = base_report("undo", session, plan)
    if call.given.on("dry_run") or not changes:
        return report
    show_plan(call.console, plan)
    changes = verbs.settle_failed_events(session, changes, lose=bool(call.value("delete_failed_events")))
    confirm(call, session, f"Give back what run {chosen.id} changed?")
    applied = verbs.carry_out(session, changes, verbs.look(session), command="undo", undoes=chosen.id)
    return with_outcomes(report, applied.run, applied.outcomes, session.host.cancel.is_set())


def _scope_of(run: Run) -> Given:
    where = f"run {run.id}"
    return Given(
        {"region": Raw(run.header.regions, "file", where), "site": Raw(run.header.site, "file", where)}
    )


def _list(call: Call) -> Report:
    runs = list_runs(call.state_dir())
    for error in runs.unreadable:
        call.console.say(f"{error.where}: {error.what}", "warn")
    return Report(command="undo", data={"runs": [_row(run, runs) for run in runs.readable]})


def _row(run: Run, runs: Runs) -> Json:
    if run.header.undoes:
        state = f"gave back {run.header.undoes}"
    elif pending(run):
        state = "not ended"
    else:
        state = "in force" if in_force(run, runs.readable) else "given back"
    return {
        "run": run.id,
        "command": run.header.command,
        "account": run.header.account,
        "regions": list(run.header.regions),
        "site": run.header.site,
        "started": run.header.started.isoformat().replace("+00:00", "Z"),
        "changes": len(run.entries),
        "undoes": run.header.undoes,
        "state": state,
    }


def _nothing(_event: Event) -> None:
    """Say nothing: what is asked here is asked again, aloud."""


def blocks(report: Report, _look: Look) -> list[Block]:
    """The runs that a journal is kept of, newest last."""
    if "runs" not in report.data:
        return []
    runs = report.data["runs"]
    if not runs:
        return [line("There are no runs.")]
    rows = [
        [
            Span(run["run"]),
            Span(run["command"]),
            Span(run["account"]),
            Span(names(run["regions"], 3)),
            Span(counted(run["changes"], "change")),
            Span(run["state"]),
        ]
        for run in runs
    ]
    return table(["Run", "Command", "Account", "Regions", "Changes", "State"], rows)
