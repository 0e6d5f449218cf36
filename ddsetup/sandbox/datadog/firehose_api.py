"""The intake for Amazon Data Firehose: what CloudWatch Logs delivers by a stream.

The way of asking and answering is Firehose's (its developer guide, "HTTP endpoint delivery specifications").
What a log has afterwards is what Datadog documents: the stream's ARN as `@aws.firehose.arn` (guide on
account-level log subscriptions), and the tags of its template for durable executions' events. Nothing tells
that a function's name, its tags or its log group are among them, so that they are not here.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

from ddsetup.sandbox.datadog.intake import LOGS_MAX_BYTES
from ddsetup.sandbox.datadog.logs import log_event
from ddsetup.sandbox.datadog.wire import Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

PROTOCOL = "aws-kinesis-firehose"
REQUEST_ID = "x-amz-firehose-request-id"
_MOST_BYTES = 64_000_000


def submit_records(request: Request, world: World) -> Response:
    """``POST /v1/input``, and ``POST /api/v2/logs?dd-protocol=aws-kinesis-firehose``."""
    try:
        records = request.json_object(_MOST_BYTES)["records"]
        events = [event for record in records for event in _events(base64.b64decode(record["data"]))]
    except (LookupError, TypeError, ValueError, OSError):
        raise text_error(400, "Invalid payload: no records of log events") from None
    arn = request.headers.get("x-amz-firehose-source-arn", "")
    now, indexes = world.clock(), world.log_indexes
    items = (_item(event, arn) for event in events)
    world.telemetry.add_logs(log_event(item, now, world.telemetry.next_id(), indexes) for item in items)
    number = request.headers.get(REQUEST_ID, "")
    return Response(200, {"requestId": number, "timestamp": int(time.time() * 1000)})


def _events(record: bytes) -> Iterator[dict[str, Any]]:
    """The log events of a record of CloudWatch Logs; a control message has none."""
    text = gzip.decompress(record) if record[:2] == b"\x1f\x8b" else record
    if len(text) > LOGS_MAX_BYTES:
        raise ValueError("too large")
    payload = json.loads(text)
    if payload.get("messageType") == "DATA_MESSAGE":
        for event in payload["logEvents"]:
            yield {**event, "group": payload["logGroup"], "owner": payload["owner"]}


def _item(event: dict[str, Any], arn: str) -> dict[str, Any]:
    source = "lambda" if str(event["group"]).startswith("/aws/lambda/") else "aws"
    region = arn.split(":")[3] if arn.count(":") > 3 else ""
    return {
        "message": event["message"],
        "timestamp": event["timestamp"],
        "ddsource": source,
        "service": source,
        "ddtags": f"region:{region},aws_account:{event['owner']},sourcecategory:aws",
        "aws": {"firehose": {"arn": arn}},
    }
