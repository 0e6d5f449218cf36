"""`ddsetup dashboards clone`: a copy of a dashboard to change as one likes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddsetup.facts.links import dashboards_links
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE
from ddsetup.gateways.datadog.dashboards import CLONED, find_dashboards, read_dashboard
from ddsetup.model.errors import NotFound, UsageError
from ddsetup.model.report import Report
from ddsetup.model.states import DashboardState
from ddsetup.monitors.dashboards import clone_of, plan_clone
from ddsetup.monitors.one_dashboard import carried_out

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session

_ID = re.compile(r"(?:https?://[^/]+)?(?:/dashboard/)?([a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3})(?:[/?].*)?")


def run(call: Call) -> Report:
    """Read the dashboard, plan its copy, show, confirm, carry out."""
    from ddsetup.flow import verbs

    name = str(call.value("name") or "").strip()
    title = str(call.value("title") or f"{name} (mine)").strip()
    session = verbs.connect(call.given, call.host(), command=LIKE)
    source = _source(session, name)
    live = next(iter(find_dashboards(session.datadog, title, CLONED)), None)
    plan = plan_clone(clone_of(source, title), live, session.identity.account)
    return carried_out(call, session, plan, live)


def _source(session: Session, name: str) -> DashboardState:
    """A dashboard by its id or address, or one that ddsetup made by its title."""
    if (found := _ID.fullmatch(name)) is not None:
        try:
            return read_dashboard(session.datadog, found[1]).state
        except NotFound:
            raise UsageError(
                f"there is no dashboard {found[1]}", fix="its address ends with its id"
            ) from None
    own = next(iter(find_dashboards(session.datadog, name)), None)
    if own is not None:
        return own.state
    pages = dashboards_links(session.datadog.site)
    presets = [page for page in pages if name.lower() in page.lower()]
    if presets:
        said = f"{presets[0]} is one of Datadog's own, which its API does not give"
        raise UsageError(said, fix=f"Clone on its page: {pages[presets[0]]}")
    fix = "give its id or address, or the title of one that `ddsetup dashboards create` made"
    raise UsageError(f"no dashboard of ddsetup's is called {name!r}", fix=fix)
