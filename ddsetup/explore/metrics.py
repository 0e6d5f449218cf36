"""Any metric over time as a sparkline with its smallest, mean and largest value, whole or by a tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ddsetup.explore.drawing import clock_time, interval_seconds, number
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.series import Timeseries, timeseries
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, Series
from ddsetup.model.clock import iso
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look, Span, and_more, line

PERCENTILES = ("p50", "p75", "p90", "p95", "p99")
"""Of a distribution, once `ddsetup metrics percentiles` has turned them on."""
AGGREGATIONS = ("avg", "sum", "min", "max", "count", *PERCENTILES)
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,199}")
_SHOWN = 20


def check_metric(name: str) -> str:
    """The name of a metric. Raises UsageError for what cannot be one."""
    if not _METRIC.fullmatch(name):
        fix = "letters, digits, _ and . after a letter, e.g. coffee_house.order_value"
        raise UsageError(f"{name!r} cannot be the name of a metric", fix=fix)
    return name


def metrics(
    dd: Datadog, window: Window, names: Sequence[str], whose: Whose | None, how: str = "avg", by: str = ""
) -> Mapping[str, Json]:
    """The `data` of `explore metrics`, in one call. `whose` None: whoever sent the metrics.

    `how` is an aggregation over what was sent in one interval; `by` a tag key to tell apart. Raises
    UsageError for what cannot be a metric or tag, Denied when `timeseries_query` is missing.
    """
    if by and not _TAG.fullmatch(by):
        raise UsageError(f"{by!r} cannot be the key of a tag", fix="e.g. --by product")
    if how not in AGGREGATIONS:
        raise UsageError(f"{how!r} is no aggregation", fix=f"one of: {', '.join(AGGREGATIONS)}")
    scope = whose.metrics() if whose is not None else "*"
    suffix = f" by {{{by}}}" if by else ""
    ways = dict.fromkeys((how, "min", "max", "avg"))
    queries = {
        f"q{at}_{way}": f"{way}:{check_metric(name)}{{{scope}}}{suffix}"
        for at, name in enumerate(names)
        for way in ways
    }
    seconds = (window.end - window.start).total_seconds()
    points = timeseries(dd, window, queries, interval_seconds=interval_seconds(seconds))
    return shaped(names, points, window, how, by)


def shaped(names: Sequence[str], points: Timeseries, window: Window, how: str, by: str) -> Mapping[str, Json]:
    """The series as plain data: the metrics in the order asked for, their groups by name."""
    found: list[Json] = []
    for at, name in enumerate(names):
        groups = sorted({one.group for one in points.series if one.label.startswith(f"q{at}_")})
        rows = [_row(points, f"q{at}_", group, how) for group in groups]
        found.append({"metric": name, "series": [row for row in rows if row["points"]]})
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "aggregation": how,
        "by": by,
        "interval": interval_seconds((window.end - window.start).total_seconds()),
        "metrics": found,
    }


def _row(points: Timeseries, prefix: str, group: tuple[str, ...], how: str) -> Mapping[str, Json]:
    values = {one.label: one.values for one in points.series if one.group == group}

    def known(way: str) -> list[float]:
        return [value for value in values.get(prefix + way, ()) if value is not None]

    drawn = values.get(prefix + how, ())
    averages = known("avg")
    return {
        "group": ",".join(group),
        "points": [[at, value] for at, value in zip(points.times, drawn, strict=False) if value is not None],
        "min": min(known("min"), default=None),
        "avg": sum(averages) / len(averages) if averages else None,
        "max": max(known("max"), default=None),
        "last": next(iter(reversed(known(how))), None),
    }


def metric_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """A sparkline for each series with its figures under it."""
    if "aggregation" not in data:
        return []
    found: list[Block] = []
    for metric in data["metrics"]:
        series = metric["series"]
        title = f"{data['aggregation']} of {metric['metric']}"
        found.append(line(Span(title + (f" by {data['by']}" if data["by"] else ""), "bold")))
        if not series:
            found.append(line("  no point in this time"))
            if data["aggregation"] in PERCENTILES:
                hint = f"  percentiles have to be on: ddsetup metrics percentiles {metric['metric']}"
                found.append(line(Span(hint, "dim")))
        shown = series if look.verbose else series[:_SHOWN]
        found.extend(_series(one, data) for one in shown)
        found += and_more(len(series) - len(shown))
        found.append(())
    return found[:-1]


def _series(one: Mapping[str, Json], data: Mapping[str, Json]) -> Series:
    figures = "   ".join(f"{way} {number(one[way])}" for way in ("min", "avg", "max", "last"))
    first, last = one["points"][0][0], one["points"][-1][0]
    times = f"   {clock_time(_instant(first))} to {clock_time(_instant(last))} UTC"
    points = tuple((at, value) for at, value in one["points"])
    return Series(one["group"] if data["by"] else "", points, data["interval"] * 1000, figures, times)


def _instant(milliseconds: int) -> str:
    return iso(datetime.fromtimestamp(milliseconds / 1000, UTC))
