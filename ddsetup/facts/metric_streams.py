"""CloudWatch metric streams to Datadog: its intake, what ddsetup's own is called, and what it has to carry.

From Datadog's template for metric streams (DataDog/cloudformation-template, `streams_single_region.yaml`
1.1.3) and its guide to them.
"""

from __future__ import annotations

from collections.abc import Mapping

STACK = "datadog-metric-stream"
"""The stack of ddsetup's own, and the stream and the delivery stream in it."""
FORMAT = "opentelemetry1.0"
"""The output format that Datadog takes."""
READABLE = (FORMAT, "opentelemetry0.7")
"""Those that it can read. With 0.7 metrics may be missing."""
SITES = frozenset(
    {
        "datadoghq.com",
        "us3.datadoghq.com",
        "us5.datadoghq.com",
        "datadoghq.eu",
        "ap1.datadoghq.com",
        "ap2.datadoghq.com",
        "uk1.datadoghq.com",
        "ddog-gov.com",
        "us2.ddog-gov.com",
    }
)
"""The sites that have an intake for metric streams (`DdSiteToEndpoint`)."""

Percentiles = Mapping[str, Mapping[str, tuple[str, ...]]]
PERCENTILES: Percentiles = {
    "AWS/Lambda": {
        "Duration": ("p50", "p80", "p95", "p99", "p99.9"),
        "PostRuntimeExtensionsDuration": ("p50", "p99"),
    },
    "AWS/ApiGateway": {
        "IntegrationLatency": ("p90", "p95", "p99"),
        "Latency": ("p90", "p95", "p99"),
    },
    "AWS/States": dict.fromkeys(
        (
            "ActivityRunTime",
            "ActivityScheduleTime",
            "ActivityTime",
            "ExecutionTime",
            "LambdaFunctionRunTime",
            "LambdaFunctionScheduleTime",
            "LambdaFunctionTime",
        ),
        ("p95", "p99"),
    ),
    "AWS/S3": dict.fromkeys(
        ("FirstByteLatency", "TotalRequestLatency"), ("p50", "p90", "p95", "p99", "p99.9")
    ),
}
"""The percentiles that Datadog reads by polling, by namespace and metric: a stream has them if they are asked
for (`StatisticsConfigurations`)."""


def start_command(name: str, region: str) -> str:
    """The command that has a stopped stream go on."""
    return f"aws cloudwatch start-metric-streams --names {name} --region {region}"


def intake(site: str) -> str:
    """The address to which Firehose brings metrics for a site."""
    return f"https://awsmetrics-intake.{site}/api/v2/awsmetrics?dd-protocol=aws-kinesis-firehose"
