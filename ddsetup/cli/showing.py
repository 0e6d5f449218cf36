"""Showing a plan before it is carried out, and asking whether it shall be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.change import Plan
from ddsetup.cli.call import Call
from ddsetup.console import Console
from ddsetup.lines import line
from ddsetup.render_plan import plan_lines

if TYPE_CHECKING:
    from ddsetup.flow import Session


def show_plan(console: Console, plan: Plan) -> None:
    """The plan for the person who is to confirm it, or for the log of an unattended run."""
    console.rest()
    console.lines([line(), *plan_lines(plan, console.look(console.streams.err)), line()])
    console.expect(plan.changes)


def confirm(call: Call, session: Session, text: str = "Carry this out?") -> None:
    """Have it confirmed. Raises as `flow.confirm` does when it is not."""
    from ddsetup import flow

    flow.confirm(session.host, text, yes=call.given.on("yes"))
