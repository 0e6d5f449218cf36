"""Writes service level objectives."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.apply.writers.tagged import TaggedWriter
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.monitors import identity_tags
from ddsetup.gateways.datadog.slos import (
    LiveSlo,
    create_slo,
    delete_slo,
    differing,
    find_slos,
    owned_part,
    update_slo,
)
from ddsetup.model.states import SloState


class SloWriter(TaggedWriter[SloState, LiveSlo]):
    """Creates, changes and deletes objectives that carry ddsetup's tags; others it never sees."""

    noun = "service level objective"
    states = SloState

    def __init__(self, dd: Datadog) -> None:
        super().__init__()
        self._dd = dd

    def find(self, wanted: SloState) -> Sequence[LiveSlo]:
        return find_slos(self._dd, *identity_tags(wanted.key, wanted.scope))

    def off(self, live: LiveSlo, wanted: SloState) -> tuple[str, ...]:
        return differing(owned_part(live, wanted), wanted)

    def create(self, after: SloState) -> str:
        return create_slo(self._dd, after)

    def update(self, live: LiveSlo, before: SloState, after: SloState) -> None:
        update_slo(self._dd, live, before, after)

    def delete(self, live: LiveSlo) -> None:
        delete_slo(self._dd, live.number)
