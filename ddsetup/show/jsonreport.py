"""The JSON document of a command, and the lines of `--output ndjson`: a versioned contract.

`data/report.schema.json` and `data/event.schema.json` describe both, and are made from the same records
(`show/schemas`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from ddsetup.facts.disclose import disclosed
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Plan
from ddsetup.model.clock import iso
from ddsetup.model.errors import DdsetupError, GatewayError
from ddsetup.model.event import Event
from ddsetup.model.report import SCHEMA, Report, Signal
from ddsetup.model.typed import told

_OF_ITS_OWN = frozenset({"kind", "change"})
_SAID = frozenset({"step", "resource", "before", "after"})
"""Fields of an event, and of a change, that are told in a way of their own."""
Rows: TypeAlias = Callable[[Callable[[Any], Json], Sequence[Any]], list[Json]]


def in_full(make: Callable[[Any], Json], of: Sequence[Any]) -> list[Json]:
    """A list of what is made of each."""
    return [make(one) for one in of]


def document(report: Report, rows: Rows = in_full) -> dict[str, Json]:
    """The report as JSON types, in the order in which it is written. `rows` makes the lists that may be long:
    `OneByOne` for whoever writes them at once."""
    found: dict[str, Json] = {"schema": SCHEMA, "command": report.command, "status": report.status}
    found |= told(replace(report, plan=Plan(), outcomes=(), findings=(), signals=()))
    found["plan"] = plan_fields(report.plan, rows)
    found["outcomes"] = rows(told, report.outcomes)
    found["findings"] = rows(told, report.findings)
    found["signals"] = rows(told, report.signals)
    return found


def plan_fields(plan: Plan, rows: Rows = in_full) -> dict[str, Json]:
    """A plan as JSON types, with states as far as they may be shown."""
    found = told(replace(plan, changes=(), skipped=()))
    return {**found, "changes": rows(_change, plan.changes), "skipped": rows(told, plan.skipped)}


def error_fields(error: DdsetupError) -> dict[str, str]:
    """What, where, what to do about it; empty fields are left out. `kind` is the error's class."""
    fields = {"kind": type(error).__name__, "what": error.what, "where": error.where, "fix": error.fix}
    if isinstance(error, GatewayError):
        fields["action"] = error.action
    return {name: value for name, value in fields.items() if value}


def event_line(event: Event) -> dict[str, Json]:
    """One line of ndjson: an event while it happens."""
    # What it is about is told below, with what may be shown of it.
    rest = told(event, without=_OF_ITS_OWN)
    found: dict[str, Json] = {"schema": SCHEMA, "event": event.kind, **rest, "at": iso(event.at)}
    return found | {"change": _change(event.change)} if event.change is not None else found


def report_line(report: Report, rows: Rows = in_full) -> dict[str, Json]:
    """The last line of ndjson: the document of the command."""
    return {"schema": SCHEMA, "event": "report", "report": document(report, rows)}


def signal_line(signal: Signal, at: datetime) -> dict[str, Json]:
    """A line of ndjson for a signal whose status became known."""
    return {"schema": SCHEMA, "event": "signal", "at": iso(at), "signal": told(signal)}


def _change(change: Change) -> Json:
    """With what it does, and the states as far as they may be shown."""
    sides = {"before": disclosed(change.before), "after": disclosed(change.after)}
    head = {"step": change.step, "resource": told(change.resource), "action": change.action}
    return {**head, **sides, **told(change, without=_SAID)}
