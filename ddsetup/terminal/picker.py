"""A list to choose from, of any length: it draws its window only, and acts on what it shows only.

Typing filters: every word (commas separate them) must occur in the row, or fit one of its terms
(`runtime:python`); globs are allowed. Space chooses, Ctrl-A chooses or clears all that is shown, Ctrl-R turns
it over, Ctrl-T puts the heaviest first, Enter accepts, Esc goes back. What the filter hides keeps its state
and is counted.
"""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from ddsetup.ask.prompter import Back, Later, Row
from ddsetup.model.lines import padded, shorten, width_of
from ddsetup.terminal.keyboard import leave_on_interrupt

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.output import ColorDepth, Output

_Fragments: TypeAlias = "StyleAndTextTuples"

_CHROME = 6
"""Lines around the rows: title, filter, the row in full, counts, keys in two lines."""
_MARKS, _NARROWEST, _LAST = 6, 8, 12
"""Columns before the first cell, how narrow a cell may get, and the last one before any other."""
_FILTER_FROM = 10
"""From how many rows on the filter is shown before something is typed."""
_KEYS = (
    "↑↓ move · Space mark · Enter accept · Esc back · Ctrl-C quit",
    "Ctrl-A all · Ctrl-R invert{order} · type to filter",
)
_FEW_KEYS = (
    "Space mark · Enter accept · Esc back",
    "Ctrl-A all · type to filter",
)
_ORDER_KEY = " · Ctrl-T busiest first"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the list: the question, why it is asked, and the titles of the cells."""

    title: str
    why: str = ""
    columns: tuple[str, ...] = ()

    def lines(self, width: int) -> list[str]:
        """The reason for the question, in lines."""
        return textwrap.wrap(self.why, max(width - 2, 20))


@dataclass(slots=True)
class Picker:
    """The state of the list, without any terminal: what is shown, chosen and under the cursor."""

    rows: Sequence[Row]
    height: int = 15
    text: str = ""
    cursor: int = 0
    top: int = 0
    chosen: set[str] = field(default_factory=set)
    shown: list[Row] = field(default_factory=list)
    heaviest_first: bool = False
    _haystacks: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chosen = {row.value for row in self.rows if row.chosen and not row.disabled}
        self._haystacks = {row.value: " ".join(row.cells).lower() for row in self.rows}
        self.shown = list(self.rows)

    def renew(self, rows: Sequence[Row]) -> None:
        """Show the same rows with more in them; what is marked, and where the cursor is, stays as it is."""
        here = self.shown[self.cursor].value if self.shown else None
        chosen, text = self.chosen, self.text
        self.rows = rows
        self._haystacks = {row.value: " ".join(row.cells).lower() for row in rows}
        self.text, top = "", self.top
        self.shown = list(self._ordered())
        self.filter(text)
        self.chosen = chosen & {row.value for row in rows}
        self.cursor = next((at for at, row in enumerate(self.shown) if row.value == here), 0)
        self.top = top
        self.scroll()

    def filter(self, text: str) -> None:
        """Show only the rows that every word of `text` fits."""
        words = text.lower().replace(",", " ").split()
        # Plain text typed behind plain text can only make the result smaller.
        narrows = text.startswith(self.text) and not set(text) & set(":*?[")
        self.text = text
        self.shown = [row for row in (self.shown if narrows else self._ordered()) if self._fits(row, words)]
        self.cursor = self.top = 0

    @property
    def has_weights(self) -> bool:
        """Whether there is anything to put the rows in order by."""
        return any(row.weight is not None for row in self.rows)

    def toggle_order(self) -> None:
        """The heaviest rows first, or the order they came in again; the cursor goes to the first."""
        if self.has_weights:
            self.heaviest_first = not self.heaviest_first
            fits = {row.value for row in self.shown}
            self.shown = [row for row in self._ordered() if row.value in fits]
            self.cursor = self.top = 0

    def _ordered(self) -> Sequence[Row]:
        if not self.heaviest_first:
            return self.rows
        return sorted(self.rows, key=lambda row: -1.0 if row.weight is None else row.weight, reverse=True)

    def move(self, by: int) -> None:
        """Move the cursor; it stops at both ends."""
        self.cursor = max(0, min(self.cursor + by, len(self.shown) - 1))
        self.scroll()

    def scroll(self) -> None:
        """Keep the cursor inside the window."""
        self.top = max(min(self.top, self.cursor), self.cursor - self.height + 1, 0)

    def toggle(self) -> None:
        """Choose the row under the cursor, or no longer."""
        if self.shown and not self.shown[self.cursor].disabled:
            self.chosen ^= {self.shown[self.cursor].value}

    def toggle_shown(self) -> None:
        """Choose all rows that are shown; clear them if all are chosen already. Hidden ones stay."""
        able = {row.value for row in self.shown if not row.disabled}
        if able <= self.chosen:
            self.chosen -= able
        else:
            self.chosen |= able

    def invert_shown(self) -> None:
        """Turn every shown row over. Hidden ones stay."""
        self.chosen ^= {row.value for row in self.shown if not row.disabled}

    def result(self) -> tuple[str, ...]:
        """What is chosen, in the order of the rows."""
        return tuple(row.value for row in self.rows if row.value in self.chosen)

    def counts(self) -> str:
        """`12 chosen, 340 of 1,742 shown`."""
        hidden = len(self.chosen) - sum(row.value in self.chosen for row in self.shown)
        aside = f" ({hidden:,} not shown)" if hidden else ""
        return f"{len(self.chosen):,} chosen{aside}, {len(self.shown):,} of {len(self.rows):,} shown"

    def window(self) -> Sequence[Row]:
        """The rows that are drawn."""
        return self.shown[self.top : self.top + self.height]

    def _fits(self, row: Row, words: Sequence[str]) -> bool:
        return all(self._fits_word(row, word) for word in words)

    def _fits_word(self, row: Row, word: str) -> bool:
        if ":" in word:
            return row.has_term(word)
        if "*" in word or "?" in word:
            return any(fnmatchcase(cell.lower(), word) for cell in row.cells)
        return word in self._haystacks[row.value]


def draw(picker: Picker, heading: Heading, width: int) -> _Fragments:
    """The list as styled pieces of text, in lines of at most `width` columns."""
    found: _Fragments = [("", "? "), ("bold", shorten(heading.title, width - 2)), ("", "\n")]
    for text in heading.lines(width):
        found.extend([("ansibrightblack", f"  {text}"), ("", "\n")])
    if picker.text or len(picker.rows) >= _FILTER_FROM:
        found.append(("", shorten(f"  filter: {picker.text}", max(width - 1, 1))))
        found.append(("reverse", " "))
        if not picker.text:
            found.append(("ansibrightblack", shorten(_examples(picker.rows), max(width - 12, 0))))
        found.append(("", "\n"))
    widths = _widths([row.cells for row in picker.window()] + [heading.columns], width)
    if heading.columns:
        titles = f"{' ' * _MARKS}{_aligned(heading.columns, widths)}".rstrip()
        found.extend([("bold", shorten(titles, width)), ("", "\n")])
    if not picker.shown:
        found.extend([("italic", "  (nothing fits the filter)"), ("", "\n")])
    for row in picker.window():
        here = row is picker.shown[picker.cursor]
        mark = "   " if row.disabled else "[x]" if row.value in picker.chosen else "[ ]"
        text = shorten(f"{'>' if here else ' '} {mark} {_said(row, widths)}".rstrip(), width)
        found.extend([("reverse" if here else "", text), ("", "\n")])
    if any(_cut(row, widths, width) for row in picker.window()):
        found.extend([("ansibrightblack", _in_full(picker, widths, width)), ("", "\n")])
    found.extend([("", shorten(f"  {picker.counts()}", width)), ("", "\n")])
    keys = "\n".join(shorten(f"  {text}", width) for text in _keys(picker, width))
    found.append(("ansibrightblack", keys))
    return found


def _said(row: Row, widths: Sequence[int]) -> str:
    """The cells in their columns, and why the row cannot be chosen."""
    cells = _aligned(row.cells, widths)
    return f"{cells.rstrip()}  ({row.disabled})" if row.disabled else cells


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(padded(shorten(cell, w), w) for cell, w in zip(cells, widths, strict=False))


def _cut(row: Row, widths: Sequence[int], width: int) -> bool:
    """Whether something of the row has no room in its line."""
    return bool(_missing(row, widths)) or _MARKS + width_of(_said(row, widths).rstrip()) > width


def _missing(row: Row, widths: Sequence[int]) -> list[str]:
    """The cells that are cut, or left out with their column."""
    cut = [cell for cell, w in zip(row.cells, widths, strict=False) if width_of(cell) > w]
    return cut + [cell for cell in row.cells[len(widths) :] if cell]


def _in_full(picker: Picker, widths: Sequence[int], width: int) -> str:
    """What had to be cut of the row under the cursor."""
    row = picker.shown[picker.cursor]
    if not _cut(row, widths, width):
        return ""
    long = _missing(row, widths)
    return shorten(f"  > {': '.join([*long, row.disabled] if row.disabled else long)}", width)


def _examples(rows: Sequence[Row]) -> str:
    """What can be typed besides parts of names, by the terms of the first row."""
    kinds = [f"{term.partition(':')[0]}:" for term in rows[0].terms] if rows else []
    return f" parts of names, *, {', '.join(kinds)}" if kinds else ""


def _keys(picker: Picker, width: int) -> list[str]:
    """What the keys do, the most needed first, in as many words as there is room for."""
    order = _ORDER_KEY if picker.has_weights else ""
    keys = [text.format(order=order) for text in _KEYS]
    return keys if max(map(len, keys)) + 2 <= width else list(_FEW_KEYS)


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Column widths of the window.

    If there is too little room, first the last column gives way, which says the least, and is left out in the
    end; then the widest, where the first counts half.
    """
    columns = max((len(cells) for cells in rows), default=0)
    widths = [max(width_of(cells[i]) if i < len(cells) else 0 for cells in rows) for i in range(columns)]
    if columns > 1 and _over(widths, width) > 0:
        widths[-1] = max(widths[-1] - _over(widths, width), min(widths[-1], _LAST))
        if _over(widths, width) > 0:
            widths.pop()
    while _over(widths, width) > 0 and max(widths) > _NARROWEST:
        able = [i for i, w in enumerate(widths) if w > _NARROWEST]
        widths[max(able, key=lambda i: widths[i] / (2 if i == 0 else 1))] -= 1
    return widths


def _over(widths: Sequence[int], width: int) -> int:
    """By how many columns of the terminal these widths are too much."""
    return sum(widths) + 2 * (len(widths) - 1) + _MARKS - width


def pick(
    heading: Heading,
    rows: Sequence[Row],
    *,
    later: Later | None = None,
    output: Output | None = None,
    input_: Input | None = None,
    depth: ColorDepth | None = None,
) -> tuple[str, ...]:
    """Let a person choose. Raises `Back` on Esc and KeyboardInterrupt on Ctrl-C.

    `later` waits for the same rows with more in them; nobody waits for it.
    """
    picker = Picker(rows)
    application = _application(picker, heading, output, input_, depth)
    accepted = application.run(pre_run=lambda: _follow(application, picker, later) if later else None)
    if not accepted:
        raise Back
    return picker.result()


def _follow(application: Application[bool], picker: Picker, later: Later) -> None:
    """Put in what comes later, once it is there; a list that is closed by then stays closed."""
    loop = application.loop
    assert loop is not None

    def arrived(rows: Sequence[Row]) -> None:
        picker.renew(rows)
        application.invalidate()

    def wait() -> None:
        rows = later()
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(arrived, rows)

    threading.Thread(target=wait, name="later", daemon=True).start()


def _application(
    picker: Picker,
    heading: Heading,
    output: Output | None,
    input_: Input | None,
    depth: ColorDepth | None,
) -> Application[bool]:
    from prompt_toolkit.application import Application
    from prompt_toolkit.layout import Layout, Window
    from prompt_toolkit.layout.controls import FormattedTextControl

    def text() -> _Fragments:
        size = application.output.get_size()
        above = len(heading.lines(size.columns - 1)) + bool(heading.columns)
        picker.height = max(min(size.rows - _CHROME - 1 - above, len(picker.rows)), 1)
        picker.scroll()
        return draw(picker, heading, size.columns - 1)

    control = FormattedTextControl(text, focusable=True, show_cursor=False)
    application: Application[bool] = Application(
        layout=Layout(Window(control, always_hide_cursor=True)),
        key_bindings=_bindings(picker),
        output=output,
        input=input_,
        color_depth=depth,
        erase_when_done=True,
    )
    application.ttimeoutlen = 0.05
    return application


def _bindings(picker: Picker) -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()
    moves = {
        "up": lambda: -1,
        "down": lambda: 1,
        "pageup": lambda: -picker.height,
        "pagedown": lambda: picker.height,
        "home": lambda: -len(picker.shown),
        "end": lambda: len(picker.shown),
    }
    for key, by in moves.items():
        keys.add(key)(lambda _event, by=by: picker.move(by()))
    keys.add(" ")(lambda _event: picker.toggle())
    keys.add("c-a")(lambda _event: picker.toggle_shown())
    keys.add("c-r")(lambda _event: picker.invert_shown())
    keys.add("c-t")(lambda _event: picker.toggle_order())
    keys.add("backspace")(lambda _event: picker.filter(picker.text[:-1]))
    keys.add("c-u")(lambda _event: picker.filter(""))
    keys.add("enter")(lambda event: event.app.exit(result=True))
    keys.add("escape", eager=True)(lambda event: event.app.exit(result=False))
    leave_on_interrupt(keys)

    @keys.add(Keys.BracketedPaste)
    def _paste(event: KeyPressEvent) -> None:
        picker.filter(picker.text + " ".join(event.data.split()))

    @keys.add(Keys.Any)
    def _type(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            picker.filter(picker.text + event.data)

    return keys
