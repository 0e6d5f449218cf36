"""Where runs are remembered, whatever holds it: five verbs, `begin`, `append`, `runs`, `forget` and `lock`.

What the lines of a journal say and how each vouches for those before it is not known here (`chain`, `runs`).
`disk` is this machine's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Protocol

from ddsetup.model.errors import DdsetupError


class JournalError(DdsetupError):
    """The journal cannot be written, so nothing may be sent any more."""


@contextmanager
def held_all(
    lock: Callable[[str], AbstractContextManager[object]], accounts: Sequence[str]
) -> Iterator[None]:
    """Hold the lock of each account, always in one order, so that two runs never wait for each other."""
    with ExitStack() as held:
        for account in sorted(set(accounts)):
            held.enter_context(lock(account))
        yield


def stamped(brief: bytes, stamp: bytes) -> bytes:
    """A brief with what tells whether its journal was touched since: `stamp` has no line end."""
    return stamp + b"\n" + brief


def unstamped(kept: bytes, stamp: bytes) -> bytes:
    """The brief that was kept, if its journal still has this stamp; else empty."""
    then, _, brief = kept.partition(b"\n")
    return brief if then == stamp else b""


class Begun(Protocol):
    """A journal that is being written. `where` tells people where it is."""

    @property
    def where(self) -> str: ...

    def append(self, lines: bytes) -> None:
        """Add lines; they outlive this machine's power when this returns.

        Raises JournalError when they do not; then nothing of them is kept.
        """

    def note(self, lines: bytes) -> bool:
        """Add lines that need not outlive it, only this process. False: that would take too long now, and
        they are to come with the next ones. Raises JournalError as `append` does."""

    def close(self, last: bytes, brief: bytes) -> None:
        """End the journal with its `last` lines, if there is room; nothing is lost without. `brief` is kept
        beside it for readers who need no more, likewise."""


class Stored(Protocol):
    """A journal that is kept. `run` is the id of its run."""

    @property
    def run(self) -> str: ...

    @property
    def where(self) -> str: ...

    def stamp(self) -> bytes:
        """What is another one as soon as the journal is, without reading it; it has no line end."""

    def read(self) -> bytes:
        """All its lines. Raises UsageError when it cannot be read."""

    def brief(self) -> bytes:
        """What it was closed with; empty if that is not known or the journal was touched since."""


class Memory(Protocol):
    """All that is remembered of runs. Its methods may be called from several threads."""

    def begin(self, run: str, first: bytes) -> Begun:
        """A new journal with its first line, which nobody ever sees in part.

        Raises JournalError when that is not possible, as when there is one of that run.
        """

    def runs(self) -> Sequence[Stored]:
        """Every journal, the oldest first, which is the order of their ids."""

    def forget(self, run: str) -> None:
        """Take a run away, whole: whenever this is cut short, all of it is there or nothing is.

        Raises DdsetupError.
        """

    def lock(self, accounts: Sequence[str], run: str, since: datetime) -> AbstractContextManager[None]:
        """Hold these accounts for a run while the block runs.

        Raises Busy, which names the holder, when another run holds one of them, DdsetupError when that
        cannot be told.
        """
