"""What writers have in common that take one change at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ddsetup.apply.writers.issued import Issued
from ddsetup.model.change import Change, Outcome


class OneByOne(ABC):
    """A writer of single changes. `issued` replaces references; None where there can be none."""

    batch = 1

    def __init__(self, issued: Issued | None) -> None:
        self._references = issued

    def resolve(self, change: Change) -> Change:
        return change if self._references is None else self._references.resolve(change)

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return [self.write_one(change) for change in changes]

    @abstractmethod
    def write_one(self, change: Change) -> Outcome:
        """Compare with what is there, write, and say what came of it."""
