"""Writes the log of one invocation to CloudWatch Logs as Lambda does."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ddsetup.sandbox.emulator import log_streams
from ddsetup.sandbox.emulator.bootstrap import LINE_BREAK, REQUEST_ID_MARK

_TRACEBACK = "Traceback (most recent call last):"
_LOGGER_LINE = re.compile(r"^\[([A-Z]+)\]\t([^\t]+)\t([^\t]+)\t(.*)$", re.DOTALL)
_EXCEPTION = re.compile(r"([A-Za-z_][\w.]*)(?:: (.*))?$")


@dataclass(frozen=True, slots=True)
class Run:
    """One finished invocation. Durations in milliseconds, memory in MB."""

    request_id: str
    text: str
    milliseconds: float
    init_milliseconds: float | None
    memory_used: int
    failure: str
    timed_out: bool


def write(config: dict[str, Any], run: Run) -> None:
    """Append the invocation's events to the function's log group, if the function's role may write there."""
    append(config, messages(config, run))


def append(config: dict[str, Any], events: list[str]) -> None:
    """Append events to the function's log group, if the function's role may write there."""
    from ministack.services import cloudwatch_logs

    logging_config = config.get("LoggingConfig") or {}
    default_group = f"/aws/lambda/{config['FunctionName']}"
    group_name = logging_config.get("LogGroup") or default_group
    exists = group_name in cloudwatch_logs._log_groups
    needed = ("logs:CreateLogStream", "logs:PutLogEvents", *(() if exists else ("logs:CreateLogGroup",)))
    if not all(_role_may(config, action, group_name) for action in needed):
        return
    stream_name = _stream_name(config, custom=group_name != default_group)
    log_streams.append(group_name, stream_name, events)


def _role_may(config: dict[str, Any], action: str, group_name: str) -> bool:
    from ministack.core import iam_evaluator, lambda_runtime
    from ministack.core.responses import get_account_id, get_region

    account, region = get_account_id(), get_region()
    key = lambda_runtime.execution_credentials(config)["AWS_ACCESS_KEY_ID"]
    principal = iam_evaluator.resolve_principal(key, account)
    if isinstance(principal, iam_evaluator.AuthError):
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=account,
        action=action,
        resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{group_name}:log-stream:any",
        region=region,
    )
    result = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
    return bool(result.decision == "Allow")


def _stream_name(config: dict[str, Any], *, custom: bool) -> str:
    day = datetime.now(UTC).strftime("%Y/%m/%d")
    name = config["FunctionName"] if custom else ""
    return f"{day}/{name}[{config.get('Version', '$LATEST')}]{uuid.uuid4().hex}"


def messages(config: dict[str, Any], run: Run) -> list[str]:
    """The events of one invocation, in order."""
    logging_config = config.get("LoggingConfig") or {}
    body = _body(run)
    if logging_config.get("LogFormat") != "JSON":
        return [*_start(config, run), *body, *_end(config, run)]
    body = [_as_json(each) for each in body]
    if logging_config.get("SystemLogLevel", "INFO") == "WARN":
        return body
    return [_platform("platform.start", {"requestId": run.request_id}), *body, _platform_report(config, run)]


def _body(run: Run) -> list[str]:
    """The function's output, an event a line; what it failed with comes last, as one event."""
    lines = [line for line in run.text.split("\n") if line.strip()]
    failure: list[str] = []
    if run.timed_out:
        lines = [line for line in lines if line != run.failure]
        failure = [f"{_now()} {run.request_id} {run.failure}"]
    elif run.failure:
        lines, failure = _split_failure(lines, run.failure)
    events = [line.replace(LINE_BREAK, "\n").replace(REQUEST_ID_MARK, run.request_id) for line in lines]
    return events + failure


def _split_failure(lines: list[str], failure: str) -> tuple[list[str], list[str]]:
    """The lines before the traceback of the exception that ended the invocation, and that traceback."""
    starts = [number for number, line in enumerate(lines) if line == _TRACEBACK]
    if not starts:
        return [line for line in lines if line != failure], [f"[ERROR] {failure}"]
    return lines[: starts[-1]], [_error_event(lines[starts[-1] :])]


def _as_json(event: str) -> str:
    """A line of the runtime's logger as the runtime writes it when the log format is JSON."""
    match = _LOGGER_LINE.match(event)
    if match is None:
        return event
    level, at, request_id, message = match.groups()
    return json.dumps({"timestamp": at, "level": level, "message": message, "requestId": request_id})


def _error_event(traceback: list[str]) -> str:
    match = _EXCEPTION.match(traceback[-1])
    kind, message = (match[1].rpartition(".")[2], match[2] or "") if match else ("Error", traceback[-1])
    return "\n".join([f"[ERROR] {kind}: {message}", *traceback[:-1]])


def _start(config: dict[str, Any], run: Run) -> list[str]:
    return [f"START RequestId: {run.request_id} Version: {config.get('Version', '$LATEST')}"]


def _end(config: dict[str, Any], run: Run) -> list[str]:
    billed = int(run.milliseconds + 0.999)
    parts = [
        f"REPORT RequestId: {run.request_id}",
        f"Duration: {run.milliseconds:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {config.get('MemorySize', 128)} MB",
        f"Max Memory Used: {_memory_used(config, run)} MB",
    ]
    if run.init_milliseconds is not None:
        parts.append(f"Init Duration: {run.init_milliseconds:.2f} ms")
    if run.timed_out:
        parts.append("Status: timeout")
    return [f"END RequestId: {run.request_id}", "\t".join(parts)]


def _platform_report(config: dict[str, Any], run: Run) -> str:
    metrics: dict[str, float] = {
        "durationMs": round(run.milliseconds, 3),
        "billedDurationMs": int(run.milliseconds + 0.999),
        "memorySizeMB": config.get("MemorySize", 128),
        "maxMemoryUsedMB": _memory_used(config, run),
    }
    if run.init_milliseconds is not None:
        metrics["initDurationMs"] = round(run.init_milliseconds, 3)
    status = "timeout" if run.timed_out else "error" if run.failure else "success"
    return _platform("platform.report", {"requestId": run.request_id, "metrics": metrics, "status": status})


def _platform(kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": _now(), "type": kind, "record": record})


def _memory_used(config: dict[str, Any], run: Run) -> int:
    """A process here holds more than a function there would; none uses more than it was given."""
    return min(run.memory_used, int(config.get("MemorySize", 128)))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
