"""Spans as the rows of a flame graph, the logs of their request, and both as lines of text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.drawing import clean, clock_time, duration
from ddsetup.explore.errors import essence
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, Flame, Flames
from ddsetup.model.lines import Line, Look, Span, cut, line, shorten
from ddsetup.show.layout import WIDTH

ROWS = 14
"""Spans of a trace that are drawn: a cold start alone has hundreds of imports."""
_LOG_LINES = 8

_REQUEST_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_PLATFORM = re.compile(r"^(?:START|END) RequestId: ")


def rows_of(spans: Sequence[SpanEvent]) -> list[Json]:
    """The spans as a tree, parents before children, earlier ones first; `start_ms` counts from the first."""
    if not spans:
        return []
    known = {span.span_id for span in spans}
    children: dict[str, list[SpanEvent]] = {}
    for span in spans:
        parent = span.parent_id if span.parent_id in known and span.parent_id != span.span_id else ""
        children.setdefault(parent, []).append(span)
    origin = min(span.start for span in spans)
    found: list[Json] = []
    waiting = [(0, span) for span in _later_first(children.pop("", []))]
    while waiting:
        depth, span = waiting.pop()
        found.append(
            {
                "span_id": span.span_id,
                "depth": depth,
                "service": span.service,
                "operation": span.operation,
                "resource": clean(span.resource),
                "start_ms": round((span.start - origin).total_seconds() * 1000, 3),
                "duration_ms": round(span.duration_ms, 3),
                "failed": span.failed,
                "error": clean(span.error),
            }
        )
        waiting.extend((depth + 1, child) for child in _later_first(children.pop(span.span_id, [])))
    return found


def _later_first(spans: Iterable[SpanEvent]) -> list[SpanEvent]:
    return sorted(spans, key=lambda span: (span.start, -span.duration_ms, span.span_id), reverse=True)


def requests_logs(logs: Sequence[Log], root: SpanEvent) -> tuple[Log, ...]:
    """Of the logs of a function around an invocation, those of this one request.

    An environment serves one request at a time. So what stands in the same log stream between the first and
    the last mention of the request's id belongs to it, too: tracebacks and timeouts do not name the request.
    """
    if not root.request_id:
        return ()
    ours = [at for at, log in enumerate(logs) if root.request_id in (log.request_id, *_named_in(log.message))]
    if not ours:
        return ()
    streams = {logs[at].stream for at in ours}
    found = []
    for at, log in enumerate(logs):
        named = [log.request_id] if log.request_id else _named_in(log.message)
        inside = ours[0] <= at <= ours[-1] and log.stream in streams and log.stream
        if root.request_id in named or (inside and not named):
            found.append(log)
    return tuple(found)


def _named_in(message: str) -> list[str]:
    return _REQUEST_ID.findall(message)


def trace_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Every trace with its flame graph and its logs: the slowest first, then the failing ones."""
    if "traces" not in data:
        return []
    if not data["traces"]:
        return [line("No trace of a function arrived in this time.")]
    by_id = {trace["trace_id"]: trace for trace in data["traces"]}
    found: list[Block] = []
    told: set[str] = set()
    for key, title in (("slowest", "Slowest traces"), ("failing", "Failing traces")):
        fresh = [trace for trace in data[key] if trace not in told]
        again = len(data[key]) - len(fresh)
        if data[key]:
            remark = f"  ({again} of them above)" if again else ""
            found.append(line(Span(title, "heading"), Span(remark, "dim")))
        for trace in fresh:
            told.add(trace)
            found.extend(_one_trace(by_id[trace], look))
            found.append(())
    if not data["failing"]:
        found.append(line("No trace failed in this time."))
    return found if found[-1] else found[:-1]


def _one_trace(trace: Mapping[str, Json], look: Look) -> list[Block]:
    width = look.width or WIDTH
    notes = [f"{clock_time(trace['start'])} UTC"] + (["cold start"] if trace["cold_start"] else [])
    head = [
        Span("✗ " if trace["failed"] else "  ", "bad" if trace["failed"] else ""),
        Span(shorten(trace["function"], 40), "bold"),
        Span(f"  {duration(trace['duration_ms'])}"),
        Span(f"  {', '.join(notes)}", "dim"),
    ]
    found: list[Block] = [tuple(head)]
    if trace["error"]:
        found.append(line("    ", Span(cut(trace["error"].splitlines()[0], width - 6), "bad")))
    found.append(_flames(trace["spans"]))
    found.extend(_log_lines(trace["logs"], look, width))
    if trace.get("link"):
        found.append(line("    ", Span(trace["link"], "code")))
    return found


def _flames(rows: Sequence[Mapping[str, Json]]) -> Flames:
    whole = max((row["start_ms"] + row["duration_ms"] for row in rows), default=0.0)
    places = {id(row): at for at, row in enumerate(rows)}
    shown = tuple(places[id(row)] for row in longest(rows, ROWS))
    return Flames(tuple(map(_flame, rows)), whole, shown)


def _flame(row: Mapping[str, Json]) -> Flame:
    facts = (
        ("service", row["service"]),
        ("operation", row["operation"]),
        ("resource", row["resource"]),
        ("starts after", duration(row["start_ms"]) if row["start_ms"] else ""),
        ("error", row["error"]),
    )
    figure = duration(row["duration_ms"])
    return Flame(_title(row), row["start_ms"], row["duration_ms"], row["depth"], row["failed"], figure, facts)


def longest(rows: Sequence[Mapping[str, Json]], most: int) -> list[Mapping[str, Json]]:
    """The longest spans and those that failed, with all their parents, in the order of the tree."""
    if len(rows) <= most:
        return list(rows)
    parents = _parents(rows)
    kept: set[int] = set()
    for at in sorted(range(len(rows)), key=lambda i: (not rows[i]["failed"], -rows[i]["duration_ms"])):
        path = {at, *parents[at]}
        if len(kept | path) <= most:
            kept |= path
    return [rows[at] for at in sorted(kept)]


def _parents(rows: Sequence[Mapping[str, Json]]) -> list[tuple[int, ...]]:
    """For each row, the positions of the rows above it."""
    found: list[tuple[int, ...]] = []
    path: list[int] = []
    for at, row in enumerate(rows):
        del path[row["depth"] :]
        found.append(tuple(path))
        path.append(at)
    return found


def _title(row: Mapping[str, Json]) -> str:
    resource, operation = row["resource"], row["operation"]
    return operation if resource in ("", operation) else f"{operation} {resource}"


def _log_lines(logs: Sequence[Mapping[str, Json]], look: Look, width: int) -> list[Line]:
    """What the request logged; the lines of Lambda itself only where everything is shown."""
    told = [log for log in logs if look.verbose or not _PLATFORM.match(log["message"])]
    found: list[Line] = []
    for log in told if look.verbose else told[:_LOG_LINES]:
        first, *rest = log["message"].strip().splitlines() or [""]
        parts = [part.expandtabs(1) for part in (essence(first), *rest)]
        error = log["status"] in ("error", "critical", "emergency", "alert")
        shown = parts if look.verbose or len(parts) <= 2 else [parts[0], f"… {parts[-1].strip()}"]
        for at, part in enumerate(shown):
            when = clock_time(log["at"]) if at == 0 else " " * 8
            text = cut(part, width - 14)
            found.append(line("    ", Span(f"{when} ", "dim"), Span(text, "bad" if error else "dim")))
    if len(told) > _LOG_LINES and not look.verbose:
        found.append(line(Span(f"    … and {len(told) - _LOG_LINES:,} more logs (-v shows all)", "dim")))
    return found
