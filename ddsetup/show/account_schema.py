"""The JSON schema of what is told of one account where a run is about many."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import Json

_TEXT: Mapping[str, Json] = {"type": "string"}
_NUMBER: Mapping[str, Json] = {"type": "integer"}
_COUNTS: Mapping[str, Json] = {"type": "object", "additionalProperties": _NUMBER}


def _list_of(properties: Mapping[str, Json], required: tuple[str, ...], means: str) -> Json:
    record = {"type": "object", "properties": properties, "required": [*required]}
    return {"type": "array", "items": {**record, "additionalProperties": False}, "description": means}


def _means(kind: Mapping[str, Json], text: str) -> Json:
    return {**kind, "description": text}


_FORWARDER: Mapping[str, Json] = {
    **dict.fromkeys(("name", "region", "version"), _TEXT),
    "registered": {"type": "boolean"},
    "by": _TEXT,
}
_ALWAYS: Mapping[str, Json] = {
    "account": _means(_TEXT, "Its number"),
    "name": _TEXT,
    "state": _means(_TEXT, "As AWS Organizations has it"),
    "unit": _means(_TEXT, "The path of its organisational unit"),
    "management": _means({"type": "boolean"}, "Whether it is the management account"),
    "status": _means(
        _TEXT,
        "ok, changes, nothing to do, nothing is meant here, done, partly done, failed, interrupted, "
        "arrived, not seen, unproven, not looked at, left out, not entered, not started",
    ),
    "exit_code": _means(_NUMBER, "What a run in this account alone would end with"),
}
_SOMETIMES: Mapping[str, Json] = {
    "role": _means(_TEXT, "By which it was entered; empty for the account of the credentials"),
    "reason": _means(_TEXT, "Why nothing, or not all, came of it"),
    "fix": _TEXT,
    "text": _means(_TEXT, "What came of it, in words"),
    "run": _means(_TEXT, "What `ddsetup undo` takes in this account"),
    "undoes": _means(_TEXT, "The run that is given back"),
    "changes": _means(_COUNTS, "org plan: how many changes of each action"),
    "plan": _means({"type": "object"}, "org plan, json and ndjson only: as `plan` of the document"),
    "outcomes": _means(_COUNTS, "org apply, org undo: how many outcomes of each status"),
    "proof": _means(_TEXT, "org apply: arrived, not seen, unproven, not looked at"),
    "signals": _means(_COUNTS, "org verify, org apply: how many signals of each status"),
    "problems": _list_of(
        dict.fromkeys(("what", "reason", "fix"), _TEXT), ("what", "reason"), "What did not come about"
    ),
    "functions": _means(_NUMBER, "org status: how many there are; org plan: how many are meant"),
    "with_datadog": _means(_NUMBER, "org status: how many of them have Datadog"),
    "without_datadog": _NUMBER,
    "integrated": _means(_TEXT, "org status: yes, no, unreadable"),
    "integration_role": _TEXT,
    "integration_by": _means(_TEXT, "Who made it: ddsetup, a StackSet, a stack, by hand"),
    "forwarders": _list_of(_FORWARDER, tuple(_FORWARDER), "org status"),
    "regions": {"type": "array", "items": _TEXT},
    "unreadable": {"type": "array", "items": _TEXT},
}

ACCOUNT: Mapping[str, Json] = {
    "type": "object",
    "properties": {**_ALWAYS, **_SOMETIMES},
    "required": [*_ALWAYS],
    "additionalProperties": False,
    "description": "What `ddsetup org` tells of one account: of each in `data.accounts`, and in a line of "
    "its own as soon as it is known.",
}
