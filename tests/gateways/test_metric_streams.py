"""Which regions a metric stream of Datadog covers, from CloudWatch's answers (CloudWatch API reference)."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.gateways.aws.metric_streams import datadogs_streams
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.metric_stream import MetricStream
from ddsetup.verify.watch import streamed_lanes
from tests.builders import function
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply, ScriptedAws, connect, fault

LANE = Lane(ACCOUNT, REGION)


def listed(name: str = "datadog-metrics-stream", state: str = "running", firehose: str = "") -> Reply:
    arn = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{firehose or name}"
    entry = {"Name": name, "FirehoseArn": arn, "State": state, "OutputFormat": "opentelemetry1.0"}
    return Reply({"Entries": [entry]})


def filtered(**filters: Any) -> Reply:
    return Reply({"Name": "datadog-metrics-stream", "State": "running", **filters})


def found(script: ScriptedAws) -> tuple[MetricStream, ...]:
    streams = datadogs_streams(connect(script.url), LANE)
    assert not isinstance(streams, Unreadable)
    return streams


def carried(script: ScriptedAws) -> bool:
    return any(stream.carries("AWS/Lambda", "Invocations") for stream in found(script))


LAMBDA = {"Namespace": "AWS/Lambda"}
EC2 = {"Namespace": "AWS/EC2"}


@pytest.mark.parametrize(
    ("filters", "carries"),
    [
        ({}, True),
        ({"IncludeFilters": [EC2, LAMBDA]}, True),
        ({"IncludeFilters": [EC2]}, False),
        ({"IncludeFilters": [{**LAMBDA, "MetricNames": ["Errors"]}]}, False),
        ({"IncludeFilters": [{**LAMBDA, "MetricNames": ["Errors", "Invocations"]}]}, True),
        ({"ExcludeFilters": [EC2]}, True),
        ({"ExcludeFilters": [LAMBDA]}, False),
        ({"ExcludeFilters": [{**LAMBDA, "MetricNames": ["Errors"]}]}, True),
    ],
)
def test_a_streams_filters_tell_whether_invocations_are_in_it(
    script: ScriptedAws, filters: dict[str, Any], carries: bool
) -> None:
    script.script(listed(), filtered(**filters))
    assert carried(script) is carries


@pytest.mark.parametrize(
    "entry", [listed("to-our-lake"), listed(state="stopped"), Reply({"Entries": []}), Reply({})]
)
def test_no_running_stream_of_datadog_takes_one_call(script: ScriptedAws, entry: Reply) -> None:
    script.script(entry)
    assert carried(script) is False
    assert len(script.requests) == 1


def test_a_stream_is_known_by_its_firehose_too(script: ScriptedAws) -> None:
    script.script(listed("metrics", firehose="Datadog-metrics"), filtered())
    assert carried(script) is True


def test_a_denied_or_broken_answer_is_unknown_and_counts_as_no_stream(script: ScriptedAws) -> None:
    for broken in (
        fault("AccessDeniedException", "not authorized to perform: cloudwatch:ListMetricStreams", 403),
        fault("UnknownOperationException", "no such operation", 404),
        fault("ExpiredTokenException", "The security token included in the request is expired", 403),
    ):
        script.script(broken)
        assert streamed_lanes(connect(script.url), [function("a")]) == frozenset()
    script.script(fault("AccessDeniedException", "no", 403))
    assert isinstance(datadogs_streams(connect(script.url), LANE), Unreadable)


def test_each_region_is_asked_once(script: ScriptedAws) -> None:
    script.script(Reply({"Entries": []}))
    functions = [function("a"), function("b"), function("a", region="us-east-1")]
    assert streamed_lanes(connect(script.url), functions) == frozenset()
    assert len(script.requests) == 2
    script.script(listed(), filtered())
    assert streamed_lanes(connect(script.url), functions[:2]) == {functions[0].lane}
