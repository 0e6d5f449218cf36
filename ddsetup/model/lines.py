"""Lines of text with styles, made by `render`, printed by `console`.

A style only adds to what the text says by itself; nothing is said by colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup.model.foreign import harmless, line_of_log

Style: TypeAlias = Literal["", "bold", "dim", "good", "bad", "warn", "added", "removed", "heading", "code"]
"""`code` is what somebody may copy (a command, an address): it is never broken into lines."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line in one style.

    Whoever wrote its text, it is only text: what would steer a terminal or hide stands in it as an escape.
    """

    text: str
    style: Style = ""

    def __post_init__(self) -> None:
        if not (self.text.isascii() and self.text.isprintable()):
            object.__setattr__(self, "text", harmless(self.text))


Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """How much room there is and how much is wanted. `width` 0: lines may be of any length."""

    width: int = 0
    verbose: bool = False


def line(*parts: str | Span) -> Line:
    """A line of texts and styled pieces."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts if part != "")


def text_of(lines: Iterable[Line]) -> str:
    """The lines without their styles, each ended by a newline."""
    return "".join(line_of_log("".join(span.text for span in spans).rstrip()) + "\n" for spans in lines)


def logged(spans: Line) -> Line:
    """The line as the log of a CI service may hold it, which takes some beginnings for commands."""
    text = "".join(span.text for span in spans)
    safe = line_of_log(text)
    return spans if safe == text else (Span(safe, spans[0].style),)


def wrapped(spans: Line, width: int, hang: int = 0) -> list[Line]:
    """The line as lines of at most `width` columns, broken between words; 0: as it is.

    What follows is indented by `hang` columns, or a little more than the first line. A word that is wider
    than all is left whole, and so is what stands in backticks: it is there to be copied.
    """
    text = "".join(span.text for span in spans)
    if width <= 0 or width_of(text) <= width or any(span.style == "code" for span in spans):
        return [spans]
    indent = min(hang or len(text) - len(text.lstrip()) + 2, max(width // 2, 1))
    found: list[list[Span]] = [[]]
    used = 0
    for span in spans:
        for word in _WORDS.findall(span.text):
            blank, room = word.isspace(), width_of(word)
            if not blank and used + room > width >= indent + room:
                found.append([Span(" " * indent)])
                used = indent
            elif blank and used >= width:
                continue
            found[-1].append(Span(word, span.style))
            used += room
    return [tuple(pieces) for pieces in found]


_WORDS = re.compile(r" +|(?:`[^`]*`|[^ `]|`)+")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 change`, `2 changes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def and_more(left: int, what: str = "more", indent: int = 2) -> list[Line]:
    """How many are not shown, and how to see them; nothing where all are."""
    return [line(Span(f"{' ' * indent}… and {left:,} {what} (-v shows all)", "dim"))] if left > 0 else []


def rough(number: float) -> str:
    """A count in at most five characters: `830`, `12.3k`, `1.2M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # 999,950 would round to 1000.0k.
        if number >= size * 0.99995:
            parts = number / size
            return f"{parts:.1f}{unit}" if parts < 99.95 else f"{parts:.0f}{unit}"
    return f"{number:.0f}"


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes: two for a letter of Chinese or Japanese and most emoji."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int) -> str:
    """`text`, and blanks up to `width` columns."""
    return text + " " * (width - width_of(text))


def beginning(text: str, width: int) -> str:
    """As much of the beginning of a text as goes into `width` columns."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for at, character in enumerate(text):
        used += width_of(character)
        if used > width:
            return text[:at]
    return text


def _end(text: str, width: int) -> str:
    return beginning(text[::-1], width)[::-1]


def cut(text: str, width: int) -> str:
    """The beginning of a text, as much as there is room for."""
    return text if width_of(text) <= width else f"{beginning(text, max(1, width - 1))}…"


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns, its middle left out: names differ at both ends."""
    if width <= 0 or width_of(text) <= width:
        return text
    if width < 5:
        return beginning(text, width)
    tail = (width - 1) // 2
    return f"{beginning(text, width - 1 - tail)}…{_end(text, tail)}"


def names(items: Sequence[str], shown: int) -> str:
    """The first names of a long list, and how many there are besides."""
    if shown <= 0 or len(items) <= shown:
        return ", ".join(items)
    return f"{', '.join(items[:shown])} and {len(items) - shown:,} more"
