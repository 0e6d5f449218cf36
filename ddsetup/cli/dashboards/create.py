"""`ddsetup dashboards create`: an overview of the functions on one page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ddsetup.facts.links import dashboard_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE, nothing_of_aws
from ddsetup.flow.results import base_report, with_outcomes
from ddsetup.flow.showing import confirm, show_plan
from ddsetup.gateways.datadog.dashboards import find_dashboards
from ddsetup.gateways.datadog.telemetry import Window, metrics_seen
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report
from ddsetup.monitors.dashboards import NEIGHBOURS, TITLE, overview, plan_dashboard
from ddsetup.monitors.scope_of import scope_of

_LOOK_BACK = timedelta(days=1)


def run(call: Call) -> Report:
    """Plan, show, confirm, carry out; the report has the address of the dashboard."""
    from ddsetup.flow import verbs

    title = str(call.value("title") or TITLE).strip()
    if not title:
        raise UsageError("--title: a dashboard needs a title")
    session = verbs.connect(call.given, call.host(), command=LIKE)
    dd, now = session.datadog, session.host.clock.now()
    in_use = metrics_seen(dd, Window(now - _LOOK_BACK, now), NEIGHBOURS)
    live = next(iter(find_dashboards(dd, title)), None)
    plan = plan_dashboard(overview(title, scope_of(call, session), in_use), live, session.identity.account)
    pages = {} if live is None else {title: dashboard_link(dd.site, live.url)}
    report = replace(base_report("dashboards create", session, plan), links=pages)
    if call.given.on("dry_run") or not plan.changes:
        return report
    show_plan(call.console, plan)
    confirm(call, session, "Create or change this dashboard?")
    applied = verbs.carry_out(session, plan.changes, nothing_of_aws(session), command="dashboards create")
    report = with_outcomes(report, applied.run, applied.outcomes, session.host.go_on)
    url = next((outcome.details["url"] for outcome in applied.outcomes if "url" in outcome.details), "")
    return replace(report, links={title: dashboard_link(dd.site, url)} if url else pages)
