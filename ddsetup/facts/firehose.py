"""Datadog's intake for logs that Amazon Data Firehose delivers, and the stream that ddsetup makes for it."""

from __future__ import annotations

from ddsetup.facts.catalog import partition_of
from ddsetup.model.account import Lane

STACK = "datadog-account-logs"
"""The stack, and the delivery stream in it; its role for CloudWatch Logs has the region besides."""
_OLDER = ("datadoghq.com", "datadoghq.eu", "ddog-gov.com")


def logs_url(site: str) -> str:
    """The address for a site; the older ones have one of an older form (DataDog/cloudformation-template,
    `aws_account_level_logs/main.yaml`, `DatadogHttpEndpointUrl`)."""
    path = "v1/input" if site in _OLDER else "api/v2/logs?dd-protocol=aws-kinesis-firehose"
    return f"https://aws-kinesis-http-intake.logs.{site}/{path}"


def stream_arn(lane: Lane, name: str = STACK) -> str:
    """A delivery stream in a region, ddsetup's own for logs if none is named."""
    return f"arn:{partition_of(lane.region)}:firehose:{lane.region}:{lane.account}:deliverystream/{name}"


def logs_role_arn(lane: Lane, path: str) -> str:
    """The role by which CloudWatch Logs puts lines to it; IAM has no regions, so its name has."""
    return f"arn:{partition_of(lane.region)}:iam::{lane.account}:role{path}{STACK}-{lane.region}"


def is_stream(arn: str) -> bool:
    """Whether an ARN is that of a delivery stream."""
    return arn.split(":")[2:3] == ["firehose"]


def leads_to_datadog(arn: str) -> bool:
    """Whether a delivery stream is Datadog's, as far as its name tells."""
    return is_stream(arn) and "datadog" in arn.rpartition("/")[2].lower()


def delivery_log_group(stream: str) -> str:
    """Where a delivery stream says what it could not deliver: led to the stream, it would feed on itself."""
    return f"/aws/kinesisfirehose/{stream}"
