"""Writes a function's handler, layers, environment and logging: one call for each function.

A plan is made on one revision of a function. AWS refuses the write when the revision moved; then the function
is read again, and the write is repeated only if nothing but the revision moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.apply.writers.function_merge import MOST_LAYERS, merged, moved_besides_revision
from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, moved
from ddsetup.gateways.aws.functions import (
    UpdateInProgress,
    UpdatePace,
    publish_version,
    read_function,
    update_function,
    wait_updated,
)
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function, Lane
from ddsetup.model.change import Change, Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import ChangedSince, Denied, GatewayError, NotFound
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps.compared import compare

ATTEMPTS = 4
"""The first write and three more: a function that keeps moving is being worked on by somebody."""


@dataclass(frozen=True, slots=True)
class _Pair:
    before: FunctionState
    after: FunctionState


class FunctionWriter(OneByOne):
    """Instruments functions and gives back what they were.

    `functions` are those of the snapshot, by ARN: they save reading every function once more.
    """

    def __init__(self, aws: Aws, issued: Issued, functions: Mapping[str, Function], clock: Clock) -> None:
        super().__init__(issued)
        self._aws = aws
        self._functions = functions
        self._clock = clock
        self._pace = UpdatePace()

    def write_one(self, change: Change) -> Outcome:
        before, after = change.before, change.after
        if not isinstance(before, FunctionState) or not isinstance(after, FunctionState):
            raise TypeError("a function is neither created nor deleted here")
        pair = _Pair(before, after)
        planned = self._functions.get(change.resource.id)
        try:
            live = planned or self._read(change)
            for _ in range(ATTEMPTS):
                outcome = _settled(change, pair, live, planned)
                if outcome is not None and outcome.status == "unchanged" and pair.after.publish_to:
                    # It may have been written by a run that was killed before it could publish.
                    return self._published(change, pair, live)
                if outcome is not None:
                    return outcome
                written = self._try(change, pair, live)
                if isinstance(written, Outcome):
                    return written
                live = written
        except NotFound:
            return moved(change, "the function was deleted", "")
        return moved(change, "somebody is changing the function at this moment", "run this again later")

    def _try(self, change: Change, pair: _Pair, live: Function) -> Outcome | Function:
        """Send one update: the outcome, or the function as it is now if it has to be looked at again."""
        try:
            update_function(self._aws, live.lane, live.name, merged(live, pair.before, pair.after))
        except UpdateInProgress:
            return self._quiet(live)
        except ChangedSince:
            # Also what the repetition of a call says whose first answer was lost.
            fresh = self._quiet(live)
            if not compare(fresh, pair.before, pair.after).not_after:
                found = applied(change, "found in place after the connection was lost")
                return self._published(change, pair, fresh) if pair.after.publish_to else found
            return fresh
        try:
            wait_updated(self._aws, live.lane, live.name, self._clock, self._pace)
        except NotFound:
            raise
        except Denied as error:
            return applied(change, f"whether AWS has finished the update cannot be seen: {error.what}")
        except GatewayError as error:
            return failed(change, error.what, error.fix or "to take it back: ddsetup undo")
        return self._published(change, pair, live)

    def _published(self, change: Change, pair: _Pair, live: Function) -> Outcome:
        """Publish what was written where calls run nothing else; in both directions."""
        if not pair.after.publish_to:
            return applied(change)
        try:
            version = publish_version(self._aws, live.lane, live.name, publish_to=pair.after.publish_to)
        except GatewayError as error:
            at = f"--function-name {live.name} --region {live.region} --publish-to {pair.after.publish_to}"
            fix = f"aws lambda publish-version {at}"
            return failed(change, f"it is written, but not published: {error.what}", fix)
        return applied(change, f"published as {version}", version=version)

    def _quiet(self, live: Function) -> Function:
        """The function after the update that somebody else is making, whether that ends well or not."""
        try:
            return wait_updated(self._aws, live.lane, live.name, self._clock)
        except NotFound:
            raise
        except GatewayError:
            return read_function(self._aws, live.lane, live.name)

    def _read(self, change: Change) -> Function:
        lane = Lane(change.resource.account, change.resource.region)
        return read_function(self._aws, lane, change.resource.id)


def _settled(change: Change, pair: _Pair, live: Function, planned: Function | None) -> Outcome | None:
    """What there is to say without a write, None if the write can be sent to `live`."""
    if live.env is None:
        reason = f"its environment cannot be read ({live.env_error}), so it is not written"
        return failed(change, reason, "give this identity kms:Decrypt on the function's key")
    found = compare(live, pair.before, pair.after)
    if not found.not_after:
        return already_so(change)
    if found.not_before:
        return moved(change, found.not_before)
    # Only the very function that the plan was made on can show that nothing but its revision moved.
    if change.precondition not in ("", live.revision_id) and (
        planned is None or planned.revision_id != change.precondition or moved_besides_revision(planned, live)
    ):
        return moved(change, "the function was deployed or edited (another revision)")
    if len(merged(live, pair.before, pair.after).layers or ()) > MOST_LAYERS:
        return failed(change, f"it would have more than {MOST_LAYERS} layers", "take a layer out")
    return None
