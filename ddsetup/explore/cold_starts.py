"""Cold starts: how many of a function's invocations had to wait for a new environment, and for how long.

Counted by `aws.lambda.enhanced.invocations` with the tag `cold_start:true`; `init_duration` is in seconds
(Datadog's enhanced Lambda metrics).
"""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.explore.drawing import WIDTH, bar, duration, interval_seconds, iso, percent, sparkline, timeline
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.series import Timeseries, timeseries
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.model.account import Json
from ddsetup.model.lines import Line, Look, Span, Style, counted, cut, line, names, padded, shorten, width_of

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


def cold_start_lines(data: Mapping[str, Json], look: Look) -> list[Line]:
    """The functions as a bar chart, then the share over time."""
    if "over_time" not in data:
        return []
    rows = data["functions"]
    if not rows:
        return [
            line("No invocation was counted in this time."),
            line(Span("  enhanced metrics count them: ddsetup verify", "dim")),
        ]
    found = [line(Span(_headline(data), "bold"))]
    shown = rows if look.verbose else rows[:_SHOWN]
    found.extend(_bars(shown, look))
    if len(rows) > len(shown):
        found.append(line(Span(f"  … and {len(rows) - len(shown):,} more (-v shows all)", "dim")))
    found.append(())
    found.extend(_share_lines(data, look))
    often = [r["function"] for r in rows if r["share"] >= HIGH_SHARE and r["invocations"] >= FEW]
    if often:
        said = cut(names(often, 5), (look.width or WIDTH) - 22)
        found.append(line(Span("! ", "warn"), f"{HIGH_SHARE:.0%} cold or more: {said}"))
        found.append(line("  provisioned concurrency keeps environments warm (AWS bills it)"))
    return found


def _headline(data: Mapping[str, Json]) -> str:
    cold, every = data["cold_starts"], data["invocations"]
    share = percent(data["share"])
    return f"{counted(cold, 'cold start')} in {counted(every, 'invocation')} ({share})"


def _bars(rows: list[Json], look: Look) -> list[Line]:
    several = len({row["region"] for row in rows}) > 1
    titles = [f"{row['function']} ({row['region']})" if several else row["function"] for row in rows]
    figures = [
        f"{row['cold_starts']:>5,} of {row['invocations']:<7,} {percent(row['share']):>5}" for row in rows
    ]
    inits = [f"  init {duration(row['init_ms'])}" if row["init_ms"] is not None else "" for row in rows]
    room = (look.width or WIDTH) - 4
    tail = max(len(one) + len(two) for one, two in zip(figures, inits, strict=True))
    name = min(max(map(width_of, titles)), max(12, room - tail - 12))
    width = max(6, min(40, room - tail - name - 2))
    largest = max(row["cold_starts"] for row in rows)
    found = []
    for row, title, figure, init in zip(rows, titles, figures, inits, strict=True):
        drawn = f"{bar(row['cold_starts'], largest, width):<{width}}"
        style: Style = "warn" if row["share"] >= HIGH_SHARE and row["invocations"] >= FEW else "good"
        found.append(
            line(
                f"  {padded(shorten(title, name), name)} ",
                Span(drawn, style),
                f" {figure}",
                Span(init, "dim"),
            )
        )
    return found


def _share_lines(data: Mapping[str, Json], look: Look) -> list[Line]:
    points = [(point["at"], point["share"]) for point in data["over_time"]]
    if not points:
        return []
    shares = [share for _, share in points]
    room = min(_POINTS, max(20, (look.width or WIDTH) - 44))
    drawn = sparkline(timeline(points, data["interval"] * 1000, room), floor=0.0)
    of = "" if data["over_time_of"] == "chosen functions" else f" of {data['over_time_of']}"
    return [
        line(
            f"  Share over time{of}  ",
            Span(drawn, "good"),
            f"  max {percent(max(shares))}, last {percent(shares[-1])}",
        )
    ]
