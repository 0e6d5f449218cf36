"""How functions do: CloudWatch's counts, telling lines of their logs, reserved concurrency."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from ddsetup.facts.disclose import log_line
from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import NotFound

_LONGEST_LINE = 160
_LONGEST_TAIL = 500
_PAGES = 5
"""Pages of log events that are looked at for one group; FilterLogEvents may answer empty ones."""

_TELLING = re.compile(
    r"An error occurred \(\w+\)|\d{3} (?:Client|Server) Error"
    r"|Failed to check if API Key is valid|API Key is not valid|Task timed out|Runtime exited"
    r"|Runtime\.ImportModuleError|ImportModuleError|HandlerNotFound|HandlerError|No module named"
    r"|Runtime\.InvalidEntrypoint|MemoryError|AccessDenied\w*|is not authorized to perform"
    r"|Connect ?[tT]imeout\w*|Max retries exceeded|Name or service not known"
    # Of the Forwarder 5.4: what is said of its own settings and rights, never of what it carries.
    r"|Empty pattern for \w+|Invalid regex pattern for \w+|Failed to compile \w+ regex pattern"
    r"|Failed to create cache layer|Failed to fetch Lambda tags|Failed to get log group tags"
    r"|Failed to invoke additional target lambda|Failed to (?:send|receive|delete) SQS message"
)
_CARRYING = re.compile(
    r"Exception while forwarding (?:log batch|metric|traces)|Failed to filter log|could not scrub the payload"
    r"|Encountered an error while trying to parse and submit enhanced metrics"
)
"""What the Forwarder says before it quotes what it carries."""
_RAISED = re.compile(r"\[ERROR\]\s+(\w[\w.]*)")
_PATTERN = (
    '?ERROR ?"API Key" ?"timed out" ?Runtime ?Handler ?"No module named" ?MemoryError ?AccessDenied'
    ' ?authorized ?timeout ?"Max retries" ?"not known"'
)


@readable
def telling_lines(aws: Aws, lane: Lane, group: str, minutes: float, limit: int = 5) -> tuple[str, ...]:
    """The newest different messages of a log group that tell why something fails, newest first.

    Only what is known to be harmless is kept of a line: a known message of Lambda or the Forwarder, or the
    type of an exception. None if the group is not there. Needs logs:FilterLogEvents.
    """
    said = (told(message) for message in newest_messages(aws, lane, group, minutes, _PATTERN))
    return tuple(dict.fromkeys(line for line in said if line))[:limit]


@readable
def log_tail(aws: Aws, lane: Lane, group: str, minutes: float, limit: int = 100) -> tuple[str, ...]:
    """The newest errors, warnings and REPORT lines of a log group, newest first, cut and without keys.

    For the support of whoever owns the log: unlike `telling_lines` it may hold words of theirs. None if the
    group is not there. Needs logs:FilterLogEvents.
    """
    messages = newest_messages(aws, lane, group, minutes, f"{_PATTERN} ?WARN ?REPORT")
    return tuple(log_line(message, _LONGEST_TAIL) for message in messages[:limit])


def newest_messages(aws: Aws, lane: Lane, group: str, minutes: float, pattern: str = "") -> list[str]:
    """Messages of the last minutes that fit the pattern, newest first; none if the group is not there."""
    start = int((aws.clock.now() - timedelta(minutes=minutes)).timestamp() * 1000)
    events: list[Mapping[str, Json]] = []
    parameters: dict[str, Json] = {"logGroupName": group, "startTime": start, "filterPattern": pattern}
    for _ in range(_PAGES):
        try:
            page = aws.call("logs:FilterLogEvents", lane, patience=OPTIONAL, **parameters)
        except NotFound:
            return []
        events.extend(page.get("events") or ())
        if not page.get("nextToken"):
            break
        parameters["nextToken"] = page["nextToken"]
    events.sort(key=lambda e: -int(e.get("timestamp") or 0))
    return [str(event.get("message") or "") for event in events]


def told(line: str) -> str:
    """What of a log line may be shown, empty if it tells nothing."""
    if carrying := _CARRYING.search(line):
        return carrying[0]
    if found := _TELLING.search(line):
        said = log_line(line[found.start() :].splitlines()[0], _LONGEST_TAIL)
        return said[:_LONGEST_LINE].strip().rstrip('",}')
    raised = _RAISED.search(line)
    return f"[ERROR] {raised[1]}" if raised else ""


@readable_or_none
def reserved_concurrency(aws: Aws, lane: Lane, name: str) -> int | None:
    """The concurrency reserved for a function, None if there is none. Needs lambda:GetFunctionConcurrency."""
    answer = aws.call("lambda:GetFunctionConcurrency", lane, patience=OPTIONAL, FunctionName=name)
    value = answer.get("ReservedConcurrentExecutions")
    return int(value) if value is not None else None


def server_date(aws: Aws) -> str:
    """What AWS says the time is: the Date header of an answer, empty if there is none.

    Raises GatewayError and CredentialsError.
    """
    answer = aws.call("sts:GetCallerIdentity")
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders") or {}
    return str(headers.get("date") or "")
