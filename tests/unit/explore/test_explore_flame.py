"""Traces: spans as a tree, the logs of the request, and both as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ddsetup.explore.flame import longest, requests_logs, rows_of
from ddsetup.explore.story import invocation_of
from ddsetup.explore.trace_blocks import trace_blocks
from ddsetup.explore.traces import different, shaped
from ddsetup.gateways.datadog.event_search import Log, SpanEvent
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.lines import Look
from ddsetup.show.layout import plain_text

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WINDOW = Window(START - timedelta(hours=1), START + timedelta(minutes=1))
REQUEST = "7a894775-f62a-4464-95b6-9292bad0877f"
OTHER = "98f09b58-e2d7-47c5-bf91-6ab8eb8b7aa5"


def span(number: int, parent: int = 0, *, at: float = 0.0, took: float = 10.0, **over: Any) -> SpanEvent:
    values: dict[str, Any] = {
        "trace_id": "1",
        "span_id": str(number),
        "parent_id": str(parent),
        "service": "shop",
        "operation": "aws.lambda" if not parent else "step",
        "resource": "orders" if not parent else f"step-{number}",
        "start": START + timedelta(milliseconds=at),
        "duration_ms": took,
        "function": "orders",
        "request_id": "" if parent else REQUEST,
    }
    return SpanEvent(**values | over)


def log(message: str, second: float, stream: str = "s1", status: str = "info") -> Log:
    at = START + timedelta(seconds=second)
    return Log(at=at, function="orders", status=status, message=message, stream=stream)


def test_spans_become_a_tree_in_the_order_of_time() -> None:
    rows = rows_of([span(4, 2, at=6), span(3, 1, at=5, took=4), span(2, 1, at=1, took=3), span(1, took=20)])
    assert [(row["span_id"], row["depth"], row["start_ms"]) for row in rows] == [
        ("1", 0, 0.0),
        ("2", 1, 1.0),
        ("4", 2, 6.0),
        ("3", 1, 5.0),
    ]


def test_a_span_whose_parent_is_missing_or_itself_is_not_lost() -> None:
    rows = rows_of([span(1), span(2, 99), span(3, 3)])
    assert sorted(row["span_id"] for row in rows) == ["1", "2", "3"]
    assert {row["depth"] for row in rows} == {0}


@given(st.lists(st.tuples(st.integers(0, 12), st.floats(0, 1000), st.floats(0, 1000)), max_size=12))
def test_no_span_is_lost_or_told_twice_unless_it_is_its_own_ancestor(
    described: list[tuple[int, float, float]],
) -> None:
    spans = [span(n + 1, min(parent, n), at=at, took=took) for n, (parent, at, took) in enumerate(described)]
    rows = rows_of(spans)
    assert sorted(row["span_id"] for row in rows) == sorted(one.span_id for one in spans)


@given(st.integers(1, 60), st.integers(1, 20))
def test_what_is_kept_of_many_spans_has_all_its_parents(count: int, most: int) -> None:
    rows = rows_of([span(n, n // 2, at=n, took=n * 7 % 13) for n in range(1, count + 1)])
    kept = longest(rows, most)
    assert len(kept) <= max(most, 0)
    depths = [row["depth"] for row in kept]
    assert all(later <= earlier + 1 for earlier, later in pairwise(depths))


def test_failing_spans_are_kept_before_long_ones() -> None:
    spans = [
        span(1, took=100),
        *(span(n, 1, took=50) for n in range(2, 30)),
        span(30, 1, took=0.1, failed=True),
    ]
    assert "30" in {row["span_id"] for row in longest(rows_of(spans), 5)}


def test_the_logs_of_a_request_include_those_that_do_not_name_it() -> None:
    logs = [
        log(f"REPORT RequestId: {OTHER} Duration: 3 ms", 0),
        log(f"START RequestId: {REQUEST} Version: $LATEST", 1),
        log(f"[INFO] {REQUEST} working", 2),
        log("[ERROR] Broken: it\nTraceback", 3, status="error"),
        log("from another environment", 3, stream="s2"),
        log(f"[INFO] {OTHER} in between", 3),
        log(f"REPORT RequestId: {REQUEST} Duration: 3 ms", 4),
        log("after the end", 5),
    ]
    assert [one.message.split(" ")[0] for one in requests_logs(logs, REQUEST)] == [
        "START",
        "[INFO]",
        "[ERROR]",
        "REPORT",
    ]
    assert requests_logs(logs, "") == ()
    assert requests_logs(logs[:1], REQUEST) == ()


def test_alike_traces_give_way_to_different_ones() -> None:
    alike = [span(n, function="slow", took=900 - n) for n in range(5)]
    other = span(9, function="quick", took=1)
    assert [one.function for one in different([*alike, other], 3)] == ["slow", "quick", "slow"]


def test_a_trace_is_drawn_along_the_time_with_what_failed_and_what_was_logged() -> None:
    root = span(1, took=100, failed=True, error="the grinder is stuck", cold_start=True)
    spans = [
        root,
        span(2, 1, at=50, took=50, failed=True),
        *(span(n, 2, at=60, took=1) for n in range(3, 40)),
    ]
    logs = [
        log(f"START RequestId: {REQUEST}", 0),
        log("[ERROR] Broken: it\nTraceback\n  raise It", 1, status="error"),
    ]
    data = shaped([root], [root], {"1": spans}, {"1": [invocation_of(root, logs)]}, WINDOW)
    text = plain_text(trace_blocks(data, Look(width=80)), Look(width=80))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "✗ orders  100 ms  10:00:00 UTC, cold start" in text
    assert "the grinder is stuck" in text
    assert "Failing traces  (1 of them above)" in text
    assert text.count("aws.lambda orders") == 1
    assert "shorter spans (-v shows all)" in text
    assert "START" not in text
    assert "Broken: it" in text
    second = next(line for line in text.splitlines() if "step step-2" in line)
    first = next(line for line in text.splitlines() if "aws.lambda orders" in line)
    assert second.index("█") > first.index("█") + 10


def test_nothing_to_see_is_said() -> None:
    data = shaped([], [], {}, {}, WINDOW)
    assert "No trace" in plain_text(trace_blocks(data, Look(width=80)), Look(width=80))
    healthy = shaped([span(1)], [], {}, {}, WINDOW)
    assert "No trace failed" in plain_text(trace_blocks(healthy, Look(width=80)), Look(width=80))
