"""What Amazon Data Firehose tells of its deliveries to HTTP endpoints: metrics, an error log, a description.

Metrics are those of the namespace `AWS/Firehose` by `DeliveryStreamName` (Firehose developer guide, "Monitor
with CloudWatch metrics"): `DeliveryToHttpEndpoint.Success` is the share of requests that went well. Codes and
messages of the error log are those of its "Troubleshooting HTTP endpoints"; it is only written to where the
log group and the stream are there (same, "Monitor with CloudWatch Logs"). A description never has the key
(API reference, `HttpEndpointDescription`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError

from ddsetup.sandbox.emulator import log_streams

_NAMESPACE, _HTTP = "AWS/Firehose", "DeliveryToHttpEndpoint"
_MOST_OF_A_RESPONSE = 1000
_DESCRIBED = ("BufferingHints", "CloudWatchLoggingOptions", "RequestConfiguration", "RoleARN", "RetryOptions")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request did not do, with Firehose's code for it."""

    code: str
    message: str


def install() -> None:
    """Describe streams as the API does."""
    from ministack.services import firehose

    plain = firehose._dest_description

    def described(destination: dict[str, Any]) -> dict[str, Any]:
        found = dict(plain(destination))
        http = "HttpEndpointDestinationDescription"
        if http in found:
            found[http] = _description(destination["config"])
        return found

    firehose._dest_description = described


def _description(config: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = {k: v for k, v in config["EndpointConfiguration"].items() if k in ("Url", "Name")}
    bucket: Mapping[str, Any] = config.get("S3Configuration") or {}
    usual = {
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
    }
    return {
        "EndpointConfiguration": endpoint,
        **{name: config[name] for name in _DESCRIBED if name in config},
        "S3BackupMode": config.get("S3BackupMode", "FailedDataOnly"),
        **({"S3DestinationDescription": {**usual, **bucket}} if bucket else {}),
    }


def came(stream: Mapping[str, Any]) -> None:
    """Count a record that was put to a stream."""
    _count(stream, "IncomingRecords", 1)


def told(stream: Mapping[str, Any], config: Mapping[str, Any], failed: Failure | None, records: int) -> None:
    """Count a request with so many records, and say why it failed, if it did."""
    _count(stream, f"{_HTTP}.Success", 0 if failed else 1)
    _count(stream, f"{_HTTP}.DataFreshness", 1, "Seconds")
    if failed is None:
        _count(stream, f"{_HTTP}.Records", records)
    else:
        _say(stream, config, failed)


def _say(stream: Mapping[str, Any], config: Mapping[str, Any], failed: Failure) -> None:
    """Write what failed to the stream's error log, if it has one."""
    from ministack.services import cloudwatch_logs

    where: Mapping[str, Any] = config.get("CloudWatchLoggingOptions") or {}
    group, name = str(where.get("LogGroupName", "")), str(where.get("LogStreamName", ""))
    held = cloudwatch_logs._log_groups.get(group) or {}
    if not where.get("Enabled") or name not in (held.get("streams") or {}):
        return
    line = {
        "deliveryStreamARN": stream["arn"],
        "destination": f"{str(config['EndpointConfiguration']['Url'])[:40]}...",
        "deliveryStreamVersionId": stream["version"],
        "message": failed.message,
        "errorCode": failed.code,
    }
    log_streams.append(group, name, [json.dumps(line)])


def failure(error: Exception) -> Failure:
    """What Firehose calls an error of a request."""
    if isinstance(error, HTTPError):
        body = error.read(_MOST_OF_A_RESPONSE).decode(errors="replace")
        said = f"The following response was received from the endpoint destination. {error.code}: {body}"
        return Failure("HttpEndpoint.DestinationException", said)
    if isinstance(error, TimeoutError):
        return Failure("HttpEndpoint.RequestTimeout", "The request timed out before a response was received.")
    if isinstance(error, URLError):
        return Failure("HttpEndpoint.ConnectionFailed", "Unable to make a connection to the endpoint.")
    return Failure("HttpEndpoint.InvalidResponseFromDestination", "The response received is invalid.")


def _count(stream: Mapping[str, Any], metric: str, value: float, unit: str = "Count") -> None:
    from ministack.services import cloudwatch

    cloudwatch.record_metric(_NAMESPACE, metric, value, unit, {"DeliveryStreamName": str(stream["name"])})
