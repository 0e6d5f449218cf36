"""Which changes can be sent now, and which of them together."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from ddsetup.change import Change, ResourceId


class Queue:
    """Which changes can be sent now. Used by one thread only.

    A change waits for those that it needs and, when several are about one resource, for the earlier one.
    """

    def __init__(self, changes: Sequence[Change], batch: Mapping[str, int]) -> None:
        """`batch` is how many changes of a kind can be sent together, by kind; one if it is not named."""
        self._changes = changes
        self._batch = batch
        self._waits_for: dict[int, set[int]] = _needs(changes)
        self._dependants: dict[int, list[int]] = {}
        for index, needs in self._waits_for.items():
            for need in needs:
                self._dependants.setdefault(need, []).append(index)
        self._groups = {index: self._group(index) for index in range(len(changes))}
        self._unready_in_group: dict[object, int] = {}
        for index, needs in self._waits_for.items():
            if needs:
                self._count(index, +1)
        self._ready = deque(i for i in range(len(changes)) if not self._waits_for[i])
        self._held: dict[object, list[int]] = {}

    def take(self, *, idle: bool) -> tuple[int, ...]:
        """The next changes to send together, none if there is nothing to do now.

        A group that is not full is held back while more of its kind may still become ready, unless nothing
        else is going on (`idle`).
        """
        while self._ready:
            index = self._ready.popleft()
            group = self._groups[index]
            size = self._batch.get(self._changes[index].resource.kind, 1)
            if size <= 1:
                return (index,)
            held = self._held.setdefault(group, [])
            held.append(index)
            if len(held) >= size:
                return tuple(self._held.pop(group))
        for group in list(self._held):
            if idle or not self._unready_in_group.get(group):
                return tuple(self._held.pop(group))
        return ()

    def settle(self, index: int, *, good: bool) -> list[tuple[int, ResourceId]]:
        """Note that `index` has ended. When not `good`, returns those that can now not be carried out."""
        lost: list[tuple[int, ResourceId]] = []
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
                self._ready.append(dependant)
        self._waits_for.pop(index, None)
        return lost

    def drop(self) -> list[int]:
        """Everything that was not taken yet, which is then forgotten."""
        held = [index for group in self._held.values() for index in group]
        waiting = [index for index, needs in self._waits_for.items() if needs]
        dropped = sorted({*self._ready, *held, *waiting})
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
        group = self._groups[index]
        self._unready_in_group[group] = self._unready_in_group.get(group, 0) + by


def _needs(changes: Sequence[Change]) -> dict[int, set[int]]:
    """By position, the positions of the changes that have to come first."""
    by_resource: dict[ResourceId, list[int]] = {}
    for index, change in enumerate(changes):
        by_resource.setdefault(change.resource, []).append(index)
    waits: dict[int, set[int]] = {}
    for index, change in enumerate(changes):
        earlier = {i for i in by_resource[change.resource] if i < index}
        others = {i for need in change.needs if need != change.resource for i in by_resource.get(need, ())}
        waits[index] = earlier | others
    return waits
