"""Spans as the rows of a flame graph, and the logs of their request. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.drawing import clean, duration
from ddsetup.explore.errors import REQUEST_ID
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.model.account import Json
from ddsetup.model.blocks import Flame, Flames

ROWS = 14
"""Spans of a trace that are drawn: a cold start alone has hundreds of imports."""


def rows_of(spans: Sequence[SpanEvent]) -> list[Json]:
    """The spans as a tree, parents before children, earlier ones first; `start_ms` counts from the first.

    A span that does not tell its function is of that above it.
    """
    if not spans:
        return []
    known = {span.span_id for span in spans}
    children: dict[str, list[SpanEvent]] = {}
    for span in spans:
        parent = span.parent_id if span.parent_id in known and span.parent_id != span.span_id else ""
        children.setdefault(parent, []).append(span)
    origin = min(span.start for span in spans)
    found: list[Json] = []
    waiting = [(0, "", span) for span in _later_first(children.pop("", []))]
    while waiting:
        depth, caller, span = waiting.pop()
        function = span.function or caller
        found.append(
            {
                "span_id": span.span_id,
                "depth": depth,
                "function": function,
                "service": span.service,
                "operation": span.operation,
                "resource": clean(span.resource),
                "start_ms": round((span.start - origin).total_seconds() * 1000, 3),
                "duration_ms": round(span.duration_ms, 3),
                "failed": span.failed,
                "error": clean(span.error),
            }
        )
        below = _later_first(children.pop(span.span_id, []))
        waiting.extend((depth + 1, function, child) for child in below)
    return found


def _later_first(spans: Iterable[SpanEvent]) -> list[SpanEvent]:
    return sorted(spans, key=lambda span: (span.start, -span.duration_ms, span.span_id), reverse=True)


def requests_logs(logs: Sequence[Log], request_id: str) -> tuple[Log, ...]:
    """Of the logs of a function around an invocation, those of this one request.

    An environment serves one request at a time. So what stands in the same log stream between the first and
    the last mention of the request's id belongs to it, too: tracebacks and timeouts do not name the request.
    """
    if not request_id:
        return ()
    ours = [at for at, log in enumerate(logs) if request_id in (log.request_id, *_named_in(log.message))]
    if not ours:
        return ()
    streams = {logs[at].stream for at in ours}
    found = []
    for at, log in enumerate(logs):
        named = [log.request_id] if log.request_id else _named_in(log.message)
        inside = ours[0] <= at <= ours[-1] and log.stream in streams and log.stream
        if request_id in named or (inside and not named):
            found.append(log)
    return tuple(found)


def _named_in(message: str) -> list[str]:
    return REQUEST_ID.findall(message)


def flames(rows: Sequence[Mapping[str, Json]]) -> Flames:
    """The spans as a flame graph."""
    whole = max((row["start_ms"] + row["duration_ms"] for row in rows), default=0.0)
    places = {id(row): at for at, row in enumerate(rows)}
    shown = tuple(places[id(row)] for row in longest(rows, ROWS))
    return Flames(tuple(map(_flame, rows)), whole, shown)


def _flame(row: Mapping[str, Json]) -> Flame:
    facts = (
        ("function", row.get("function", "")),
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
    parents = above(rows)
    kept: set[int] = set()
    for at in sorted(range(len(rows)), key=lambda i: (not rows[i]["failed"], -rows[i]["duration_ms"])):
        path = {at, *parents[at]}
        if len(kept | path) <= most:
            kept |= path
    return [rows[at] for at in sorted(kept)]


def above(rows: Sequence[Mapping[str, Json]]) -> list[tuple[int, ...]]:
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
