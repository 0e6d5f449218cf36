"""Metric streams as the sandbox has them: the calls by botocore's model, and what becomes of the data."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ddsetup.sandbox.emulator import metric_streams, otlp
from ddsetup.sandbox.model import ACCOUNT
from tests.gateways.emulated import REGION, client, code_of
from tests.gateways.standin import API_KEY, Standin, running

STREAM = {
    "Name": "datadog-metrics",
    "FirehoseArn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/datadog-metrics",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/streams",
    "OutputFormat": "opentelemetry1.0",
}
INTAKE = "/api/v2/awsmetrics?dd-protocol=aws-kinesis-firehose"
RESOURCE = {"cloud.provider": "aws", "cloud.account.id": ACCOUNT, "cloud.region": REGION}


@pytest.fixture
def api() -> Iterator[Any]:
    from ministack.services import cloudwatch

    metric_streams._kept.clear()
    yield client("cloudwatch", ACCOUNT, metric_streams.beside(cloudwatch.handle_request))
    metric_streams._kept.clear()


def test_a_stream_is_made_running_and_keeps_its_state_when_it_is_put_again(api: Any) -> None:
    arn = api.put_metric_stream(**STREAM, IncludeFilters=[{"Namespace": "AWS/Lambda"}])["Arn"]
    assert arn == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:metric-stream/datadog-metrics"
    found = api.get_metric_stream(Name="datadog-metrics")
    assert (found["State"], found["IncludeFilters"]) == ("running", [{"Namespace": "AWS/Lambda"}])
    api.stop_metric_streams(Names=["datadog-metrics"])
    api.put_metric_stream(**STREAM)
    (entry,) = api.list_metric_streams()["Entries"]
    assert (entry["State"], entry["OutputFormat"]) == ("stopped", "opentelemetry1.0")
    api.start_metric_streams(Names=["datadog-metrics"])
    assert api.get_metric_stream(Name="datadog-metrics")["State"] == "running"
    api.delete_metric_stream(Name="datadog-metrics")
    assert code_of(api.get_metric_stream, Name="datadog-metrics") == "ResourceNotFoundException"
    assert api.list_metric_streams()["Entries"] == []


def test_what_cloudwatch_refuses(api: Any) -> None:
    both = {name: [{"Namespace": "AWS/Lambda"}] for name in ("IncludeFilters", "ExcludeFilters")}
    assert code_of(api.put_metric_stream, **STREAM, **both) == "InvalidParameterCombination"
    odd = {**STREAM, "OutputFormat": "prometheus"}
    assert code_of(api.put_metric_stream, **odd) == "InvalidParameterValue"
    assert code_of(api.list_metric_streams, NextToken="x") == "InvalidNextToken"


def record(metric: str, total: float, at: int) -> str:
    summary = otlp.Summary("AWS/Lambda", metric, "Count", {"FunctionName": "orders"}, at, 2, total, 1.0, 4.0)
    return base64.b64encode(otlp.request(RESOURCE, [summary])).decode()


def post(standin: Standin, *records: str, key: str = API_KEY) -> tuple[int, Any]:
    body = {"requestId": "r-1", "timestamp": 1, "records": [{"data": each} for each in records]}
    headers = {"X_Amz_Firehose_Request_Id": "r-1", "X_Amz_Firehose_Access_Key": key, "DD_API_KEY": ""}
    status, told, _ = standin.call("POST", INTAKE, body, **headers)
    return status, told


def test_what_a_stream_carries_becomes_the_metrics_that_polling_gives() -> None:
    seed = {
        "accounts": [
            {
                "aws_account_id": ACCOUNT,
                "aws_partition": "aws",
                "auth_config": {"role_name": "DatadogIntegrationRole"},
                "account_tags": ["team:coffee"],
            }
        ]
    }
    with running(seed) as standin:
        telemetry, at = standin.server.world.telemetry, int(standin.clock()) - 60
        status, told = post(standin, record("Invocations", 5.0, at), record("Duration", 6.0, at))
        assert (status, told["requestId"]) == (200, "r-1")
        (count,) = telemetry.points("aws.lambda.invocations", at, at)
        assert count.values == {at: (5.0,)}
        assert {"functionname:orders", f"region:{REGION}", "team:coffee"} <= count.tags
        (mean,) = telemetry.points("aws.lambda.duration", at, at)
        (most,) = telemetry.points("aws.lambda.duration.maximum", at, at)
        assert (mean.values, most.values) == ({at: (3.0,)}, {at: (4.0,)})
        assert telemetry.is_streamed(ACCOUNT, REGION, "AWS/Lambda")
        standin.clock.now += 60
        assert not telemetry.is_streamed(ACCOUNT, REGION, "AWS/Lambda")


def test_what_the_intake_does_not_take() -> None:
    with running() as standin:
        sent = record("Invocations", 1.0, int(standin.clock()))
        assert post(standin, sent, key="somebody's")[0] == 403
        json_lines = base64.b64encode(b'{"namespace": "AWS/Lambda"}\n').decode()
        assert post(standin, json_lines)[0] == 400
        assert post(standin, sent)[0] == 200
        assert standin.server.world.telemetry.counts()["metrics"] == {}
