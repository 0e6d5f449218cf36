"""Evaluate metric queries on the points that arrived."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ddsetup.sandbox.datadog.metric_query import PERCENTILES, Expression, MetricQuery, Name, Number, Operation
from ddsetup.sandbox.datadog.store import Points, Telemetry

#: A tag value for series that lack the tag they are grouped by.
MISSING = "N/A"

_REDUCE: Mapping[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
}


class EvaluationError(ValueError):
    """An expression that can be read but not evaluated."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time range in seconds with the width of its buckets."""

    start: float
    end: float
    interval: int


@dataclass(frozen=True, slots=True)
class Row:
    """One resulting series: its group (``("functionname:a",)``) and bucket start (s) -> value."""

    group: tuple[str, ...]
    points: Mapping[int, float]
    interval: int


def default_interval(seconds: float) -> int:
    """The bucket width for a range, in the steps Datadog's graphs use."""
    steps = ((3600, 20), (4 * 3600, 60), (86400, 300), (2 * 86400, 600), (7 * 86400, 3600))
    return next((width for longest, width in steps if seconds <= longest), 14400)


def evaluate(expression: Expression, window: Window, telemetry: Telemetry) -> list[Row]:
    """The rows of an expression without names. Raises EvaluationError."""

    def look_up(leaf: MetricQuery | Name) -> list[Row]:
        if isinstance(leaf, Name):
            raise EvaluationError(f"Error parsing query: {leaf.name} is not a query")
        return evaluate_query(leaf, window, telemetry)

    return combine(expression, look_up)


def evaluate_query(query: MetricQuery, window: Window, telemetry: Telemetry) -> list[Row]:
    """The rows of one query, one for each group that has points."""
    interval = (query.rollup[1] if query.rollup else None) or window.interval
    groups: dict[tuple[str, ...], list[Points]] = {}
    telemetry.note_query(query.metric)
    for series in telemetry.points(query.metric, window.start, window.end):
        if query.aggregator in PERCENTILES and not telemetry.has_percentiles(series.metric):
            continue
        if query.scope(series.tags):
            for group in _groups(series.tags, query.group_by):
                groups.setdefault(group, []).append(series)
    return [Row(group, _aggregate(query, groups[group], interval), interval) for group in sorted(groups)]


def combine(expression: Expression, look_up: Callable[[MetricQuery | Name], list[Row]]) -> list[Row]:
    """Evaluate arithmetic on the rows that ``look_up`` gives for its leaves."""
    match expression:
        case Number(value):
            raise EvaluationError(f"Error parsing query: {value} alone is not a query")
        case Operation(operator, left, Number(value)):
            return [_with(row, operator, lambda p, v=value: (p, v)) for row in combine(left, look_up)]  # type: ignore[misc]
        case Operation(operator, Number(value), right):
            return [_with(row, operator, lambda p, v=value: (v, p)) for row in combine(right, look_up)]  # type: ignore[misc]
        case Operation(operator, left, right):
            return _join(operator, combine(left, look_up), combine(right, look_up))
        case _:
            return look_up(expression)


def _with(row: Row, operator: str, operands: Callable[[float], tuple[float, float]]) -> Row:
    values = {at: _apply(operator, *operands(point)) for at, point in row.points.items()}
    return Row(row.group, {at: value for at, value in values.items() if value is not None}, row.interval)


def _join(operator: str, left: list[Row], right: list[Row]) -> list[Row]:
    by_group = {row.group: row for row in right}
    joined = []
    for row in left:
        other = by_group.get(row.group) or by_group.get(())
        if other is None:
            continue
        values = {
            at: _apply(operator, p, other.points[at]) for at, p in row.points.items() if at in other.points
        }
        points = {at: value for at, value in values.items() if value is not None}
        joined.append(Row(row.group, points, row.interval))
    return joined


def _apply(operator: str, left: float, right: float) -> float | None:
    if operator == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


def _groups(tags: Iterable[str], keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    values: list[list[str]] = []
    for key in keys:
        found = sorted(tag for tag in tags if tag.startswith(f"{key}:"))
        values.append(found or [f"{key}:{MISSING}"])
    return list(itertools.product(*values))


def _aggregate(query: MetricQuery, group: list[Points], interval: int) -> dict[int, float]:
    """Over time within each series, then over the series; distributions hold all values, so at once."""
    space: dict[int, list[float]] = {}
    for series in group:
        buckets: dict[int, list[float]] = {}
        for second, values in series.values.items():
            buckets.setdefault(second - second % interval, []).extend(values)
        for bucket, collected in buckets.items():
            if series.kind == "distribution":
                space.setdefault(bucket, []).extend(collected)
            else:
                space.setdefault(bucket, []).append(_over_time(query, series.kind, collected, interval))
    if (share := PERCENTILES.get(query.aggregator)) is not None:
        return {bucket: _percentile(space[bucket], share) for bucket in sorted(space)}
    points = {bucket: _REDUCE[query.aggregator](space[bucket]) for bucket in sorted(space)}
    if query.unit == "rate" and all(series.kind != "rate" for series in group):
        return {bucket: value / interval for bucket, value in points.items()}
    return points


def _percentile(values: list[float], share: float) -> float:
    """The smallest value that is not below that share of all."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _over_time(query: MetricQuery, kind: str, values: list[float], interval: int) -> float:
    if kind == "rate" and query.unit == "count":
        return _REDUCE["avg"](values) * interval
    default = "sum" if kind == "count" or query.unit != "as_is" else "avg"
    return _REDUCE[query.rollup[0] if query.rollup else default](values)


def reduce_over_time(row: Row, aggregator: str) -> float | None:
    """One number for a row, as the scalar endpoint's ``aggregator`` asks. Raises EvaluationError."""
    values = list(row.points.values())
    if not values:
        return None
    reducers: dict[str, Callable[[], float]] = {
        "avg": lambda: sum(values) / len(values),
        "mean": lambda: sum(values) / len(values),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "sum": lambda: sum(values),
        "last": lambda: values[-1],
        "area": lambda: sum(values) * row.interval,
        "l2norm": lambda: sum(value * value for value in values) ** 0.5,
    }
    if aggregator not in reducers:
        raise EvaluationError(f"aggregator {aggregator} is not supported")
    return reducers[aggregator]()
