"""Dashboards: create, list, read, replace, delete. Datadog's own are not in the list, as in reality."""

from __future__ import annotations

import secrets

from ddsetup.sandbox.datadog.integrations import iso_timestamp
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

PAGE = 100
LAYOUTS = ("ordered", "free")

_FIXED = ("id", "author_handle", "author_name", "created_at", "url", "is_read_only")


def create_dashboard(request: Request, world: World) -> Response:
    """``POST /api/v1/dashboard``."""
    body = request.json_object()
    _check(body)
    dashboard_id = "-".join(secrets.token_hex(2)[:3] for _ in range(3))
    now = iso_timestamp(world.clock())
    widgets = _with_ids(body["widgets"], world)
    dashboard = {
        "description": None,
        "template_variables": [],
        "notify_list": [],
        "tags": [],
        **body,
        "widgets": widgets,
        "id": dashboard_id,
        "author_handle": "sandbox@example.com",
        "author_name": None,
        "created_at": now,
        "modified_at": now,
        "url": f"/dashboard/{dashboard_id}",
        "is_read_only": False,
    }
    with world.documents.lock:
        world.documents.dashboards[dashboard_id] = dashboard
    return Response(200, dashboard)


def list_dashboards(request: Request, world: World) -> Response:
    """``GET /api/v1/dashboard?count=&start=``: summaries, the first 100 unless asked otherwise."""
    start, count = request.integer("start", 0), request.integer("count", PAGE)
    summary = (
        "id",
        "title",
        "description",
        "layout_type",
        "url",
        "created_at",
        "modified_at",
        "author_handle",
    )
    with world.documents.lock:
        dashboards = list(world.documents.dashboards.values())[start : start + count]
    return Response(
        200, {"dashboards": [{key: d[key] for key in (*summary, "is_read_only")} for d in dashboards]}
    )


def get_dashboard(request: Request, world: World) -> Response:
    """``GET /api/v1/dashboard/{id}``."""
    with world.documents.lock:
        dashboard = world.documents.dashboards.get(request.captures["id"])
    if dashboard is None:
        raise text_error(404, f"Dashboard with ID {request.captures['id']} not found")
    return Response(200, dashboard)


def update_dashboard(request: Request, world: World) -> Response:
    """``PUT /api/v1/dashboard/{id}``: replaces it as a whole, who made it and when aside."""
    body = request.json_object()
    _check(body)
    dashboard_id = request.captures["id"]
    with world.documents.lock:
        stored = world.documents.dashboards.get(dashboard_id)
        if stored is None:
            raise text_error(404, f"Dashboard with ID {dashboard_id} not found")
        kept = {key: stored[key] for key in _FIXED}
        empty: JsonObject = {"description": None, "template_variables": [], "notify_list": [], "tags": []}
        now = iso_timestamp(world.clock())
        widgets = _with_ids(body["widgets"], world)
        dashboard = {**empty, **body, "widgets": widgets, **kept, "modified_at": now}
        world.documents.dashboards[dashboard_id] = dashboard
    return Response(200, dashboard)


def delete_dashboard(request: Request, world: World) -> Response:
    """``DELETE /api/v1/dashboard/{id}``."""
    dashboard_id = request.captures["id"]
    with world.documents.lock:
        if world.documents.dashboards.pop(dashboard_id, None) is None:
            raise text_error(404, f"Dashboard with ID {dashboard_id} not found")
    return Response(200, {"deleted_dashboard_id": dashboard_id})


def _with_ids(widgets: list[JsonObject], world: World) -> list[JsonObject]:
    return [{**widget, "id": widget.get("id") or world.telemetry.next_id()} for widget in widgets]


def _check(body: JsonObject) -> None:
    title, widgets = body.get("title"), body.get("widgets")
    if not isinstance(title, str) or not title:
        raise text_error(400, "The parameter 'title' is required")
    if body.get("layout_type") not in LAYOUTS:
        raise text_error(400, "The value provided for parameter 'layout_type' is invalid")
    if not isinstance(widgets, list):
        raise text_error(400, "The parameter 'widgets' is required")
    for widget in widgets:
        definition = widget.get("definition") if isinstance(widget, dict) else None
        if not isinstance(definition, dict) or not isinstance(definition.get("type"), str):
            raise text_error(400, "Invalid widget definition")
