"""What the emulator lacks of Step Functions: logging, the role's right to log, and tags in bulk.

An execution is logged as AWS Step Functions logs it (developer guide, "Logging using CloudWatch Logs"), to a
stream of its own once it has ended.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ddsetup.sandbox.emulator import log_streams

_DELIVER = ("logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:DescribeLogGroups")
_FATAL = ("ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


def install() -> None:
    """Add all of it."""
    from ministack.core import iam_actions
    from ministack.services import stepfunctions, tagging

    tagging._COLLECTORS["states"] = _tags
    _name_tagged_resources(iam_actions)
    _check_logging(stepfunctions)
    _log_executions(stepfunctions)


def _tags() -> Iterable[tuple[str, list[dict[str, str]]]]:
    from ministack.services import stepfunctions

    for arn, tags in stepfunctions._tags.items():
        yield arn, [{"Key": tag["key"], "Value": tag.get("value", "")} for tag in tags]


def _name_tagged_resources(iam_actions: Any) -> None:
    """Calls about tags name their resource in a field of its own, which the emulator does not look at."""
    plain = iam_actions.extract_resource_arn

    def arn_of(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        found = str(plain(service, method, path, headers, body, *rest))
        if service == "states" and found == "*":
            with contextlib.suppress(ValueError):
                found = str(json.loads(body or b"{}").get("resourceArn") or "*")
        return found

    iam_actions.extract_resource_arn = arn_of


def _check_logging(stepfunctions: Any) -> None:
    """Refuse logging without one destination that is there, or to which the role may not log."""
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def checked_create(data: dict[str, Any]) -> Any:
        return _refusal(data.get("loggingConfiguration"), str(data.get("roleArn", ""))) or create(data)

    def checked_update(data: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn")) or {}
        role = data.get("roleArn") or machine.get("roleArn") or ""
        return _refusal(data.get("loggingConfiguration"), str(role)) or update(data)

    stepfunctions._create_state_machine = checked_create
    stepfunctions._update_state_machine = checked_update


def _refusal(logging: dict[str, Any] | None, role: str) -> Any:
    from ministack.core.responses import error_response_json

    if not logging or logging.get("level", "OFF") == "OFF":
        return None
    group = _group_of(logging)
    if group is None:
        said = "Invalid Logging Configuration: Must specify exactly one Log Destination."
        return error_response_json("InvalidLoggingConfiguration", said, 400)
    if not _role_may_deliver(role):
        said = "The state machine IAM Role is not authorized to access the Log Destination"
        return error_response_json("AccessDeniedException", said, 400)
    return None


def _group_of(logging: dict[str, Any]) -> str | None:
    """The name of the only destination, None if there is not exactly one that exists."""
    from ministack.services import cloudwatch_logs

    destinations = logging.get("destinations") or []
    if len(destinations) != 1:
        return None
    arn = str((destinations[0].get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", ""))
    name = arn.partition(":log-group:")[2].removesuffix(":*")
    return name if name in cloudwatch_logs._log_groups else None


def _role_may_deliver(role: str) -> bool:
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import iam

    account, name = get_account_id(), role.rsplit("/", 1)[-1]
    if name not in iam._roles:
        return False
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    for action in _DELIVER:
        context = iam_evaluator.EvalContext(
            principal_arn=role,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn="*",
            region=get_region(),
        )
        if iam_evaluator.evaluate(context, policies, *limits).decision != "Allow":
            return False
    return True


def _log_executions(stepfunctions: Any) -> None:
    run = stepfunctions._run_execution

    def run_and_log(arn: str) -> None:
        run(arn)
        execution = stepfunctions._executions.get(arn)
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) if execution else None
        if machine:
            _log(execution, machine)

    stepfunctions._run_execution = run_and_log


def _log(execution: dict[str, Any], machine: dict[str, Any]) -> None:
    logging = machine.get("loggingConfiguration") or {}
    level = logging.get("level", "OFF")
    group = _group_of(logging) if level != "OFF" else None
    if group is None or not _role_may_deliver(machine["roleArn"]):
        return
    data = bool(logging.get("includeExecutionData"))
    events = [_event(each, execution, data) for each in execution["events"] if _told(each["type"], level)]
    day = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M")
    stream = f"states/{machine['name']}/{day}/{execution['name'][:8]}"
    log_streams.append(group, stream, [json.dumps(event) for event in events])


def _told(kind: str, level: str) -> bool:
    if level == "ALL":
        return True
    return kind in _FATAL or (level == "ERROR" and kind.endswith(("Failed", "TimedOut", "Aborted")))


def _event(event: dict[str, Any], execution: dict[str, Any], data: bool) -> dict[str, Any]:
    details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
    if not data:
        details = {key: value for key, value in details.items() if key not in ("input", "output")}
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["id"] - 1),
        "event_timestamp": str(int(time.time() * 1000)),
        "execution_arn": execution["executionArn"],
        "redrive_count": "0",
    }
