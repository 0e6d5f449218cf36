"""The logs of functions as they came: the newest, or those that come from now on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.drawing import clean, clock_time
from ddsetup.explore.errors import BAD, request_named
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import MOST, Log, search_logs
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block
from ddsetup.model.clock import iso
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import Line, Look, Span, Style, counted, line

SHOWN = 50
STATUSES = (*BAD, "warn", "notice", "info", "debug", "ok")
"""The statuses of logs in Datadog (log configuration, status remapper)."""


def conditions(status: str, words: str) -> tuple[str, ...]:
    """The further conditions of a search. Raises UsageError for a status that is none."""
    if status and status not in STATUSES:
        raise UsageError(f"--status {status}: there is no such status", fix=f"one of: {', '.join(STATUSES)}")
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    return tuple(filter(None, (f"status:{status}" if status else "", f'"{quoted}"' if words else "")))


def read_logs(
    dd: Datadog, window: Window, whose: Whose, wanted: Sequence[str], count: int
) -> tuple[Log, ...]:
    """The newest `count` logs, the oldest first. Raises Denied when `logs_read_data` is missing."""
    found = search_logs(dd, window, whose.logs("source:lambda", *wanted), limit=min(count, MOST))
    return tuple(reversed([log for log in found if whose.has(log.function)]))


def shaped(logs: Iterable[Log], window: Window) -> Mapping[str, Json]:
    """Logs as plain data."""
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "logs": [
            {
                "at": iso(log.at),
                "function": log.function,
                "region": log.region,
                "status": log.status,
                "request_id": request_named(log),
                "message": clean(log.message),
            }
            for log in logs
        ],
    }


def log_lines(rows: Iterable[Mapping[str, Json]]) -> list[Line]:
    """A line for each line of each log."""
    found: list[Line] = []
    for row in rows:
        style: Style = "bad" if row["status"] in BAD else "warn" if row["status"] == "warn" else ""
        first, *rest = row["message"].strip().splitlines() or [""]
        head = Span(f"{clock_time(row['at'])} ", "dim"), Span(f"{row['function']}  ", "bold")
        found.append(line(*head, Span(first.expandtabs(1), style)))
        found.extend(line(" " * 9, Span(each.expandtabs(1), "dim")) for each in rest)
    return found


def log_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """The logs, unless they were shown as they came."""
    if "logs" not in data:
        return []
    if data.get("followed"):
        return [line(Span(counted(len(data["logs"]), "log"), "bold"))]
    if not data["logs"]:
        return [line("No log in this time.")]
    return [*log_lines(data["logs"])]
