"""The JSON document of a command, and the lines of `--output ndjson`: a versioned contract.

`data/report.schema.json` and `data/event.schema.json` describe both; tests hold the code to them.
"""

from __future__ import annotations

from datetime import datetime

from ddsetup.facts.disclose import disclosed
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome, Plan, ResourceId, Skipped
from ddsetup.model.errors import DdsetupError, GatewayError
from ddsetup.model.event import Event
from ddsetup.model.report import SCHEMA, Finding, Report, Signal


def document(report: Report) -> dict[str, Json]:
    """The report as JSON types, in the order in which it is written."""
    found: dict[str, Json] = {
        "schema": SCHEMA,
        "command": report.command,
        "status": report.status,
        "exit_code": report.exit_code,
        "account": report.account,
        "regions": list(report.regions),
        "plan": _plan(report.plan),
        "outcomes": [_outcome(o) for o in report.outcomes],
        "findings": [_finding(f) for f in report.findings],
        "signals": [_signal(s) for s in report.signals],
        "links": dict(report.links),
        "run": report.run,
        "sandbox": report.sandbox,
        "next": list(report.next),
        "data": dict(report.data),
    }
    if report.error is not None:
        found["error"] = dict(report.error)
    return found


def error_fields(error: DdsetupError) -> dict[str, str]:
    """What, where, what to do about it; empty fields are left out. `kind` is the error's class."""
    fields = {"kind": type(error).__name__, "what": error.what, "where": error.where, "fix": error.fix}
    if isinstance(error, GatewayError):
        fields["action"] = error.action
    return {name: value for name, value in fields.items() if value}


def event_line(event: Event) -> dict[str, Json]:
    """One line of ndjson: an event while it happens."""
    found: dict[str, Json] = {"schema": SCHEMA, "event": event.kind, "at": _time(event.at)}
    if event.resource is not None:
        found["resource"] = _resource(event.resource)
    if event.step:
        found["step"] = event.step
    if event.change is not None:
        found["change"] = _change(event.change)
    if event.outcome is not None:
        found["outcome"] = _outcome(event.outcome)
    if event.text:
        found["text"] = event.text
    if event.details:
        found["details"] = dict(event.details)
    return found


def report_line(report: Report) -> dict[str, Json]:
    """The last line of ndjson: the document of the command."""
    return {"schema": SCHEMA, "event": "report", "report": document(report)}


def signal_line(signal: Signal, at: datetime) -> dict[str, Json]:
    """A line of ndjson for a signal whose status became known."""
    return {"schema": SCHEMA, "event": "signal", "at": _time(at), "signal": _signal(signal)}


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plan(plan: Plan) -> Json:
    return {
        "changes": [_change(c) for c in plan.changes],
        "skipped": [_skipped(s) for s in plan.skipped],
        "warnings": list(plan.warnings),
    }


def _resource(resource: ResourceId) -> Json:
    return {
        "kind": resource.kind,
        "id": resource.id,
        "region": resource.region,
        "account": resource.account,
    }


def _change(change: Change) -> Json:
    found: dict[str, Json] = {
        "step": change.step,
        "resource": _resource(change.resource),
        "action": change.action,
        "before": disclosed(change.before),
        "after": disclosed(change.after),
        "why": change.why,
    }
    if change.note:
        found["note"] = change.note
    if change.needs:
        found["needs"] = [_resource(r) for r in change.needs]
    return found


def _skipped(skipped: Skipped) -> Json:
    found = {"resource": _resource(skipped.resource), "status": skipped.status, "reason": skipped.reason}
    return found | _given(fix=skipped.fix, step=skipped.step)


def _outcome(outcome: Outcome) -> Json:
    found: dict[str, Json] = {
        "resource": _resource(outcome.resource),
        "status": outcome.status,
        "reason": outcome.reason,
    }
    found |= _given(fix=outcome.fix, step=outcome.step, action=outcome.action or "")
    if outcome.details:
        found["details"] = dict(outcome.details)
    return found


def _finding(finding: Finding) -> Json:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "resource": _resource(finding.resource),
        "what": finding.what,
        "fix": finding.fix,
        "command": finding.command,
        "link": finding.link,
    }


def _signal(signal: Signal) -> Json:
    found = {
        "function": signal.function,
        "region": signal.region,
        "signal": signal.signal,
        "status": signal.status,
        "path": signal.path,
        "at": signal.at,
    }
    return found | _given(reason=signal.reason, metric=signal.metric)


def _given(**fields: str) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value}
