"""Monitors: validate, create, read, list, search, update, delete."""

from __future__ import annotations

import re
from typing import Any

from ddsetup.sandbox.datadog.integrations import iso_timestamp
from ddsetup.sandbox.datadog.logs import RESERVED
from ddsetup.sandbox.datadog.metric_query import Expression, Name, Operation, QueryError, parse_expression
from ddsetup.sandbox.datadog.search import compile_query
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

METRIC_TYPES = ("metric alert", "query alert")
LOG_TYPE = "log alert"

_LIST_PARAMETERS = {"monitor_tags", "page", "page_size"}

_WINDOW = r"last_\d+[smhdw]"
_COMPARISON = re.compile(
    r"^(?P<left>.+?)\s*(?P<operator>>=|<=|>|<)\s*(?P<threshold>-?\d+(?:\.\d+)?)$", re.DOTALL
)
_PLAIN = re.compile(rf"^(?:avg|sum|min|max|percentile)\({_WINDOW}\):(?P<query>.+)$", re.DOTALL)
_CHANGE = re.compile(
    rf"^(?:pct_change|change)\((?:avg|sum|min|max)\({_WINDOW}\),{_WINDOW}\):(?P<query>.+)$", re.DOTALL
)
_LOGS = re.compile(
    r"^logs\(\"(?P<search>(?:[^\"\\]|\\.)*)\"\)(?:\.index\(\"[^\"]*\"\))?\.rollup\([^)]*\)(?:\.by\([^)]*\))?\.last\(\"\d+[mhd]\"\)$"
)


def validate_monitor(request: Request, _world: World) -> Response:
    """``POST /api/v1/monitor/validate``."""
    _check(request.json_object())
    return Response(200, {})


def create_monitor(request: Request, world: World) -> Response:
    """``POST /api/v1/monitor``."""
    body = request.json_object()
    _check(body)
    now = iso_timestamp(world.clock())
    monitor_id = world.telemetry.next_id()
    monitor = {
        "name": "",
        "message": "",
        "tags": [],
        "options": {},
        "priority": None,
        **body,
        "id": monitor_id,
        "created": now,
        "modified": now,
        "deleted": None,
        "overall_state": "No Data",
        "multi": " by {" in body["query"] or ".by(" in body["query"],
    }
    with world.documents.lock:
        world.documents.monitors[monitor_id] = monitor
    return Response(200, monitor)


def get_monitor(request: Request, world: World) -> Response:
    """``GET /api/v1/monitor/{id}``."""
    with world.documents.lock:
        monitor = world.documents.monitors.get(_id(request))
    if monitor is None:
        raise text_error(404, "Monitor not found")
    return Response(200, monitor)


def list_monitors(request: Request, world: World) -> Response:
    """``GET /api/v1/monitor?monitor_tags=a:b,c:d``: whole monitors that have all these tags."""
    if unknown := set(request.query) - _LIST_PARAMETERS:
        raise text_error(400, f"Invalid parameter: {min(unknown)} is not known here")
    wanted = {tag for tag in request.query.get("monitor_tags", "").split(",") if tag}
    with world.documents.lock:
        monitors = list(world.documents.monitors.values())
    found = [monitor for monitor in monitors if wanted <= set(monitor["tags"])]
    page, size = request.integer("page", 0), request.integer("page_size", 100)
    if "page" in request.query or "page_size" in request.query:
        found = found[page * size : (page + 1) * size]
    return Response(200, found)


def update_monitor(request: Request, world: World) -> Response:
    """``PUT /api/v1/monitor/{id}``: replaces the fields that are given; the type of a monitor is fixed."""
    body = request.json_object()
    with world.documents.lock:
        stored = world.documents.monitors.get(_id(request))
        if stored is None:
            raise text_error(404, "Monitor not found")
        if body.get("type", stored["type"]) != stored["type"]:
            raise text_error(400, "Monitor type can not be changed")
        monitor = {**stored, **body, "id": stored["id"], "modified": iso_timestamp(world.clock())}
        _check(monitor)
        world.documents.monitors[stored["id"]] = monitor
    return Response(200, monitor)


def delete_monitor(request: Request, world: World) -> Response:
    """``DELETE /api/v1/monitor/{id}``."""
    with world.documents.lock:
        if world.documents.monitors.pop(_id(request), None) is None:
            raise text_error(404, "Monitor not found")
    return Response(200, {"deleted_monitor_id": _id(request)})


def search_monitors(request: Request, world: World) -> Response:
    """``GET /api/v1/monitor/search?query=tag:"created_by:ddsetup"``: tags and free text."""
    tests = _search_terms(request.query.get("query", ""))
    with world.documents.lock:
        monitors = list(world.documents.monitors.values())
    found = [m for m in monitors if all(_matches(m, key, value) for key, value in tests)]
    page, size = request.integer("page", 0), request.integer("per_page", 30)
    shown = found[page * size : (page + 1) * size]
    body = {
        "monitors": [_found(monitor) for monitor in shown],
        "metadata": {
            "page": page,
            "page_count": -(-len(found) // size),
            "per_page": size,
            "total_count": len(found),
        },
        "counts": {"status": [], "muted": [], "tag": [], "type": []},
    }
    return Response(200, body)


def _check(body: JsonObject) -> None:
    kind, query = body.get("type"), body.get("query")
    if kind not in (*METRIC_TYPES, LOG_TYPE):
        raise _wrong("type", f"{kind} is not known here")
    if not isinstance(query, str):
        raise _wrong("query", "a query is required")
    comparison = _COMPARISON.match(query.strip())
    if comparison is None:
        raise _wrong("query", "a comparison with a threshold is missing")
    if kind == LOG_TYPE:
        logs = _LOGS.match(comparison["left"].strip())
        if logs is None:
            raise _wrong("query", "not a log query")
        compile_query(re.sub(r"\\(.)", r"\1", logs["search"]), RESERVED)
    else:
        _check_metric_query(comparison["left"].strip())
    thresholds = (body.get("options") or {}).get("thresholds") or {}
    critical = thresholds.get("critical")
    if critical is not None and float(critical) != float(comparison["threshold"]):
        raise text_error(
            400,
            f"Alert threshold ({float(critical)}) does not match that used in the query "
            f"({float(comparison['threshold'])}).",
        )


def _check_metric_query(left: str) -> None:
    match = _PLAIN.match(left) or _CHANGE.match(left)
    if match is None:
        raise _wrong("query", "an evaluation window is missing")
    try:
        named = _names_in(parse_expression(match["query"]))
    except QueryError as error:
        raise _wrong("query", str(error)) from None
    if named:
        raise _wrong("query", f"{named[0]} is not a query")


def _names_in(expression: Expression) -> list[str]:
    """Words that only a formula may hold: a monitor's query has nothing that they could stand for."""
    match expression:
        case Name(name):
            return [name]
        case Operation(_, left, right):
            return [*_names_in(left), *_names_in(right)]
    return []


def _wrong(parameter: str, why: str) -> Exception:
    return text_error(400, f"The value provided for parameter '{parameter}' is invalid: {why}")


def _id(request: Request) -> int:
    value = request.captures["id"]
    if not value.isdigit():
        raise text_error(404, "Monitor not found")
    return int(value)


def _search_terms(query: str) -> list[tuple[str, str]]:
    terms = []
    for key, quoted, word in re.findall(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))', query):
        if key not in ("", "tag", "title", "type"):
            raise text_error(400, f"invalid query: {key} is not known here")
        if (word or quoted).upper() != "AND":
            terms.append((key, quoted or word))
    return terms


def _matches(monitor: JsonObject, key: str, value: str) -> bool:
    if key == "tag":
        return value in monitor["tags"]
    if key == "type":
        return bool(monitor["type"] == value)
    return value.strip("*").lower() in str(monitor["name"]).lower()


def _found(monitor: JsonObject) -> JsonObject:
    shown: dict[str, Any] = {key: monitor[key] for key in ("id", "name", "query", "tags", "type")}
    return {
        **shown,
        "status": monitor["overall_state"],
        "classification": "metric",
        "metrics": [],
        "scopes": [],
    }
