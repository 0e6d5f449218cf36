"""The slowest and the failing traces, with spans and logs of all functions that they went through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.story import Invocation, invocation_of, story
from ddsetup.explore.tracing import invocations_of, spans_of
from ddsetup.facts.links import trace_link
from ddsetup.facts.searches import INVOCATIONS
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import SpanEvent, search_spans, span_duration
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json
from ddsetup.model.clock import iso

COUNT = 3
"""Traces of each kind that are shown unless another number is asked for."""
_CANDIDATES = 200
_SLOW = "pc95"


def traces(dd: Datadog, window: Window, whose: Whose, shown: int = COUNT) -> Mapping[str, Json]:
    """The `data` of `explore traces`: `shown` slowest and as many failing ones, in about ten calls and one
    for each function that they went through.

    Datadog sorts spans by time only; so the slow ones are asked for by the 95th percentile of durations.
    Raises Denied when `apm_read` or `logs_read_data` is missing.
    """
    query = whose.spans(INVOCATIONS)
    limit = span_duration(dd, window, query, _SLOW)
    if limit is None:
        return shaped((), (), {}, {}, window)
    slow_query = f"{query} @duration:>={max(0, int(limit * 1e6) - 1)}"
    asked = (slow_query, f"{query} status:error")
    slow, wrong = each(lambda text: search_spans(dd, window, text, limit=_CANDIDATES), asked)
    slowest = different(_once(sorted(_meant(slow, whose), key=lambda span: -span.duration_ms)), shown)
    slow_ids = {root.trace_id for root in slowest}
    failing = _once(_meant(wrong, whose))
    others = [span for span in failing if span.trace_id not in slow_ids]
    failed = different(others or failing, shown)
    found = spans_of(dd, window, tuple(dict.fromkeys(root.trace_id for root in (*slowest, *failed))))
    return shaped(slowest, failed, found, invocations_of(dd, found), window)


def _meant(spans: Iterable[SpanEvent], whose: Whose) -> list[SpanEvent]:
    return [span for span in spans if whose.has(span.function)]


def _once(spans: Iterable[SpanEvent]) -> list[SpanEvent]:
    """The first span of each trace: caller and callee are one trace, not two."""
    found: dict[str, SpanEvent] = {}
    for span in spans:
        found.setdefault(span.trace_id, span)
    return list(found.values())


def different(spans: Sequence[SpanEvent], shown: int) -> tuple[SpanEvent, ...]:
    """The first spans, one of each function and error before a second one of any."""
    seen: dict[tuple[str, str], int] = {}
    ranked = []
    for at, span in enumerate(spans):
        key = (span.function, span.error)
        seen[key] = seen.get(key, -1) + 1
        ranked.append((seen[key], at, span))
    return tuple(span for _, _, span in sorted(ranked, key=lambda item: item[:2])[:shown])


def shaped(
    slowest: Sequence[SpanEvent],
    failing: Sequence[SpanEvent],
    spans: Mapping[str, Sequence[SpanEvent]],
    invocations: Mapping[str, Sequence[Invocation]],
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
            story(trace, spans.get(trace, (root,)), invocations.get(trace) or (invocation_of(root),))
            for trace, root in roots.items()
        ],
    }


def linked_traces(dd: Datadog, window: Window, whose: Whose, count: int = COUNT) -> Mapping[str, Json]:
    """The `data` of `explore traces`, each trace with the address of its page."""
    data = traces(dd, window, whose, count)
    told = [{**trace, "link": trace_link(dd.site, trace["trace_id"])} for trace in data["traces"]]
    return {**data, "traces": told}
