"""Changes and outcomes as JSON documents and back: what plan files, journals and reports have in common."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.states import from_json, to_json
from ddsetup.model.typed import decode, encode


def resource_to_json(resource: ResourceId) -> dict[str, str]:
    """`{kind, id, region, account}`."""
    return dict(encode(resource))


def resource_from_json(document: Json) -> ResourceId:
    """The inverse of `resource_to_json`. Raises UsageError when the document does not fit."""
    return decode(ResourceId, document)


def change_to_json(change: Change) -> dict[str, Json]:
    """Every field of the change, and its action. States hold the owned facet only, so no foreign value."""
    return {
        "step": change.step,
        "resource": resource_to_json(change.resource),
        "action": change.action,
        "before": to_json(change.before),
        "after": to_json(change.after),
        "why": change.why,
        "precondition": change.precondition,
        "needs": [resource_to_json(need) for need in change.needs],
        "note": change.note,
    }


def change_from_json(document: Json) -> Change:
    """The inverse of `change_to_json`. Raises UsageError when the document does not describe a change."""
    _check_mapping(
        document,
        "change",
        {"step", "resource", "action", "before", "after", "why", "precondition", "needs", "note"},
    )
    resource = resource_from_json(document["resource"])
    needs = document["needs"]
    if not isinstance(needs, list):
        raise UsageError("field 'needs' of a change is not a list")
    change = Change(
        step=_text(document, "step"),
        resource=resource,
        before=from_json(resource.kind, document["before"]),
        after=from_json(resource.kind, document["after"]),
        why=_text(document, "why"),
        precondition=_text(document, "precondition"),
        needs=tuple(resource_from_json(need) for need in needs),
        note=_text(document, "note"),
    )
    if change.before is None and change.after is None:
        raise UsageError("a change has neither a state before nor one after")
    if document["action"] != change.action:
        raise UsageError(f"a change says {document['action']!r} but describes {change.action!r}")
    return change


def outcome_to_json(outcome: Outcome) -> dict[str, Json]:
    """Every field of the outcome."""
    return dict(encode(outcome))


def outcome_from_json(document: Json) -> Outcome:
    """The inverse of `outcome_to_json`. Raises UsageError when the document does not fit."""
    return decode(Outcome, document)


def _check_mapping(document: Json, what: str, keys: set[str]) -> None:
    if not isinstance(document, Mapping):
        raise UsageError(f"not a description of a {what}")
    if set(document) != keys:
        odd = min(set(document) ^ keys)
        raise UsageError(f"a {what} has a missing or unknown field {odd!r}")


def _text(document: Mapping[str, Json], key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        raise UsageError(f"field {key!r} is not a text")
    return value
