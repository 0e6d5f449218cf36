"""Delivers log events to the functions and delivery streams that subscription filters lead to, as CloudWatch
Logs does.

The emulator starts one invocation per log write, all at once and whatever the destination's policy says. Here
a destination gets its batches in order from a small number of workers, only if its resource policy lets
CloudWatch Logs invoke it, and the outcome is counted in the namespace `AWS/Logs`.
"""

from __future__ import annotations

import base64
import contextvars
import gzip
import json
import logging
import queue
import threading
import uuid
from typing import Any

from ddsetup.sandbox.emulator import account_policies, firehose

_WORKERS_PER_DESTINATION = 2
_log = logging.getLogger("ddsetup.sandbox.delivery")
_queues: dict[str, queue.SimpleQueue[tuple[Any, dict[str, Any]]]] = {}
_queues_lock = threading.Lock()


def install() -> None:
    """Take over the delivery of subscription filters."""
    from ministack.services import cloudwatch_logs

    cloudwatch_logs._fanout_to_subscription_filters = deliver


def deliver(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> None:
    """Send `events`, just written to a stream, to every filter of its group, and the account's policy, that
    matches them."""
    from ministack.services import cloudwatch_logs, lambda_svc

    group = cloudwatch_logs._log_groups.get(group_name) or {}
    policy = account_policies.in_force(group_name)
    filters = [*(group.get("subscriptionFilters") or {}).values(), *([policy] if policy else [])]
    for each in filters:
        destination = str(each.get("destinationArn", ""))
        name = destination.rpartition(":function:")[2].split(":")[0]
        pattern = each.get("filterPattern", "")
        matching = [e for e in events if cloudwatch_logs._subscription_pattern_matches(pattern, e["message"])]
        where = {"PolicyLevel": "AccountPolicy"} if each is policy else {"LogGroupName": group_name}
        where |= {"FilterName": each["filterName"]}
        if ":deliverystream/" in destination and matching:
            message = _message(group_name, stream_name, each["filterName"], matching)
            accepted = may_put(str(each.get("roleArn") or ""), destination)
            accepted = accepted and firehose.put(destination.rpartition("/")[2], message)
            _count({**where, "DestinationType": "Firehose"}, len(matching), accepted=accepted)
        if ":function:" not in destination or not matching or group_name == f"/aws/lambda/{name}":
            continue
        function = lambda_svc._functions.get(name)
        accepted = function is not None and may_invoke(function, group_name)
        _count({**where, "DestinationType": "Lambda"}, len(matching), accepted=accepted)
        if accepted:
            message = _message(group_name, stream_name, each["filterName"], matching)
            payload = {"awslogs": {"data": base64.b64encode(message).decode()}}
            _enqueue(destination, function, payload)


def may_invoke(function: dict[str, Any], group_name: str) -> bool:
    """Whether the function's resource policy lets CloudWatch Logs invoke it for that log group."""
    from ministack.core.responses import get_account_id, get_region

    source = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group_name}:*"
    policy = function.get("policy") or {}
    return any(_allows_logs(each, source) for each in policy.get("Statement", []))


def _allows_logs(statement: dict[str, Any], source: str) -> bool:
    principal = statement.get("Principal")
    service = principal.get("Service") if isinstance(principal, dict) else principal
    services = service if isinstance(service, list) else [service]
    named = any(each == "*" or _is_logs(str(each)) for each in services)
    return statement.get("Effect") == "Allow" and named and _arn_allowed(statement.get("Condition"), source)


def _is_logs(service: str) -> bool:
    return service.startswith("logs.") and service.endswith("amazonaws.com")


def _arn_allowed(condition: Any, source: str) -> bool:
    from fnmatch import fnmatchcase

    patterns = [
        str(value)
        for operator, keys in (condition or {}).items()
        if operator in {"ArnLike", "ArnEquals", "StringLike", "StringEquals"}
        for key, value in keys.items()
        if key.lower() == "aws:sourcearn"
    ]
    return all(fnmatchcase(source, pattern) for pattern in patterns)


def may_put(role_arn: str, stream_arn: str) -> bool:
    """Whether CloudWatch Logs may put records to a delivery stream in the name of a role."""
    return firehose.may_put(role_arn, "logs.", "PutRecord", stream_arn)


def _message(group_name: str, stream_name: str, filter_name: str, events: list[dict[str, Any]]) -> bytes:
    """As it travels, compressed."""
    from ministack.core.responses import get_account_id

    message = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group_name,
        "logStream": stream_name,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {"id": uuid.uuid4().hex, "timestamp": each["timestamp"], "message": each["message"]}
            for each in events
        ],
    }
    return gzip.compress(json.dumps(message).encode(), compresslevel=1)


def _enqueue(destination: str, function: Any, payload: dict[str, Any]) -> None:
    with _queues_lock:
        waiting = _queues.get(destination)
        if waiting is None:
            waiting = _queues[destination] = queue.SimpleQueue()
            for _ in range(_WORKERS_PER_DESTINATION):
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(_work, waiting), daemon=True).start()
    waiting.put((function, payload))


def _work(waiting: queue.SimpleQueue[tuple[Any, dict[str, Any]]]) -> None:
    from ministack.services import lambda_svc

    while True:
        function, payload = waiting.get()
        try:
            lambda_svc._run_with_function_config_scope(function, _invoke, function, payload)
        except Exception:  # noqa: BLE001 (the next batch must be delivered whatever went wrong with this one)
            _log.exception("delivery failed")


def _invoke(function: Any, payload: dict[str, Any]) -> None:
    from ministack.services import lambda_svc

    lambda_svc._execute_function(function, payload)


def _count(dimensions: dict[str, str], events: int, *, accepted: bool) -> None:
    from ministack.services import cloudwatch

    metric, value = ("ForwardedLogEvents", events) if accepted else ("DeliveryErrors", 1)
    cloudwatch.record_metric("AWS/Logs", metric, value, "Count", dimensions)
