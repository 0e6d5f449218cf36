"""What the commands share that make one dashboard: its plan shown, confirmed and carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.facts.links import dashboard_link
from ddsetup.flow import in_datadog
from ddsetup.flow.call import Call
from ddsetup.gateways.datadog.dashboards import LiveDashboard
from ddsetup.model.change import Plan
from ddsetup.model.report import Report

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session


def carried_out(call: Call, session: Session, plan: Plan, live: LiveDashboard | None) -> Report:
    """The plan of one dashboard shown, confirmed and carried out, with the address that it has then."""
    site = session.datadog.site
    title = (plan.changes or plan.skipped)[0].resource.id
    pages = {} if live is None else {title: dashboard_link(site, live.url)}
    report = in_datadog.carried_out(call, session, plan, "Create or change this dashboard?", pages)
    url = next((outcome.details["url"] for outcome in report.outcomes if "url" in outcome.details), "")
    return replace(report, links={title: dashboard_link(site, url)}) if url else report
