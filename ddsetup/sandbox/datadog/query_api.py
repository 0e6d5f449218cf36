"""Metric queries: v1 ``/query`` and v2 ``/query/scalar`` and ``/query/timeseries``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ddsetup.sandbox.datadog.metric_eval import (
    EvaluationError,
    Row,
    Window,
    combine,
    default_interval,
    evaluate,
    evaluate_query,
    reduce_over_time,
)
from ddsetup.sandbox.datadog.metric_query import (
    Expression,
    MetricQuery,
    Name,
    QueryError,
    parse_expression,
    parse_query,
)
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World


def query_v1(request: Request, world: World) -> Response:
    """``GET /api/v1/query?from=&to=&query=`` with seconds."""
    start, end = request.integer("from"), request.integer("to")
    text = request.query.get("query", "")
    window = _window(start, end, None)
    expression = _parsed(text, parse_expression)
    rows = _evaluated(lambda: evaluate(expression, window, world.telemetry))
    body = {
        "status": "ok",
        "resp_version": 1,
        "res_type": "time_series",
        "query": text,
        "from_date": start * 1000,
        "to_date": end * 1000,
        "message": "",
        "group_by": list(_queries_in(expression)[0].group_by),
        "series": [_series_v1(row, expression, window, text) for row in rows],
    }
    return Response(200, body)


def query_scalar(request: Request, world: World) -> Response:
    """``POST /api/v2/query/scalar``: one number for each group and formula."""
    attributes = _attributes(request, "scalar_request")
    window, queries = _asked(attributes, default_aggregator="avg")

    def rows_of(leaf: MetricQuery | Name) -> list[Row]:
        asked = _named(queries, leaf)
        return [
            Row(row.group, {} if value is None else {0: value}, row.interval)
            for row in evaluate_query(asked.query, window, world.telemetry)[: world.metric_groups]
            for value in [reduce_over_time(row, asked.aggregator)]
        ]

    columns = _evaluated(
        lambda: [(name, combine(formula, rows_of)) for name, formula in _formulas(attributes, queries)]
    )
    body = {"data": {"type": "scalar_response", "attributes": {"columns": _columns(columns, queries)}}}
    return Response(200, body)


def query_timeseries(request: Request, world: World) -> Response:
    """``POST /api/v2/query/timeseries``: points for each group and formula."""
    attributes = _attributes(request, "timeseries_request")
    window, queries = _asked(attributes, default_aggregator="avg")

    def rows_of(leaf: MetricQuery | Name) -> list[Row]:
        return evaluate_query(_named(queries, leaf).query, window, world.telemetry)

    results = _evaluated(
        lambda: [
            (index, row)
            for index, (_, formula) in enumerate(_formulas(attributes, queries))
            for row in combine(formula, rows_of)
        ]
    )
    times = sorted({at for _, row in results for at in row.points})
    body = {
        "series": [{"group_tags": list(row.group), "query_index": i, "unit": None} for i, row in results],
        "times": [at * 1000 for at in times],
        "values": [[row.points.get(at) for at in times] for _, row in results],
    }
    return Response(200, {"data": {"type": "timeseries_response", "attributes": body}})


@dataclass(frozen=True, slots=True)
class _Asked:
    query: MetricQuery
    aggregator: str


def _attributes(request: Request, kind: str) -> JsonObject:
    data = request.json_object().get("data")
    if not isinstance(data, dict) or data.get("type") != kind or not isinstance(data.get("attributes"), dict):
        raise text_error(400, f"invalid request: data.type must be {kind} and data.attributes an object")
    attributes: JsonObject = data["attributes"]
    return attributes


def _asked(attributes: JsonObject, default_aggregator: str) -> tuple[Window, dict[str, _Asked]]:
    start, end = attributes.get("from"), attributes.get("to")
    described = attributes.get("queries")
    if not isinstance(start, int) or not isinstance(end, int):
        raise text_error(400, "invalid request: from and to are milliseconds since the epoch")
    if not isinstance(described, list) or not described:
        raise text_error(400, "invalid request: queries is required")
    interval = attributes.get("interval")
    window = _window(start / 1000, end / 1000, interval // 1000 if isinstance(interval, int) else None)
    queries: dict[str, _Asked] = {}
    for index, item in enumerate(described):
        if not isinstance(item, dict) or item.get("data_source") != "metrics":
            raise text_error(400, "invalid request: only the data_source metrics is known here")
        name = item.get("name") or chr(ord("a") + index)
        query = _parsed(str(item.get("query", "")), parse_query)
        queries[name] = _Asked(query, str(item.get("aggregator") or default_aggregator))
    return window, queries


def _formulas(attributes: JsonObject, queries: Mapping[str, _Asked]) -> list[tuple[str, Expression]]:
    described = attributes.get("formulas") or [{"formula": name} for name in queries]
    formulas = []
    for item in described:
        text = item.get("formula") if isinstance(item, dict) else None
        if not isinstance(text, str):
            raise text_error(400, "invalid request: a formula is an object with a formula")
        formulas.append((text, _parsed(text, parse_expression)))
    return formulas


def _named(queries: Mapping[str, _Asked], leaf: MetricQuery | Name) -> _Asked:
    if isinstance(leaf, MetricQuery) or leaf.name not in queries:
        raise EvaluationError("invalid request: a formula names a query that was not given")
    return queries[leaf.name]


def _columns(results: list[tuple[str, list[Row]]], queries: Mapping[str, _Asked]) -> list[JsonObject]:
    """Group columns first, then a number column for each formula; no rows at all are no columns."""
    keys = max((asked.query.group_by for asked in queries.values()), key=len)
    if not keys:
        return [_number_column(name, [rows[0].points.get(0) if rows else None]) for name, rows in results]
    groups = sorted({row.group for _, rows in results for row in rows})
    if not groups:
        return []
    columns: list[JsonObject] = [
        {"name": key, "type": "group", "values": [[_tag_value(group, i, key)] for group in groups]}
        for i, key in enumerate(keys)
    ]
    for name, rows in results:
        by_group = {row.group: row.points.get(0) for row in rows}
        columns.append(_number_column(name, [by_group.get(group) for group in groups]))
    return columns


def _tag_value(group: tuple[str, ...], index: int, key: str) -> str:
    return group[index].removeprefix(f"{key}:") if index < len(group) else ""


def _number_column(name: str, values: list[float | None]) -> JsonObject:
    return {"name": name, "type": "number", "values": values, "meta": {"unit": [None, None]}}


def _series_v1(row: Row, expression: Expression, window: Window, text: str) -> JsonObject:
    queries = _queries_in(expression)
    scope = ",".join(row.group) or queries[0].scope_text
    points = [[at * 1000, value] for at, value in row.points.items()]
    return {
        "metric": queries[0].metric if len(queries) == 1 else text,
        "display_name": queries[0].metric if len(queries) == 1 else text,
        "expression": text,
        "scope": scope,
        "tag_set": list(row.group),
        "aggr": queries[0].aggregator,
        "interval": row.interval,
        "length": len(points),
        "start": int(window.start) * 1000,
        "end": int(window.end) * 1000 - 1,
        "query_index": 0,
        "attributes": {},
        "unit": [None, None],
        "pointlist": points,
    }


def _queries_in(expression: Expression) -> list[MetricQuery]:
    if isinstance(expression, MetricQuery):
        return [expression]
    left, right = getattr(expression, "left", None), getattr(expression, "right", None)
    found = [query for side in (left, right) if side is not None for query in _queries_in(side)]
    if left is None and not found and isinstance(expression, Name):
        raise text_error(400, f"Error parsing query: {expression.name} is not a query")
    return found


def _window(start: float, end: float, interval: int | None) -> Window:
    if start >= end:
        raise text_error(400, "The 'to' parameter must be after the 'from' parameter")
    return Window(start, end, max(1, interval or default_interval(end - start)))


def _parsed(text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except QueryError as error:
        raise text_error(400, str(error)) from None


def _evaluated(evaluation: Callable[[], Any]) -> Any:
    try:
        return evaluation()
    except EvaluationError as error:
        raise text_error(400, str(error)) from None
