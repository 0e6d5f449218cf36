"""What the commands share that change something in Datadog alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.flow import showing
from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.flow.results import base_report
from ddsetup.model.change import Plan
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def carried_out(
    call: Call, session: Session, plan: Plan, question: str, links: Mapping[str, str] | None = None
) -> Report:
    """The plan shown, confirmed and carried out, or in a dry run only the report of it."""
    report = replace(base_report(call.command, session, plan), links=links or {})
    return showing.carried_out(call, session, report, nothing_of_aws(session), question)
