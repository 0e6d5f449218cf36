"""What Lambda says of an invocation when it is over: its REPORT line, or the platform's event. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_REPORT = re.compile(r"^REPORT RequestId: (?P<request>[\w-]+)")
_FIELDS = re.compile(
    r"(?P<name>Init Duration|(?<!Billed )(?<!Init )(?<!Restore )Duration|Max Memory Used|Memory Size|Status)"
    r": (?P<value>[\w.]+)"
)
_NAMES: Mapping[str, str] = {
    "Duration": "duration_ms",
    "Init Duration": "init_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "used_mb",
}
_METRICS: Mapping[str, str] = {
    "durationMs": "duration_ms",
    "initDurationMs": "init_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "used_mb",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an invocation ended. Durations in milliseconds, memory in MB; None where it is not told.

    Sources: Lambda developer guide, "Understanding Lambda log messages" and the schema of `platform.report`.
    """

    duration_ms: float | None = None
    init_ms: float | None = None
    memory_mb: float | None = None
    used_mb: float | None = None
    status: str = ""


def ended(messages: Iterable[str], request_id: str) -> Ended:
    """The report of that request among log lines; empty if there is none."""
    for message in messages:
        text = message.strip()
        if found := _from_text(text, request_id) or _from_json(text, request_id):
            return found
    return Ended()


def _from_text(text: str, request_id: str) -> Ended | None:
    match = _REPORT.match(text)
    if match is None or match["request"] != request_id:
        return None
    found = {each["name"]: each["value"] for each in _FIELDS.finditer(text)}
    numbers = {name: _number(found[said]) for said, name in _NAMES.items() if said in found}
    return Ended(**numbers, status=found.get("Status", ""))


def _from_json(text: str, request_id: str) -> Ended | None:
    if '"platform.report"' not in text:
        return None
    try:
        record = json.loads(text)["record"]
        metrics, named, status = record["metrics"], record["requestId"], record.get("status")
    except (ValueError, KeyError, TypeError):
        return None
    if named != request_id or not isinstance(metrics, dict):
        return None
    numbers = {name: _number(metrics[said]) for said, name in _METRICS.items() if said in metrics}
    return Ended(**numbers, status="" if status == "success" else str(status or ""))


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
