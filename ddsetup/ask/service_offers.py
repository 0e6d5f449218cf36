"""What a guided run offers of other sources: each with what is known about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias

from ddsetup.facts.services import (
    ACCESS_LOGS,
    EXECUTION_LOGS,
    STATES,
    api_stage_rows,
    api_stages_text,
    state_machine_rows,
    state_machines_text,
)
from ddsetup.model.snapshot import Snapshot

Offer: TypeAlias = tuple[str, str, str]
"""The answer, its label, and a hint."""

_EVERY_ONE: Offer = ("all", "All of them", "later ones, too")
_LOGS: Mapping[str, str] = {
    "": "its logging cannot be read",
    "OFF": "logs nothing",
    "ALL": "logs everything",
}


def log_sources_seen(snapshot: Snapshot) -> Mapping[str, str]:
    """What there is of each of Datadog's log sources, in words; those there is nothing of are absent."""
    machines = [asdict(row) for row in state_machine_rows(snapshot)]
    stages = [asdict(row) for row in api_stage_rows(snapshot)]
    seen = {STATES: state_machines_text(machines)} if machines else {}
    if stages:
        seen[ACCESS_LOGS] = api_stages_text(stages)
    if any(row["execution_level"] != "OFF" for row in stages):
        seen[EXECUTION_LOGS] = "REST and WebSocket APIs write these by themselves"
    return seen


def state_machine_offers(snapshot: Snapshot) -> Sequence[Offer]:
    """Every state machine, by name, with how it logs; and all of them, where there are several."""
    offers: dict[str, Offer] = {}
    for row in state_machine_rows(snapshot):
        hint = _managed(_LOGS.get(row.level, f"logs {row.level}"), row.owner)
        offers[row.state_machine] = (row.state_machine, row.state_machine, hint)
    return _and_all(list(offers.values()))


def api_stage_offers(snapshot: Snapshot) -> Sequence[Offer]:
    """Every stage whose access logs can be set, by the API's id, with whether it has them; and all."""
    offers = []
    for row in api_stage_rows(snapshot):
        if row.protocol in ("REST", "HTTP"):
            logs = "has access logs" if row.access_logs else f"{row.protocol}, no access logs"
            offers.append((f"{row.api_id}/{row.stage}", f"{row.api}/{row.stage}", _managed(logs, row.owner)))
    return _and_all(offers)


def _managed(text: str, owner: str) -> str:
    return f"{text}; managed by {owner}" if owner else text


def _and_all(offers: Sequence[Offer]) -> Sequence[Offer]:
    return [_EVERY_ONE, *offers] if len(offers) > 1 else offers
