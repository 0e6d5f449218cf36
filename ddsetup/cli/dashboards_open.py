"""`ddsetup dashboards open`: where the dashboards are."""

from __future__ import annotations

import webbrowser
from dataclasses import replace

from ddsetup.cli.call import Call
from ddsetup.cli.looking import LIKE
from ddsetup.cli.results import base_report
from ddsetup.dashboards import TITLE
from ddsetup.errors import UsageError
from ddsetup.gateways.datadog.dashboards import find_dashboards
from ddsetup.links import dashboard_link, dashboards_links
from ddsetup.report import Report


def run(call: Call) -> Report:
    """The addresses of Datadog's own dashboards and of ddsetup's; one is opened with `--browser`."""
    from ddsetup import flow

    session = flow.connect(call.given, call.host(), command=LIKE)
    site = session.datadog.site
    pages = dict(dashboards_links(site))
    for own in find_dashboards(session.datadog, TITLE):
        pages[own.state.title] = dashboard_link(site, own.url)
    wanted = str(call.value("name") or "").lower()
    shown = {name: url for name, url in pages.items() if wanted in name.lower()}
    if not shown:
        raise UsageError(f"no dashboard is called like {wanted!r}", fix=f"one of: {', '.join(pages)}")
    if call.value("browser"):
        webbrowser.open(next(iter(shown.values())))
    return replace(base_report("dashboards open", session), links=shown)
