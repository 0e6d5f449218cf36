"""Writes monitors. Datadog checks each definition before it is sent."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.apply.writers.tagged import TaggedWriter
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.monitors import (
    LiveMonitor,
    create_monitor,
    delete_monitor,
    differing,
    find_monitors,
    identity_tags,
    owned_part,
    update_monitor,
    validate_monitor,
)
from ddsetup.model.states import MonitorState


class MonitorWriter(TaggedWriter[MonitorState, LiveMonitor]):
    """Creates, changes and deletes monitors that carry ddsetup's tags; others it never sees."""

    noun = "monitor"
    states = MonitorState

    def __init__(self, dd: Datadog) -> None:
        super().__init__()
        self._dd = dd

    def find(self, wanted: MonitorState) -> Sequence[LiveMonitor]:
        return find_monitors(self._dd, *identity_tags(wanted.key, wanted.scope))

    def off(self, live: LiveMonitor, wanted: MonitorState) -> tuple[str, ...]:
        return differing(owned_part(live, wanted), wanted)

    def create(self, after: MonitorState) -> str:
        validate_monitor(self._dd, after)
        return str(create_monitor(self._dd, after))

    def update(self, live: LiveMonitor, before: MonitorState, after: MonitorState) -> None:
        validate_monitor(self._dd, after)
        update_monitor(self._dd, live, before, after)

    def delete(self, live: LiveMonitor) -> None:
        delete_monitor(self._dd, live.number)
