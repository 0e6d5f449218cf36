"""Span search and span analytics."""

from __future__ import annotations

import uuid
from typing import Any

from ddsetup.sandbox.datadog import events
from ddsetup.sandbox.datadog.search import compile_query, functions_of
from ddsetup.sandbox.datadog.spans import RESERVED
from ddsetup.sandbox.datadog.store import Event
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World


def search_spans(request: Request, world: World) -> Response:
    """``POST /api/v2/spans/events/search``; a malformed time range is 422 here."""
    asked = _attributes(request, "search_request")
    page = events.page_of(_matching(asked, world), asked.get("page") or {}, asked.get("sort"))
    meta: JsonObject = _meta()
    if page.after:
        meta["page"] = {"after": page.after}
    return Response(200, {"data": [_span(event) for event in page.events], "meta": meta})


def aggregate_spans(request: Request, world: World) -> Response:
    """``POST /api/v2/spans/analytics/aggregate``: totals under ``compute`` (singular), as recorded."""
    asked = _attributes(request, "aggregate_request")
    group_by = asked.get("group_by") or []
    buckets = events.aggregate(_matching(asked, world), asked.get("compute") or [], group_by, RESERVED)
    data = [
        {
            "id": str(uuid.uuid4()),
            "type": "bucket",
            "attributes": {
                "by": dict(bucket.by),
                "compute": {f"c{i}": value for i, value in enumerate(bucket.values)},
            },
        }
        for bucket in buckets
    ]
    return Response(200, {"data": data, "meta": _meta()})


def _attributes(request: Request, kind: str) -> JsonObject:
    data: Any = request.json_object().get("data")
    if not isinstance(data, dict) or data.get("type") != kind:
        raise text_error(400, f"invalid request: data.type must be {kind}")
    attributes = data.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise text_error(400, "invalid request: attributes must be an object")
    return attributes


def _matching(asked: JsonObject, world: World) -> list[Event]:
    described = asked.get("filter") or {}
    start, end = events.time_range(described, world.clock(), 422)
    matches = compile_query(str(described.get("query") or "*"), RESERVED)
    found = world.telemetry.spans(start, end, functions_of(matches))
    return [event for event in found if matches(event)]


def _meta() -> JsonObject:
    return {"elapsed": 1, "request_id": str(uuid.uuid4()), "status": "done"}


def _span(event: Event) -> JsonObject:
    """As recorded: ``operation_name`` beside the other reserved attributes, meta in ``custom``, nested."""
    fields = event.fields
    attributes: JsonObject = {
        "service": fields["service"],
        "operation_name": fields["operation_name"],
        "resource_name": fields["resource_name"],
        "env": fields["env"],
        "host": fields["host"],
        "status": fields["status"],
        "type": fields["type"],
        "trace_id": fields["trace_id"],
        "span_id": fields["span_id"],
        "parent_id": fields["parent_id"],
        "start_timestamp": events.iso(event.at),
        "end_timestamp": events.iso(event.at + event.attributes["duration"] / 1_000_000),
        "tags": list(event.tags),
        "custom": dict(event.nested),
        "ingestion_reason": fields["ingestion_reason"],
        "retained_by": "retention_filter",
        "single_span": False,
    }
    return {"id": event.id, "type": "spans", "attributes": attributes}
