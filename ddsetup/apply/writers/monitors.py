"""Writes monitors. They are found by their tags each time, so nothing depends on Datadog's numbers."""

from __future__ import annotations

from contextlib import suppress

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved, not_alone
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.monitors import (
    create_monitor,
    delete_monitor,
    differing,
    find_monitors,
    identity_tags,
    owned_part,
    update_monitor,
    validate_monitor,
)
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import MonitorState


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
        found = find_monitors(self._dd, *identity_tags(wanted.key, wanted.scope))
        if not found:
            return self._absent(change, before, after)
        live = found[0]
        if after is not None and not differing(owned_part(live, after), after):
            return already_so(change)
        if before is None:
            return moved(change, "a monitor with these tags is there, and it differs")
        as_left = [one for one in found if not differing(owned_part(one, before), before)]
        if not as_left:
            return moved(change, differing(owned_part(live, before), before))
        if after is None:
            for one in as_left:
                _delete(self._dd, one.number)
        else:
            validate_monitor(self._dd, after)
            update_monitor(self._dd, as_left[0], before, after)
        return applied(change)

    def _absent(self, change: Change, before: MonitorState | None, after: MonitorState | None) -> Outcome:
        if after is None:
            return gone(change)
        if before is not None:
            return moved(change, "the monitor is not there any more")
        validate_monitor(self._dd, after)
        number = create_monitor(self._dd, after)
        return applied(change, self._keep_one(after), number=str(number))

    def _keep_one(self, after: MonitorState) -> str:
        """A create call whose answer was lost may have made another one: the later ones go. A note when they
        may not have gone."""
        try:
            ours = find_monitors(self._dd, *identity_tags(after.key, after.scope))
            for extra in ours[1:]:
                if not differing(owned_part(extra, after), after):
                    _delete(self._dd, extra.number)
        except GatewayError as error:
            return not_alone(error)
        return ""


def _delete(dd: Datadog, number: int) -> None:
    with suppress(NotFound):
        delete_monitor(dd, number)


def _state(state: object) -> MonitorState | None:
    if state is not None and not isinstance(state, MonitorState):
        raise TypeError("not a change of a monitor")
    return state
