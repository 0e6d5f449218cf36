"""Which changes can be sent now, and which of them together."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from ddsetup.model.change import Change, ResourceId

Turn: TypeAlias = tuple[str, str, str]
"""A kind of resource in an account and region, which has quotas of its own."""


def turn_of(resource: ResourceId) -> Turn:
    """With which changes the one of this resource takes turns."""
    return resource.kind, resource.account, resource.region


class Queue:
    """Which changes can be sent now. Used by one thread only.

    A change waits for those that it needs and, when several are about one resource, for the earlier one.
    """

    def __init__(self, changes: Sequence[Change], batch: Mapping[str, int]) -> None:
        """`batch` is how many changes of a kind can be sent together, by kind; one if it is not named."""
        self._changes: list[Change] = []
        self._batch = batch
        self._by_resource: dict[ResourceId, list[int]] = {}
        self._settled: dict[int, bool] = {}
        self._waits_for: dict[int, set[int]] = {}
        self._dependants: dict[int, list[int]] = {}
        self._groups: dict[int, object] = {}
        self._known: dict[object, object] = {}
        self._unready_in_group: dict[object, int] = {}
        self._ready: dict[Turn, deque[int]] = {}
        self._held: dict[object, list[int]] = {}
        self.add(changes)

    def add(self, changes: Sequence[Change]) -> list[tuple[int, ResourceId]]:
        """Take in more changes; their positions follow those of all before.

        Returns those that cannot be carried out, as what they need has not ended well, as `settle` does.
        """
        first = len(self._changes)
        self._changes.extend(changes)
        indexes = range(first, len(self._changes))
        for index in indexes:
            self._by_resource.setdefault(self._changes[index].resource, []).append(index)
        lost: list[tuple[int, ResourceId]] = []
        for index in indexes:
            needs = self._needs(index)
            bad = next((need for need in sorted(needs) if self._settled.get(need) is False), None)
            if bad is not None:
                lost.append((index, self._changes[bad].resource))
                continue
            if self._batch.get(self._changes[index].resource.kind, 1) > 1:
                group = self._group(index)
                self._groups[index] = self._known.setdefault(group, group)
            waits_for = {need for need in needs if need not in self._settled}
            for need in waits_for:
                self._dependants.setdefault(need, []).append(index)
            if waits_for:
                self._waits_for[index] = waits_for
                self._count(index, +1)
            else:
                self._make_ready(index)
        return lost

    def beside(self, change: Change) -> int:
        """Take in a change that is sent at once, and that others of its resource wait for; its position."""
        self._changes.append(change)
        index = len(self._changes) - 1
        self._by_resource.setdefault(change.resource, []).append(index)
        return index

    def take(self, *, idle: bool, full: Collection[str | Turn] = ()) -> tuple[int, ...]:
        """The next changes to send together, none if there is nothing to do now.

        Kinds and regions take turns, as each has quotas of its own; those in `full` are passed over. A
        group that is not full is held back while more of its kind may still become ready, unless nothing
        else is going on (`idle`).
        """
        for turn in [turn for turn in self._ready if turn[0] not in full and turn not in full]:
            batch = self._take_of(turn)
            if batch:
                return batch
        for group in list(self._held):
            if idle or not self._unready_in_group.get(group):
                return tuple(self._held.pop(group))
        return ()

    def _take_of(self, turn: Turn) -> tuple[int, ...]:
        """The next changes of one kind and region, which then goes to the end of the line."""
        waiting = self._ready.pop(turn)
        size = self._batch.get(turn[0], 1)
        batch: tuple[int, ...] = ()
        while waiting and not batch:
            index = waiting.popleft()
            if size <= 1:
                batch = (index,)
                continue
            held = self._held.setdefault(self._groups[index], [])
            held.append(index)
            if len(held) >= size:
                batch = tuple(self._held.pop(self._groups[index]))
        if waiting:
            self._ready[turn] = waiting
        return batch

    def _make_ready(self, index: int) -> None:
        turn = turn_of(self._changes[index].resource)
        self._ready.setdefault(turn, deque()).append(index)

    def settle(self, index: int, *, good: bool) -> list[tuple[int, ResourceId]]:
        """Note that `index` has ended. When not `good`, returns those that can now not be carried out."""
        lost: list[tuple[int, ResourceId]] = []
        self._settled[index] = good
        for dependant in self._dependants.get(index, ()):
            needs = self._waits_for.get(dependant)
            if needs is None:
                continue
            if not good:
                del self._waits_for[dependant]
                self._count(dependant, -1)
                lost.append((dependant, self._changes[index].resource))
                continue
            needs.discard(index)
            if not needs:
                self._count(dependant, -1)
                self._make_ready(dependant)
        self._waits_for.pop(index, None)
        return lost

    def drop(self) -> list[int]:
        """Everything that was not taken yet, which is then forgotten."""
        held = [index for group in self._held.values() for index in group]
        waiting = [index for index, needs in self._waits_for.items() if needs]
        ready = [index for turn in self._ready.values() for index in turn]
        dropped = sorted({*ready, *held, *waiting})
        self._ready.clear()
        self._held.clear()
        for index in dropped:
            self._waits_for.pop(index, None)
        self._unready_in_group.clear()
        return dropped

    def left(self) -> list[int]:
        """What never became ready."""
        return [index for index, needs in sorted(self._waits_for.items()) if needs]

    def _group(self, index: int) -> object:
        change = self._changes[index]
        resource = change.resource
        # States hold mappings, so they cannot be hashed; their text tells them apart as well.
        return (resource.kind, resource.region, resource.account, repr(change.before), repr(change.after))

    def _count(self, index: int, by: int) -> None:
        group = self._groups.get(index)
        if group is not None:
            self._unready_in_group[group] = self._unready_in_group.get(group, 0) + by

    def _needs(self, index: int) -> set[int]:
        """The positions of the changes that have to come first."""
        change = self._changes[index]
        earlier = {i for i in self._by_resource[change.resource] if i < index}
        needs = (need for need in change.needs if need != change.resource)
        return earlier.union(*(self._by_resource.get(need, ()) for need in needs))
