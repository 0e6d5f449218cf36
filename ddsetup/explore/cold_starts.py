"""Cold starts: how many of a function's invocations had to wait for a new environment, and for how long.

Counted by `aws.lambda.enhanced.invocations` with the tag `cold_start:true`; `init_duration` is in seconds
(Datadog's enhanced Lambda metrics).
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.explore.drawing import duration, interval_seconds, percent
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.series import Timeseries, timeseries
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.model.account import Json
from ddsetup.model.blocks import Bar, Bars, Block, Series
from ddsetup.model.clock import iso
from ddsetup.model.lines import Look, Span, and_more, counted, cut, line, names

_NAMES = 58
"""Columns for the names of functions in a line that fits into 80."""
HIGH_SHARE = 0.2
"""From which share on Datadog's recommended monitor alerts."""
FEW = 20
"""With fewer invocations than this a share says little."""

_INVOCATIONS = "aws.lambda.enhanced.invocations"
_INIT = "aws.lambda.enhanced.init_duration"
_POINTS = 60
_SHOWN = 30

Groups = Mapping[tuple[str, ...], Mapping[str, float]]


def cold_starts(dd: Datadog, window: Window, whose: Whose) -> Mapping[str, Json]:
    """The `data` of `explore cold-starts`, by two calls however many functions there are.

    Raises Denied when the permission `timeseries_query` is missing.
    """
    everything, cold = whose.metrics(), whose.metrics("cold_start:true")
    by = ("functionname", "region")
    grouped = ",".join(by)
    groups = grouped_values(
        dd,
        window,
        {
            "invocations": (f"sum:{_INVOCATIONS}{{{everything}}} by {{{grouped}}}.as_count()", "sum"),
            "cold": (f"sum:{_INVOCATIONS}{{{cold}}} by {{{grouped}}}.as_count()", "sum"),
            "init": (f"avg:{_INIT}{{{everything}}} by {{{grouped}}}", "avg"),
        },
        by,
    )
    seconds = (window.end - window.start).total_seconds()
    points = timeseries(
        dd,
        window,
        {
            "invocations": f"sum:{_INVOCATIONS}{{{everything}}}.as_count()",
            "cold": f"sum:{_INVOCATIONS}{{{cold}}}.as_count()",
        },
        interval_seconds=interval_seconds(seconds),
    )
    return shaped(groups, points, window, whose)


def shaped(groups: Groups, points: Timeseries, window: Window, whose: Whose) -> Mapping[str, Json]:
    """The figures as plain data, most cold starts first."""
    rows = []
    for (function, region), values in groups.items():
        if function and whose.has(function, region) and values.get("invocations"):
            invocations, cold = values["invocations"], values.get("cold", 0.0)
            init = values.get("init")
            rows.append(
                {
                    "function": function,
                    "region": region,
                    "invocations": round(invocations),
                    "cold_starts": round(cold),
                    "share": round(min(1.0, cold / invocations), 4),
                    "init_ms": None if init is None else round(init * 1000, 1),
                }
            )
    rows.sort(key=lambda row: (-int(str(row["cold_starts"])), str(row["function"])))
    invocations = sum(int(str(row["invocations"])) for row in rows)
    cold_starts = sum(int(str(row["cold_starts"])) for row in rows)
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "invocations": invocations,
        "cold_starts": cold_starts,
        "share": round(cold_starts / invocations, 4) if invocations else 0.0,
        "functions": rows,
        "interval": interval_seconds((window.end - window.start).total_seconds()),
        "over_time": _over_time(points),
        "over_time_of": "chosen functions" if whose.named or not whose.functions else "all functions",
    }


def _over_time(points: Timeseries) -> list[Json]:
    found: list[Json] = []
    for at, every, cold in zip(points.times, points.of("invocations"), points.of("cold"), strict=True):
        if every:
            share = round(min(1.0, (cold or 0.0) / every), 4)
            found.append({"at": at, "invocations": every, "cold_starts": cold or 0.0, "share": share})
    return found


def cold_start_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """The functions as a bar chart, then the share over time."""
    if "over_time" not in data:
        return []
    rows = data["functions"]
    if not rows:
        return [
            line("No invocation was counted in this time."),
            line(Span("  enhanced metrics count them: ddsetup verify", "dim")),
        ]
    found: list[Block] = [line(Span(_headline(data), "bold"))]
    shown = rows if look.verbose else rows[:_SHOWN]
    found.append(_bars(shown))
    found += and_more(len(rows) - len(shown))
    found.append(())
    found.extend(_shares(data))
    often = [r["function"] for r in rows if r["share"] >= HIGH_SHARE and r["invocations"] >= FEW]
    if often:
        said = cut(names(often, 5), _NAMES)
        found.append(line(Span("! ", "warn"), f"{HIGH_SHARE:.0%} cold or more: {said}"))
        found.append(line("  provisioned concurrency keeps environments warm (AWS bills it)"))
    return found


def _headline(data: Mapping[str, Json]) -> str:
    cold, every = data["cold_starts"], data["invocations"]
    share = percent(data["share"])
    return f"{counted(cold, 'cold start')} in {counted(every, 'invocation')} ({share})"


def _bars(rows: list[Json]) -> Bars:
    several = len({row["region"] for row in rows}) > 1
    found = []
    for row in rows:
        often = row["share"] >= HIGH_SHARE and row["invocations"] >= FEW
        found.append(
            Bar(
                f"{row['function']} ({row['region']})" if several else row["function"],
                row["cold_starts"],
                f"{row['cold_starts']:>5,} of {row['invocations']:<7,} {percent(row['share']):>5}",
                f"  init {duration(row['init_ms'])}" if row["init_ms"] is not None else "",
                "warn" if often else "good",
            )
        )
    return Bars("Cold starts", tuple(found))


def _shares(data: Mapping[str, Json]) -> list[Block]:
    points = tuple((point["at"], point["share"]) for point in data["over_time"])
    if not points:
        return []
    of = "" if data["over_time_of"] == "chosen functions" else f" of {data['over_time_of']}"
    figures = f"max {percent(max(share for _, share in points))}, last {percent(points[-1][1])}"
    title = f"Share over time{of}"
    return [Series(title, points, data["interval"] * 1000, figures, floor=0.0, beside=True)]
