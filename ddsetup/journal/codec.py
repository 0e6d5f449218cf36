"""Changes as JSON documents and back: what plan files and journals have in common."""

from __future__ import annotations

from ddsetup.model.account import Json
from ddsetup.model.change import Change
from ddsetup.model.errors import UsageError
from ddsetup.model.states import from_json
from ddsetup.model.typed import decode, encode


def change_to_json(change: Change) -> dict[str, Json]:
    """Every field of the change, and its action. States hold the owned facet only, so no foreign value."""
    return {**encode(change), "action": change.action}


def change_from_json(document: Json) -> Change:
    """The inverse of `change_to_json`. Raises UsageError when the document does not describe a change."""
    if not isinstance(document, dict):
        raise UsageError("not a description of a change")
    members = dict(document)
    action = members.pop("action", None)
    resource = members.get("resource")
    kind = str(resource.get("kind")) if isinstance(resource, dict) else ""
    sides = {side: from_json(kind, members[side]) for side in ("before", "after") if side in members}
    change = decode(Change, members, known=sides)
    if change.before is None and change.after is None:
        raise UsageError("a change has neither a state before nor one after")
    if action != change.action:
        raise UsageError(f"a change says {action!r} but describes {change.action!r}")
    return change
