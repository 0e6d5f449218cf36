"""What a guided run offers of other services: each with what is known about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ddsetup.facts.kinds import CHOSEN
from ddsetup.facts.services import EXECUTION_LOGS, listed, owned_by, rows_of
from ddsetup.model.services import SERVICE_KINDS, ApiStage, Service
from ddsetup.model.snapshot import Snapshot

Offer: TypeAlias = tuple[str, str, str]
"""The answer, its label, and a hint."""

_EVERY_ONE: Offer = ("all", "All of them", "later ones, too")


def log_sources_seen(snapshot: Snapshot) -> Mapping[str, str]:
    """What there is of each of Datadog's log sources, in words; those there is nothing of are absent."""
    found = {name: (kind, rows_of(snapshot, kind)) for name, kind in SERVICE_KINDS.items()}
    seen = {CHOSEN[name].sources[0]: kind.told(rows) for name, (kind, rows) in found.items() if rows}
    if any(stage.execution_level != "OFF" for stage in listed(snapshot, ApiStage)):
        seen[EXECUTION_LOGS] = "REST and WebSocket APIs write these by themselves"
    return seen


def service_offers(snapshot: Snapshot, kind: type[Service]) -> Sequence[Offer]:
    """Every one of a kind that can be chosen, with how it logs; and all of them, where there are several."""
    offers: dict[str, Offer] = {}
    for each in listed(snapshot, kind):
        if each.offered:
            managed = f"; managed by {owner}" if (owner := owned_by(each)) else ""
            offers[each.answer] = (each.answer, each.called, f"{each.logging}{managed}")
    return [_EVERY_ONE, *offers.values()] if len(offers) > 1 else list(offers.values())
