"""What somebody changed by hand on a dashboard that ddsetup made, so that it can be kept. Pure.

The description of a dashboard ends with fingerprints of the parts (its widgets and groups of them) as ddsetup
last wrote them. A part that has none of these was edited, or is somebody's own; one whose fingerprint is
there and that is not was deleted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ddsetup.model.account import Json
from ddsetup.model.states import DashboardState

_STAMP = re.compile(r" ?\(parts: ([0-9a-f ]*)\)")
_TOLD = ("type", "title", "content", "widgets", "requests", "queries", "query", "q", "formulas", "formula")
"""What tells a widget; Datadog adds defaults of much else."""


@dataclass(frozen=True, slots=True)
class Edits:
    """A dashboard with what was changed by hand, and the names of the parts that were."""

    kept: DashboardState
    names: tuple[str, ...] = ()


def stamped(state: DashboardState) -> DashboardState:
    """The state with the fingerprints of its parts."""
    fingerprints = " ".join(fingerprint(part) for part in state.widgets)
    return replace(state, description=f"{unstamped(state.description)} (parts: {fingerprints})")


def unstamped(description: str) -> str:
    """A description without the fingerprints."""
    return _STAMP.sub("", description)


def fingerprint(widget: Json) -> str:
    """What a widget or group shows, as six digits."""
    return hashlib.sha256(json.dumps(_told(widget), sort_keys=True).encode()).hexdigest()[:6]


def title_of(widget: Json) -> str:
    """What people call a part."""
    definition = widget.get("definition") if isinstance(widget, dict) else None
    held = definition if isinstance(definition, dict) else {}
    return str(held.get("title") or held.get("type") or "a widget")


def edits_of(live: DashboardState, wanted: DashboardState) -> Edits:
    """`wanted` with what was changed by hand on `live`: edited, added and deleted parts, and variables.

    A dashboard without fingerprints was made before there were any: parts that are as wanted are ddsetup's.
    """
    held = _STAMP.search(live.description)
    known = set(held[1].split()) if held else {fingerprint(part) for part in wanted.widgets}
    own = {title_of(part): part for part in wanted.widgets}
    titles, there = set(own), {title_of(part) for part in live.widgets}
    # A part that somebody deleted stays away; without fingerprints nobody can tell.
    deleted = [
        title for title, part in own.items() if held and title not in there and fingerprint(part) in known
    ]
    placed: list[Json] = []
    names: list[str] = []
    for part in live.widgets:
        title, mine = title_of(part), own.pop(title_of(part), None)
        # What is known already and comes once more is somebody's copy.
        if fingerprint(part) not in known or (mine is None and title in titles):
            placed.append(part)
            names.append(title)
        elif mine is not None:
            placed.append(mine)
    placed += [part for title, part in own.items() if title not in deleted]
    variables = _variables(live, wanted)
    names += [f"{title} (deleted)" for title in deleted]
    if variables != (wanted.template_variables or []):
        names.append("variables")
    kept = replace(stamped(wanted), widgets=placed, template_variables=variables)
    return Edits(kept, tuple(names))


def _variables(live: DashboardState, wanted: DashboardState) -> list[Json]:
    """Those that are there as they are, without what Datadog adds, and those that are not."""
    mine = {each["name"]: each for each in wanted.template_variables or []}
    held = {each["name"]: each for each in live.template_variables or []}
    found = []
    for name, each in held.items():
        own = mine.get(name)
        same = own is not None and all(each.get(key) == value for key, value in own.items())
        found.append(own if same else each)
    return [*found, *(each for name, each in mine.items() if name not in held)]


def _told(node: Json) -> Json:
    if isinstance(node, dict):
        inner = node.get("definition")
        if isinstance(inner, dict):
            return _told(inner)
        return {name: _told(node[name]) for name in _TOLD if name in node}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_told(item) for item in node]
    return node
