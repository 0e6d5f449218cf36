"""What exploring makes of Datadog's answers, and how it is drawn."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.explore import cold_starts, drawing, errors, metrics
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.event_search import Log
from ddsetup.gateways.datadog.series import Series, Timeseries
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Look
from ddsetup.show import charts
from ddsetup.show.layout import plain_text

END = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
WINDOW = Window(END - timedelta(hours=1), END)
ALL = Whose(account="111122223333")
NARROW = Look(width=80)


def ms(minute: int) -> int:
    return int((WINDOW.start + timedelta(minutes=minute)).timestamp() * 1000)


def log(message: str, *, function: str = "orders", second: int = 0) -> Log:
    at = WINDOW.start + timedelta(seconds=second)
    return Log(at=at, function=function, status="error", message=message)


# Whose data


def test_a_choice_of_functions_and_regions_narrows_every_kind_of_query() -> None:
    whose = Whose(account="111122223333", regions=("eu-west-1",), functions=("orders", "stock"))
    assert whose.metrics("cold_start:true") == (
        "(aws_account:111122223333 OR account_id:111122223333) AND region:eu-west-1 "
        "AND functionname IN (orders,stock) AND cold_start:true"
    )
    assert whose.logs("status:error") == (
        "status:error functionname:(orders OR stock) "
        "(aws_account:111122223333 OR -aws_account:*) (region:eu-west-1 OR -region:*)"
    )
    arn = r"arn\:*\:lambda\:eu-west-1\:111122223333\:*"
    assert whose.spans("status:error") == (
        "status:error (functionname:(orders OR stock) OR @functionname:(orders OR stock)) "
        f"(@function_arn:{arn} OR function_arn:{arn} OR (-@function_arn:* -function_arn:*))"
    )


def test_more_functions_than_fit_into_a_query_are_sorted_out_afterwards() -> None:
    whose = Whose(account="111122223333", functions=tuple(f"f{n}" for n in range(500)))
    assert "functionname" not in whose.metrics()
    assert whose.has("F17")
    assert not whose.has("g17")


# Drawing


def test_a_bar_is_as_long_as_its_share_and_never_invisible() -> None:
    assert charts.bar(10, 10, 8) == "████████"
    assert charts.bar(5, 10, 8) == "████"
    assert charts.bar(0.001, 10, 8) == "█"
    assert charts.bar(0, 10, 8) == ""


def test_a_sparkline_rises_with_its_values_and_leaves_gaps() -> None:
    assert charts.sparkline([0, 1, None, 7, 8], floor=0.0) == "▁▂ ██"
    assert charts.sparkline([]) == ""
    assert charts.sparkline([3, 3]) == "▄▄"


def test_points_are_placed_on_an_even_axis() -> None:
    minute = 60_000.0
    assert charts.timeline([(0, 1.0), (minute, 3.0), (3 * minute, 5.0)], minute, 60) == [1.0, 3.0, None, 5.0]
    assert charts.timeline([(0, 1.0), (minute, 3.0)], minute, 1) == [2.0]


@given(st.lists(st.floats(-1e9, 1e9), max_size=300), st.integers(1, 100))
def test_a_timeline_never_has_more_places_than_there_is_room(values: list[float], width: int) -> None:
    points = [(at * 20_000.0, value) for at, value in enumerate(values)]
    line = charts.timeline(points, 20_000.0, width)
    assert len(line) <= width
    assert len(charts.sparkline(line)) == (len(line) if values else 0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "400 us"), (320, "320 ms"), (1900.4, "1.90 s"), (125_000, "2 min 5 s")]
)
def test_durations_are_said_as_one_reads_them(value: float, text: str) -> None:
    assert drawing.duration(value * (1 if value >= 1 else 1000)) == text


def test_colours_and_what_looks_like_a_key_are_left_out_of_a_message() -> None:
    key = "ddapp_" + "a1" * 17
    assert drawing.clean(f"\x1b[31mred\x1b[0m {key}\nnext\ttab") == "red ****\nnext\ttab"


# Cold starts


def groups(**functions: tuple[float, float, float | None]) -> dict[tuple[str, ...], dict[str, float]]:
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for name, (every, cold, init) in functions.items():
        values = {"invocations": every} | ({"cold": cold} if cold else {})
        found[name, "eu-west-1"] = values | ({"init": init} if init is not None else {})
    return found


def series(label: str, values: list[float | None]) -> Series:
    return Series(label, (), tuple(values))


def test_cold_starts_are_counted_by_function_most_of_them_first() -> None:
    points = Timeseries(
        (ms(0), ms(1), ms(2)), (series("invocations", [10, None, 20]), series("cold", [5, None, None]))
    )
    data = cold_starts.shaped(
        groups(orders=(90, 9, 0.32), stock=(10, 0, None), idle=(0, 0, None)), points, WINDOW, ALL
    )
    assert [(row["function"], row["cold_starts"], row["share"]) for row in data["functions"]] == [
        ("orders", 9, 0.1),
        ("stock", 0, 0.0),
    ]
    assert data["functions"][0]["init_ms"] == 320.0
    assert (data["invocations"], data["cold_starts"], data["share"]) == (100, 9, 0.09)
    assert [point["share"] for point in data["over_time"]] == [0.5, 0.0]


def test_only_the_functions_meant_are_counted() -> None:
    whose = Whose(account="111122223333", functions=("stock",))
    data = cold_starts.shaped(groups(orders=(90, 9, 0.3), stock=(10, 1, 0.3)), Timeseries(), WINDOW, whose)
    assert [row["function"] for row in data["functions"]] == ["stock"]
    assert data["invocations"] == 10


def test_the_chart_of_cold_starts_fits_80_columns_and_names_what_is_often_cold() -> None:
    found = groups(
        **{
            "a-function-with-quite-a-long-name-that-goes-on-" + "x" * 30: (1_234_567, 400_000, 2.5),
            "b": (9, 9, 1),
        }
    )
    points = Timeseries((ms(0), ms(30)), (series("invocations", [10, 10]), series("cold", [5, 1])))
    data = cold_starts.shaped(found, points, WINDOW, ALL)
    text = plain_text(cold_starts.cold_start_blocks(data, NARROW), NARROW)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "400,000 of 1,234,567" in text
    assert "init 2.50 s" in text
    assert "provisioned concurrency" in text
    assert "max 50 %, last 10 %" in text


def test_nothing_counted_is_said_with_what_to_do() -> None:
    data = cold_starts.shaped({}, Timeseries(), WINDOW, ALL)
    assert "ddsetup verify" in plain_text(cold_starts.cold_start_blocks(data, NARROW), NARROW)


# Errors


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "[ERROR]\t2026-11-22T11:14:20.391Z\t7a894775-f62a-4464-95b6-9292bad0877f\t"
            "[dd.trace_id=6b02ce8c00000000ecb1d3ae9ebc8179 dd.span_id=12048092197752419328]\tno tea for 12",
            "no tea for <n>",
        ),
        (
            "2026-11-22T11:14:28.144Z 98f09b58-e2d7-47c5-bf91-6ab8eb8b7aa5 Task timed out after 2.00 seconds",
            "Task timed out after <n> seconds",
        ),
        (
            "[ERROR] MachineBroken: stuck\nTraceback (most recent call last):\n  File ...",
            "MachineBroken: stuck",
        ),
        ('{"level": "ERROR", "message": "order 17 refused", "id": 4}', "order <n> refused"),
        ("user 550e8400-e29b-41d4-a716-446655440000 is gone", "user <id> is gone"),
        ("connect to 10.0.3.17:5432 failed", "connect to <address> failed"),
        ("blob deadbeef01 at 0x7f3a, 3.5 s late, -2", "blob <hex> at <hex>, <n> s late, <n>"),
        ("late since 2026-11-22 10:00:01", "late since <time>"),
        ("", ""),
        ("ERROR", "ERROR"),
    ],
)
def test_patterns_leave_out_what_differs_each_time(message: str, expected: str) -> None:
    assert errors.pattern(message) == expected


@given(st.integers(0, 10**12), st.uuids())
def test_messages_that_differ_in_numbers_and_ids_only_have_one_pattern(number: int, uuid: Any) -> None:
    assert errors.pattern(f"order {number} of {uuid} failed") == "order <n> of <id> failed"


@given(st.text(max_size=300))
def test_any_text_has_a_pattern_of_bounded_length_in_one_line(text: str) -> None:
    found = errors.pattern(text)
    assert len(found) <= 200
    assert "\n" not in found


def test_errors_are_counted_by_pattern_with_their_functions_and_newest_example() -> None:
    logs = [log("order 3 refused", second=30), log("boom", function="stock", second=20)]
    logs += [log("order 2 refused", function="stock", second=10), log("order 1 refused", second=5)]
    data = errors.shaped(logs, 4, WINDOW)
    first = data["patterns"][0]
    assert (first["pattern"], first["count"]) == ("order <n> refused", 3)
    assert first["functions"] == [{"function": "orders", "count": 2}, {"function": "stock", "count": 1}]
    assert first["example"] == "order 3 refused"
    assert first["last"] == "2026-11-22T10:00:30.000Z"


def test_the_list_of_errors_fits_80_columns_and_says_what_was_not_read() -> None:
    traceback = "[ERROR] Broken: it\n" + "\n".join(
        f'  File "/var/task/{"deep/" * 30}{n}.py"' for n in range(20)
    )
    data = errors.shaped([log(traceback, second=n) for n in range(3)] + [log("tiny")], 50_000, WINDOW)
    text = plain_text(errors.error_blocks(data, NARROW), NARROW)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "50,000 error logs in 2 patterns (of the newest 4)" in text
    assert "…" in text
    thorough = Look(width=80, verbose=True)
    verbose = plain_text(errors.error_blocks(data, thorough), thorough)
    assert verbose.count("File") == 20


@pytest.mark.parametrize(
    ("pattern", "watched"),
    [
        ("MachineBroken: the grinder is stuck", "the grinder is stuck"),
        ("Task timed out after <n> seconds", "Task timed out after"),
        ("RoasterFailed: no beans: Sandbox.Timedout", "no beans"),
        ("it's '; rm -rf <hex> \"quoted\" `x y z w v`", "x y z w v"),
        ("KeyError", ""),
        ("", ""),
    ],
)
def test_the_most_frequent_pattern_can_be_watched_by_its_plain_words(pattern: str, watched: str) -> None:
    command = f"ddsetup monitors apply --only none --on-logs '\"{watched}\"'"
    assert errors.to_watch({"patterns": [{"pattern": pattern}]}) == ((command,) if watched else ())
    assert errors.to_watch({"patterns": []}) == ()


def test_no_error_is_good_news() -> None:
    assert "No error" in plain_text(errors.error_blocks(errors.shaped([], 0, WINDOW), NARROW), NARROW)


# Metrics


def test_a_metric_is_told_with_its_extremes_by_group() -> None:
    times = (ms(0), ms(1))
    sent: dict[str, dict[str, tuple[float | None, float]]] = {
        "latte": {"avg": (2.0, 4.0), "min": (1.0, 3.0), "max": (3.0, 5.0)},
        "tea": {"avg": (None, 9.0), "min": (None, 9.0), "max": (None, 9.0)},
    }
    rows = tuple(
        Series(f"q0_{way}", (f"product:{product}",), values)
        for product, by_way in sent.items()
        for way, values in by_way.items()
    )
    data = metrics.shaped(("shop.value", "shop.none"), Timeseries(times, rows), WINDOW, "avg", "product")
    latte, tea = data["metrics"][0]["series"]
    assert (latte["min"], latte["avg"], latte["max"], latte["last"]) == (1.0, 3.0, 5.0, 4.0)
    assert tea["points"] == [[ms(1), 9.0]]
    assert data["metrics"][1]["series"] == []
    text = plain_text(metrics.metric_blocks(data, NARROW), NARROW)
    assert "avg of shop.value by product" in text
    assert "▁  █" in text
    assert "no point in this time" in text
    json.dumps(data)


@pytest.mark.parametrize("name", ["", "1abc", "a b", "a{b}", "a;drop", "é"])
def test_what_cannot_be_a_metric_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a metric"):
        metrics.check_metric(name)
