"""Exploring against the stand-in for Datadog: what was sent is what is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ddsetup.explore.cold_starts import cold_starts
from ddsetup.explore.custom_metrics import listed, proofs
from ddsetup.explore.errors import errors
from ddsetup.explore.metrics import metrics
from ddsetup.explore.request import of_error, request
from ddsetup.explore.traces import traces
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.event_search import search_logs
from ddsetup.gateways.datadog.metric_tags import create_configuration
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.errors import Denied, UsageError
from ddsetup.model.states import MetricTagsState
from tests.builders import ACCOUNT, function
from tests.gateways import datadog_world
from tests.gateways.datadog_world import World, library_metric, log, logs, metric, post, tags_of

ORDERS, STOCK = function("orders"), function("Stock")
ALL = Whose(account=ACCOUNT)
ONLY_ORDERS = Whose(account=ACCOUNT, functions=("orders",))
REQUEST = "7a894775-f62a-4464-95b6-9292bad0877f"


def no_limits(_: Any) -> dict[str, Any]:
    """What AWS tells of functions that it is not asked for."""
    return {}


@pytest.fixture
def world() -> Iterator[World]:
    with datadog_world.datadog() as found:
        yield found


def window(world: World) -> Window:
    now = world.now()
    return Window(now - timedelta(minutes=30), now + timedelta(minutes=1))


def send_trace(world: World, number: int, *, took_ms: float, error: str = "") -> None:
    """An invocation of `orders` with one step in it."""
    start = int(world.standin.clock.now * 1e9)
    root = {
        "trace_id": f"{number:x}",
        "span_id": f"{number:x}1",
        "parent_id": "0",
        "name": "aws.lambda",
        "resource": "orders",
        "service": "orders",
        "start": start,
        "duration": int(took_ms * 1e6),
        "error": int(bool(error)),
        "meta": {
            "functionname": "orders",
            "request_id": REQUEST,
            "aws_account": ACCOUNT,
            "error.message": error,
        },
    }
    step = root | {
        "span_id": f"{number:x}2",
        "parent_id": f"{number:x}1",
        "name": "step",
        "error": 0,
        "meta": {},
    }
    step["duration"] = int(took_ms * 1e6 / 2)
    post(world, "/api/v0.2/traces", {"traces": [[root, step]]}, Content_Type="application/json")


def test_cold_starts_are_those_that_the_library_counted(world: World) -> None:
    for cold in (True, False, False, False):
        library_metric(world, ORDERS, cold=cold)
        world.standin.clock.now += 1
    library_metric(world, STOCK, cold=False)
    metric(world, "aws.lambda.enhanced.init_duration", 0.25, tags_of(ORDERS, forwarded=True))
    data = cold_starts(world.connect(), window(world), ALL)
    rows = {
        row["function"]: (row["cold_starts"], row["invocations"], row["init_ms"]) for row in data["functions"]
    }
    assert rows == {"orders": (1, 4, 250.0), "stock": (0, 1, None)}
    assert data["over_time"][0]["cold_starts"] == 1
    assert [r["function"] for r in cold_starts(world.connect(), window(world), ONLY_ORDERS)["functions"]] == [
        "orders"
    ]
    assert world.queries() == 4


def test_errors_are_the_error_logs_and_timeouts_of_the_functions_meant(world: World) -> None:
    log(world, ORDERS, message="[ERROR] order 7 refused")
    log(world, ORDERS, message="[ERROR] order 8 refused")
    log(world, STOCK, message="2026-11-22T11:14:28.144Z Task timed out after 3.00 seconds")
    log(world, STOCK, message="[INFO] all is well")
    data = errors(world.connect(), window(world), ALL)
    assert [(p["pattern"], p["count"]) for p in data["patterns"]] == [
        ("order <n> refused", 2),
        ("Task timed out after <n> seconds", 1),
    ]
    assert errors(world.connect(), window(world), ONLY_ORDERS)["total"] == 2


def test_logs_are_read_page_by_page(world: World) -> None:
    logs(world, [ORDERS], each=1200)
    found = search_logs(world.connect(), window(world), "source:lambda", limit=1100)
    assert len(found) == 1100
    assert len(world.calls("/logs/events/search")) == 2


def test_the_slowest_and_the_failing_traces_come_with_their_spans_and_logs(world: World) -> None:
    for number in range(1, 30):
        send_trace(world, number, took_ms=number)
    send_trace(world, 40, took_ms=2, error="the grinder is stuck")
    log(world, ORDERS, message=f"[ERROR] {REQUEST} the grinder is stuck")
    log(world, ORDERS, message="[INFO] of another request")
    data = traces(world.connect(), window(world), ALL, 2)
    by_id = {trace["trace_id"]: trace for trace in data["traces"]}
    assert [by_id[trace]["duration_ms"] for trace in data["slowest"]] == [29.0, 28.0]
    failing = by_id[data["failing"][0]]
    assert len(data["failing"]) == 1
    assert (failing["failed"], failing["error"]) == (True, "the grinder is stuck")
    assert [(row["operation"], row["depth"]) for row in failing["spans"]] == [("aws.lambda", 0), ("step", 1)]
    assert [line["message"] for line in failing["logs"]] == [f"[ERROR] {REQUEST} the grinder is stuck"]
    assert len(world.calls("/spans/")) == 5


def test_the_logs_of_a_request_are_found_among_many_others_and_in_json(world: World) -> None:
    send_trace(world, 7, took_ms=20)
    said = (
        json.dumps({"level": "ERROR", "message": "no milk", "requestId": REQUEST}),
        "REPORT RequestId: " + REQUEST,
    )
    logs(world, [ORDERS], each=400)
    for message in said:
        log(world, ORDERS, message=message)
    (trace,) = traces(world.connect(), window(world), ALL)["traces"]
    assert {line["message"] for line in trace["logs"]} == {"no milk", said[1]}


def test_without_traces_one_call_is_enough(world: World) -> None:
    assert traces(world.connect(), window(world), ALL)["traces"] == []
    assert len(world.calls("/api/v2/")) == 1


def test_any_metric_is_told_by_a_tag(world: World) -> None:
    for product, value in (("latte", 3.0), ("latte", 5.0), ("tea", 2.0)):
        metric(world, "shop.value", value, [*tags_of(ORDERS, forwarded=True), f"product:{product}"])
    data = metrics(world.connect(), window(world), ("shop.value",), None, "max", "product")
    rows = {row["group"]: (row["min"], row["avg"], row["max"]) for row in data["metrics"][0]["series"]}
    assert rows == {"product:latte": (3.0, 4.0, 5.0), "product:tea": (2.0, 2.0, 2.0)}
    elsewhere = metrics(
        world.connect(), window(world), ("shop.value",), Whose(account=ACCOUNT, functions=("x",))
    )
    assert elsewhere["metrics"][0]["series"] == []
    with pytest.raises(UsageError):
        metrics(world.connect(), window(world), ("shop.value",), None, "p98")


def test_distributions_are_listed_for_functions_and_proved_by_function(world: World) -> None:
    metric(world, "shop.value", 3.0, tags_of(ORDERS, forwarded=True))
    metric(world, "other.value", 3.0, tags_of(STOCK, forwarded=True))
    library_metric(world, ORDERS)
    world.standin.server.world.telemetry.add_points(
        "shop.gauge", "gauge", tags_of(ORDERS, forwarded=False), [(int(world.standin.clock.now), [1.0])]
    )
    dd = world.connect()
    mine = listed(dd, window(world), ONLY_ORDERS, enhanced=False)
    assert [row["metric"] for row in mine["distributions"]] == ["shop.value"]
    assert mine["left_out"] == 1
    every = listed(dd, window(world), ALL, enhanced=True)
    assert len(every["distributions"]) == 3
    there, absent = proofs(
        dd, window(world), ("shop.value", "no.such"), Whose(account=ACCOUNT, functions=("orders", "stock"))
    )
    assert (there["status"], there["functions"][0]["function"], there["missing_from"]) == (
        "arrived",
        "orders",
        ["stock"],
    )
    assert absent["status"] == "missing"


def test_a_missing_permission_is_named() -> None:
    seed = {"app_keys": {"c" * 40: ["aws_configuration_read"]}}
    with datadog_world.datadog(seed) as world:
        dd = world.connect(app_key="c" * 40)
        with pytest.raises(Denied) as caught:
            cold_starts(dd, window(world), ALL)
        assert caught.value.action == "timeseries_query"
        with pytest.raises(Denied) as caught:
            errors(dd, window(world), ALL)
        assert caught.value.action == "logs_read_data"


def test_a_request_is_told_across_functions_and_what_may_not_be_read_is_said(world: World) -> None:
    send_trace(world, 7, took_ms=20, error="the grinder is stuck")
    log(world, ORDERS, message=f"[ERROR] {REQUEST} the grinder is stuck")
    library_metric(world, ORDERS, cold=True)
    data = request(world.connect(), no_limits, ACCOUNT, window(world), REQUEST)
    assert data["cause"]["what"] == "failed: the grinder is stuck"
    assert data["minute"]["functions"][0]["cold_starts"] == 1
    assert (data["unreadable"], len(data["logs"])) == ({}, 1)
    assert request(world.connect(), no_limits, ACCOUNT, window(world), "7")["trace_id"] == data["trace_id"]
    world.fault("/api/v2/logs/*", status=403, body={"errors": ["Forbidden"]})
    blind = request(world.connect(), no_limits, ACCOUNT, window(world), REQUEST)
    assert list(blind["unreadable"]) == ["logs"]
    assert blind["cause"]["what"] == "failed: the grinder is stuck"


def test_a_request_without_a_trace_is_told_by_its_logs(world: World) -> None:
    log(world, ORDERS, message=f"START RequestId: {REQUEST} Version: $LATEST")
    log(world, ORDERS, message=f"2026-11-22T11:14:28.144Z {REQUEST} Task timed out after 3.00 seconds")
    data = request(world.connect(), no_limits, ACCOUNT, window(world), REQUEST)
    assert (data["trace_id"], data["cause"]["kind"], data["cause"]["function"]) == ("", "timeout", "orders")


def test_an_example_of_an_error_is_a_request_whatever_its_log_names(world: World) -> None:
    log(world, ORDERS, message=f"[ERROR]\t2026-11-22T11:14:20.391Z\t{REQUEST}\torder 7 refused")
    assert of_error(world.connect(), window(world), ALL, 1) == REQUEST
    with pytest.raises(UsageError, match="there are 1 patterns"):
        of_error(world.connect(), window(world), ALL, 2)


def test_percentiles_are_told_once_they_are_on(world: World) -> None:
    for value in range(1, 101):
        metric(world, "shop.value", float(value), ["product:tea"])
    name = ("shop.value",)
    assert metrics(world.connect(), window(world), name, None, "p95")["metrics"][0]["series"] == []
    on = MetricTagsState(metric="shop.value", tags=("product",), include_percentiles=True)
    create_configuration(world.connect(), on)
    (series,) = metrics(world.connect(), window(world), name, None, "p95")["metrics"][0]["series"]
    assert series["last"] == 95.0
    assert proofs(world.connect(), window(world), name, ALL)[0]["functions"][0]["count"] == 100
