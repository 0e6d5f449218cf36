"""What shows a run to the person who watches, as far as the verbs know it; `console` is the one there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ddsetup.model.blocks import Block
from ddsetup.model.change import Change
from ddsetup.model.event import Event
from ddsetup.model.lines import Line, Look, Style
from ddsetup.model.report import Signal


class Screen(Protocol):
    """Shows progress while a command runs. In a `sandbox` it says so; `verbose` asks for all there is."""

    verbose: bool
    sandbox: bool

    def say(self, text: str, style: Style = "") -> None:
        """A text of one line or several."""

    def lines(self, lines: Iterable[Line], *, marked: bool = True, hang: int = 0) -> None:
        """Lines; `hang` indents what follows where one is broken. `marked`: say that it is a sandbox."""

    def blocks(self, blocks: Iterable[Block], *, marked: bool = True) -> None:
        """Lines, tables and charts, laid out for the room that there is."""

    def working(self, text: str) -> AbstractContextManager[Callable[[str], None]]:
        """Show for the length of the block that something takes its time."""

    def expect(self, changes: Sequence[Change]) -> None:
        """What is about to be carried out."""

    def event(self, event: Event) -> None:
        """Show what happens during a run. Called from several threads."""

    def signals(self, signals: Sequence[Signal], note: str = "") -> None:
        """Show how data arrives, and below it `note`."""

    def rest(self) -> None:
        """End what is animated and leave its last state on the screen."""

    def room(self) -> Look:
        """How much room there is for what is shown on the way."""
