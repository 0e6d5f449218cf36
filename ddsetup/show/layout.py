"""Blocks as lines, for a terminal of some width and for plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ddsetup.model.blocks import Bars, Block, Code, Flames, Series, Table
from ddsetup.model.lines import (
    Line,
    Look,
    Span,
    Style,
    and_more,
    cut,
    line,
    padded,
    shorten,
    text_of,
    width_of,
    wrapped,
)
from ddsetup.show.charts import bar, sparkline, strip, timeline

WIDTH = 100
"""Columns where nobody is watching: a log has no width, but a chart needs one."""
_POINTS = 60
_DEPTH = 8
_CHANGED: dict[str, Style] = {"+": "added", "-": "removed", "@": "dim"}


def laid_out(blocks: Iterable[Block], look: Look) -> list[Line]:
    """The lines of all blocks."""
    found: list[Line] = []
    for block in blocks:
        match block:
            case Table():
                found.extend(_table(block, look))
            case Bars():
                found.extend(_bars(block, look))
            case Series():
                found.extend(_series(block, look))
            case Flames():
                found.extend(_flames(block, look))
            case Code():
                found.extend(_code(block))
            case _:
                found.append(block)
    return found


def plain_text(blocks: Iterable[Block], look: Look) -> str:
    """The blocks as text without styles."""
    return text_of(laid_out(blocks, look))


def _table(block: Table, look: Look) -> list[Line]:
    """Rows in columns. If they are too wide, the first column gives way, down to 12 characters; where it is
    there to be copied, it is not cut, but stands above the others."""
    widths = [
        max(width_of(title), *(width_of(row[i].text) for row in block.rows))
        if block.rows
        else width_of(title)
        for i, title in enumerate(block.head)
    ]
    if look.width and not look.verbose:
        room = look.width - 2 * len(widths) - sum(widths[1:])
        if widths[0] > room and any(row[0].style == "code" for row in block.rows):
            return _narrow(block, widths, look.width) if block.prose else _stacked(block, widths)
        widths[0] = min(widths[0], max(room, 12))
    found = [line(*_in_columns([Span(title, "bold") for title in block.head], widths))]
    found.extend(line(*_in_columns(row, widths)) for row in block.rows)
    return found


def _narrow(block: Table, widths: Sequence[int], width: int) -> list[Line]:
    """The last column in lines of its own width; where its words have no room, each cell in a line."""
    before = 2 * len(widths) + sum(widths[:-1])
    found: list[Line] = []
    for *cells, last in ([Span(title, "bold") for title in block.head], *block.rows):
        first, *more = wrapped((last,), max(1, width - before))
        found.append(line(*_in_columns(cells, widths[:-1]), "  ", *first))
        found.extend(line(" " * before, *part) for part in more)
    fits = all(sum(width_of(span.text) for span in spans) <= width for spans in found)
    return found if fits else _listed(block, width)


def _listed(block: Table, width: int) -> list[Line]:
    """Each cell that says something in a line, by its title."""
    found: list[Line] = []
    titles = block.head[1:]
    name = max(map(width_of, titles))
    for first, *cells in block.rows:
        found.append(line("  ", first))
        for title, cell in zip(titles, cells, strict=True):
            if cell.text not in ("", "-"):
                said, *more = wrapped((cell,), width - name - 6)
                found.append(line("    ", Span(padded(title, name), "bold"), "  ", *said))
                found.extend(line(" " * (name + 6), *part) for part in more)
    return found


def _stacked(block: Table, widths: Sequence[int]) -> list[Line]:
    """Each row in two lines: the first cell whole, and the others below it."""
    found: list[Line] = []
    for row in ([Span(title, "bold") for title in block.head], *block.rows):
        found.append(line("  ", row[0]))
        found.append(line("  ", *_in_columns(row[1:], widths[1:])))
    return found


def _in_columns(cells: Sequence[Span], widths: Sequence[int]) -> list[Span]:
    spans: list[Span] = []
    for cell, width in zip(cells, widths, strict=True):
        text = shorten(cell.text, width)
        spans.extend((Span("  "), Span(text, cell.style), Span(" " * (width - width_of(text)))))
    return spans


def _bars(block: Bars, look: Look) -> list[Line]:
    room = (look.width or WIDTH) - 4
    tail = max(width_of(each.figure) + width_of(each.note) for each in block.bars)
    name = min(max(width_of(each.label) for each in block.bars), max(12, room - tail - 12))
    width = max(6, min(40, room - tail - name - 2))
    largest = max(each.value for each in block.bars)
    return [
        line(
            f"  {padded(shorten(each.label, name), name)} ",
            Span(f"{bar(each.value, largest, width):<{width}}", each.style),
            f" {each.figure}",
            Span(each.note, "dim"),
        )
        for each in block.bars
    ]


def _series(block: Series, look: Look) -> list[Line]:
    width = look.width or WIDTH
    room = min(_POINTS, max(20, width - 44) if block.beside else width - 4)
    drawn = Span(sparkline(timeline(block.points, block.interval_ms, room), floor=block.floor), "good")
    if block.beside:
        return [line(f"  {block.title}  ", drawn, f"  {block.figures}")]
    title = [line("  ", Span(cut(block.title, width - 4), "bold"))] if block.title else []
    return [*title, line("  ", drawn), line("  ", block.figures, Span(block.times, "dim"))]


def _flames(block: Flames, look: Look) -> list[Line]:
    width = look.width or WIDTH
    rows = block.rows if look.verbose else [block.rows[at] for at in block.shown]
    if not rows:
        return []
    titles = [f"{'  ' * min(row.depth, _DEPTH)}{row.title}" for row in rows]
    name = min(max(map(width_of, titles)), max(16, width // 2 - 8))
    room = max(10, width - name - 18)
    found: list[Line] = []
    for row, title in zip(rows, titles, strict=True):
        style: Style = "bad" if row.failed else "good" if row.depth % 2 else "warn"
        drawn = strip(row.start, row.length, block.whole, room)
        found.append(
            line(
                f"    {padded(cut(title, name), name)} ",
                Span(f"{drawn:<{room}}", style),
                f" {row.figure:>9}",
                Span(" ✗" if row.failed else "", "bad"),
            )
        )
    return [*found, *and_more(len(block.rows) - len(rows), "shorter spans", indent=4)]


def _code(block: Code) -> list[Line]:
    if block.language == "diff":
        return [line(Span(text.expandtabs(), changed(text))) for text in block.text.splitlines()]
    blanks = " " * block.indent
    return [line(blanks, Span(text.expandtabs(), "code")) for text in block.text.splitlines()]


def changed(text: str) -> Style:
    """The style of a line of a diff."""
    return _CHANGED.get(text[:1], "")
