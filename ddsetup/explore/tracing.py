"""Spans of whole traces, and the logs of each function that they went through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from ddsetup.explore.flame import requests_logs
from ddsetup.explore.story import Invocation, invocation_of, is_invocation
from ddsetup.facts.searches import INVOCATIONS, any_of, logs_of, logs_of_request
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import MOST, Log, SpanEvent, search_logs, search_spans
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.gateways.overlap import each

MOST_FUNCTIONS = 20
"""Invocations of a trace whose logs are read; one that fans out to hundreds is not read to the end."""
_PAGES = 3
_LOGS = 300
_AT_ONCE = 4
_BEFORE, _AFTER = timedelta(seconds=2), timedelta(seconds=5)
"""Lambda writes START and REPORT around an invocation, and log times are not span times."""


def spans_of(dd: Datadog, window: Window, trace_ids: Sequence[str]) -> Mapping[str, tuple[SpanEvent, ...]]:
    """All spans of these traces, by trace; of very large ones at least the invocations, and what failed.

    A cold start alone has hundreds of imports, which would else take the place of a function.
    """
    if not trace_ids:
        return {}
    ids = f"trace_id:{any_of(tuple(trace_ids))}"
    asked = ((f"{ids} ({INVOCATIONS} OR status:error)", MOST), (ids, _PAGES * MOST))
    answers = each(lambda ask: search_spans(dd, window, ask[0], limit=ask[1]), asked)
    found: dict[str, dict[str, SpanEvent]] = {}
    for span in (span for answer in answers for span in answer):
        found.setdefault(span.trace_id, {}).setdefault(span.span_id, span)
    return {trace: tuple(spans.values()) for trace, spans in found.items()}


def invocations_of(
    dd: Datadog, traces: Mapping[str, Sequence[SpanEvent]]
) -> Mapping[str, tuple[Invocation, ...]]:
    """The invocations of each trace with their logs: one call or two for each, a few at once."""
    chosen = {trace: _chosen(spans) for trace, spans in traces.items()}
    every = [span for spans in chosen.values() for span in spans]
    read = each(lambda span: logs_of_span(dd, span), every, _AT_ONCE)
    logs = dict(zip(map(_key, every), read, strict=True))
    return {
        trace: tuple(invocation_of(span, logs[_key(span)]) for span in spans)
        for trace, spans in chosen.items()
    }


def _key(span: SpanEvent) -> tuple[str, str]:
    return span.trace_id, span.span_id


def _chosen(spans: Iterable[SpanEvent]) -> list[SpanEvent]:
    """Those that failed before all others, if there are too many."""
    found = [span for span in spans if is_invocation(span)]
    return sorted(found, key=lambda span: (not span.failed, span.start))[:MOST_FUNCTIONS]


def logs_of_span(dd: Datadog, span: SpanEvent) -> tuple[Log, ...]:
    """What an invocation logged. Raises Denied when `logs_read_data` is missing."""
    end = span.start + timedelta(milliseconds=span.duration_ms)
    around = Window(span.start - _BEFORE, end + _AFTER)
    name = f" {logs_of((span.function,))}" if span.function else ""
    query = f"source:lambda{name}"
    logs = search_logs(dd, around, query, limit=_LOGS, newest_first=False)
    if len(logs) >= _LOGS and span.request_id:  # a busy function: what names the request is asked for
        query = f"{query} {logs_of_request(span.request_id)}"
        logs = search_logs(dd, around, query, limit=_LOGS, newest_first=False)
    return requests_logs(logs, span.request_id)
