"""Draw what is on the screen of a terminal as SVG: one picture, or several that follow each other.

An SVG made here refers to nothing outside of it, holds text that can be selected, and stands still where the
reader wants no motion.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

import pyte

WIDE, HIGH = 8.4, 19
"""Pixels of a character."""
_AROUND, _BAR = 14, 34
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_PAPER, _INK = "#16181d", "#d5d8df"
_COLOURS: Mapping[str, str] = {
    "black": "#3b4048",
    "red": "#ff7b72",
    "green": "#5fd38d",
    "brown": "#e3b341",
    "blue": "#79b8ff",
    "magenta": "#d2a8ff",
    "cyan": "#56d4dd",
    "white": _INK,
    "brightblack": "#8b93a1",
}
"""pyte's names of the colours that ddsetup uses."""
_SECONDS = 3.5


@dataclass(frozen=True)
class Cell:
    """One character and how it looks."""

    text: str
    colour: str = _INK
    paper: str = ""
    bold: bool = False

    @property
    def look(self) -> tuple[str, str, bool]:
        return self.colour, self.paper, self.bold


Frame = tuple[tuple[Cell, ...], ...]
"""The lines of a screen."""


def frame(screen: pyte.Screen, changing: Sequence[tuple[re.Pattern[str], str]]) -> Frame:
    """What is on the screen now. What differs each time is replaced by something of the same length."""
    buffer = copy.deepcopy(screen.buffer)
    rows = []
    for y in range(screen.lines):
        cells = [_cell(buffer[y][x]) for x in range(screen.columns)]
        text = "".join(cell.text for cell in cells)
        for pattern, shown in changing:
            for found in pattern.finditer(text):
                fitted = found.expand(shown).ljust(len(found[0]))[: len(found[0])]
                for x, character in enumerate(fitted, found.start()):
                    cells[x] = Cell(character, *cells[x].look)
        rows.append(tuple(cells))
    return tuple(rows)


def _cell(character: Any) -> Cell:
    colour = _colour(character.fg) or _INK
    paper = _colour(character.bg)
    if character.reverse:
        colour, paper = paper or _PAPER, colour
    return Cell(character.data or " ", colour, paper, character.bold)


def _colour(name: str) -> str:
    """A colour by its name, or by the six digits that pyte gives for those without one; "" if it is usual."""
    return f"#{name}" if re.fullmatch(r"[0-9a-f]{6}", name) else _COLOURS.get(name, "")


def picture(title: str, frames: Sequence[Frame]) -> str:
    """An SVG of the frames, each shown for a moment if there are several."""
    columns = max(len(row) for each in frames for row in each)
    lines = max(len(each) for each in frames)
    width = round(columns * WIDE + 2 * _AROUND)
    height = lines * HIGH + _BAR + _AROUND
    drawn = "\n".join(
        f'<g class="frame" id="f{number}">\n{_drawn(each)}</g>' for number, each in enumerate(frames)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}"
  width="{width}">
<title>{escape(title)}</title>
<style>
text {{ font: 14px {_FONT}; white-space: pre; fill: {_INK}; }}
{_motion(len(frames))}</style>
<rect width="{width}" height="{height}" rx="8" fill="{_PAPER}"/>
<circle cx="20" cy="18" r="5.5" fill="#ff5f57"/>
<circle cx="38" cy="18" r="5.5" fill="#febc2e"/>
<circle cx="56" cy="18" r="5.5" fill="#28c840"/>
<text x="{width / 2:g}" y="22" text-anchor="middle" style="fill: #8b93a1">{escape(title)}</text>
{drawn}
</svg>
"""


def _motion(number: int) -> str:
    """One frame after the other; the last one, at rest, where there is no motion or nobody wants it."""
    if number < 2:
        return ""
    whole, share = number * _SECONDS, 100 / number
    rules = [
        f".frame {{ visibility: hidden; animation: show {whole:g}s step-end infinite; }}",
        f"@keyframes show {{ 0% {{ visibility: visible; }} {share:g}% {{ visibility: hidden; }} }}",
        *(f"#f{n} {{ animation-delay: {n * _SECONDS - whole:g}s; }}" for n in range(number)),
        f"#f{number - 1} {{ visibility: visible; }}",
        "@media (prefers-reduced-motion: reduce) { .frame { animation: none; } }",
    ]
    return "\n".join(rules) + "\n"


def _drawn(rows: Frame) -> str:
    found = []
    for y, row in enumerate(rows):
        pieces = list(_pieces(row))
        top = _BAR + y * HIGH
        for at, cells in pieces:
            if cells[0].paper:
                found.append(
                    f'<rect x="{_AROUND + at * WIDE:g}" y="{top}" width="{len(cells) * WIDE:g}" '
                    f'height="{HIGH}" fill="{cells[0].paper}"/>\n'
                )
        spans = "".join(_spans(at, cells) for at, cells in pieces)
        if spans:
            found.append(f'<text y="{top + 14}">{spans}</text>\n')
    return "".join(found)


def _pieces(row: Sequence[Cell]) -> Iterator[tuple[int, list[Cell]]]:
    """Cells next to each other that look alike, with the column of the first."""
    at = 0
    for _, alike in groupby(row, key=lambda cell: cell.look):
        cells = list(alike)
        yield at, cells
        at += len(cells)


def _spans(at: int, cells: Sequence[Cell]) -> str:
    """Words at their columns, as wide as they are on the screen whatever the reader's font."""
    colour = "" if cells[0].colour == _INK else f' style="fill: {cells[0].colour}"'
    bold = ' font-weight="bold"' if cells[0].bold else ""
    return "".join(
        f'<tspan x="{_AROUND + (at + words.start()) * WIDE:g}" textLength="{len(words[0]) * WIDE:g}"'
        f"{colour}{bold}>{escape(words[0])}</tspan>"
        for words in re.finditer(r"\S+(?: \S+)*", "".join(cell.text for cell in cells))
    )
