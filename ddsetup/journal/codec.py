"""Changes and outcomes as JSON documents and back: what plan files, journals and reports have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from ddsetup.model.account import Json
from ddsetup.model.change import Action, Change, Outcome, ResourceId, Status
from ddsetup.model.errors import UsageError
from ddsetup.model.states import from_json, to_json


def resource_to_json(resource: ResourceId) -> dict[str, str]:
    """`{kind, id, region, account}`."""
    return {
        "kind": resource.kind,
        "id": resource.id,
        "region": resource.region,
        "account": resource.account,
    }


def resource_from_json(document: Json) -> ResourceId:
    """The inverse of `resource_to_json`. Raises UsageError when the document does not fit."""
    _check_mapping(document, "resource", {"kind", "id", "region", "account"})
    return ResourceId(*(_text(document, key) for key in ("kind", "id", "region", "account")))


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
    return {
        "resource": resource_to_json(outcome.resource),
        "status": outcome.status,
        "reason": outcome.reason,
        "fix": outcome.fix,
        "step": outcome.step,
        "action": outcome.action,
        "details": dict(outcome.details),
    }


def outcome_from_json(document: Json) -> Outcome:
    """The inverse of `outcome_to_json`. Raises UsageError when the document does not fit."""
    _check_mapping(document, "outcome", {"resource", "status", "reason", "fix", "step", "action", "details"})
    status, action, details = document["status"], document["action"], document["details"]
    if status not in get_args(Status) or action not in (None, *get_args(Action)):
        raise UsageError("an outcome has an unknown status or action")
    if not isinstance(details, dict) or not all(isinstance(v, str) for v in details.values()):
        raise UsageError("the details of an outcome are not texts")
    return Outcome(
        resource=resource_from_json(document["resource"]),
        status=status,
        reason=_text(document, "reason"),
        fix=_text(document, "fix"),
        step=_text(document, "step"),
        action=action,
        details=details,
    )


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
