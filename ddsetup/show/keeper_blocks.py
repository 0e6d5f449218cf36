"""The keeper in AWS as JSON and as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from ddsetup.journal.brief import Brief
from ddsetup.model.account import Json, Unreadable
from ddsetup.model.blocks import Block, table
from ddsetup.model.clock import iso, minute
from ddsetup.model.keeper import Alarm, Build
from ddsetup.model.lines import Look, Span, Style, counted, line
from ddsetup.model.report import Report
from ddsetup.plan.keep_install import Found
from ddsetup.plan.keep_template import EVENTS_RULE, SCHEDULE_RULE, STACK, kept_of, next_run

Runs: TypeAlias = Sequence[tuple[Build, Brief | None]]
"""Builds, the newest first, each with what ddsetup wrote down of it."""
_BECAUSE = {f"rule/{EVENTS_RULE}": "a deployment", f"rule/{SCHEDULE_RULE}": "the schedule"}


def as_data(
    found: Found,
    runs: Runs | Unreadable,
    alarms: Sequence[Alarm] | Unreadable,
    notes: Sequence[str],
    now: datetime,
) -> dict[str, Json]:
    """What is installed in a region, and how it does. `ok` is null while no run has ended, `runs` where these
    may not be looked at."""
    stack = found.stack
    outputs = stack.outputs if stack is not None else {}
    every = outputs.get("Every", "")
    runs, blind = ((), [_unread(runs)]) if isinstance(runs, Unreadable) else (runs, [])
    alarms, deaf = ((), [_unread(alarms)]) if isinstance(alarms, Unreadable) else (alarms, [])
    over = [build for build, _ in runs if build.over]
    return {
        "region": found.lane.region,
        "installed": found.installed,
        "stack": stack.status if stack is not None else "",
        "version": outputs.get("Version", ""),
        "state": outputs.get("State", ""),
        "every": int(every) if every.isdecimal() else None,
        "next": iso(next_run(found.lane.account, int(every), now)) if every.isdecimal() else "",
        "ok": over[0].good if over else None,
        "alarms": [{"alarm": alarm.name, "state": alarm.state} for alarm in alarms],
        "runs": None if blind else [_run(build, brief) for build, brief in runs],
        "keeps": list(kept_of(found.template)),
        "notes": [*notes, *blind, *deaf],
    }


def _unread(what: Unreadable) -> str:
    return f"{what.reason} (needs {what.action})"


def _run(build: Build, brief: Brief | None) -> dict[str, Json]:
    return {
        "build": build.id,
        "status": build.status,
        "because": _BECAUSE.get(build.initiator, build.initiator),
        "started": iso(build.started),
        "ended": iso(build.ended) if build.ended is not None else "",
        "changed": brief.done if brief is not None else 0,
        "run": brief.id if brief is not None else "",
        "why": " ".join(part for part in (build.phase, build.why) if part),
        "log": build.log,
    }


def notes_blocks(data: Mapping[str, Json], _look: Look) -> list[Block]:
    """What will not be noticed."""
    return [line(Span("! ", "warn"), note) for note in data.get("notes", ())]


def installed_blocks(report: Report, look: Look) -> list[Block]:
    """What will not be noticed; and that it is installed, where there was nothing to do."""
    said = [] if report.plan.changes or report.exit_code else [line("installed as wanted: nothing to do")]
    return [*said, *notes_blocks(report.data, look)]


def uninstalled_blocks(report: Report, _look: Look) -> list[Block]:
    """That there was nothing to take away, where there was not."""
    return [] if report.plan.changes or report.exit_code else [line("not installed: nothing to take away")]


def status_blocks(data: Mapping[str, Json], look: Look) -> list[Block]:
    """Each keeper: what it keeps, when it runs, and how its last runs went."""
    return [block for row in data.get("keepers", ()) for block in _keeper(row, look)]


def _keeper(row: Mapping[str, Json], look: Look) -> list[Block]:
    if not row["installed"]:
        return [line(f"not installed in {row['region']}: nothing is kept by itself")]
    found: list[Block] = [
        line(
            Span(f"stack {STACK} ({row['region']})", "heading"),
            "  " + ", ".join([row["stack"], *([f"ddsetup {row['version']}"] if row["version"] else [])]),
        ),
        *_told_by_the_stack(row),
        *(line("  ", Span("! ", "warn"), note) for note in row["notes"]),
        *(
            line("  ", _alarmed(each["state"]), f"alarm {each['alarm']}: {each['state']}")
            for each in row["alarms"]
        ),
        *(line(Span(f"    {text}", "dim")) for text in row["keeps"] if look.verbose),
        (),
    ]
    if not row["runs"]:
        return [
            *found,
            line("how its runs went is not known" if row["runs"] is None else "it has not run yet"),
        ]
    head = ["Started", "Because of", "Result", "Changed", "Run"]
    return [*found, *table(head, [_row(each) for each in row["runs"]])]


def _told_by_the_stack(row: Mapping[str, Json]) -> list[Block]:
    """When it runs, and where that is remembered: a stack that is being made does not tell yet."""
    if row["every"] is None:
        return [line("  when it runs is not known: its stack does not tell")]
    hours = "every hour" if row["every"] == 1 else f"every {row['every']} hours"
    return [
        line(f"  runs {hours}, next on {minute(datetime.fromisoformat(row['next']))}, and after deployments"),
        line(f"  remembers in {row['state']}"),
    ]


def _alarmed(state: str) -> Span:
    return Span("✗ ", "bad") if state == "ALARM" else Span("· ", "dim")


def _row(run: Mapping[str, Json]) -> list[Span]:
    good = run["status"] == "SUCCEEDED"
    result = run["status"].lower().replace("_", " ") + (f": {run['why']}" if run["why"] else "")
    changed = counted(run["changed"], "change") if run["run"] else ("nothing" if good else "")
    style: Style = "good" if good else "warn" if run["status"] == "IN_PROGRESS" else "bad"
    return [
        Span(minute(datetime.fromisoformat(run["started"]))),
        Span(run["because"]),
        Span(result, style),
        Span(changed),
        Span(run["run"], "dim"),
    ]
