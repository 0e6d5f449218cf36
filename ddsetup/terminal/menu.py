"""One choice of a few: each with a hint below it, and with the reason where it cannot be taken.

Arrows and numbers move, Enter takes, Esc goes back. Where there are many, typing narrows them down.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ddsetup.ask.prompter import Back, Prompt
from ddsetup.ask.questions import Choice
from ddsetup.model.lines import beginning, width_of
from ddsetup.terminal.keyboard import leave_on_interrupt

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.output import ColorDepth, Output

_Fragments: TypeAlias = "StyleAndTextTuples"
_SEARCH_FROM = 10
"""From how many choices on typing narrows them down, instead of numbers choosing."""
_MARGIN = 5


@dataclass(slots=True)
class Menu:
    """The state of the menu, without any terminal."""

    choices: Sequence[Choice]
    cursor: int = 0
    text: str = ""
    shown: list[Choice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shown = list(self.choices)
        if self.shown and self.shown[self.cursor].disabled:
            self.move(1)

    @property
    def searches(self) -> bool:
        return len(self.choices) >= _SEARCH_FROM

    def filter(self, text: str) -> None:
        """Show only what holds every word of `text`."""
        self.text = text
        words = text.lower().split()
        self.shown = [
            c for c in self.choices if all(w in f"{c.value} {c.label} {c.hint}".lower() for w in words)
        ]
        self.cursor = 0
        if self.shown and self.shown[0].disabled:
            self.move(1)

    def move(self, by: int) -> None:
        """Move to the next choice that can be taken; the ends stop the cursor."""
        at = self.cursor
        step = 1 if by > 0 else -1
        left = abs(by)
        while left and 0 <= at + step < len(self.shown):
            at += step
            if not self.shown[at].disabled:
                self.cursor = at
                left -= 1

    def number(self, number: int) -> None:
        """Move to a choice by its number."""
        if number <= len(self.shown) and not self.shown[number - 1].disabled:
            self.cursor = number - 1

    def letter(self, letter: str) -> None:
        """Move to the first choice whose value begins with a letter."""
        for at, choice in enumerate(self.shown):
            if choice.value.startswith(letter.lower()) and not choice.disabled:
                self.cursor = at
                return

    def taken(self) -> Choice | None:
        """The choice under the cursor, if it can be taken."""
        if not self.shown or self.shown[self.cursor].disabled:
            return None
        return self.shown[self.cursor]


def draw(menu: Menu, prompt: Prompt, width: int, height: int) -> _Fragments:
    """The question, why it is asked, and as many choices around the cursor as there is room for."""
    found: _Fragments = [("class:qmark", "? "), ("bold", _fill(prompt.text, width - 2)), ("", "\n")]
    if prompt.why:
        found.extend([("class:why", textwrap.indent(_fill(prompt.why, width - 2), "  ")), ("", "\n")])
    if menu.searches:
        found.extend([("", f"  filter: {menu.text}"), ("reverse", " "), ("", "\n")])
    blocks = [_block(menu, at, width) for at in range(len(menu.shown))]
    room = max(height - _MARGIN - _fill(prompt.why, width - 2).count("\n"), 3)
    for at in _window(blocks, menu.cursor, room):
        found.extend(blocks[at])
    if not menu.shown:
        found.extend([("", "  (none fits)"), ("", "\n")])
    jump = "type to filter" if menu.searches else f"1-{min(len(menu.choices), 9)} choose"
    keys = f"  ↑↓ move · {jump} · Enter accept · Esc back · Ctrl-C quit"
    found.append(("class:why", _clip(keys, width)))
    return found


def _block(menu: Menu, at: int, width: int) -> _Fragments:
    """One choice: a line, and its hint below."""
    choice, here = menu.shown[at], at == menu.cursor
    number = "   " if menu.searches else f"{at + 1}) "
    label = f"{'>' if here else ' '} {number}{choice.label or choice.value}"
    if menu.searches and choice.hint and not choice.disabled:
        label = f"{label}  {choice.hint}"
    style = "class:why" if choice.disabled else "class:here" if here else ""
    found: _Fragments = [(style, _clip(label, width)), ("", "\n")]
    below = f"not possible: {choice.disabled}" if choice.disabled else "" if menu.searches else choice.hint
    if below:
        found.extend([("class:why", textwrap.indent(_fill(below, width - 6), "      ")), ("", "\n")])
    return found


def _window(blocks: Sequence[_Fragments], cursor: int, room: int) -> range:
    """Which choices are drawn: those around the cursor that fit into `room` lines."""
    heights = [sum(fragment[1].count("\n") for fragment in block) for block in blocks]
    first = last = cursor
    used = heights[cursor] if heights else 0
    while True:
        if last + 1 < len(blocks) and used + heights[last + 1] <= room:
            last += 1
            used += heights[last]
        elif first > 0 and used + heights[first - 1] <= room:
            first -= 1
            used += heights[first]
        else:
            return range(first, min(last + 1, len(blocks)))


def _fill(text: str, width: int) -> str:
    """Each line of the text in lines of at most that width."""
    return "\n".join(
        textwrap.fill(
            each,
            max(width, 20),
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            subsequent_indent="" if len(text) == len(each) else "  ",
        )
        for each in text.split("\n")
    )


def _clip(text: str, width: int) -> str:
    return text if width_of(text) <= width else beginning(text, max(width - 3, 1)) + "..."


def choose(
    prompt: Prompt,
    *,
    output: Output | None = None,
    input_: Input | None = None,
    depth: ColorDepth | None = None,
) -> Choice:
    """Let a person take one choice. Raises `Back` on Esc and KeyboardInterrupt on Ctrl-C."""
    known = [choice.value for choice in prompt.choices]
    menu = Menu(prompt.choices, known.index(prompt.default) if prompt.default in known else 0)
    accepted = _application(menu, prompt, output, input_, depth).run()
    taken = menu.taken()
    if not accepted or taken is None:
        raise Back
    return taken


def _application(
    menu: Menu, prompt: Prompt, output: Output | None, input_: Input | None, depth: ColorDepth | None
) -> Application[bool]:
    from prompt_toolkit.application import Application
    from prompt_toolkit.layout import Layout, Window
    from prompt_toolkit.layout.controls import FormattedTextControl
    from prompt_toolkit.styles import Style

    def text() -> _Fragments:
        size = application.output.get_size()
        return draw(menu, prompt, size.columns - 1, size.rows)

    style = Style([("qmark", "bold ansicyan"), ("why", "ansibrightblack"), ("here", "bold ansicyan")])
    application: Application[bool] = Application(
        layout=Layout(Window(FormattedTextControl(text, focusable=True), always_hide_cursor=True)),
        key_bindings=_bindings(menu),
        output=output,
        input=input_,
        style=style,
        color_depth=depth,
        erase_when_done=True,
    )
    application.ttimeoutlen = 0.05
    return application


def _bindings(menu: Menu) -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()
    for key, by in {"up": -1, "down": 1, "pageup": -8, "pagedown": 8, "home": -999, "end": 999}.items():
        keys.add(key)(lambda _event, by=by: menu.move(by))
    keys.add("backspace")(lambda _event: menu.filter(menu.text[:-1]))
    keys.add("escape", eager=True)(lambda event: event.app.exit(result=False))
    leave_on_interrupt(keys)
    keys.add("c-d")(lambda event: event.app.exit(exception=KeyboardInterrupt()))

    @keys.add("enter")
    def _take(event: KeyPressEvent) -> None:
        if menu.taken() is not None:
            event.app.exit(result=True)

    @keys.add(Keys.Any)
    def _type(event: KeyPressEvent) -> None:
        if menu.searches and event.data.isprintable():
            menu.filter(menu.text + event.data)
        elif event.data in tuple("123456789"):
            menu.number(int(event.data))
        elif event.data.isalpha():
            menu.letter(event.data)

    return keys
