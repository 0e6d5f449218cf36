"""Amazon Data Firehose: delivery streams, how their deliveries went, and why they failed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.health import newest_messages
from ddsetup.gateways.aws.metrics import Series, by_minute
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.delivery import Deliveries, DeliveryStream

_HTTP = "DeliveryToHttpEndpoint"
_METRICS: Mapping[str, tuple[str, str]] = {
    "shares": (f"{_HTTP}.Success", "Average"),
    "waited": (f"{_HTTP}.DataFreshness", "Maximum"),
    "came": ("IncomingRecords", "Sum"),
}
"""Of `AWS/Firehose`, by `DeliveryStreamName` (Firehose developer guide, "Monitor with CloudWatch metrics"):
the share of requests that went well, seconds, and a count."""
_CODE = re.compile(r"(?:HttpEndpoint|S3|SecretsManager|Lambda)(?:\.[A-Za-z0-9]+)+|InternalError")
_STATUS = re.compile(r"response was received from the endpoint destination\. (\d{3})\b")
_MOST_SAID = 3


@readable_or_none
def delivery_stream(aws: Aws, lane: Lane, name: str) -> DeliveryStream:
    """One by its name, None if there is none. Needs firehose:DescribeDeliveryStream."""
    answer = aws.call("firehose:DescribeDeliveryStream", lane, patience=OPTIONAL, DeliveryStreamName=name)[
        "DeliveryStreamDescription"
    ]
    destination: Json = next(iter(answer.get("Destinations") or ()), {})
    http: Json = destination.get("HttpEndpointDestinationDescription") or {}
    endpoint: Json = http.get("EndpointConfiguration") or {}
    kept: Json = http.get("S3DestinationDescription") or {}
    log: Json = http.get("CloudWatchLoggingOptions") or {}
    secret: Json = http.get("SecretsManagerConfiguration") or {}
    return DeliveryStream(
        name=name,
        status=str(answer.get("DeliveryStreamStatus") or ""),
        url=str(endpoint.get("Url") or ""),
        endpoint=str(endpoint.get("Name") or ""),
        bucket=str(kept.get("BucketARN") or "").rpartition(":")[2],
        log_group=str(log.get("LogGroupName") or "") if log.get("Enabled") else "",
        version=str(answer.get("VersionId") or ""),
        destination=str(destination.get("DestinationId") or ""),
        secret=str(secret.get("SecretARN") or "") if secret.get("Enabled") else "",
    )


def deliveries(aws: Aws, lane: Lane, name: str, minutes: int) -> Deliveries:
    """How a delivery stream did within the last minutes. Its log is read only where a request failed.

    Needs firehose:DescribeDeliveryStream, cloudwatch:GetMetricData and logs:FilterLogEvents.
    """
    stream = delivery_stream(aws, lane, name)
    if not isinstance(stream, DeliveryStream) or not stream.url:
        return Deliveries(stream=stream)
    where = (("DeliveryStreamName", name),)
    wanted = {
        Series("AWS/Firehose", metric, where, statistic): field
        for field, (metric, statistic) in _METRICS.items()
    }
    found = by_minute(aws, lane, tuple(wanted), minutes)
    if isinstance(found, Unreadable):
        return Deliveries(stream=stream, shares=found)
    points = {wanted[series]: values for series, values in found.items()}
    failed = any(share < 1 for _, share in points["shares"])
    said = delivery_errors(aws, lane, stream.log_group, minutes) if failed and stream.log_group else ()
    return Deliveries(stream=stream, said=said, **points)


@readable
def delivery_errors(aws: Aws, lane: Lane, group: str, minutes: float) -> tuple[str, ...]:
    """The newest different errors of a delivery stream's log, newest first: Firehose's code, and the status
    of the endpoint's answer, whose text may be anything.

    Form and codes are those of "Troubleshooting HTTP endpoints" in Firehose's developer guide. Needs
    logs:FilterLogEvents.
    """
    said = map(_error, newest_messages(aws, lane, group, minutes))
    return tuple(dict.fromkeys(each for each in said if each))[:_MOST_SAID]


def _error(line: str) -> str:
    try:
        told = json.loads(line)
        code, message = str(told["errorCode"]), str(told.get("message") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    status = _STATUS.search(message)
    return f"{code}{f' {status[1]}' if status else ''}" if _CODE.fullmatch(code) else ""
