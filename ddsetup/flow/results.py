"""How prepared plans, outcomes and signals become the report of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.facts.kinds import exit_code_of, is_foundation, kind_name
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block
from ddsetup.model.change import Outcome, Plan
from ddsetup.model.lines import Look, counted
from ddsetup.model.report import Report, Signal, left_alone, unproven
from ddsetup.plan.steps.forwarder_choice import other_site

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session
    from ddsetup.model.answers import Answers
    from ddsetup.model.snapshot import Snapshot

NOT_SEEN = 6
NOTHING_DONE = 1


def of_data(say: Callable[[Mapping[str, Json], Look], list[Block]]) -> Callable[[Report, Look], list[Block]]:
    """What shows a report of which all that is to be said stands in its data."""
    return lambda report, look: say(report.data, look)


def base_report(command: str, session: Session, plan: Plan | None = None) -> Report:
    """A report with what every command knows: where it worked."""
    return Report(
        command=command,
        account=session.identity.account,
        regions=session.scope.regions,
        plan=plan or Plan(),
        outcomes=left_alone(plan or Plan()),
        sandbox=session.host.sandbox,
    )


def with_outcomes(report: Report, run: str, outcomes: tuple[Outcome, ...], go_on: str = "") -> Report:
    """The report of changes that were carried out; `go_on` is the command line to go on with after an
    interruption."""
    every = (*outcomes, *report.outcomes)
    report = replace(report, run=run, outcomes=every, exit_code=exit_code_of(every))
    if not go_on:
        return report
    left = sum(outcome.not_started for outcome in outcomes)
    far = f"{len(outcomes) - left:,} of {counted(len(outcomes), 'change')} carried out"
    what = f"interrupted: {far}, {left:,} not started"
    error = {"kind": "Interrupted", "what": what}
    onward = (go_on, report.undo) if run else (go_on,)
    return replace(report, exit_code=130, next=onward, error=error)


def with_all_looked_at(report: Report, plan: Plan) -> Report:
    """The report of a run whose `plan` is known in full only at its end, as some of what it depends on was
    read meanwhile. What it would change and nobody agreed to is left for another run."""
    done = {outcome.resource for outcome in report.outcomes if outcome.action}
    carried_out = tuple(outcome for outcome in report.outcomes if outcome.action)
    found_late = tuple(
        Outcome(
            resource=change.resource,
            status="skipped",
            reason=f"seen only while the run was under way: {change.why}",
            fix="run the same command again",
            step=change.step,
        )
        for change in plan.changes
        if change.resource not in done
    )
    # Log groups that nobody was allowed to look at may lack what was asked for.
    unseen = 5 if any(skipped.permission for skipped in plan.skipped) else 0
    outcomes = (*carried_out, *found_late, *left_alone(plan))
    return replace(report, plan=plan, outcomes=outcomes, exit_code=report.exit_code or unseen)


def with_signals(report: Report, signals: Sequence[Signal], *, require_proof: bool = False) -> Report:
    """The report with its proof. That data was not seen only matters when all else went well.

    What did not run has nothing to show: it is unproven, and counts only with `require_proof`.
    """
    seen = all_seen(signals) and not (require_proof and unproven(signals))
    exit_code = report.exit_code or (0 if seen else NOT_SEEN)
    return replace(report, signals=tuple(signals), exit_code=exit_code)


def with_cause(report: Report, snapshot: Snapshot, answers: Answers) -> Report:
    """The report of what did not come about, with the reason as its last word: the site, or what all of it
    stands on and could not be had."""
    if not report.exit_code or report.error is not None:
        return report
    found = other_site(snapshot, answers)
    if found is None:
        return _with_nothing_done(report)
    site, forwarder = found
    error = {
        "kind": "OtherSite",
        "what": f"this account is set up for {site}, where {forwarder} sends all, not for {answers.site}",
        "fix": f"ddsetup {report.command} --site {site}",
    }
    return replace(report, error=error)


def _with_nothing_done(report: Report) -> Report:
    """With the foundation that had to be left out, where there was nothing to do without it."""
    left = (o for o in report.outcomes if o.status == "skipped" and is_foundation(o.resource.kind))
    root = next(left, None)
    if root is None or report.exit_code != NOTHING_DONE or report.plan is None or report.plan.changes:
        return report
    what = f"nothing was done: {kind_name(root.resource.kind)} {root.resource.name}: {root.reason}"
    return replace(report, error={"kind": "NothingDone", "what": what, "fix": root.fix})


def all_seen(signals: Sequence[Signal]) -> bool:
    """Whether the data of all that ran is there."""
    return not any(s.status in ("waiting", "missing", "unreadable") for s in signals)
