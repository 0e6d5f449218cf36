"""The slowest and the failing traces: their spans as a flame graph in text, and the logs of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ddsetup.explore.drawing import clean, iso
from ddsetup.explore.flame import requests_logs, rows_of
from ddsetup.facts.links import trace_link
from ddsetup.facts.searches import INVOCATIONS, logs_of, logs_of_request
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import Log, SpanEvent, search_logs, search_spans, span_duration
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json

COUNT = 3
"""Traces of each kind that are shown unless another number is asked for."""
_CANDIDATES = 200
_LOGS = 300
_SLOW = "pc95"
_BEFORE, _AFTER = timedelta(seconds=2), timedelta(seconds=5)
"""Lambda writes START and REPORT around an invocation, and log times are not span times."""


def traces(dd: Datadog, window: Window, whose: Whose, shown: int = COUNT) -> Mapping[str, Json]:
    """The `data` of `explore traces`: `shown` slowest and as many failing ones, in about ten calls.

    Datadog sorts spans by time only; so the slow ones are asked for by the 95th percentile of durations.
    Raises Denied when `apm_read` or `logs_read_data` is missing.
    """
    query = whose.spans(INVOCATIONS)
    limit = span_duration(dd, window, query, _SLOW)
    if limit is None:
        return shaped((), (), {}, {}, window)
    slow_query = f"{query} @duration:>={max(0, int(limit * 1e6) - 1)}"
    with ThreadPoolExecutor(max_workers=4) as pool:
        asked = [
            pool.submit(search_spans, dd, window, text, limit=_CANDIDATES)
            for text in (slow_query, f"{query} status:error")
        ]
        slow, failing = (_meant(future.result(), whose) for future in asked)
        slowest = different(sorted(slow, key=lambda span: -span.duration_ms), shown)
        slow_ids = {root.trace_id for root in slowest}
        others = [span for span in failing if span.trace_id not in slow_ids]
        failed = different(others or failing, shown)
        roots = tuple({root.trace_id: root for root in (*slowest, *failed)}.values())
        spans = pool.submit(_spans_of, dd, window, roots)
        logs = pool.map(lambda root: _logs_of(dd, root), roots)
        by_trace = {root.trace_id: tuple(found) for root, found in zip(roots, logs, strict=True)}
        return shaped(slowest, failed, spans.result(), by_trace, window)


def _meant(spans: Iterable[SpanEvent], whose: Whose) -> list[SpanEvent]:
    return [span for span in spans if whose.has(span.function)]


def different(spans: Sequence[SpanEvent], shown: int) -> tuple[SpanEvent, ...]:
    """The first spans, one of each function and error before a second one of any."""
    seen: dict[tuple[str, str], int] = {}
    ranked = []
    for at, span in enumerate(spans):
        key = (span.function, span.error)
        seen[key] = seen.get(key, -1) + 1
        ranked.append((seen[key], at, span))
    return tuple(span for _, _, span in sorted(ranked, key=lambda item: item[:2])[:shown])


def _spans_of(dd: Datadog, window: Window, roots: Sequence[SpanEvent]) -> Mapping[str, tuple[SpanEvent, ...]]:
    """All spans of these traces, by trace, in one call."""
    if not roots:
        return {}
    ids = " OR ".join(root.trace_id for root in roots)
    found: dict[str, list[SpanEvent]] = {}
    for span in search_spans(dd, window, f"trace_id:({ids})" if len(roots) > 1 else f"trace_id:{ids}"):
        found.setdefault(span.trace_id, []).append(span)
    return {trace: tuple(spans) for trace, spans in found.items()}


def _logs_of(dd: Datadog, root: SpanEvent) -> tuple[Log, ...]:
    end = root.start + timedelta(milliseconds=root.duration_ms)
    around = Window(root.start - _BEFORE, end + _AFTER)
    name = f" {logs_of((root.function,))}" if root.function else ""
    query = f"source:lambda{name}"
    logs = search_logs(dd, around, query, limit=_LOGS, newest_first=False)
    if len(logs) >= _LOGS and root.request_id:  # a busy function: what names the request is asked for
        query = f"{query} {logs_of_request(root.request_id)}"
        logs = search_logs(dd, around, query, limit=_LOGS, newest_first=False)
    return requests_logs(logs, root)


def shaped(
    slowest: Sequence[SpanEvent],
    failing: Sequence[SpanEvent],
    spans: Mapping[str, Sequence[SpanEvent]],
    logs: Mapping[str, Sequence[Log]],
    window: Window,
) -> Mapping[str, Json]:
    """Traces as plain data; one that is slow and fails is told once in `traces`, and named in both lists."""
    roots = {root.trace_id: root for root in (*slowest, *failing)}
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "slowest": [root.trace_id for root in slowest],
        "failing": [root.trace_id for root in failing],
        "traces": [
            _trace(root, spans.get(trace, (root,)), logs.get(trace, ())) for trace, root in roots.items()
        ],
    }


def _trace(root: SpanEvent, spans: Sequence[SpanEvent], logs: Sequence[Log]) -> Json:
    return {
        "trace_id": root.trace_id,
        "function": root.function or root.resource,
        "service": root.service,
        "start": iso(root.start),
        "duration_ms": round(root.duration_ms, 3),
        "failed": root.failed,
        "error": clean(root.error),
        "cold_start": root.cold_start,
        "request_id": root.request_id,
        "span_count": len(spans),
        "spans": rows_of(spans),
        "logs": [{"at": iso(log.at), "status": log.status, "message": clean(log.message)} for log in logs],
    }


def linked_traces(dd: Datadog, window: Window, whose: Whose, count: int = COUNT) -> Mapping[str, Json]:
    """The `data` of `explore traces`, each trace with the address of its page."""
    data = traces(dd, window, whose, count)
    told = [{**trace, "link": trace_link(dd.site, trace["trace_id"])} for trace in data["traces"]]
    return {**data, "traces": told}
