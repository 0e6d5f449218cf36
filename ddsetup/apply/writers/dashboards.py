"""Writes dashboards. They are found by title and mark each time."""

from __future__ import annotations

from contextlib import suppress

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved, not_alone
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.dashboards import (
    create_dashboard,
    delete_dashboard,
    differing,
    find_dashboards,
    mark_of,
    update_dashboard,
)
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import DashboardState


class DashboardWriter(OneByOne):
    """Creates, replaces and deletes dashboards that ddsetup made; others it never touches."""

    def __init__(self, dd: Datadog) -> None:
        super().__init__(None)
        self._dd = dd

    def write_one(self, change: Change) -> Outcome:
        before, after = _state(change.before), _state(change.after)
        wanted = after or before
        found = find_dashboards(self._dd, change.resource.id, mark_of(wanted)) if wanted else ()
        live = next(iter(found), None)
        if live is None:
            if after is None:
                return gone(change)
            if before is not None:
                return moved(change, "the dashboard is not there any more")
            made = create_dashboard(self._dd, after)
            return applied(change, self._keep_one(after, made.number), url=made.url)
        if after is not None and not differing(live.state, after):
            return already_so(change)
        if before is None:
            return moved(change, "a dashboard of this title is there, and it differs")
        as_left = [one for one in found if not differing(one.state, before)]
        if not as_left:
            return moved(change, differing(live.state, before))
        if after is None:
            for one in as_left:
                _delete(self._dd, one.number)
            return applied(change)
        live = as_left[0]
        return applied(change, url=update_dashboard(self._dd, live, after).url)

    def _keep_one(self, after: DashboardState, number: str) -> str:
        """A create call whose answer was lost may have made another one: that goes. A note when it may not
        have gone."""
        try:
            for extra in find_dashboards(self._dd, after.title, mark_of(after)):
                if extra.number != number and not differing(extra.state, after):
                    _delete(self._dd, extra.number)
        except GatewayError as error:
            return not_alone(error)
        return ""


def _delete(dd: Datadog, number: str) -> None:
    with suppress(NotFound):
        delete_dashboard(dd, number)


def _state(state: object) -> DashboardState | None:
    if state is not None and not isinstance(state, DashboardState):
        raise TypeError("not a change of a dashboard")
    return state
