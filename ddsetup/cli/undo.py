"""`ddsetup undo`: give back what a run changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.facts.kinds import exit_code_of
from ddsetup.flow.call import Call
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.journal.brief import Brief, standing
from ddsetup.journal.records import Header
from ddsetup.journal.runs import list_runs, read_runs
from ddsetup.journal.undo import built_on, changes_of
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.change import Change, Plan
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.lines import Look, Span, counted, line, names
from ddsetup.model.report import Report
from ddsetup.settings.given import Given, Raw

if TYPE_CHECKING:
    from ddsetup.flow.giving_back import Part
    from ddsetup.flow.verbs import Session
    from ddsetup.model.event import Event


_GONE = "its sandbox is gone"


def run(call: Call) -> Report:
    """Show the runs, or carry out the inverse of one."""
    if call.value("list"):
        return _list(call)
    from ddsetup.flow import verbs

    # Who we are decides which run is meant, and the run where to work: so AWS is asked twice.
    account = _session_account(call)
    memory = call.memory()
    chosen, runs = verbs.choose_run(memory, call.value("run"), account)
    only = tuple(call.given.items("function"))
    meant = _meant(call, chosen, runs, only)
    # A journal is large: of each only the way back is kept.
    back = (changes_of(whole, runs, only) for whole in read_runs(memory, [run.id for run in meant]))
    parts = tuple((run, changes) for run, changes in zip(meant, back, strict=True) if changes)
    session = verbs.connect(
        call.given.over(_scope_of([run.header for run, _ in parts] or [chosen.header])),
        call.host(),
        command="undo",
        looks_next=bool(parts),
    )
    cut_short = tuple(
        f"run {run.id} did not come to its end; what it began last may or may not be there"
        for run in [run for run, _ in parts] or [chosen]
        if run.cut_short
    )
    if not parts:
        return base_report("undo", session, Plan(warnings=cut_short))
    return _planned(call, session, parts, runs, cut_short)


def _planned(
    call: Call,
    session: Session,
    parts: Sequence[tuple[Brief, tuple[Change, ...]]],
    runs: Sequence[Brief],
    warnings: tuple[str, ...],
) -> Report:
    """Plan on what is there, have it confirmed, and give it back."""
    from ddsetup.flow import verbs
    from ddsetup.flow.giving_back import Wish, give_back, plan_parts, role_in, shown

    snapshot = verbs.look(session, role_in(parts))
    look_only = call.given.on("dry_run")
    wish = Wish(
        keep_shared=bool(call.value("keep_shared")),
        later=tuple(run.id for run in built_on(parts[-1][0], runs)),
        look_only=look_only,
        prompter=session.host.prompter,
    )
    planned, said = plan_parts(session, snapshot, parts, runs, wish)
    plan = shown(planned, (*warnings, *said))
    left = tuple(outcome for part in planned for outcome in part.outcomes)
    report = replace(base_report("undo", session, plan), outcomes=left, exit_code=exit_code_of(left))
    if look_only:
        return report
    if plan.changes:
        show_plan(call.console, plan)
        lose = bool(call.value("delete_failed_events"))
        planned = tuple(
            replace(part, divided=replace(part.divided, left=left))
            for part in planned
            for left in [verbs.settle_failed_events(session, part.divided.left, lose=lose)]
        )
        confirm(call, session, f"Give back what {_called(planned)} changed?")
    last, outcomes = give_back(session, planned, snapshot)
    return with_outcomes(report, last, outcomes, session.host.go_on)


def _meant(call: Call, chosen: Brief, runs: Sequence[Brief], only: Sequence[str]) -> tuple[Brief, ...]:
    """The runs to give back, the newest first: with later ones that rely on it if that is wanted."""
    from ddsetup.flow import verbs

    if call.value("with_later"):
        return (*reversed(built_on(chosen, runs)), chosen)
    if not only and not call.given.on("dry_run") and not call.value("keep_shared"):
        # Of single functions nothing else relies on them.
        verbs.check_built_on(chosen, runs, call.prompter())
    return (chosen,)


def _called(parts: Sequence[Part]) -> str:
    return f"run {parts[0].run.id}" if len(parts) == 1 else f"{len(parts)} runs"


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
    gone = gone_with_sandbox(call, runs.readable)
    rows = [row_of(run, runs.readable, gone=run.id in gone) for run in runs.readable]
    return Report(command="undo", data={"runs": rows})


def gone_with_sandbox(call: Call, runs: Sequence[Brief]) -> frozenset[str]:
    """The runs whose sandbox is gone, and all that they made with it."""
    tried = [run for run in runs if run.header.sandbox]
    if not tried:
        return frozenset()
    from ddsetup.cli.sandbox.named import running

    accounts = {sandbox.account for sandbox in running(call)}
    if call.sandbox:
        # The one that the variables lead to may be entered elsewhere, or be gone as well.
        with suppress(DdsetupError):
            accounts.add(_session_account(call))
    # Accounts of a sandbox's organisation are gone with the one that manages them.
    whole = {run.id: run.header.accounts for run in tried}
    return frozenset(
        run.id for run in tried if not accounts & {*run.header.accounts, *whole.get(run.header.within, ())}
    )


def state_of(run: Brief, runs: Sequence[Brief], *, gone: bool = False) -> str:
    """What became of a run, in a few words. `gone`: it was tried in a sandbox that is not there any more."""
    if gone:
        return _GONE
    said = _given(run) if run.header.undoes else _left(run, runs)
    if run.cut_short or not run.ended:
        return f"{said}, not ended"
    return f"{said}, stopped on the way" if run.ended == "stopped" else said


def _given(run: Brief) -> str:
    """What an undo came to."""
    ends = {trace.status for trace in run.traces}
    if ends <= {"applied", "unchanged"}:
        return f"gave back {run.header.undoes}"
    return f"gave back {'a part' if 'applied' in ends else 'nothing'} of {run.header.undoes}"


def _left(run: Brief, runs: Sequence[Brief]) -> str:
    """What is left of a run that was no undo."""
    if within := [each for each in runs if each.header.within == run.id]:
        there = sum(bool(standing(each, runs)) for each in within)
        return f"in force in {there} of {counted(len(within), 'account')}" if there else "given back"
    if not any(trace.effective for trace in run.traces):
        return "changed nothing"
    left = standing(run, runs)
    if not left:
        return "given back"
    if any(trace.status != "failed" for trace in left):
        return "in force" if len(left) == sum(trace.effective for trace in run.traces) else "in force in part"
    return "failed" if len(left) == len(run.traces) else "given back but for what failed"


def row_of(run: Brief, runs: Sequence[Brief], *, gone: bool = False) -> Json:
    """What the list says of a run."""
    # A run over many accounts changes nothing but in the runs within it.
    within = [each for each in runs if each.header.within == run.id] or [run]
    changes = sum(len(each.traces) for each in within)
    return {
        "run": run.id,
        "command": run.header.command,
        "account": ", ".join(run.header.accounts),
        "regions": list(run.header.regions),
        "site": run.header.site,
        "started": run.header.started.isoformat().replace("+00:00", "Z"),
        "changes": changes,
        "planned": max(changes, sum(each.header.planned for each in within)),
        "undoes": run.header.undoes,
        "state": state_of(run, runs, gone=gone),
    }


def _session_account(call: Call) -> str:
    """The account that the credentials are for. Raises DdsetupError."""
    from ddsetup.flow import verbs

    quiet = replace(call.host(), on_event=_nothing)
    return verbs.connect(call.given, quiet, command="undo", datadog=False).identity.account


def _of_planned(run: Json) -> str:
    """`94 of 1,205 changes`, where it did not come to all of them."""
    if run["changes"] == run["planned"]:
        return counted(run["changes"], "change")
    return f"{run['changes']:,} of {counted(run['planned'], 'change')}"


def _nothing(_event: Event) -> None:
    """Say nothing: what is asked here is asked again, aloud."""


def blocks(report: Report, look: Look) -> list[Block]:
    """The runs that a journal is kept of, newest last; those whose sandbox is gone are counted."""
    if "runs" not in report.data:
        return []
    runs = [run for run in report.data["runs"] if look.verbose or run["state"] != _GONE]
    hidden = len(report.data["runs"]) - len(runs)
    told = f"{counted(hidden, 'run')} in sandboxes that are gone (-v shows them)"
    rest: list[Block] = [line(told)] if hidden else []
    if not runs:
        return rest or [line("There are no runs.")]
    rows = [
        [
            Span(run["run"], "code"),
            Span(run["command"]),
            Span(run["account"]),
            Span(names(run["regions"], 3)),
            Span(_of_planned(run)),
            Span(run["state"]),
        ]
        for run in runs
    ]
    return [*table(["Run", "Command", "Account", "Regions", "Changes", "State"], rows), *rest]
