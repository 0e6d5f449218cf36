"""Showing a plan before it is carried out, asking whether it shall be, and carrying it out then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Back, Prompt, Prompter
from ddsetup.ask.questions import Choice
from ddsetup.flow.call import Call
from ddsetup.flow.results import with_outcomes
from ddsetup.model.account import Json
from ddsetup.model.change import Plan
from ddsetup.model.lines import Look, line
from ddsetup.model.report import Report
from ddsetup.show.cost_blocks import cost_blocks
from ddsetup.show.plan_at_a_glance import brief_lines
from ddsetup.show.plan_lines import STEPS, plan_lines, summary
from ddsetup.show.screen import Screen

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Prepared, Session
    from ddsetup.model.snapshot import Snapshot

_READ_AS_A_WHOLE = 12
"""Changes of a plan that nobody minds to see at once; of a longer one, parts are offered."""


def show_plan(console: Screen, plan: Plan) -> None:
    """The plan for the person who is to confirm it, or for the log of an unattended run."""
    console.rest()
    console.lines([line(), *plan_lines(plan, console.room()), line()])
    console.expect(plan.changes)


def confirm(call: Call, session: Session, text: str = "Carry this out?") -> None:
    """Have it confirmed. Raises as `flow.confirm` does when it is not."""
    from ddsetup.flow import verbs

    verbs.confirm(session.host, text, yes=call.given.on("yes"))


def carried_out(call: Call, session: Session, report: Report, snapshot: Snapshot, question: str) -> Report:
    """The report of its plan, shown, confirmed and carried out; in a dry run, and where nothing is to be
    done, the report as it is."""
    from ddsetup.flow import verbs

    if call.given.on("dry_run") or not report.plan.changes:
        return report
    show_plan(call.console, report.plan)
    confirm(call, session, question)
    applied = verbs.carry_out(session, report.plan.changes, snapshot, command=report.command)
    return with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)


def agree(call: Call, session: Session, prepared: Prepared, costs: Json) -> None:
    """Show a guided run's plan and its costs, in full if that is wanted, and have it confirmed.

    Raises as `flow.confirm` does when it is not, and `Back`.
    """
    from ddsetup.flow import verbs

    plan, prompter = prepared.plan, session.host.prompter
    if prompter is None or call.given.on("yes") or call.console.verbose:
        show_plan(call.console, plan)
        _show_costs(call, costs)
        if prompter is None or call.given.on("yes"):
            confirm(call, session)
            return
    else:
        call.console.lines([line(), *brief_lines(plan, prepared.answers, Look()), line()])
        _show_costs(call, costs)
        call.console.expect(plan.changes)
    if not _agreed(call, plan, prompter):
        raise verbs.Declined("nothing was changed")


def _show_costs(call: Call, costs: Json) -> None:
    if costs:
        call.console.blocks([*cost_blocks(costs, call.console.room()), ()])


def _agreed(call: Call, plan: Plan, prompter: Prompter) -> bool:
    """Until it is yes or no. On a real account Enter alone shows everything first."""
    seen = call.sandbox or call.console.verbose
    parts = _parts(plan)
    one_part = (Choice("part", "Show one part of it in full"),) if parts else ()
    while True:
        answer = prompter.ask(
            Prompt(
                kind="one",
                text=f"{summary(plan)}. Carry this out?",
                why="Nothing was written until now. Whatever is done can be given back: ddsetup undo",
                choices=(
                    Choice("yes", "Yes, carry it out"),
                    Choice("details", "Show every change in full"),
                    *one_part,
                    Choice("no", "No, change nothing"),
                ),
                default="yes" if seen else "details",
            )
        )
        if answer not in ("details", "part"):
            return bool(answer == "yes")
        chosen = plan if answer == "details" else _part(plan, parts, prompter)
        if chosen is not None:
            call.console.lines([line(), *plan_lines(chosen, Look(verbose=True)), line()])
            seen = True


def _parts(plan: Plan) -> tuple[Choice, ...]:
    """The steps of a plan that is too long to be read as a whole, each with how much it changes."""
    if len(plan.changes) <= _READ_AS_A_WHOLE:
        return ()
    steps = dict.fromkeys(change.step for change in plan.changes)
    found = [Choice(step, STEPS.get(step, step), summary(_of_step(plan, step))) for step in steps]
    return tuple(found) if len(found) > 1 else ()


def _part(plan: Plan, parts: tuple[Choice, ...], prompter: Prompter) -> Plan | None:
    """The changes of one step; None if the person wants none after all."""
    try:
        return _of_step(plan, str(prompter.ask(Prompt(kind="one", text="Which part?", choices=parts))))
    except Back:
        return None


def _of_step(plan: Plan, step: str) -> Plan:
    return Plan(changes=tuple(change for change in plan.changes if change.step == step))
