"""Dashboards that ddsetup made (`/api/v1/dashboard`), known by a mark in their description.

Datadog's own dashboards are not in its list; and the tags of a dashboard can only be names of teams.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.pages import Items, by_number
from ddsetup.gateways.datadog.shapes import Shape
from ddsetup.gateways.datadog.telemetry import path_in
from ddsetup.model.account import Json
from ddsetup.model.errors import NotFound
from ddsetup.model.states import DashboardState

READ = "dashboards_read"
WRITE = "dashboards_write"
MARK, CLONED = "Made by ddsetup", "Cloned by ddsetup"
"""Words in the descriptions of dashboards that ddsetup keeps up to date, and of those that it only made."""

_DASHBOARDS = "/api/v1/dashboard"
_PAGE = 100
_SUMMARIES: Shape = {"dashboards": [{"id": str, "title?": str, "description?": str}]}
_DASHBOARD: Shape = {
    "id": str,
    "title": str,
    "description?": str,
    "layout_type": str,
    "reflow_type?": str,
    "url?": str,
    "widgets": [{"definition": {}}],
    "template_variables?": [{}],
}


@dataclass(frozen=True, slots=True)
class LiveDashboard:
    """A dashboard as Datadog keeps it. `url` is the path of its page."""

    number: str
    url: str
    state: DashboardState
    document: Mapping[str, Json]


def find_dashboards(dd: Datadog, title: str, mark: str = MARK) -> tuple[LiveDashboard, ...]:
    """The dashboards of this title that ddsetup made; more than one only after a call was repeated.

    Raises Denied when `dashboards_read` is missing.
    """
    found: list[LiveDashboard] = []
    for summary in by_number(lambda page: _summaries(dd, page), _PAGE):
        ours = mark in str(path_in(summary, "description") or "")
        if ours and path_in(summary, "title") == title:
            with suppress(NotFound):  # deleted since the list was made
                found.append(read_dashboard(dd, str(summary["id"])))
    return tuple(found)


def read_dashboard(dd: Datadog, number: str) -> LiveDashboard:
    """A dashboard by its id, whoever made it. Raises NotFound."""
    return _live(dd.get(f"{_DASHBOARDS}/{number}", action=READ, shape=_DASHBOARD))


def mark_of(state: DashboardState) -> str:
    """The words by which this one is found again."""
    return CLONED if CLONED in state.description else MARK


def _summaries(dd: Datadog, page: int) -> Items:
    query = {"count": str(_PAGE), "start": str(page * _PAGE)}
    summaries: Items = dd.get(_DASHBOARDS, action=READ, shape=_SUMMARIES, query=query)["dashboards"]
    return summaries


def create_dashboard(dd: Datadog, state: DashboardState) -> LiveDashboard:
    """Create the dashboard, once, whatever becomes of the answers."""

    def look() -> Json | None:
        there = find_dashboards(dd, state.title, mark_of(state))
        return next((live.document for live in there if not differing(live.state, state)), None)

    return _live(dd.create(_DASHBOARDS, _body(state), action=WRITE, shape=_DASHBOARD, look=look))


def update_dashboard(dd: Datadog, live: LiveDashboard, after: DashboardState) -> LiveDashboard:
    """Replace what ddsetup owns of the dashboard; who is notified and which teams own it stays."""
    kept = {name: live.document[name] for name in ("notify_list", "tags") if live.document.get(name)}
    path = f"{_DASHBOARDS}/{live.number}"
    return _live(dd.call("PUT", path, action=WRITE, body={**kept, **_body(after)}, shape=_DASHBOARD))


def delete_dashboard(dd: Datadog, number: str) -> None:
    """Delete a dashboard. Raises NotFound when it is not there any more."""
    dd.call("DELETE", f"{_DASHBOARDS}/{number}", action=WRITE, shape={"deleted_dashboard_id": str})


def differing(live: DashboardState, wanted: DashboardState) -> tuple[str, ...]:
    """The names of the fields in which a dashboard is not as wanted.

    Datadog adds defaults to widgets; what is there besides what was wanted is no difference.
    """
    pairs = {
        "title": (live.title, wanted.title),
        "description": (live.description, wanted.description),
        "layout": (live.layout_type, wanted.layout_type),
        "widgets": (live.widgets, wanted.widgets),
        "template variables": (live.template_variables or [], wanted.template_variables or []),
    }
    return tuple(name for name, (found, asked) in pairs.items() if not _holds(found, asked))


def _holds(found: Json, asked: Json) -> bool:
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        return all(name in found and _holds(found[name], value) for name, value in asked.items())
    if isinstance(asked, list) and isinstance(found, list):
        return len(asked) == len(found) and all(map(_holds, found, asked))
    return bool(found == asked)


def _live(document: Json) -> LiveDashboard:
    return LiveDashboard(
        number=str(path_in(document, "id")),
        url=str(path_in(document, "url") or ""),
        state=DashboardState(
            title=str(path_in(document, "title")),
            description=str(path_in(document, "description") or ""),
            layout_type=str(path_in(document, "layout_type")),
            reflow_type=str(path_in(document, "reflow_type") or ""),
            widgets=[_without_ids(widget) for widget in path_in(document, "widgets") or ()],
            template_variables=[
                {name: value for name, value in variable.items() if value is not None}
                for variable in path_in(document, "template_variables") or ()
            ],
        ),
        document=document if isinstance(document, Mapping) else {},
    )


def _without_ids(widget: Json) -> Json:
    """A widget, and those inside a group, without the numbers that Datadog gives them."""
    if not isinstance(widget, Mapping) or not isinstance(widget.get("definition"), Mapping):
        return widget
    definition = dict(widget["definition"])
    if isinstance(definition.get("widgets"), list):
        definition["widgets"] = [_without_ids(inner) for inner in definition["widgets"]]
    return {name: value for name, value in widget.items() if name != "id"} | {"definition": definition}


def _body(state: DashboardState) -> dict[str, Json]:
    return {
        "title": state.title,
        "description": state.description,
        "layout_type": state.layout_type,
        **({"reflow_type": state.reflow_type} if state.reflow_type else {}),
        "widgets": state.widgets or [],
        "template_variables": state.template_variables or [],
    }
