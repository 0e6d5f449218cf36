"""`ddsetup undo`: give back what a run changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.journal.brief import Brief, standing
from ddsetup.journal.records import Header, Run
from ddsetup.journal.runs import list_runs, read_run, read_runs
from ddsetup.journal.undo import built_on, changes_of, pending
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.change import Change, Outcome, Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, Span, counted, line, names
from ddsetup.model.report import Report
from ddsetup.settings.given import Given, Raw

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session
    from ddsetup.model.event import Event


def run(call: Call) -> Report:
    """Show the runs, or carry out the inverse of one."""
    if call.value("list"):
        return _list(call)
    from ddsetup.flow import verbs

    # Who we are decides which run is meant, and the run where to work: so AWS is asked twice.
    quiet = replace(call.host(), on_event=_nothing)
    account = verbs.connect(call.given, quiet, command="undo", datadog=False).identity.account
    memory = call.memory()
    chosen, runs = verbs.choose_run(memory, call.value("run"), account)
    only = tuple(call.given.items("function"))
    whole = read_runs(memory, [run.id for run in _meant(call, chosen, runs, only)])
    meant = ((run, changes_of(run, runs, only)) for run in whole)
    parts = tuple((run, changes) for run, changes in meant if changes)
    session = verbs.connect(
        call.given.over(_scope_of([run.header for run, _ in parts] or [chosen.header])),
        call.host(),
        command="undo",
    )
    warnings = tuple(
        f"run {run.id} did not come to its end; what it began last may or may not be there"
        for run in [run for run, _ in parts] or [read_run(memory, chosen.id)]
        if pending(run)
    )
    plan = Plan(changes=tuple(change for _, changes in parts for change in changes), warnings=warnings)
    report = base_report("undo", session, plan)
    if call.given.on("dry_run") or not parts:
        return report
    show_plan(call.console, plan)
    parts = tuple(
        (run, verbs.settle_failed_events(session, c, lose=bool(call.value("delete_failed_events"))))
        for run, c in parts
    )
    confirm(call, session, f"Give back what {_called(parts)} changed?")
    return _given_back(session, report, parts)


def _meant(call: Call, chosen: Brief, runs: Sequence[Brief], only: Sequence[str]) -> tuple[Brief, ...]:
    """The runs to give back, the newest first: with later ones that rely on it if that is wanted."""
    from ddsetup.flow import verbs

    if call.value("with_later"):
        return (*reversed(built_on(chosen, runs)), chosen)
    if not only and not call.given.on("dry_run"):
        # Of single functions nothing else relies on them.
        verbs.check_built_on(chosen, runs, call.prompter())
    return (chosen,)


def _given_back(session: Session, report: Report, parts: Sequence[tuple[Run, tuple[Change, ...]]]) -> Report:
    """Give back one run after the other; what could not be given back of one ends it before the next."""
    from ddsetup.flow import verbs

    outcomes: list[Outcome] = []
    last = ""
    for run, changes in parts:
        applied = verbs.carry_out(session, changes, verbs.look(session), command="undo", undoes=run.id)
        outcomes += applied.outcomes
        last = applied.run
        # What is left of this run may still rely on what the next one would take away.
        if session.host.cancel.is_set() or any(o.status in ("failed", "changed_since") for o in outcomes):
            break
    return with_outcomes(report, last, tuple(outcomes), session.host.cancel.is_set())


def _called(parts: Sequence[tuple[Run, tuple[Change, ...]]]) -> str:
    return f"run {parts[0][0].id}" if len(parts) == 1 else f"{len(parts)} runs"


def _scope_of(runs: Sequence[Header]) -> Given:
    """Where these runs worked. Raises UsageError when they were for different sites."""
    sites = {run.site for run in runs}
    if len(sites) > 1:
        raise UsageError(
            f"the runs are for different sites: {', '.join(sorted(sites))}", fix="give them back one by one"
        )
    where = f"run {runs[-1].run}"
    regions = tuple(dict.fromkeys(region for run in runs for region in run.regions))
    return Given({"region": Raw(regions, "file", where), "site": Raw(sites.pop(), "file", where)})


def _list(call: Call) -> Report:
    runs = list_runs(call.memory())
    for error in runs.unreadable:
        call.console.say(f"{error.where}: {error.what}", "warn")
    return Report(command="undo", data={"runs": [_row(run, runs.readable) for run in runs.readable]})


def state_of(run: Brief, runs: Sequence[Brief]) -> str:
    """What became of a run, in a word or two."""
    if run.header.undoes:
        return f"gave back {run.header.undoes}"
    if not all(trace.status for trace in run.traces):
        return "not ended"
    if not run.traces:
        return "changed nothing"
    left = standing(run, runs)
    if not left:
        return "given back"
    return "in force" if any(trace.status == "applied" for trace in left) else "failed"


def _row(run: Brief, runs: Sequence[Brief]) -> Json:
    return {
        "run": run.id,
        "command": run.header.command,
        "account": ", ".join(run.header.accounts),
        "regions": list(run.header.regions),
        "site": run.header.site,
        "started": run.header.started.isoformat().replace("+00:00", "Z"),
        "changes": len(run.traces),
        "undoes": run.header.undoes,
        "state": state_of(run, runs),
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
