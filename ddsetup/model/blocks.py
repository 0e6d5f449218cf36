"""What a report consists of: lines, tables, charts, changes of files. Made once, printed in several ways.

A renderer says what is there; how wide, in which characters or with which marks is the printers' business:
`layout` for terminals and plain text, `markdown`, and `page` for HTML. All text in blocks is a `Span`'s or
becomes one, so that what others wrote is harmless in each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ddsetup.model.lines import Line, Span, Style


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under titles. Where there is little room, the first column gives way."""

    head: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    prose: bool = False
    """Whether the last column holds texts, which may go on in further lines."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: how long, and how far from the left, in the unit of its block; `figure` says it in words."""

    label: str
    value: float
    figure: str
    note: str = ""
    style: Style = "good"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one scale, that of the largest. `title` says what is measured."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time: (milliseconds since 1970, value) each `interval_ms`; `figures` says what matters.

    `floor` is the value at the bottom; None: the smallest.
    """

    title: str
    points: tuple[tuple[float, float], ...]
    interval_ms: float
    figures: str
    times: str = ""
    floor: float | None = None
    beside: bool = False
    """Whether it stands in one line with its title and figures."""


@dataclass(frozen=True, slots=True)
class Flame:
    """One span of a trace, in milliseconds from its beginning. `facts` is what there is to say of it."""

    title: str
    start: float
    length: float
    depth: int
    failed: bool
    figure: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Flames:
    """The spans of a trace, parents before children; `whole` is how long all of it took.

    `shown` are the places of those that are drawn where there is little room.
    """

    rows: tuple[Flame, ...]
    whole: float
    shown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be copied as they are, in a language that a highlighter knows (`diff`: what changes)."""

    text: str
    language: str = ""
    indent: int = 4
    """Where it stands on a terminal; what programs read begins at the margin."""


Block: TypeAlias = Line | Table | Bars | Series | Flames | Code


def table(head: Sequence[str], rows: Sequence[Sequence[Span]], *, prose: bool = False) -> list[Block]:
    """Rows in columns; `prose` as in `Table`."""
    return [Table(tuple(head), tuple(tuple(row) for row in rows), prose)]
