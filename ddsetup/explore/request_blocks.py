"""One request as blocks: the cause in the first line, then all that led to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.explore.drawing import clock_time, duration, number
from ddsetup.explore.flame import flames
from ddsetup.explore.trace_blocks import cause_text, logs_of_functions
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block, table
from ddsetup.model.lines import Look, Span, cut, line
from ddsetup.show.layout import WIDTH


def request_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Cause, flame graph, functions, their minute, their logs."""
    if "functions" not in data:
        return []
    width = look.width or WIDTH
    found: list[Block] = _headline(data, width)
    for what, why in data["unreadable"].items():
        found.append(line(Span("? ", "bad"), Span(f"{what} could not be read: {why}", "bad")))
    if not data["functions"]:
        return [*found, *_nothing(data)]
    found.append(())
    if data["spans"]:
        found.append(flames(data["spans"]))
    found += [*_functions(data["functions"]), *_minute(data.get("minute") or {}), ()]
    found.append(line(Span("What they logged", "heading")))
    found.extend(logs_of_functions(data, look))
    if data.get("link"):
        found.append(line("    ", Span(data["link"], "code")))
    return found


def _headline(data: Mapping[str, Json], width: int) -> list[Block]:
    cause = data["cause"]
    when = f"{data['function']}  {clock_time(data['start'])} UTC, {duration(data['duration_ms'])}"
    if not data["functions"]:
        return [line(Span(f"No trace and no log of {data['id']} in this time.", "bold"))]
    if not cause:
        return [line(Span("✓ ", "good"), Span("nothing of this request failed", "bold")), line(f"  {when}")]
    found: list[Block] = [line(Span("✗ ", "bad"), Span(cut(cause_text(cause), width - 2), "bold"))]
    found.append(line(Span(f"  {when}", "dim")))
    if cause["kind"] != "timeout" and cause["error"] and cause["error"] not in cause["what"]:
        found.append(line("  it said: ", Span(cut(cause["error"].splitlines()[0], width - 12), "bad")))
    if cause["fix"]:
        found.append(line(f"  fix: {cause['fix']}"))
    if cause["command"]:
        found.append(line("  ", Span(cause["command"], "code")))
    if cause["check"]:
        found.append(line(Span(f"  ddsetup doctor --only {cause['check']} finds others like it", "dim")))
    return found


def _nothing(data: Mapping[str, Json]) -> list[Block]:
    if data["unreadable"]:
        return []
    return [
        line("  --since MINUTES looks further back; a trace may not have been kept (sampling, retention)"),
        line(Span("  ddsetup verify tells whether logs and traces arrive at all", "dim")),
    ]


def _functions(rows: Sequence[Mapping[str, Json]]) -> list[Block]:
    cells = [
        [
            Span(f"{'✗' if row['failed'] else '✓'} {row['function']}", "bad" if row["failed"] else "good"),
            Span(_of(duration(row["duration_ms"]), _seconds(row.get("timeout_ms")))),
            Span(_of(number(row["used_mb"]), _megabytes(row["memory_mb"])) if row["used_mb"] else ""),
            Span(_cold(row)),
            Span(cut(next(iter(row["error"].splitlines()), ""), 60), "bad"),
        ]
        for row in rows
    ]
    return [(), *table(("Function", "Took", "Memory", "Cold start", "Error"), cells)]


def _of(part: str, whole: str) -> str:
    return f"{part} of {whole}" if whole else part


def _seconds(milliseconds: float | None) -> str:
    return f"{number(milliseconds / 1000)} s" if milliseconds else ""


def _megabytes(value: float | None) -> str:
    return f"{number(value)} MB" if value else ""


def _cold(row: Mapping[str, Json]) -> str:
    if row["init_ms"]:
        return f"init {duration(row['init_ms'])}"
    return "yes" if row["cold_start"] else ""


def _minute(minute: Mapping[str, Json]) -> list[Block]:
    rows = minute.get("functions") or ()
    if not rows:
        return []
    titles = ("Invocations", "Errors", "Timeouts", "Throttles", "Cold starts")
    keys = ("invocations", "errors", "timeouts", "throttles", "cold_starts")
    cells = [
        [
            Span(row["function"]),
            *(Span(number(row[key] or 0), "bad" if row[key] and key in keys[1:4] else "") for key in keys),
            Span(duration(row["longest_s"] * 1000) if row["longest_s"] else ""),
        ]
        for row in rows
    ]
    title = f"From {clock_time(minute['from'])} to {clock_time(minute['to'])} UTC"
    return [(), line(Span(title, "heading")), *table(("Function", *titles, "Longest"), cells)]
