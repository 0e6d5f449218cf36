"""Writes monitors. They are found by their tags each time, so nothing depends on Datadog's numbers."""

from __future__ import annotations

from ddsetup.change import Change, Outcome
from ddsetup.errors import NotFound
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
from ddsetup.states import MonitorState
from ddsetup.writers.one_by_one import OneByOne
from ddsetup.writers.outcomes import already_so, applied, gone, moved


class MonitorWriter(OneByOne):
    """Creates, changes and deletes monitors that carry ddsetup's tags; others it never sees."""

    def __init__(self, dd: Datadog) -> None:
        super().__init__(None)
        self._dd = dd

    def write_one(self, change: Change) -> Outcome:
        before, after = _state(change.before), _state(change.after)
        wanted = after or before
        if wanted is None:
            raise TypeError("not a change of a monitor")
        live = self._live(wanted)
        if after is not None and live is not None and not differing(owned_part(live, after), after):
            return already_so(change)
        if live is None:
            return self._absent(change, before, after)
        if before is None:
            return moved(change, "a monitor with these tags is there, and it differs")
        if off := differing(owned_part(live, before), before):
            return moved(change, off)
        if after is None:
            delete_monitor(self._dd, live.number)
        else:
            validate_monitor(self._dd, after)
            update_monitor(self._dd, live, before, after)
        return applied(change)

    def _absent(self, change: Change, before: MonitorState | None, after: MonitorState | None) -> Outcome:
        if after is None:
            return gone(change)
        if before is not None:
            return moved(change, "the monitor is not there any more")
        validate_monitor(self._dd, after)
        number = create_monitor(self._dd, after)
        self._keep_one(after)
        return applied(change, number=str(number))

    def _keep_one(self, after: MonitorState) -> None:
        """A create call that was repeated because its answer was lost makes two: the later ones go."""
        ours = find_monitors(self._dd, *identity_tags(after.key, after.scope))
        for extra in ours[1:]:
            if not differing(owned_part(extra, after), after):
                try:
                    delete_monitor(self._dd, extra.number)
                except NotFound:
                    continue

    def _live(self, state: MonitorState) -> LiveMonitor | None:
        found = find_monitors(self._dd, *identity_tags(state.key, state.scope))
        return found[0] if found else None


def _state(state: object) -> MonitorState | None:
    if state is not None and not isinstance(state, MonitorState):
        raise TypeError("not a change of a monitor")
    return state
