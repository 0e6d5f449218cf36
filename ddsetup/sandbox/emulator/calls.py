"""Keeps a log of every AWS call: one JSON document a line.

`{"at": seconds since the epoch, "principal": ARN, "access_key": id, "region", "service", "operation",
"write": bool, "status": HTTP status}`. The operation is the IAM action's name (`InvokeFunction` for Invoke).
Calls that a service makes on behalf of a caller inside the emulator (CloudFormation making resources, the
delivery of logs) are not in it: nobody sent them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ddsetup.sandbox.emulator import changes, trail
from ddsetup.sandbox.emulator.faults import Faults, Request

_READ_PREFIXES = (
    "Get", "List", "Describe", "Head", "Simulate", "Validate", "Estimate", "Filter", "Lookup", "Search",
    "BatchGet", "Query", "Scan", "Assume", "Detect", "Check", "GET",
)  # fmt: skip
"""How IAM actions that only read begin; of API Gateway they are HTTP methods (IAM actions reference)."""


def is_write(operation: str) -> bool:
    """Whether an operation of that name changes or runs something."""
    return not operation.startswith(_READ_PREFIXES)


def install(path: Path, faults: Faults) -> None:
    """Log every call that reaches the emulator's services to `path`, and let those fail that are meant to."""
    from ministack import app
    from ministack.core.iam_evaluator import request_caller_arn
    from ministack.core.router import extract_access_key_id, extract_region

    dispatch = app._dispatch_service_request
    log = path.open("a", encoding="utf-8", buffering=1)

    async def logged(
        method: str, url_path: str, headers: Any, body: bytes, query: Any, request_id: str
    ) -> tuple[int, Any, Any]:
        service, operation = _name(app, method, url_path, headers, body, query)
        access_key, region = extract_access_key_id(headers, query) or "", extract_region(headers, query)
        response = await faults.answer(
            Request(service, operation, access_key, region, url_path.encode() + body),
            lambda: dispatch(method, url_path, headers, body, query, request_id),
        )
        record = {
            "at": round(time.time(), 3),
            "principal": request_caller_arn(headers, query),
            "access_key": access_key,
            "region": region,
            "service": service,
            "operation": operation,
            "write": is_write(operation),
            "status": response[0],
        }
        log.write(json.dumps(record) + "\n")
        if record["write"]:
            changes.note(region, service)
            trail.keep(record, url_path, headers, body)
        return response

    app._dispatch_service_request = logged


def _name(app: Any, method: str, url_path: str, headers: Any, body: bytes, query: Any) -> tuple[str, str]:
    """The service and the operation of a request."""
    from ministack.core.iam_actions import extract_iam_action
    from ministack.core.router import detect_service

    parameters = app._routing_params(method, url_path, headers, body, query)
    service = str(detect_service(method, url_path, headers, parameters))
    action = extract_iam_action(service, method, url_path, headers, body, parameters)
    return service, action.split(":", 1)[1] if action else _plain_operation(headers, parameters, method)


def _plain_operation(headers: Any, parameters: Any, method: str) -> str:
    target = str(headers.get("x-amz-target", ""))
    if "." in target:
        return target.rsplit(".", 1)[1]
    action = parameters.get("Action") or [""]
    name = action if isinstance(action, str) else str(action[0])
    return name or {"GET": "Get", "HEAD": "Head"}.get(method, method.capitalize())
