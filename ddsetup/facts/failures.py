"""Why invocations fail, told from what Lambda and the AWS SDKs say of it, and what mends it. Pure.

Words of Lambda: its log of an invocation (Lambda developer guide, "Troubleshoot invocation issues" and
"Troubleshoot execution issues"), errors of its runtimes, exceptions of Invoke. `Impending Timeout` is what
Datadog's library puts on the span of an invocation that is about to be cut off (ddtrace 4.16, aws_lambda).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

FailureKind: TypeAlias = Literal["timeout", "memory", "start", "permission", "throttled", "error"]

CANNOT_START = (
    "ImportModuleError",
    "HandlerNotFound",
    "HandlerError",
    "No module named",
    "InvalidEntrypoint",
)
"""Words of a log that tells that a function does not come up."""

MORE_TIME = "give it more time, or make it faster"
CORRECT_HANDLER = "correct the handler, or take Datadog out and look again"

_TIMED_OUT = re.compile(r"(?:\bTask timed out after [\d.]+ seconds|\bStatus: timeout\b|Impending Timeout)")
_OUT_OF_MEMORY = re.compile(
    r"\bRuntime\.OutOfMemory\b|\bMemoryError\b|Runtime exited with error: signal: killed|heap out of memory"
)
_NOT_ALLOWED = re.compile(
    r"is not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?"
)
_THROTTLED = re.compile(r"\b(?:TooManyRequestsException|ThrottlingException|Rate [Ee]xceeded)\b")


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure. `what` follows the function's name; `check` is the doctor's that looks for it."""

    kind: FailureKind
    what: str
    fix: str = ""
    check: str = ""


def failure_of(told: Iterable[str]) -> Failure | None:
    """What these texts of one invocation (its error, its log lines) say of it; None if nothing known."""
    texts = tuple(told)
    if any(map(_TIMED_OUT.search, texts)):
        return Failure("timeout", "ran into its timeout", MORE_TIME, "timeout-margin")
    if any(map(_OUT_OF_MEMORY.search, texts)):
        return Failure("memory", "ran out of memory", "give it more memory, or let it hold less")
    if any(word in text for text in texts for word in CANNOT_START):
        return Failure("start", "cannot start", CORRECT_HANDLER, "function-starts")
    if found := next(filter(None, map(_NOT_ALLOWED.search, texts)), None):
        on = f" on {found['resource']}" if found["resource"] else ""
        return Failure(
            "permission", f"is not allowed {found['action']}{on}", f"allow its role {found['action']}{on}"
        )
    if any(map(_THROTTLED.search, texts)):
        return Failure("throttled", "was throttled", "raise the quota that it met, or call less often")
    return None


def update_command(name: str, region: str, arguments: str) -> str:
    """`aws lambda update-function-configuration` for a function."""
    return f"aws lambda update-function-configuration --function-name {name} --region {region} {arguments}"


def more_time(name: str, region: str, timeout: int) -> str:
    """The command that doubles a timeout in seconds, up to Lambda's 900."""
    return update_command(name, region, f"--timeout {min(900, timeout * 2)}")


def more_memory(name: str, region: str, memory: int) -> str:
    """The command that doubles the memory in MB, up to Lambda's 10,240."""
    return update_command(name, region, f"--memory-size {min(10_240, memory * 2)}")
