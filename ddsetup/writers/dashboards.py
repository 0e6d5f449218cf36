"""Writes dashboards. They are found by title and mark each time."""

from __future__ import annotations

from ddsetup.change import Change, Outcome
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.dashboards import (
    create_dashboard,
    delete_dashboard,
    differing,
    find_dashboards,
    update_dashboard,
)
from ddsetup.states import DashboardState
from ddsetup.writers.one_by_one import OneByOne
from ddsetup.writers.outcomes import already_so, applied, gone, moved


class DashboardWriter(OneByOne):
    """Creates, replaces and deletes dashboards that ddsetup made; others it never touches."""

    def __init__(self, dd: Datadog) -> None:
        super().__init__(None)
        self._dd = dd

    def write_one(self, change: Change) -> Outcome:
        before, after = _state(change.before), _state(change.after)
        live = next(iter(find_dashboards(self._dd, change.resource.id)), None)
        if live is None:
            if after is None:
                return gone(change)
            if before is not None:
                return moved(change, "the dashboard is not there any more")
            made = create_dashboard(self._dd, after)
            self._keep_one(after, made.number)
            return applied(change, url=made.url)
        if after is not None and not differing(live.state, after):
            return already_so(change)
        if before is None:
            return moved(change, "a dashboard of this title is there, and it differs")
        if off := differing(live.state, before):
            return moved(change, off)
        if after is None:
            delete_dashboard(self._dd, live.number)
            return applied(change)
        return applied(change, url=update_dashboard(self._dd, live, after).url)

    def _keep_one(self, after: DashboardState, number: str) -> None:
        """A create call that was repeated because its answer was lost makes two: the unanswered one goes."""
        for extra in find_dashboards(self._dd, after.title):
            if extra.number != number and not differing(extra.state, after):
                delete_dashboard(self._dd, extra.number)


def _state(state: object) -> DashboardState | None:
    if state is not None and not isinstance(state, DashboardState):
        raise TypeError("not a change of a dashboard")
    return state
