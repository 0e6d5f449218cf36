"""The JSON schemas of what ddsetup prints, from the type hints of the records that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from ddsetup.facts.kinds import KINDS
from ddsetup.model.account import Json
from ddsetup.model.change import Action, Change, Outcome, ResourceId, Skipped
from ddsetup.model.event import Event, EventKind
from ddsetup.model.report import SCHEMA, Finding, Report, Signal
from ddsetup.model.typed import record_schema, schema
from ddsetup.show.account_schema import ACCOUNT

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXIT_CODES = {"ok": [0, 3], "partial": [5, 6], "failed": [1, 2, 4, 70, 130]}
_NAMED: Mapping[Any, str] = {
    ResourceId: "resource",
    Change: "change",
    Skipped: "skipped",
    Outcome: "outcome",
    Finding: "finding",
    Signal: "signal",
}
_STATE = {
    "type": ["object", "null"],
    "description": "The part of the resource that ddsetup owns; null: not there. Values that may be secret "
    "read ****",
}
_ERROR = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "description": "The class of the error"},
        "what": {"type": "string"},
        "where": {"type": "string"},
        "fix": {"type": "string"},
        "action": {"type": "string", "description": "The IAM action or Datadog permission involved"},
        "report": {"type": "string", "description": "Where the report of a bug was written"},
    },
    "required": ["kind", "what"],
    "additionalProperties": False,
}
_MEANS: Mapping[str, str] = {
    "resource.kind": f"{', '.join(KINDS)}; findings know more",
    "resource.id": "The ARN if it is known beforehand, else the name; filters: GROUP:FILTER",
    "resource.region": "Empty for what is global to the account",
    "change.note": "What this change does not do, or what will undo it",
    "change.needs": "Resources whose own changes come first",
    "finding.command": "Can be typed as it stands",
    "signal.path": "cloudwatch, forwarder, extension; empty if unknown",
    "signal.at": "When the newest datum was seen, ISO 8601 in UTC; empty if none was",
    "signal.metric": "The name of a custom metric",
    "report.account": "The AWS account; empty if it is not known or there are several",
    "report.run": "What `ddsetup undo` takes; empty if nothing was changed",
    "report.next": "Commands that make sense now",
    "report.data": "What only this command has",
    "event.at": "ISO 8601 in UTC",
    "event.details": "event stack: logical_id, status, reason",
    "event.account": "event account: one that is done, where a run is about many",
    "event.report": "Only with event report, which is the last line: the document of report.schema.json",
}
_ACCOUNTS = {"type": "array", "items": {"$ref": "#/$defs/account"}}
_OF_MANY = {
    "if": {"properties": {"command": {"pattern": "^org "}}},
    "then": {"properties": {"data": {"properties": {"accounts": _ACCOUNTS}}}},
}
"""What is the same in all commands about many accounts."""
_TOLD = ("skipped.reason", "report.command")
"""Texts that are never empty."""


def report_schema() -> dict[str, Json]:
    """Of the document that `--output json` writes."""
    found = _record("report", Report)
    codes = [code for known in _EXIT_CODES.values() for code in known]
    found["properties"] |= {"exit_code": {"enum": sorted(codes)}, "error": _ERROR}
    _put_first(found, {"schema": {"const": SCHEMA}, "command": {}, "status": {"enum": list(_EXIT_CODES)}})
    implied = [
        {
            "if": {"properties": {"exit_code": {"enum": known}}},
            "then": {"properties": {"status": {"const": status}}},
        }
        for status, known in _EXIT_CODES.items()
    ]
    definitions = {**_definitions(), "account": ACCOUNT}
    title = "ddsetup/1: the document that --output json writes"
    return {"$schema": _DRAFT, "title": title, **found, "allOf": [*implied, _OF_MANY], "$defs": definitions}


def event_schema() -> dict[str, Json]:
    """Of a line that `--output ndjson` writes."""
    found = _record("event", Event)
    del found["properties"]["kind"]
    found["properties"] |= {
        "at": _meaning("event.at", {"type": "string"}),
        "signal": schema(Signal, _NAMED),
        "report": _meaning("event.report", {"type": "object"}),
        "account": _meaning("event.account", {"$ref": "#/$defs/account"}),
    }
    found["required"] = []
    kinds = [*get_args(EventKind), "signal", "report"]
    _put_first(found, {"schema": {"const": SCHEMA}, "event": {"enum": kinds}})
    implied = [
        {**_if_event("report", "report"), "else": {"required": ["at"]}},
        _if_event("finished", "outcome"),
        _if_event("signal", "signal"),
        _if_event("account", "account"),
    ]
    title = "ddsetup/1: one line that --output ndjson writes"
    used = ("resource", "state", "change", "outcome", "signal")
    definitions = {name: one for name, one in _definitions().items() if name in used}
    definitions["account"] = ACCOUNT
    return {"$schema": _DRAFT, "title": title, **found, "allOf": implied, "$defs": definitions}


def _if_event(kind: str, member: str) -> dict[str, Json]:
    return {"if": {"properties": {"event": {"const": kind}}}, "then": {"required": [member]}}


def _definitions() -> dict[str, Json]:
    found = {name: _record(name, kind) for kind, name in _NAMED.items()}
    change = found["change"]
    change["properties"] |= {side: {"$ref": "#/$defs/state"} for side in ("before", "after")}
    _put_first(change, {"step": {}, "resource": {}, "action": schema(Action)})
    return {"resource": found.pop("resource"), "state": _STATE, **found}


def _record(name: str, kind: Any) -> dict[str, Json]:
    found = record_schema(kind, _NAMED)
    found["properties"] = {f: _meaning(f"{name}.{f}", of) for f, of in found["properties"].items()}
    return found


def _meaning(path: str, of: dict[str, Json]) -> dict[str, Json]:
    more: dict[str, Json] = {"minLength": 1} if path in _TOLD else {}
    return of | more | ({"description": _MEANS[path]} if path in _MEANS else {})


def _put_first(record: dict[str, Json], members: Mapping[str, Json]) -> None:
    """Members that stand in front, all of them required; what is empty here keeps its own description."""
    own = record["properties"]
    first = {name: of or own[name] for name, of in members.items()}
    record["properties"] = first | {name: of for name, of in own.items() if name not in first}
    record["required"] = [*first, *(name for name in record["required"] if name not in first)]


SCHEMAS: Mapping[str, Callable[[], Json]] = {"report": report_schema, "event": event_schema}
"""By the name of their file in `data/`; `docs/generate.py` writes them there, and a test keeps them fresh."""
