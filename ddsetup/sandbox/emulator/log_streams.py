"""Appends events to streams of the emulator's CloudWatch Logs, as the services do that log there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any


def append(group_name: str, stream_name: str, messages: Sequence[str]) -> None:
    """Write messages to a stream, made if it is not there, and deliver them to the group's filters."""
    from ministack.services import cloudwatch_logs

    now = int(time.time() * 1000)
    group = _group(cloudwatch_logs, group_name, now)
    stream = group["streams"].setdefault(
        stream_name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    events = [{"timestamp": now, "message": each, "ingestionTime": now} for each in messages]
    if events:
        cloudwatch_logs._append_log_events(stream, events)
        cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, events)


def _group(cloudwatch_logs: Any, name: str, now: int) -> Any:
    if name not in cloudwatch_logs._log_groups:
        cloudwatch_logs._log_groups[name] = {
            "arn": cloudwatch_logs._make_group_arn(name),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    return cloudwatch_logs._log_groups[name]
