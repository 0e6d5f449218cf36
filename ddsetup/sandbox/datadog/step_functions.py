"""Traces of state machines, which Datadog's backend makes of their execution logs.

A state machine has to have the tag ``DD_TRACE_ENABLED``, and to log everything. The root span of an
execution is ``aws.stepfunctions``; its service is the machine's tag ``service``, else its name, its env the
tag ``env``, else ``dev`` (Datadog's pages on Step Functions, installation and troubleshooting). Spans of its
steps are not made here: what they are called is not documented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ddsetup.sandbox.datadog.aws_access import CustomerAccess, paged
from ddsetup.sandbox.datadog.integrations import Account
from ddsetup.sandbox.datadog.spans import spans_from_json
from ddsetup.sandbox.datadog.store import Event, Telemetry

OPERATION, TAG = "aws.stepfunctions", "DD_TRACE_ENABLED"
LOOK_BACK = timedelta(minutes=90)
"""Executions that take longer have no full traces."""

_ENDS = {"ExecutionSucceeded": 0, "ExecutionFailed": 1, "ExecutionTimedOut": 1, "ExecutionAborted": 1}


def trace_executions(
    account: Account, access: CustomerAccess, telemetry: Telemetry, traced: set[str]
) -> None:
    """Make spans of executions that have ended and are not among those ``traced``. Raises AccessFailed."""
    ended = {
        arn: events
        for arn, events in _executions(telemetry).items()
        if arn not in traced and arn.split(":")[4] == account.aws_account_id and _whole(events)
    }
    for region in sorted({arn.split(":")[3] for arn in ended}):
        tags = _machine_tags(access, region)
        for arn in (arn for arn in ended if arn.split(":")[3] == region):
            held = tags.get(_machine(arn), {})
            if held.get(TAG, "").lower() == "true":
                telemetry.add_spans(spans_from_json(_trace(arn, ended[arn], held)))
            traced.add(arn)


def _executions(telemetry: Telemetry) -> Mapping[str, list[Event]]:
    """The logged events by execution, also of logs that no index keeps."""
    now = telemetry.clock()
    start, end = (now - LOOK_BACK.total_seconds()) * 1000, now * 1000 + 1000
    found: dict[str, list[Event]] = {}
    for tier in ("indexes", "flex", "none"):
        for log in telemetry.logs(start, end, tier):
            arn = str(log.attributes.get("execution_arn") or "")
            if log.fields.get("source") == "stepfunction" and arn.count(":") >= 7:
                found.setdefault(arn, []).append(log)
    return found


def _whole(events: Sequence[Event]) -> bool:
    kinds = {str(event.attributes.get("type")) for event in events}
    return "ExecutionStarted" in kinds and bool(kinds & _ENDS.keys())


def _machine_tags(access: CustomerAccess, region: str) -> Mapping[str, Mapping[str, str]]:
    """The tags of state machines by ARN. Raises AccessFailed."""
    tagging = access.client("resourcegroupstaggingapi", region)
    listed = paged(tagging, "get_resources", "ResourceTagMappingList", ResourceTypeFilters=["states"])
    return {
        item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])} for item in listed
    }


def _machine(execution: str) -> str:
    parts = execution.split(":")
    return ":".join((*parts[:5], "stateMachine", parts[6]))


def _trace(arn: str, events: Sequence[Event], tags: Mapping[str, str]) -> Mapping[str, object]:
    times = [int(event.attributes.get("event_timestamp") or event.at) for event in events]
    number = int(hashlib.sha256(arn.encode()).hexdigest()[:15], 16)
    span = {
        "service": (tags.get("service") or arn.split(":")[6]).lower(),
        "name": OPERATION,
        "resource": arn.split(":")[6],
        "trace_id": number,
        "span_id": number,
        "parent_id": 0,
        "start": min(times) * 1_000_000,
        "duration": (max(times) - min(times)) * 1_000_000,
        "error": max(_ENDS.get(str(event.attributes.get("type")), 0) for event in events),
    }
    return {"traces": [[span]], "env": tags.get("env") or "dev"}
