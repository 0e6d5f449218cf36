"""The intakes: logs, metrics, traces. Sizes and answers as in the API reference (client 2.62 docstrings)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from ddsetup.sandbox.datadog.logs import log_event
from ddsetup.sandbox.datadog.spans import spans_from_json, spans_from_protobuf
from ddsetup.sandbox.datadog.store import MetricKind, Telemetry
from ddsetup.sandbox.datadog.tags import all_normalised
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

LOGS_MAX_BYTES = 5_000_000
LOGS_MAX_ITEMS = 1000
LOG_MAX_BYTES = 1_000_000
SERIES_V1_MAX_BYTES = 3_200_000
SERIES_V1_MAX_UNPACKED = 62_914_560
SERIES_V2_MAX_BYTES = 512_000
SERIES_V2_MAX_UNPACKED = 5_242_880
TRACES_MAX_BYTES = 25_000_000
SKETCH_SECONDS = 10
MILLISECONDS_FROM = 1e11

_V1_KINDS: dict[str, MetricKind] = {"gauge": "gauge", "count": "count", "rate": "rate"}
# MetricIntakeType of the v2 API: 0 unspecified, 1 count, 2 rate, 3 gauge.
_V2_KINDS: dict[int, MetricKind] = {0: "gauge", 1: "count", 2: "rate", 3: "gauge"}


def submit_logs(request: Request, world: World) -> Response:
    """``POST /api/v2/logs``: one log or a list; 202, 413 beyond 5 MB or 1000 logs."""
    body = request.json(LOGS_MAX_BYTES)
    items = body if isinstance(body, list) else [body]
    if len(items) > LOGS_MAX_ITEMS:
        raise text_error(413, "Payload too large")
    if not all(isinstance(item, dict) for item in items):
        raise text_error(400, "Invalid payload: a log is a JSON object")
    query_tags = request.query.get("ddtags", "")
    for item in items:
        if query_tags:
            item["ddtags"] = ",".join(filter(None, [str(item.get("ddtags") or ""), query_tags]))
        if len(message := str(item.get("message", ""))) > LOG_MAX_BYTES:
            item["message"] = message[:LOG_MAX_BYTES]
    now = world.clock()
    indexes = world.log_indexes
    world.telemetry.add_logs(log_event(item, now, world.telemetry.next_id(), indexes) for item in items)
    return Response(202, {})


def submit_distribution_points(request: Request, world: World) -> Response:
    """``POST /api/v1/distribution_points``: ``{"series": [{"metric", "points": [[ts, [v]]], "tags"}]}``."""
    _check_size(request, SERIES_V1_MAX_BYTES)
    series = _series(request.json_object(SERIES_V1_MAX_UNPACKED))
    parsed = []
    for item in series:
        points = [_distribution_point(point, world.clock()) for point in _points(item)]
        parsed.append((_metric_name(item), points, _tags(item)))
    for metric, points, tags in parsed:
        world.telemetry.add_points(metric, "distribution", tags, points)
    return Response(202, {"status": "ok"})


def submit_series_v1(request: Request, world: World) -> Response:
    """``POST /api/v1/series``: ``{"series": [{"metric", "type", "points": [[ts, value]], "tags"}]}``."""
    _check_size(request, SERIES_V1_MAX_BYTES)
    parsed = []
    for item in _series(request.json_object(SERIES_V1_MAX_UNPACKED)):
        kind = _V1_KINDS.get(str(item.get("type") or "gauge"))
        if kind is None:
            raise text_error(400, "Invalid metric type")
        points = [(_second(p[0], world.clock()), [_value(p[1])]) for p in map(_pair, _points(item))]
        parsed.append((_metric_name(item), kind, points, _tags(item)))
    _keep(world.telemetry, parsed)
    return Response(202, {"status": "ok"})


def submit_series_v2(request: Request, world: World) -> Response:
    """``POST /api/v2/series``: points are objects, types are numbers."""
    _check_size(request, SERIES_V2_MAX_BYTES)
    parsed = []
    for item in _series(request.json_object(SERIES_V2_MAX_UNPACKED)):
        kind = _V2_KINDS.get(item.get("type") or 0)
        points = []
        for point in _points(item):
            if kind is None or not isinstance(point, dict):
                raise text_error(400, "Invalid series payload")
            second = _second(point.get("timestamp"), world.clock())
            points.append((second, [_value(point.get("value"))]))
        if kind is not None:
            parsed.append((_metric_name(item), kind, points, _tags(item)))
    _keep(world.telemetry, parsed)
    return Response(202, {"errors": []})


def submit_traces(request: Request, world: World) -> Response:
    """``POST /api/v0.2/traces``: protobuf as the official Forwarder sends it, or the same as JSON."""
    body = request.body(TRACES_MAX_BYTES)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if content_type == "application/x-protobuf":
            spans = spans_from_protobuf(body)
        elif content_type == "application/json":
            spans = spans_from_json(json.loads(body))
        else:
            raise text_error(415, f"Unsupported content type: {content_type}")
    except ValueError:
        raise text_error(400, "Invalid trace payload") from None
    world.telemetry.add_spans(spans)
    return Response(200, {})


def _check_size(request: Request, limit: int) -> None:
    if len(request.raw_body) > limit:
        raise text_error(413, "Payload too large")


def _series(body: JsonObject) -> list[JsonObject]:
    series = body.get("series")
    if not isinstance(series, list) or not all(isinstance(item, dict) for item in series):
        raise text_error(400, "Invalid payload: series must be a list of objects")
    return series


def _points(item: JsonObject) -> list[Any]:
    points = item.get("points")
    if not isinstance(points, list) or not points:
        raise text_error(400, "Invalid payload: points must be a non-empty list")
    return points


def _metric_name(item: JsonObject) -> str:
    name = item.get("metric")
    if not isinstance(name, str) or not name or not name[0].isalpha():
        raise text_error(400, "Invalid metric name")
    return name


def _tags(item: JsonObject) -> list[str]:
    """Tags as Datadog keeps them; the host is one of them."""
    tags = item.get("tags") or []
    if not isinstance(tags, list):
        raise text_error(400, "Invalid payload: tags must be a list")
    host = [f"host:{item['host']}"] if item.get("host") else []
    return all_normalised(map(str, [*tags, *host]))


def _pair(point: Any) -> list[Any]:
    if not isinstance(point, list) or len(point) != 2:
        raise text_error(400, "Invalid payload: a point is a pair")
    return point


def _distribution_point(point: Any, now: float) -> tuple[int, list[float]]:
    """Distributions are kept in steps of ten seconds, each with the time of its start."""
    at, values = _pair(point)
    if not isinstance(values, list) or not values:
        raise text_error(400, "Invalid payload: a distribution point holds a list of values")
    second = _second(at, now)
    return second - second % SKETCH_SECONDS, [_value(value) for value in values]


def _second(value: Any, now: float) -> int:
    """A time in seconds. One in milliseconds, as the official Forwarder 5.4 sends those of REPORT lines
    (enhanced_lambda_metrics.py, set_timestamp), is no error: the point is kept at the time it came in."""
    second = _value(value)
    return int(now if second >= MILLISECONDS_FROM else second)


def _value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise text_error(400, "Invalid payload: not a number")
    return float(value)


def _keep(
    telemetry: Telemetry, parsed: Iterable[tuple[str, MetricKind, list[tuple[int, list[float]]], list[str]]]
) -> None:
    """All of a payload or nothing of it: it was validated as a whole before."""
    for metric, kind, points, tags in parsed:
        telemetry.add_points(metric, kind, tags, points)
