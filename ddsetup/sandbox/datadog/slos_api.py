"""Service level objectives: create, list, read, replace, delete (API reference, service level objectives)."""

from __future__ import annotations

import secrets

from ddsetup.sandbox.datadog.metric_query import QueryError, parse_expression, parse_query
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

TIMEFRAMES = ("7d", "30d", "90d")
COMPARATORS = (">", ">=", "<", "<=")


def create_slo(request: Request, world: World) -> Response:
    """``POST /api/v1/slo``."""
    body = request.json_object()
    _check(body)
    now = int(world.clock())
    slo = _kept(body) | {
        "id": secrets.token_hex(16),
        "creator": {"email": "sandbox@example.com", "handle": "sandbox@example.com", "name": "sandbox"},
        "created_at": now,
        "modified_at": now,
    }
    with world.documents.lock:
        world.documents.slos[slo["id"]] = slo
    return _answer([slo])


def list_slos(request: Request, world: World) -> Response:
    """``GET /api/v1/slo?tags_query=&limit=&offset=``: those that have this one tag."""
    tag = request.query.get("tags_query", "")
    limit, offset = request.integer("limit", 1000), request.integer("offset", 0)
    with world.documents.lock:
        slos = [slo for slo in world.documents.slos.values() if not tag or tag in slo["tags"]]
    page = {"page": {"total_count": len(slos), "total_filtered_count": len(slos)}}
    return Response(200, {"data": slos[offset : offset + limit], "errors": None, "metadata": page})


def get_slo(request: Request, world: World) -> Response:
    """``GET /api/v1/slo/{id}``."""
    with world.documents.lock:
        slo = world.documents.slos.get(request.captures["id"])
    if slo is None:
        raise _absent()
    return Response(200, {"data": slo})


def update_slo(request: Request, world: World) -> Response:
    """``PUT /api/v1/slo/{id}``: replaces it as a whole; its type is fixed."""
    body = request.json_object()
    with world.documents.lock:
        stored = world.documents.slos.get(request.captures["id"])
        if stored is None:
            raise _absent()
        if body.get("type") != stored["type"]:
            raise text_error(400, "Invalid payload: the type of an SLO can not be changed")
        _check(body)
        fixed = {key: stored[key] for key in ("id", "creator", "created_at")}
        slo = _kept(body) | fixed | {"modified_at": int(world.clock())}
        world.documents.slos[slo["id"]] = slo
    return _answer([slo])


def delete_slo(request: Request, world: World) -> Response:
    """``DELETE /api/v1/slo/{id}``."""
    with world.documents.lock:
        if world.documents.slos.pop(request.captures["id"], None) is None:
            raise _absent()
    return Response(200, {"data": [request.captures["id"]]})


def _answer(slos: list[JsonObject]) -> Response:
    return Response(200, {"data": slos, "errors": []})


def _absent() -> Exception:
    return text_error(404, "SLO not found")


def _kept(body: JsonObject) -> JsonObject:
    """As it is given back: with defaults, and targets also as they are displayed."""
    thresholds = [{"target_display": f"{each['target']:g}", **each} for each in body["thresholds"]]
    return {"description": None, "tags": [], "monitor_ids": [], **body, "thresholds": thresholds}


def _check(body: JsonObject) -> None:
    if not body.get("name") or not isinstance(body["name"], str):
        raise _wrong("name is required")
    _check_thresholds(body.get("thresholds"))
    try:
        _check_measure(body)
    except QueryError as error:
        raise _wrong(str(error)) from None


def _check_thresholds(thresholds: object) -> None:
    if not isinstance(thresholds, list) or not thresholds:
        raise _wrong("thresholds are required")
    for each in thresholds:
        if each.get("timeframe") not in TIMEFRAMES:
            raise _wrong(f"timeframe {each.get('timeframe')} is not known here")
        if not isinstance(each.get("target"), int | float) or not 0 < each["target"] < 100:
            raise _wrong("a target is more than 0 and less than 100")


def _check_measure(body: JsonObject) -> None:
    kind = body.get("type")
    if kind == "metric":
        query = body.get("query") or {}
        for side in ("numerator", "denominator"):
            parse_expression(str(query.get(side) or ""))
            if ".as_count()" not in query[side]:
                raise _wrong(f"the {side} has to be a count")
    elif kind == "time_slice":
        condition = (body.get("sli_specification") or {}).get("time_slice") or {}
        if condition.get("comparator") not in COMPARATORS or "threshold" not in condition:
            raise _wrong("a comparator and a threshold are required")
        query = condition.get("query") or {}
        names = set()
        for each in query.get("queries") or []:
            parse_query(each["query"])
            names.add(each["name"])
        if not names or not all(each["formula"] in names for each in query.get("formulas") or [{}]):
            raise _wrong("formulas and queries are required")
    else:
        raise _wrong(f"type {kind} is not known here")


def _wrong(why: str) -> Exception:
    return text_error(400, f"Invalid payload: {why}")
