"""Writes log groups and their subscription filters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved
from ddsetup.facts.filters import AUTOMATIC_PREFIX, MAX_FILTERS, OWN_PREFIX, describe, is_new_name
from ddsetup.gateways.aws.errors import DestinationRefused, LimitReached
from ddsetup.gateways.aws.logs import (
    create_log_group,
    delete_filter,
    delete_log_group,
    list_filters,
    log_group_is_empty,
    put_filter,
)
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, SubscriptionFilter, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import FilterState, LogGroupState

DESTINATION_SETTLES = (3.0, 6.0, 12.0)
"""Seconds between attempts while a Forwarder that was just made cannot be invoked by CloudWatch Logs yet."""


Recent: TypeAlias = Callable[[Lane, str], tuple[SubscriptionFilter, ...] | Unreadable | None]
"""The filters of a log group, if they were read a moment ago."""


def until_invocable(put: Callable[[], None], clock: Clock) -> None:
    """Put what leads somewhere, again while CloudWatch Logs cannot invoke a destination that may be new.

    Raises what `put` does, DestinationRefused in the end.
    """
    for pause in (*DESTINATION_SETTLES, None):
        try:
            put()
            return
        except DestinationRefused:
            if pause is None:
                raise
            clock.sleep(pause)


def nothing_recent(lane: Lane, group: str) -> None:
    """Nothing was read a moment ago."""


class LogGroupWriter(OneByOne):
    """Makes log groups, and deletes them again while nothing was written to them."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(None)
        self._aws = aws

    def write_one(self, change: Change) -> Outcome:
        lane = Lane(change.resource.account, change.resource.region)
        if isinstance(change.after, LogGroupState):
            made = create_log_group(self._aws, lane, change.after.name, change.after.tags)
            return applied(change) if made else already_so(change, "it exists")
        if not isinstance(change.before, LogGroupState):
            raise TypeError("not a change of a log group")
        name = change.before.name
        empty = log_group_is_empty(self._aws, lane, name)
        if isinstance(empty, Unreadable):
            raise GatewayError(f"cannot see whether {name} is empty: {empty.reason}", action=empty.action)
        if not empty:
            return already_so(change, "it holds logs now, so it is kept")
        filters = list_filters(self._aws, lane, name)
        if isinstance(filters, Unreadable) or any(not f.name.startswith(AUTOMATIC_PREFIX) for f in filters):
            return already_so(change, "it has subscription filters, or they cannot be seen, so it is kept")
        return applied(change) if delete_log_group(self._aws, lane, name) else gone(change)


class FilterWriter(OneByOne):
    """Puts and deletes subscription filters; a filter is compared in every field first."""

    def __init__(self, aws: Aws, issued: Issued, clock: Clock, recent: Recent = nothing_recent) -> None:
        super().__init__(issued)
        self._aws = aws
        self._clock = clock
        self._recent = recent

    def write_one(self, change: Change) -> Outcome:
        before, after = _filter(change.before), _filter(change.after)
        state = after or before
        if state is None:
            raise TypeError("not a change of a subscription filter")
        lane = Lane(change.resource.account, change.resource.region)
        live = self._live(lane, state, own=before is None and state.name.startswith(OWN_PREFIX))
        if after is not None and live is not None and not differing(live, after):
            return already_so(change)
        if after is None and live is None:
            return gone(change)
        if before is None and live is not None:
            return moved(change, f"a filter of this name is there, to {live.destination_arn}")
        if before is not None and live is None:
            return moved(change, "the filter is not there any more")
        if before is not None and live is not None and (off := differing(live, before)):
            return moved(change, off)
        if after is None:
            delete_filter(self._aws, lane, state.log_group, state.name)
            return applied(change)
        if before is None and not after.name.startswith(OWN_PREFIX):
            self._make_room(lane, after.log_group)
        return self._put(change, lane, after)

    def _found_full(self, change: Change, lane: Lane, after: FilterState) -> Outcome:
        """What to say of a group that nobody had looked at, and that turned out to have two filters."""
        filters = list_filters(self._aws, lane, after.log_group)
        there = () if isinstance(filters, Unreadable) else filters
        for found in there:
            if found.destination_arn == after.destination_arn:
                return already_so(change, f"already led to the Forwarder by {found.name}")
        held = "; ".join(map(describe, there)) or f"{MAX_FILTERS} filters of others are there"
        fix = "delete one of them: --on-conflict replace, or choose in the guided setup"
        return change.outcome("skipped", f"{after.log_group} is full: {held}", fix)

    def _make_room(self, lane: Lane, group: str) -> None:
        """Take away Datadog's own filter from a full group to which somebody else's comes back.

        Only an undo puts a foreign filter, and Datadog's took the place that its deletion had left: it
        subscribes every group that has room, and none that is full.
        """
        filters = list_filters(self._aws, lane, group)
        if isinstance(filters, Unreadable) or len(filters) < MAX_FILTERS:
            return
        if any(found.name == f"{AUTOMATIC_PREFIX}{group}" for found in filters):
            with suppress(NotFound):
                delete_filter(self._aws, lane, group, f"{AUTOMATIC_PREFIX}{group}")

    def _put(self, change: Change, lane: Lane, after: FilterState) -> Outcome:
        try:
            until_invocable(lambda: put_filter(self._aws, lane, after), self._clock)
        except LimitReached:
            if not is_new_name(after.name, after.destination_arn):
                raise
            return self._found_full(change, lane, after)
        return applied(change)

    def _live(self, lane: Lane, state: FilterState, *, own: bool) -> SubscriptionFilter | None:
        """The filter as it is. What was just read is enough to put one of our `own`: a name that nobody else
        uses takes no other filter's place, and AWS itself refuses a third one. Under a name of one run's own
        no filter can be."""
        if own and is_new_name(state.name, state.destination_arn):
            return None
        filters = self._recent(lane, state.log_group) if own else None
        if filters is None:
            filters = list_filters(self._aws, lane, state.log_group)
        if isinstance(filters, Unreadable):
            raise GatewayError(
                f"cannot look at the filters of {state.log_group}: {filters.reason}", action=filters.action
            )
        return next((found for found in filters if found.name == state.name), None)


def differing(live: SubscriptionFilter, state: FilterState) -> list[str]:
    """The names of the fields in which a filter is not as `state` says; AWS's defaults equal "not given"."""
    pairs = {
        "pattern": (live.pattern, state.pattern),
        "destination": (live.destination_arn, state.destination_arn),
        "role": (live.role_arn or None, state.role_arn or None),
        "distribution": (live.distribution or "ByLogStream", state.distribution or "ByLogStream"),
        "transformed logs": (
            bool(live.apply_on_transformed_logs),
            bool(state.apply_on_transformed_logs),
        ),
        "system fields": (set(live.emit_system_fields), set(state.emit_system_fields)),
        "selection criteria": (live.field_selection_criteria or "", state.field_selection_criteria or ""),
    }
    return [name for name, (found, wanted) in pairs.items() if found != wanted]


def _filter(state: object) -> FilterState | None:
    if state is not None and not isinstance(state, FilterState):
        raise TypeError("not a change of a subscription filter")
    return state
