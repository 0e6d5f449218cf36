"""What moves on a terminal: bars while a plan is carried out, a table that fills, a sign of life.

One thing at a time is drawn in place, below all that has been said. rich draws it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.status import Status
from rich.text import Text

from ddsetup.model.lines import beginning, shorten, width_of
from ddsetup.terminal.keyboard import Keyboard

_TOLD = 2
"""Seconds from which on it is told how long something takes."""
_BAR = 20
"""Columns of a bar, so that a line of it with rate and time left fits into 80."""


class _Left(ProgressColumn):
    """The time left by the rate so far, or the time that it took."""

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(f"in {_clock(task.finished_time or 0)}", style="dim")
        left = task.time_remaining
        return Text("" if left is None else f"{_clock(left)} left")


@dataclass(slots=True)
class _Waiting:
    """What takes its time, and how long it has, once that is worth telling."""

    text: str
    console: RichConsole
    begun: float = field(default_factory=time.monotonic)

    def __rich__(self) -> Text:
        seconds = time.monotonic() - self.begun
        return _one_line(self.text, self.console.width, f"  {_clock(seconds)}" if seconds >= _TOLD else "")


class _Bars(Progress):
    """A bar for each step, and below what is being worked on."""

    current = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if self.current:
            yield Text(shorten(f"  now: {self.current}", self.console.width - 1), style="dim")


@dataclass(slots=True)
class Animation:
    """Draws on a terminal. `keyboard` is muted as long as anything is drawn."""

    console: RichConsole
    keyboard: Keyboard
    _bars: _Bars | None = None
    _live: Live | None = None
    _status: Status | None = None
    _waiting: _Waiting | None = None
    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def spin(self, text: str) -> None:
        """Show that something takes its time, in place of what was shown so before."""
        if self._status is not None and self._waiting is not None:
            self._waiting.text = text
            return
        self.stop()
        self.keyboard.mute()
        self._waiting = _Waiting(text, self.console)
        self._status = self.console.status(self._waiting, spinner="line")
        self._status.start()

    def bar(self, title: str, done: int, total: int, current: Sequence[str]) -> None:
        """Show how many changes of a step are done, and what is being worked on in all of them."""
        if self._bars is None:
            self.stop()
            self.keyboard.mute()
            self._bars = _new_bars(self.console)
            self._bars.start()
        bars, total = self._bars, max(total, done, 1)
        if title not in self._tasks:
            self._tasks[title] = bars.add_task(title, total=total, completed=done, rate="")
        task = self._tasks[title]
        bars.current = ", ".join(current)
        bars.update(task, completed=done, total=total)
        shown = bars.tasks[bars.task_ids.index(task)]
        speed = shown.finished_speed or shown.speed
        bars.update(task, rate=f"{speed:.1f}/s" if speed else "")

    def table(self, lines: Sequence[Text]) -> None:
        """Show these lines instead of those before."""
        if self._live is None:
            self.stop()
            self.keyboard.mute()
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(Group(*lines), refresh=True)

    def stop(self) -> None:
        """Take away what is drawn, and listen to the keyboard again."""
        for moving in (self._bars, self._live, self._status):
            if moving is not None:
                moving.stop()
        self._bars = self._live = self._status = self._waiting = None
        self._tasks.clear()
        self.keyboard.unmute()


def _one_line(text: str, width: int, behind: str = "") -> Text:
    """As much as there is room for beside the spinner and what stands behind: more lines would jump."""
    room = width - 3 - len(behind)
    return Text(f"{text if width_of(text) <= room else f'{beginning(text, max(room - 3, 1))}...'}{behind}")


def _new_bars(console: RichConsole) -> _Bars:
    return _Bars(
        SpinnerColumn("line"),
        TextColumn("{task.description:<16}", markup=False),
        BarColumn(bar_width=_BAR),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        _Left(),
        console=console,
        transient=True,
    )


def _clock(seconds: float) -> str:
    """`0:07`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
