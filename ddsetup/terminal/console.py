"""The only place that prints: the result to standard output, everything else to standard error.

What is a terminal is animated and coloured; what is not gets plain lines, none of them cut, so that a log of
CI says as much as a screen. With `--output ndjson` events go to standard output as they happen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from ddsetup.facts.kinds import kind_name
from ddsetup.model.foreign import OneByOne, harmless, json_pieces, json_text
from ddsetup.model.lines import Line, Look, Span, Style, line, logged, text_of, wrapped
from ddsetup.model.report import Report, Signal
from ddsetup.show.jsonreport import document, error_fields, event_line, report_line, signal_line
from ddsetup.show.layout import laid_out
from ddsetup.show.plan_lines import STEPS, resource_text
from ddsetup.show.report_lines import (
    Body,
    error_lines,
    failure_lines,
    is_last,
    outcome_text,
    report_blocks,
    report_lines,
)
from ddsetup.show.signal_lines import arriving_lines, signal_text, so_far
from ddsetup.terminal.ability import Color, Streams, address_in
from ddsetup.terminal.keyboard import Keyboard, in_front
from ddsetup.terminal.pager import show
from ddsetup.terminal.streams import PLAIN, columns_of, fitting

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.text import Text

    from ddsetup.model.blocks import Block
    from ddsetup.model.change import Change, ResourceId
    from ddsetup.model.errors import DdsetupError
    from ddsetup.model.event import Event
    from ddsetup.terminal.animation import Animation

OutputFormat: TypeAlias = Literal["text", "markdown", "json", "ndjson"]

_STYLES: Mapping[Style, str] = {
    "": "",
    "bold": "bold",
    "dim": "dim",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "added": "green",
    "removed": "red",
    "heading": "bold underline",
    "code": "",
}

_SANDBOX = "[sandbox] "


@dataclass(slots=True)
class _Count:
    """How far a step is, in changes."""

    total: int = 0
    done: int = 0
    failed: int = 0


@dataclass(slots=True)
class Console:
    """Shows progress while a command runs, and its result at the end. Safe to use from several threads."""

    streams: Streams
    output: OutputFormat = "text"
    verbose: bool = False
    color: Color = "auto"
    paging: bool = False
    sandbox: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _steps: dict[str, _Count] = field(default_factory=dict, repr=False)
    _current: dict[ResourceId, None] = field(default_factory=dict, repr=False)
    _animation: Animation | None = field(default=None, repr=False)
    _rich: RichConsole | None = field(default=None, repr=False)
    _signals: dict[tuple[str, str, str, str], str] = field(default_factory=dict, repr=False)
    _proof: str = field(default="", repr=False)

    # What is said on the way

    def say(self, text: str, style: Style = "") -> None:
        """A line for the person who watches."""
        self.lines([line(Span(text, style))])

    def lines(self, lines: Iterable[Line], *, marked: bool = True, hang: int = 0) -> None:
        """Lines for the person who watches; where one is broken, what follows is indented by `hang`.

        In a sandbox they say so: each one in a log, the first one on a screen; `marked` False: none, for
        what belongs to something that says so.
        """
        with self._lock:
            prefix = [Span(_SANDBOX, "warn")] if self.sandbox and marked else []
            for spans in lines:
                behind = hang + len(_SANDBOX) if hang and prefix else hang
                self._draw(self.streams.err, [(*prefix, *spans) if spans else ()], behind)
                if spans and self._animates():
                    prefix = []

    def blocks(self, blocks: Iterable[Block], *, marked: bool = True) -> None:
        """Blocks for the person who watches, laid out for the room that there is."""
        self.lines(laid_out(blocks, self.room()), marked=marked)

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show for the length of the block that something takes its time; ends with anything else drawn.

        What the block is given replaces the text, from any thread, where it can be seen to change.
        """
        if not self._animates():
            self.say(text)
            yield lambda _text: None
            return

        over = False

        def spin(text: str) -> None:
            with self._lock:
                # Threads that an error has left behind go on telling for a moment.
                if not over:
                    self._moving().spin(harmless(f"{_SANDBOX}{text}" if self.sandbox else text))

        spin(text)
        try:
            yield spin
        finally:
            with self._lock:
                over = True
                self.rest()

    def expect(self, changes: Sequence[Change]) -> None:
        """What is about to be carried out: how much there is to do in each step."""
        with self._lock:
            self._steps.clear()
            self._current.clear()
            for change in changes:
                self._count(change.step).total += 1

    def event(self, event: Event) -> None:
        """Show what happens during a run. Called from several threads."""
        # Made before the lock is taken, for which hundreds of threads may wait.
        text = json_text(event_line(event)) + "\n" if self.output == "ndjson" else ""
        with self._lock:
            if text:
                self._print(self.streams.out, text)
            match event.kind:
                case "planned":
                    pass
                case "started":
                    self._started(event)
                case "finished":
                    self._finished(event)
                case "stack" if event.resource is not None:
                    self._stack_event(event.resource, event.text)
                case _:
                    if event.text:
                        self.lines([line(event.text)])

    def signals(self, signals: Sequence[Signal], note: str = "") -> None:
        """Show how data arrives: a table that fills on a terminal, else a line where something changed.

        `note` is said below the table's title: how long this goes on.
        """
        with self._lock:
            news = [s for s in signals if self._signals.get(_identity(s)) != s.status]
            self._signals.update({_identity(s): s.status for s in news})
            if self.output == "ndjson":
                now = datetime.now(UTC)
                for signal in news:
                    self._print(self.streams.out, json_text(signal_line(signal, now)) + "\n")
            if self._animates():
                rich = self._console(self.streams.err)
                drawn = arriving_lines(signals, Look(width=rich.width - 1), rich.height - 1, note)
                self._moving().table([self._text(spans, self.streams.err) for spans in drawn])
            elif news:
                if (text := so_far(signals)) != self._proof or self.verbose:
                    self.say(text)
                self._proof = text
                if self.verbose:
                    self.lines(line("  ", signal_text(signal)) for signal in news)

    def ask_for(self, text: str) -> None:
        """The text before the place where an answer is typed."""
        self._print(self.streams.err, harmless(text))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """While something else uses the terminal: nothing is animated, so that a prompt stays whole."""
        with self._lock:
            self.rest()
            yield

    def rest(self) -> None:
        """End what is animated and leave its last state on the screen."""
        with self._lock:
            if self._animation is not None:
                self._animation.stop()

    # The result

    def report(self, report: Report, body: Body | None = None) -> None:
        """The result of the command on standard output, in its format. `body`: what only it has to say."""
        self.rest()
        report = replace(report, sandbox=report.sandbox or self.sandbox)
        if self.output == "json":
            self._write_out(json_pieces(document(report, OneByOne), indent=2))
        elif self.output == "ndjson":
            self._write_out(json_pieces(report_line(report, OneByOne)))
        elif self.output == "markdown":
            self._print(self.streams.out, self._as_markdown(report, body))
        else:
            self._tell(report, report_lines(report, self.look(self.streams.out), body))

    def _write_out(self, pieces: Iterator[str]) -> None:
        """Piece by piece: thousands of changes, or their text, take more memory than all the rest."""
        while some := "".join(islice(pieces, 10_000)):
            self.streams.out.write(self._fitting(some, self.streams.out))
        self._print(self.streams.out, "\n")

    def _tell(self, report: Report, lines: Sequence[Line]) -> None:
        """The result as text: what a run has done stays on the screen, else a long one goes to a pager."""
        out = self.streams.out
        seen = self.paging and self.streams.is_terminal(out)
        if not seen or report.run or report.outcomes or report.signals:
            self._draw(out, lines)
            return
        console = self._console(out)
        with console.capture() as drawn:
            self._draw_on(console, out, lines)
        show(drawn.get(), stream=out)

    def _as_markdown(self, report: Report, body: Body | None) -> str:
        from ddsetup.show.markdown import markdown

        blocks = report_blocks(report, Look(verbose=self.verbose), body)
        first = () if is_last(report) else failure_lines(report)
        return markdown([*first, *blocks])

    def error(self, command: str, error: DdsetupError) -> None:
        """An expected failure: on standard error in words, as JSON also on standard output."""
        self.rest()
        self.lines(error_lines(error))
        if self.output != "text":
            self.report(Report(command=command, exit_code=error.exit_code, error=error_fields(error)))

    def room(self) -> Look:
        """How much room there is for what is shown on the way, beside a sandbox's mark before each line."""
        look = self.look(self.streams.err)
        marked = self.sandbox and look.width and not self._animates()
        return replace(look, width=look.width - len(_SANDBOX)) if marked else look

    def look(self, stream: TextIO) -> Look:
        """How much room `stream` has: lines end before the last column, behind which terminals break them."""
        width = self._console(stream).width if self.streams.is_terminal(stream) else columns_of(stream)
        return Look(width=max(width - 1, 0), verbose=self.verbose)

    def in_colour(self, stream: TextIO) -> bool:
        """Whether `stream` gets colours."""
        return self.streams.in_colour(stream, self.color)

    # How it is drawn

    def _animates(self) -> bool:
        """Not from the background: a shell, and whoever types into it, has the terminal then."""
        return self.streams.is_terminal(self.streams.err) and in_front(self.streams.err) is not False

    def _console(self, stream: TextIO) -> RichConsole:
        """rich on a stream. It is loaded only when something is drawn on a terminal."""
        from rich.console import Console as Rich

        if stream is self.streams.err and self._rich is not None:
            return self._rich
        colour = self.in_colour(stream)
        console = Rich(
            file=stream,
            no_color=not colour,
            force_terminal=self.streams.is_terminal(stream) or colour,
            force_interactive=self.streams.is_terminal(stream),
            color_system="standard" if colour and self.color == "always" else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
        if stream is self.streams.err:
            self._rich = console
        return console

    def _draw(self, stream: TextIO, lines: Sequence[Line], hang: int = 0) -> None:
        if not self.streams.is_terminal(stream) and not self.in_colour(stream):
            width = self.look(stream).width
            self._print(stream, text_of(part for spans in lines for part in wrapped(spans, width, hang)))
            return
        self._draw_on(self._console(stream), stream, lines, hang)

    def _draw_on(self, console: RichConsole, stream: TextIO, lines: Iterable[Line], hang: int = 0) -> None:
        width = self.look(stream).width if self.streams.is_terminal(stream) else 0
        for spans in lines:
            for part in wrapped(spans, width, hang):
                console.print(self._text(logged(part), stream))

    def _text(self, spans: Line, stream: TextIO) -> Text:
        from rich.style import Style as RichStyle
        from rich.text import Text

        linked = self.streams.in_links(stream)
        text = Text()
        for span in spans:
            address = address_in(span.text) if linked and span.style == "code" else None
            style = RichStyle(link=address) if address else _STYLES[span.style]
            text.append(self._fitting(span.text, stream), style)
        return text

    def _print(self, stream: TextIO, text: str) -> None:
        stream.write(self._fitting(text, stream))
        stream.flush()

    def _fitting(self, text: str, stream: TextIO) -> str:
        """`text` as the terminal or file can take it."""
        if self.streams.ascii_only and stream.isatty():
            return text.translate(PLAIN).encode("ascii", "replace").decode("ascii")
        return fitting(text, stream)

    def _moving(self) -> Animation:
        """What is drawn in place. It is loaded only when something is."""
        from ddsetup.terminal.animation import Animation

        if self._animation is None:
            self._animation = Animation(self._console(self.streams.err), Keyboard(self.streams.err))
        return self._animation

    def _count(self, step: str) -> _Count:
        return self._steps.setdefault(step, _Count())

    def _started(self, event: Event) -> None:
        if event.resource is not None:
            self._current[event.resource] = None
        self._tick(event.step)

    def _finished(self, event: Event) -> None:
        outcome = event.outcome
        count = self._count(event.step)
        if outcome is None or not outcome.not_started:
            count.done += 1
        if event.resource is not None:
            self._current.pop(event.resource, None)
        if outcome is not None and outcome.status in ("failed", "changed_since"):
            count.failed += 1
            self.lines([outcome_text(outcome)])
        elif outcome is not None and self.verbose:
            self.lines([outcome_text(outcome)])
        self._tick(event.step)
        if not self._animates() and count.done == count.total:
            failed = f", {count.failed:,} failed" if count.failed else ""
            self.say(f"{_short(event.step)}: {count.done:,} done{failed}")

    def _tick(self, step: str) -> None:
        """Move the bar of a step, drawing it if it is not there yet."""
        if self._animates():
            current = [harmless(f"{kind_name(each.kind)} {each.name}") for each in self._current]
            count = self._count(step)
            self._moving().bar(_short(step), count.done, count.total, current)

    def _stack_event(self, stack: ResourceId, text: str) -> None:
        """What happens inside of a stack: whole in a log, on a screen in one line of 80 columns."""
        if self._animates():
            self.lines([line(Span(f"  {stack.region}: ", "dim"), text)], marked=False)
        else:
            self.lines([line(Span(f"  {resource_text(stack)}: ", "dim"), text)])


def _identity(signal: Signal) -> tuple[str, str, str, str]:
    return signal.subject, signal.region, signal.signal, signal.metric


def _short(step: str) -> str:
    return STEPS.get(step, step).split(":", 1)[0]
