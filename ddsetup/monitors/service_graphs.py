"""What a dashboard shows of the services around functions: a row for each. Pure.

Names and units of metrics are those of Datadog's pages on these services; their resources are told apart by
the dimensions that AWS gives the metrics, as tags.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ddsetup.model.account import Json
from ddsetup.monitors.graphs import Graph, bars, group, line, lines


@dataclass(frozen=True, slots=True)
class Service:
    """A service: it is in use if the metric `seen` has points."""

    name: str
    seen: str
    graphs: tuple[Graph, ...]


def _count(metric: str, by: str) -> str:
    return f"sum:aws.{metric}{{*}} by {{{by}}}.as_count()"


def _gauge(how: str, metric: str, by: str) -> str:
    return f"{how}:aws.{metric}{{*}} by {{{by}}}"


_STAGE = "apiname,apiid,stage"
_MACHINE = "statemachinearn"

SERVICES: tuple[Service, ...] = (
    Service(
        "API Gateway",
        "aws.apigateway.count",
        (
            bars("Requests by stage", _count("apigateway.count", _STAGE)),
            bars("5xx of REST APIs by stage", _count("apigateway.5xxerror", _STAGE)),
            bars("5xx of HTTP APIs by stage", _count("apigateway.5xx", _STAGE)),
            line("Latency by stage, p95 (ms)", _gauge("max", "apigateway.latency.p95", _STAGE)),
        ),
    ),
    Service(
        "Step Functions",
        "aws.states.executions_started",
        (
            bars("Executions by state machine", _count("states.executions_started", _MACHINE)),
            bars("Failed executions by state machine", _count("states.executions_failed", _MACHINE)),
            bars("Executions that timed out", _count("states.executions_timed_out", _MACHINE)),
            line("Time of executions, p95 (ms)", _gauge("max", "states.execution_time.p95", _MACHINE)),
        ),
    ),
    Service(
        "DynamoDB",
        "aws.dynamodb.successful_request_latency",
        (
            line(
                "Latency of requests by table (ms)",
                _gauge("avg", "dynamodb.successful_request_latency", "tablename"),
            ),
            bars("Throttled requests by table", _count("dynamodb.throttled_requests", "tablename")),
        ),
    ),
    Service(
        "RDS and Aurora",
        "aws.rds.cpuutilization",
        (
            line("CPU by instance (%)", _gauge("avg", "rds.cpuutilization", "dbinstanceidentifier")),
            line(
                "Connections by instance", _gauge("avg", "rds.database_connections", "dbinstanceidentifier")
            ),
            line("Free memory by instance (B)", _gauge("avg", "rds.freeable_memory", "dbinstanceidentifier")),
            lines(
                "Latency of reads and writes by instance (s)",
                _gauge("avg", "rds.read_latency", "dbinstanceidentifier"),
                _gauge("avg", "rds.write_latency", "dbinstanceidentifier"),
            ),
            line(
                "Lag of Aurora's replicas (ms)",
                _gauge("max", "rds.aurora_replica_lag", "dbinstanceidentifier"),
            ),
        ),
    ),
    Service(
        "S3",
        "aws.s3.bucket_size_bytes",
        (
            line("Size by bucket (B)", _gauge("avg", "s3.bucket_size_bytes", "bucketname")),
            line("Objects by bucket", _gauge("avg", "s3.number_of_objects", "bucketname")),
            bars("5xx by bucket (with request metrics)", _count("s3.5xx_errors", "bucketname")),
            line(
                "Time to the first byte by bucket, p95 (ms, with request metrics)",
                _gauge("max", "s3.first_byte_latency.p95", "bucketname"),
            ),
        ),
    ),
    Service(
        "SQS",
        "aws.sqs.number_of_messages_sent",
        (
            bars("Messages sent by queue", _count("sqs.number_of_messages_sent", "queuename")),
            line(
                "Messages that wait by queue",
                _gauge("max", "sqs.approximate_number_of_messages_visible", "queuename"),
            ),
            line(
                "Age of the oldest message by queue (s)",
                _gauge("max", "sqs.approximate_age_of_oldest_message", "queuename"),
            ),
        ),
    ),
    Service(
        "SNS",
        "aws.sns.number_of_messages_published",
        (
            bars("Messages published by topic", _count("sns.number_of_messages_published", "topicname")),
            bars(
                "Notifications that failed by topic",
                _count("sns.number_of_notifications_failed", "topicname"),
            ),
        ),
    ),
    Service(
        "Kinesis",
        "aws.kinesis.incoming_records",
        (
            bars("Records by stream", _count("kinesis.incoming_records", "streamname")),
            line(
                "Iterator age by stream (ms)",
                _gauge("max", "kinesis.get_records_iterator_age_milliseconds.maximum", "streamname"),
            ),
            bars(
                "Rejected writes by stream",
                _count("kinesis.write_provisioned_throughput_exceeded", "streamname"),
            ),
        ),
    ),
)

SEEN = tuple(service.seen for service in SERVICES)
"""Metrics by which one sees whether a service is used; its part is left out if it is not."""


def service_groups(in_use: Collection[str]) -> list[Json]:
    """The groups of those services whose metric is in use."""
    return [group(service.name, service.graphs) for service in SERVICES if service.seen in in_use]
