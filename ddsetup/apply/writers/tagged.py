"""Writes what Datadog keeps under tags of ddsetup's: monitors and service level objectives.

They are found by their tags each time, so nothing depends on Datadog's numbers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone, moved, not_alone
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError, NotFound


class _State(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def scope(self) -> str: ...


S = TypeVar("S", bound=_State)
L = TypeVar("L")


class TaggedWriter(OneByOne, Generic[S, L]):
    """Creates, changes and deletes what carries ddsetup's tags; others it never sees.

    `S` is a state, `L` what is there. `noun` is what people call one.
    """

    noun: str
    states: type[S]

    def __init__(self) -> None:
        super().__init__(None)

    @abstractmethod
    def find(self, wanted: S) -> Sequence[L]:
        """Those that have its tags, the oldest first."""

    @abstractmethod
    def off(self, live: L, wanted: S) -> tuple[str, ...]:
        """The fields in which what is there is not as wanted."""

    @abstractmethod
    def create(self, after: S) -> str:
        """Make it, and give its number."""

    @abstractmethod
    def update(self, live: L, before: S, after: S) -> None:
        """Make of it what `after` says."""

    @abstractmethod
    def delete(self, live: L) -> None:
        """Take it away."""

    def write_one(self, change: Change) -> Outcome:
        before, after = self._state(change.before), self._state(change.after)
        wanted = after or before
        if wanted is None:
            raise TypeError(f"not a change of a {self.noun}")
        found = self.find(wanted)
        if not found:
            return self._absent(change, before, after)
        live = found[0]
        if after is not None and not self.off(live, after):
            return already_so(change)
        if before is None:
            return moved(change, f"a {self.noun} with these tags is there, and it differs")
        as_left = [one for one in found if not self.off(one, before)]
        if not as_left:
            return moved(change, self.off(live, before))
        if after is None:
            for one in as_left:
                self._delete(one)
        else:
            self.update(as_left[0], before, after)
        return applied(change)

    def _absent(self, change: Change, before: S | None, after: S | None) -> Outcome:
        if after is None:
            return gone(change)
        if before is not None:
            return moved(change, f"the {self.noun} is not there any more")
        number = self.create(after)
        return applied(change, self._keep_one(after), number=number)

    def _keep_one(self, after: S) -> str:
        """A create call whose answer was lost may have made another one: the later ones go. A note when they
        may not have gone."""
        try:
            for extra in self.find(after)[1:]:
                if not self.off(extra, after):
                    self._delete(extra)
        except GatewayError as error:
            return not_alone(error)
        return ""

    def _delete(self, live: L) -> None:
        with suppress(NotFound):
            self.delete(live)

    def _state(self, state: object) -> S | None:
        if state is not None and not isinstance(state, self.states):
            raise TypeError(f"not a change of a {self.noun}")
        return state
