"""Metric streams to Datadog as the doctor sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.doctor.checks.case import make_case
from ddsetup.doctor.checks.check import Blind, Problem, Result
from ddsetup.doctor.checks.metric_streams import metric_stream
from ddsetup.model.account import Unreadable
from ddsetup.model.evidence import Evidence
from ddsetup.model.metric_stream import MetricStream
from tests import builders as b

GOOD = MetricStream(name="datadog", delivery="datadog", running=True, output_format="opentelemetry1.0")


def said(*streams: MetricStream, seen: Unreadable | None = None) -> list[Result]:
    lane = b.lane_snapshot(b.function("orders"), metric_streams=seen or streams)
    return list(metric_stream.run(make_case(b.snapshot(lane), Evidence(), b.answers())))


def problem(*streams: MetricStream) -> Problem:
    (found,) = said(*streams)
    assert isinstance(found, Problem)
    return found


def test_one_that_runs_in_a_format_that_datadog_takes_is_well() -> None:
    assert said() == []
    assert said(GOOD, replace(GOOD, name="datadog-ec2", include=(("AWS/EC2", ()),))) == []


def test_a_stopped_one_is_started() -> None:
    found = problem(replace(GOOD, running=False))
    assert found.command == f"aws cloudwatch start-metric-streams --names datadog --region {b.REGION}"
    assert "polls the metrics again" in found.what


@pytest.mark.parametrize(
    ("output_format", "severity", "told"),
    [
        ("opentelemetry0.7", "warning", "metrics may be missing"),
        ("json", "error", "Datadog cannot read them"),
        ("", "error", "an unknown format"),
    ],
)
def test_another_format(output_format: str, severity: str, told: str) -> None:
    found = problem(replace(GOOD, output_format=output_format))
    assert (found.severity, told in found.what) == (severity, True)


def test_two_with_the_same_metrics_count_twice() -> None:
    found = problem(GOOD, replace(GOOD, name="datadog-2"))
    assert found.what == "datadog-2 leads metrics of functions to Datadog as well: they count twice"


def test_where_it_may_not_look_it_says_so() -> None:
    (blind,) = said(seen=Unreadable("cloudwatch:ListMetricStreams", "denied"))
    assert isinstance(blind, Blind)
    assert said(seen=Unreadable("", "there is no such call", denied=False)) == []
