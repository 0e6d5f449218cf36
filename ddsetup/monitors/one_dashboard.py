"""What the commands share that make one dashboard: its plan shown, confirmed and carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.facts.links import dashboard_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import nothing_of_aws
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.gateways.datadog.dashboards import LiveDashboard
from ddsetup.model.change import Plan
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def carried_out(call: Call, session: Session, plan: Plan, live: LiveDashboard | None) -> Report:
    """The plan of one dashboard shown, confirmed and carried out, with the address that it has then."""
    from ddsetup.flow import verbs

    site, command = session.datadog.site, call.command
    title = (plan.changes or plan.skipped)[0].resource.id
    pages = {} if live is None else {title: dashboard_link(site, live.url)}
    report = replace(base_report(command, session, plan), links=pages)
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    confirm(call, session, "Create or change this dashboard?")
    applied = verbs.carry_out(session, plan.changes, nothing_of_aws(session), command=command)
    report = with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
    url = next((outcome.details["url"] for outcome in applied.outcomes if "url" in outcome.details), "")
    return replace(report, links={title: dashboard_link(site, url)} if url else pages)
