"""What the commands share that change something in Datadog alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.model.change import Plan
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def carried_out(
    call: Call, session: Session, plan: Plan, question: str, links: Mapping[str, str] | None = None
) -> Report:
    """The plan shown, confirmed and carried out; in a dry run, and where nothing is to be done, only the
    report of it."""
    from ddsetup.flow import verbs

    report = replace(base_report(call.command, session, plan), links=links or {})
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    confirm(call, session, question)
    applied = verbs.carry_out(session, plan.changes, nothing_of_aws(session), command=call.command)
    return with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
