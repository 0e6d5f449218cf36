"""What is expected of a function, and what its absence means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ddsetup.facts.signals import CLOUDWATCH_DELAY, EXTENSION_DELAY, FORWARDER_DELAY
from ddsetup.model.account import Unreadable
from ddsetup.model.report import Signal, SignalStatus
from ddsetup.verify.expected import (
    CLOUDWATCH_FIRST,
    STREAM_DELAY,
    Evidence,
    Expected,
    expected_signals,
    hint_for,
    is_pending,
    judge,
    usual_delay,
)
from tests.builders import AT, answers, function

ALL = {"cloudwatch_metrics", "enhanced_metrics", "cold_start", "logs", "traces"}
OUTSIDE = {"cloudwatch_metrics", "logs"}
DELAY = timedelta(minutes=5)
LATER = AT + timedelta(hours=1)
SOON = AT + timedelta(minutes=1)


def expected(runtime: str | None = "python3.12", package_type: str = "Zip", **over: object) -> set[str]:
    one = function(runtime=runtime, package_type=package_type)
    return {e.signal for e in expected_signals(lambda _: answers(**over), [one])}


@pytest.mark.parametrize(
    ("runtime", "forwarder", "extension"),
    [
        ("python3.12", ALL, ALL),
        ("nodejs22.x", ALL, ALL),
        ("ruby3.3", ALL, ALL),
        ("java21", OUTSIDE, ALL),
        ("dotnet8", OUTSIDE, ALL),
        ("provided.al2023", OUTSIDE, ALL),
    ],
)
def test_what_is_expected_depends_on_runtime_and_way(
    runtime: str, forwarder: set[str], extension: set[str]
) -> None:
    assert expected(runtime, via="forwarder") == forwarder
    assert expected(runtime, via="extension") == extension


def test_a_container_image_reports_only_from_outside() -> None:
    assert expected(None, "Image", via="forwarder") == OUTSIDE
    assert expected(None, "Image", via="extension") == {"cloudwatch_metrics"}


def test_what_is_switched_off_is_not_expected() -> None:
    assert expected(logs=False) == ALL - {"logs"}
    assert expected(traces=False) == ALL - {"traces"}
    assert expected(enhanced_metrics=False) == ALL - {"enhanced_metrics", "cold_start"}


def test_a_custom_metric_is_expected_once() -> None:
    found = expected_signals(lambda _: answers(), [function("a"), function("b")], ["coffee.orders"])
    assert [(e.function, e.metric) for e in found if e.signal == "custom_metric"] == [(None, "coffee.orders")]


def test_delays_are_those_of_the_path() -> None:
    assert usual_delay("cloudwatch_metrics", answers(via="extension"), polled=True) == CLOUDWATCH_DELAY
    assert usual_delay("cloudwatch_metrics", answers()) == CLOUDWATCH_FIRST > CLOUDWATCH_DELAY
    assert usual_delay("cloudwatch_metrics", answers(), streamed=True) == STREAM_DELAY < CLOUDWATCH_DELAY
    assert usual_delay("logs", answers(via="extension"), streamed=True) == EXTENSION_DELAY
    assert usual_delay("logs", answers(via="forwarder")) == FORWARDER_DELAY


def verdict(evidence: Evidence, *, at: timedelta = timedelta(hours=1), signal: str = "logs") -> Signal:
    expected = Expected(signal, function())  # type: ignore[arg-type]
    return judge(expected, evidence, DELAY, AT, AT + at)


def test_seen_is_arrived_whatever_else_is_known() -> None:
    fault = Unreadable("apm_read", "no")
    found = verdict(Evidence(path="forwarder", invocations=0, fault=fault))
    assert (found.status, found.path, found.at) == ("arrived", "forwarder", "2026-11-22T11:00:00Z")


def test_a_missing_permission_is_named() -> None:
    found = verdict(Evidence(fault=Unreadable("logs_read_data", "403"), invocations=3))
    assert found.status == "unreadable"
    assert found.reason == "the application key lacks the permission logs_read_data"


def test_an_outage_is_not_called_a_missing_permission() -> None:
    found = verdict(Evidence(fault=Unreadable("logs_read_data", "Datadog answered 502", denied=False)))
    assert (found.status, found.reason) == ("unreadable", "Datadog answered 502")


@pytest.mark.parametrize(
    ("invocations", "settled", "minutes", "status"),
    [
        (0, False, 60, "no_traffic"),
        (3, False, 4, "waiting"),
        (3, False, 60, "waiting"),  # all of them just now
        (3, True, 60, "missing"),
        (None, False, 4, "waiting"),
        (None, False, 60, "missing"),
    ],
)
def test_absence_means_what_traffic_and_time_make_of_it(
    invocations: float | None, settled: bool, minutes: int, status: str
) -> None:
    evidence = Evidence(invocations=invocations, settled=settled)
    assert verdict(evidence, at=timedelta(minutes=minutes)).status == status


def test_a_warm_function_is_not_missing_its_cold_start() -> None:
    evidence = Evidence(invocations=3, settled=True, warm=True)
    assert verdict(evidence, at=timedelta(minutes=1), signal="cold_start").status == "waiting"
    found = verdict(evidence, signal="cold_start")
    assert found.status == "no_traffic"
    assert "warm" in found.reason


def test_a_hint_goes_with_the_reason() -> None:
    hinted = Evidence(invocations=3, settled=True, hint="DD_TRACE_ENABLED is false on the function")
    assert verdict(hinted).reason.startswith("DD_TRACE_ENABLED is false on the function; invoked")


def test_hints_name_the_functions_own_switch() -> None:
    off = function(env={"DD_TRACE_ENABLED": "False", "DD_ENHANCED_METRICS": "true"})
    assert "DD_TRACE_ENABLED" in hint_for("traces", off)
    assert hint_for("enhanced_metrics", off) == ""
    assert "own code" in hint_for("traces", function(runtime="ruby3.3"))
    assert hint_for("logs", function(runtime="ruby3.3")) == ""
    assert hint_for("traces", function(env=None)) == ""


def signal(status: SignalStatus) -> Signal:
    return Signal(function="f", region="r", signal="logs", status=status)


def test_only_what_may_still_come_is_waited_for() -> None:
    assert is_pending(signal("waiting"), AT, LATER)
    assert is_pending(signal("no_traffic"), AT, SOON)  # CloudWatch may not have counted yet
    assert not is_pending(signal("no_traffic"), AT, LATER)
    for status in ("arrived", "missing", "unreadable"):
        assert not is_pending(signal(status), AT, SOON)
