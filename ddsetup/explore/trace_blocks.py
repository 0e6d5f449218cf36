"""Traces as blocks: what went wrong first, spans as a flame graph, what each function logged. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ddsetup.explore.drawing import clock_time, duration
from ddsetup.explore.errors import BAD, essence
from ddsetup.explore.flame import flames
from ddsetup.model.account import Json
from ddsetup.model.blocks import Block
from ddsetup.model.lines import Line, Look, Span, and_more, cut, line, shorten
from ddsetup.show.layout import WIDTH

_LOG_LINES = 8
_PLATFORM = re.compile(r"^(?:START|END) RequestId: ")


def trace_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Every trace with its flame graph and its logs: the slowest first, then the failing ones."""
    if "traces" not in data:
        return []
    if not data["traces"]:
        return [line("No trace of a function arrived in this time.")]
    by_id = {trace["trace_id"]: trace for trace in data["traces"]}
    found: list[Block] = []
    told: set[str] = set()
    for key, title in (("slowest", "Slowest traces"), ("failing", "Failing traces")):
        fresh = [trace for trace in data[key] if trace not in told]
        again = len(data[key]) - len(fresh)
        if data[key]:
            remark = f"  ({again} of them above)" if again else ""
            found.append(line(Span(title, "heading"), Span(remark, "dim")))
        for trace in fresh:
            told.add(trace)
            found.extend(_one_trace(by_id[trace], look))
            found.append(())
    if not data["failing"]:
        found.append(line("No trace failed in this time."))
    return found if found[-1] else found[:-1]


def _one_trace(trace: Mapping[str, Json], look: Look) -> list[Block]:
    width = look.width or WIDTH
    notes = [f"{clock_time(trace['start'])} UTC"] + (["cold start"] if trace["cold_start"] else [])
    head = [
        Span("✗ " if trace["failed"] else "  ", "bad" if trace["failed"] else ""),
        Span(shorten(trace["function"], 40), "bold"),
        Span(f"  {duration(trace['duration_ms'])}"),
        Span(f"  {', '.join(notes)}", "dim"),
    ]
    found: list[Block] = [tuple(head)]
    if trace["error"]:
        found.append(line("    ", Span(cut(trace["error"].splitlines()[0], width - 6), "bad")))
    cause = trace.get("cause")
    if cause and cause["function"] != trace["function"]:
        found.append(line("    cause: ", Span(cut(cause_text(cause), width - 13), "bad")))
    found.append(flames(trace["spans"]))
    found.extend(logs_of_functions(trace, look))
    if trace.get("link"):
        found.append(line("    ", Span(trace["link"], "code")))
    return found


def cause_text(cause: Mapping[str, Json]) -> str:
    """`roaster ran into its timeout, called by counter`."""
    callers = cause["called_by"]
    via = f", called by {', '.join(callers)}" if callers else ""
    return f"{cause['function'] or 'it'} {cause['what']}{via}"


def logs_of_functions(trace: Mapping[str, Json], look: Look) -> list[Line]:
    """What was logged, by invocation; of several, the one that failed first of all stands first."""
    width = look.width or WIDTH
    by: dict[tuple[str, str], list[Mapping[str, Json]]] = {}
    for log in trace["logs"]:
        by.setdefault((log.get("function", ""), log.get("request_id", "")), []).append(log)
    cause = trace.get("cause") or {}
    culprit = (cause.get("function", ""), cause.get("request_id", ""))
    found: list[Line] = []
    for key in sorted(by, key=lambda key: key != culprit):
        if len(by) > 1:
            found.append(line("    ", Span(key[0], "bold"), Span(f"  request {key[1]}", "dim")))
        found.extend(_log_lines(by[key], look, width))
    return found


def _log_lines(logs: Sequence[Mapping[str, Json]], look: Look, width: int) -> list[Line]:
    """What the request logged; the lines of Lambda itself only where everything is shown."""
    told = [log for log in logs if look.verbose or not _PLATFORM.match(log["message"])]
    found: list[Line] = []
    for log in told if look.verbose else told[:_LOG_LINES]:
        first, *rest = log["message"].strip().splitlines() or [""]
        parts = [part.expandtabs(1) for part in (essence(first), *rest)]
        error = log["status"] in BAD
        shown = parts if look.verbose or len(parts) <= 2 else [parts[0], f"… {parts[-1].strip()}"]
        for at, part in enumerate(shown):
            when = clock_time(log["at"]) if at == 0 else " " * 8
            text = cut(part, width - 14)
            found.append(line("    ", Span(f"{when} ", "dim"), Span(text, "bad" if error else "dim")))
    return found if look.verbose else [*found, *and_more(len(told) - _LOG_LINES, "more logs", indent=4)]
