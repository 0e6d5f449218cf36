"""`ddsetup dashboards open`: where the dashboards are."""

from __future__ import annotations

import webbrowser
from dataclasses import replace

from ddsetup.facts.links import dashboard_link, dashboard_lists, dashboards_links
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE
from ddsetup.flow.results import base_report
from ddsetup.gateways.datadog.catalogues import namespaces
from ddsetup.gateways.datadog.dashboards import find_dashboards
from ddsetup.model.errors import UsageError
from ddsetup.model.report import Report
from ddsetup.monitors.dashboards import TITLE


def run(call: Call) -> Report:
    """The addresses of Datadog's own dashboards and of ddsetup's; one is opened with `--browser`.

    Of services that functions are seldom built on, only those that the name fits are among them.
    """
    from ddsetup.flow import verbs

    session = verbs.connect(call.given, call.host(), command=LIKE)
    site = session.datadog.site
    pages = dict(dashboards_links(site))
    for own in find_dashboards(session.datadog, TITLE):
        pages[own.state.title] = dashboard_link(site, own.url)
    wanted = str(call.value("name") or "").lower()
    shown = {name: url for name, url in pages.items() if wanted in name.lower()}
    if not shown:
        others = dashboard_lists(site, namespaces(session.datadog)[0])
        shown = {name: url for name, url in others.items() if wanted in name.lower()}
    if not shown:
        raise UsageError(f"no dashboard is called like {wanted!r}", fix=f"one of: {', '.join(pages)}")
    if call.value("browser"):
        webbrowser.open(next(iter(shown.values())))
    return replace(base_report("dashboards open", session), links=shown)
