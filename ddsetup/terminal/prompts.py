"""Asking with questionary, on a terminal that can be drawn on; on one that cannot it is done line by line.

Everything is written to standard error, so that standard output holds the result only.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from ddsetup.ask.prompter import Back, Later, Prompt, Prompter, Row, shown, shown_row
from ddsetup.model.account import Json
from ddsetup.model.lines import Span, line, names
from ddsetup.terminal.console import Console
from ddsetup.terminal.keyboard import leave_on_interrupt
from ddsetup.terminal.line_by_line import PlainPrompter
from ddsetup.terminal.streams import PLAIN

if TYPE_CHECKING:
    from prompt_toolkit.layout import Layout
    from prompt_toolkit.output import ColorDepth, Output

_KEYS = "Enter accept · Esc back · Ctrl-C quit"


def make_prompter(console: Console) -> Prompter:
    """The way of asking that fits the terminal. `DDSETUP_PLAIN` asks for the plain one."""
    return PlainPrompter(console, sys.stdin) if console.streams.plain else QuestionaryPrompter(console)


@dataclass(frozen=True, slots=True)
class QuestionaryPrompter:
    """Asks with questionary; Esc goes back, Ctrl-C interrupts. `output` None: standard error."""

    console: Console
    output: Output | None = None

    def ask(self, prompt: Prompt) -> Json:
        """Put one question, again until the answer is accepted."""
        prompt = shown(prompt)
        with self.console.quiet():
            while True:
                value = self._put(prompt)
                wrong = prompt.check(value)
                if not wrong:
                    return value
                self.console.say(wrong, "warn")

    def pick(
        self,
        title: str,
        rows: Sequence[Row],
        *,
        why: str = "",
        columns: Sequence[str] = (),
        later: Later | None = None,
    ) -> tuple[str, ...]:
        """Choose from a long list, which is there at once."""
        from ddsetup.terminal.picker import Heading, pick

        with self.console.quiet():
            heading = Heading(title, why, tuple(columns))
            more = (lambda: [shown_row(row) for row in later()]) if later is not None else None
            listed = [shown_row(row) for row in rows]
            taken = pick(heading, listed, later=more, output=self._output(), depth=self._depth())
            self._answered(title, f"{len(taken):,} chosen")
            return taken

    def say(self, text: str) -> None:
        self.console.say(text)

    def _put(self, prompt: Prompt) -> Json:
        import questionary

        if prompt.kind == "one":
            return self._one(prompt)
        if prompt.kind == "many":
            return self._many(prompt)
        output = self._output()
        common: dict[str, Any] = {
            "output": output,
            "color_depth": self._depth(),
            "erase_when_done": True,
            "qmark": _mark(prompt.why, output.get_size().columns),
        }
        if prompt.kind == "confirm":
            agreed = bool(_answer(questionary.confirm(prompt.text, default=bool(prompt.default), **common)))
            self._answered(prompt.text, "yes" if agreed else "no")
            return agreed
        if prompt.kind == "secret":
            # Keys hold no blanks; what is pasted may be broken into lines.
            secret = "".join(_answer(questionary.password(prompt.text, **common)).split())
            self._answered(prompt.text, "(not shown)")
            return secret
        common |= {
            "validate": _validator(prompt.check, output.get_size().columns),
            "default": str(prompt.default or ""),
        }
        typed = " ".join(_answer(questionary.text(prompt.text, **common)).split())
        self._answered(prompt.text, typed or "(empty)")
        return typed

    def _one(self, prompt: Prompt) -> str:
        from ddsetup.terminal.menu import choose

        taken = choose(prompt, output=self._output(), depth=self._depth())
        self._answered(prompt.text, taken.label or taken.value)
        return taken.value

    def _many(self, prompt: Prompt) -> tuple[str, ...]:
        """Our own list: questionary's selects hidden choices when it is filtered."""
        from ddsetup.terminal.picker import Heading, pick

        chosen = set(prompt.default or ())
        rows = [
            Row(
                value=c.value,
                cells=(c.label or c.value, c.hint),
                disabled=c.disabled,
                chosen=c.value in chosen,
            )
            for c in prompt.choices
        ]
        heading = Heading(prompt.text, prompt.why)
        taken = pick(heading, rows, output=self._output(), depth=self._depth())
        labels = [c.label or c.value for c in prompt.choices if c.value in taken]
        self._answered(prompt.text, names(labels, 8) or "none")
        return taken

    def _answered(self, text: str, answer: str) -> None:
        """What is left on the screen of a question: itself and its answer."""
        self.console.lines([line(Span("? ", "dim"), f"{text} ", Span(answer, "bold"))], marked=False)

    def _output(self) -> Output:
        return self.output or _stderr(ascii_only=self.console.streams.ascii_only)

    def _depth(self) -> ColorDepth | None:
        """One bit where no colours are wanted, else whatever the terminal can."""
        from prompt_toolkit.output import ColorDepth

        plain = not self.console.in_colour(self.console.streams.err)
        return ColorDepth.DEPTH_1_BIT if plain else None


def _answer(question: Any) -> Any:
    """Put a questionary question; Esc is the wish to go back."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings

    bindings = KeyBindings()
    leave_on_interrupt(bindings)

    @bindings.add("escape", eager=True)
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=Back())

    application = question.application
    application.ttimeoutlen = 0.05
    application.layout = _with_keys(application)
    existing = application.key_bindings
    application.key_bindings = bindings if existing is None else merge_key_bindings([existing, bindings])
    try:
        return question.unsafe_ask()
    except EOFError:
        raise KeyboardInterrupt from None


def _with_keys(application: Any) -> Layout:
    """The layout of a prompt with the keys below it, and not at the bottom of the screen."""
    from prompt_toolkit.layout import Dimension, HSplit, Layout, Window
    from prompt_toolkit.layout.controls import FormattedTextControl

    body, focused = application.layout.container, application.layout.current_window

    def height() -> Dimension:
        size = application.output.get_size()
        return Dimension.exact(body.preferred_height(size.columns, size.rows).preferred)

    keys = FormattedTextControl([("ansibrightblack", f"  {_KEYS}")])
    shown = [HSplit([body], height=height), Window(keys, height=1), Window()]
    return Layout(HSplit(shown), focused_element=focused)


def _mark(why: str, columns: int) -> str:
    """What stands before a question: why it is asked, on lines of its own, as in a menu."""
    if not why:
        return "?"
    return textwrap.indent(textwrap.fill(why, max(columns - 3, 20)), "  ") + "\n?"


def _validator(check: Callable[[Json], str], columns: int) -> Callable[[str], bool | str]:
    return lambda text: in_one_line(check(text.strip()), text.strip(), columns) or True


def in_one_line(problem: str, typed: str, columns: int) -> str:
    """What is wrong with what was typed. That stands above it, and makes way where there is one line only."""
    return problem.removeprefix(f"{typed!r} ") if len(problem) > columns else problem


def _stderr(*, ascii_only: bool = False) -> Output:
    from prompt_toolkit.output.defaults import create_output

    return create_output(stdout=cast(TextIO, _Ascii(sys.stderr)) if ascii_only else sys.stderr)


@dataclass(frozen=True, slots=True)
class _Ascii:
    """A stream that takes nothing but ASCII, as its terminal does, and draws in that. It is written to as
    text: what was made bytes of would hold question marks already."""

    stream: TextIO
    encoding: str = "ascii"

    def write(self, text: str) -> int:
        return self.stream.write(text.translate(PLAIN).encode("ascii", "replace").decode("ascii"))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)
