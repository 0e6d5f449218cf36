"""Error logs by pattern: what differs from one to the next (ids, numbers, times) is masked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ddsetup.explore.drawing import clean, clock_time, percent
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import Log, count_logs, search_logs
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json
from ddsetup.model.blocks import Bar, Bars, Block
from ddsetup.model.clock import iso
from ddsetup.model.lines import Line, Look, Span, and_more, counted, cut, line
from ddsetup.show.layout import WIDTH

READ = 3_000
"""Logs that are read to find patterns, the newest ones."""

QUERY = 'source:lambda (status:error OR "Task timed out")'
"""A timeout is written by Lambda itself, without a level."""

BAD = ("emergency", "alert", "critical", "error")
"""The statuses of logs that tell of an error."""

_NOT_WORDS = re.compile(r"<\w+>|[^\w ]")
_SHOWN = 10
_EXAMPLE_LINES = 6
_PATTERN_LENGTH = 200
_MESSAGES = ("message", "msg", "errorMessage", "error", "exception")

_PREFIX = re.compile(
    r"^\s*(?:\[(?:CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG)\]|\d{4}-\d\d-\d\dT[\d:.]+Z?|"
    r"(?:RequestId:?\s*)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:CRITICAL|FATAL|ERROR)\b:?|"
    r"\[dd\.[^\]]*\])[\s:]*"
)
REQUEST_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_MASKS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\[dd\.[^\]]*\]\s*"), ""),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<hex>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b"), "<hex>"),
    (re.compile(r"(?<![\w<])[-+]?\d+(?:[.,]\d+)*(?=\D|$)"), "<n>"),
    (re.compile(r"(?<=[A-Za-z_-])\d+\b"), "<n>"),
)


def errors(dd: Datadog, window: Window, whose: Whose) -> Mapping[str, Json]:
    """The `data` of `explore errors`. Raises Denied when `logs_read_data` is missing."""
    query = whose.logs(QUERY)
    logs = search_logs(dd, window, query, limit=READ)
    meant = [log for log in logs if whose.has(log.function)]
    total = len(meant) if len(logs) < READ else max(len(meant), count_logs(dd, window, query))
    return shaped(meant, total, window)


def shaped(logs: Sequence[Log], total: int, window: Window) -> Mapping[str, Json]:
    """Patterns as plain data, the most frequent first. `logs` are the newest ones, newest first."""
    return {
        "from": iso(window.start),
        "to": iso(window.end),
        "total": total,
        "read": len(logs),
        "patterns": [_pattern_data(text, members) for text, members in by_pattern(logs)],
    }


def by_pattern(logs: Iterable[Log]) -> list[tuple[str, list[Log]]]:
    """Logs that differ only in ids, numbers and times together, the most frequent first: the order in which
    patterns are numbered."""
    groups: dict[str, list[Log]] = {}
    for log in logs:
        groups.setdefault(pattern(log.message), []).append(log)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def _pattern_data(text: str, members: Sequence[Log]) -> Json:
    newest = max(members, key=lambda log: log.at)
    functions = Counter(log.function or "?" for log in members)
    return {
        "pattern": text,
        "count": len(members),
        "functions": [{"function": name, "count": n} for name, n in functions.most_common()],
        "first": iso(min(log.at for log in members)),
        "last": iso(newest.at),
        "example": clean(newest.message),
        "request_id": request_named(newest),
    }


def to_watch(data: Mapping[str, Json]) -> tuple[str, ...]:
    """The command that has Datadog watch for the most frequent pattern, by its longest row of plain words;
    none where there are no two."""
    text = next((each["pattern"] for each in data.get("patterns", ())), "")
    rows = (" ".join(row.split()) for row in _NOT_WORDS.split(text))
    longest = max((row for row in rows if " " in row), key=len, default="")
    if not longest:
        return ()
    return (f"ddsetup monitors apply --only none --on-logs '\"{longest}\"'",)


def request_named(log: Log) -> str:
    """The id of the request that a log names, in a field or in its text; empty if it names none."""
    found = REQUEST_ID.search(log.message)
    return log.request_id or (found[0] if found else "")


def pattern(message: str) -> str:
    """The first line of a message without what differs each time: ids, numbers, times, addresses."""
    text = essence(clean(message))
    for mask, word in _MASKS:
        text = mask.sub(word, text)
    text = " ".join(text.split())
    return text if len(text) <= _PATTERN_LENGTH else f"{text[: _PATTERN_LENGTH - 1]}…"


def essence(message: str) -> str:
    """The first line that says something, without level, time and request id in front of it.

    Of a JSON log, the message in it.
    """
    text = _from_json(message) or message
    first = next((part for part in text.splitlines() if part.strip()), "")
    while (match := _PREFIX.match(first)) and match.end() < len(first):
        first = first[match.end() :]
    return first.strip() or text.strip()


def _from_json(message: str) -> str:
    if not message.lstrip().startswith("{"):
        return ""
    try:
        document = json.loads(message)
    except ValueError:
        return ""
    found = (document.get(name) for name in _MESSAGES) if isinstance(document, dict) else ()
    return next((value for value in found if isinstance(value, str) and value), "")


def error_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Patterns as a bar chart by volume, then each with its functions and its newest example."""
    if "patterns" not in data:
        return []
    patterns = data["patterns"]
    if not patterns and "deployed" in data:
        return [
            line(f"No error is new; {counted(data['known'], 'error log')} since then are like earlier ones.")
        ]
    if not patterns:
        return [line("No error was logged in this time.")]
    shown = patterns if look.verbose else patterns[:_SHOWN]
    found: list[Block] = [line(Span(_headline(data), "bold")), _bars(shown, data["read"])]
    left = len(patterns) - len(shown)
    found += and_more(left, "pattern more" if left == 1 else "patterns more")
    found.append(())
    for number, each in enumerate(shown, 1):
        found.extend(_pattern_lines(number, each, look))
    return found


def _headline(data: Mapping[str, Json]) -> str:
    total, read = data["total"], data["read"]
    said = f"{counted(total, 'error log')} in {counted(len(data['patterns']), 'pattern')}"
    return said if read >= total else f"{said} (of the newest {read:,})"


def _bars(patterns: Sequence[Mapping[str, Json]], read: int) -> Bars:
    """How often each pattern was logged, numbered as `explore request --error` counts."""
    bars = tuple(
        Bar(
            f"{number:>2}  {each['pattern']}",
            each["count"],
            f"{each['count']:>6,} {percent(each['count'] / max(1, read)):>5}",
            style="bad",
        )
        for number, each in enumerate(patterns, 1)
    )
    return Bars("Error logs by pattern", bars)


def _pattern_lines(number: int, each: Mapping[str, Json], look: Look) -> list[Line]:
    functions = each["functions"]
    who = ", ".join(f"{f['function']} {f['count']:,}" for f in functions[:4])
    more = f" and {len(functions) - 4:,} more" if len(functions) > 4 else ""
    found = [
        line("  ", Span(f"{number:>2}", "bold"), f"  {who}{more}; last at {clock_time(each['last'])} UTC")
    ]
    lines = [part for part in each["example"].splitlines() if part.strip(" ^~")]
    if len(lines) == 1:
        lines = [essence(each["example"])]
        if lines == [each["pattern"]]:
            return found
    kept = lines if look.verbose or len(lines) <= _EXAMPLE_LINES else [lines[0], "…", *lines[-3:]]
    width = (look.width or WIDTH) - 7
    found.extend(line("      ", Span(cut(part.expandtabs(1), width), "dim")) for part in kept)
    return found
