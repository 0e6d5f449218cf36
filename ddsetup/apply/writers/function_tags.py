"""Writes tags of functions, twenty at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ddsetup.apply.writers.outcomes import already_so, applied, failed, moved
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.tags import BATCH, function_tags, tag_functions, tags_now, untag_functions
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import TagsState


class FunctionTagsWriter:
    """Sets and removes owned tags; all others stay.

    What is there comes from the snapshot, or from one bulk read of a region that the snapshot does not have.
    That index lags behind: where it is not as the change was planned on, the function itself is asked.
    """

    batch = BATCH

    def __init__(self, aws: Aws, snapshot: Snapshot) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._tags: dict[Lane, Mapping[str, Mapping[str, str]]] = {
            lane: seen.tags for lane, seen in snapshot.lanes.items() if not isinstance(seen.tags, Unreadable)
        }

    def resolve(self, change: Change) -> Change:
        return change

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        first = changes[0]
        lane = Lane(first.resource.account, first.resource.region)
        before, after = _tags(first.before), _tags(first.after)
        live = self._live(lane)
        settled: dict[str, Outcome] = {}
        for change in changes:
            tags = live.get(change.resource.id, {})
            if any(tags.get(key) != before.get(key) for key in {*before, *after}):
                tags = self._sure(lane, change.resource.id, tags)
            outcome = _settled(change, tags, before, after)
            if outcome is not None:
                settled[change.resource.id] = outcome
        todo = [change.resource.id for change in changes if change.resource.id not in settled]
        faults = self._send(lane, todo, before, after) if todo else {}
        return [settled.get(c.resource.id) or _sent(c, faults.get(c.resource.id)) for c in changes]

    def _send(
        self, lane: Lane, arns: Sequence[str], before: Mapping[str, str], after: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Why it failed, by ARN."""
        fresh = {key: value for key, value in after.items() if before.get(key) != value}
        old = [key for key in before if key not in after]
        faults: dict[str, str] = {}
        if fresh:
            faults.update(tag_functions(self._aws, lane, arns, fresh))
        left = [arn for arn in arns if arn not in faults]
        if old and left:
            faults.update(untag_functions(self._aws, lane, left, old))
        return faults

    def _sure(self, lane: Lane, arn: str, indexed: Mapping[str, str]) -> Mapping[str, str]:
        now = tags_now(self._aws, lane, arn)
        return indexed if isinstance(now, Unreadable) else now

    def _live(self, lane: Lane) -> Mapping[str, Mapping[str, str]]:
        with self._lock:
            if lane not in self._tags:
                found = function_tags(self._aws, lane)
                if isinstance(found, Unreadable):
                    raise GatewayError(f"cannot look at tags: {found.reason}", action=found.action)
                self._tags[lane] = found
            return self._tags[lane]


def _tags(state: object) -> Mapping[str, str]:
    if state is None:
        return {}
    if not isinstance(state, TagsState):
        raise TypeError("not a change of tags")
    return state.tags


def _settled(
    change: Change, live: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]
) -> Outcome | None:
    owned = sorted({*before, *after})
    if all(live.get(key) == after.get(key) for key in owned):
        return already_so(change)
    # Setting and removing are two calls: a tag that is as after already is what the first one left.
    off = [f"tag {key}" for key in owned if live.get(key) not in (before.get(key), after.get(key))]
    return moved(change, off) if off else None


def _sent(change: Change, fault: str | None) -> Outcome:
    return applied(change) if fault is None else failed(change, fault)
