"""Log search, log analytics, and the configuration of log indexes."""

from __future__ import annotations

import uuid
from typing import Any

from ddsetup.sandbox.datadog import events
from ddsetup.sandbox.datadog.logs import RESERVED
from ddsetup.sandbox.datadog.search import compile_query, functions_of
from ddsetup.sandbox.datadog.store import Event
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

_TIERS = ("indexes", "online-archives", "flex")


def search_logs(request: Request, world: World) -> Response:
    """``POST /api/v2/logs/events/search``."""
    body = request.json_object()
    page = events.page_of(_matching(body, world), _object(body, "page"), body.get("sort"))
    meta: JsonObject = _meta()
    answer: JsonObject = {"data": [_log(event) for event in page.events], "meta": meta}
    if page.after:
        meta["page"] = {"after": page.after}
        answer["links"] = {"next": f"/api/v2/logs/events?page[cursor]={page.after}"}
    return Response(200, answer)


def aggregate_logs(request: Request, world: World) -> Response:
    """``POST /api/v2/logs/analytics/aggregate``: totals by facet."""
    body = request.json_object()
    buckets = events.aggregate(
        _matching(body, world), body.get("compute") or [], body.get("group_by") or [], RESERVED
    )
    described = [
        {"by": dict(bucket.by), "computes": {f"c{i}": value for i, value in enumerate(bucket.values)}}
        for bucket in buckets
    ]
    return Response(200, {"meta": _meta(), "data": {"buckets": described}})


def list_log_indexes(_request: Request, world: World) -> Response:
    """``GET /api/v1/logs/config/indexes``."""
    return Response(200, {"indexes": [index.described for index in world.log_indexes]})


def _matching(body: JsonObject, world: World) -> list[Event]:
    asked = _object(body, "filter")
    start, end = events.time_range(asked, world.clock(), 400)
    tier = asked.get("storage_tier", "indexes")
    if tier not in _TIERS:
        raise text_error(400, "invalid storage_tier")
    names = asked.get("indexes") or ["*"]
    if not isinstance(names, list):
        raise text_error(400, "invalid indexes")
    matches = compile_query(str(asked.get("query") or "*"), RESERVED)
    found = world.telemetry.logs(start, end, tier, functions_of(matches))
    return [event for event in found if matches(event) and ("*" in names or event.index in names)]


def _object(body: JsonObject, name: str) -> JsonObject:
    value: Any = body.get(name) or {}
    if not isinstance(value, dict):
        raise text_error(400, f"invalid {name}")
    return value


def _meta() -> JsonObject:
    return {"elapsed": 1, "request_id": str(uuid.uuid4()), "status": "done"}


def _log(event: Event) -> JsonObject:
    fields = event.fields
    attributes: JsonObject = {
        "service": fields["service"],
        "host": fields["host"],
        "status": fields["status"],
        "message": event.message,
        "timestamp": events.iso(event.at),
        "tags": list(event.tags),
        "attributes": dict(event.nested),
    }
    return {
        "id": event.id,
        "type": "log",
        "attributes": {k: v for k, v in attributes.items() if v not in ("", None)},
    }
