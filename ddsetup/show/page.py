"""Blocks as one page of HTML: in one file, without network or script, to look at, to print and to hand on.

The frame is a template with autoescape; nothing that others wrote becomes markup, and the page's own policy
lets nothing be loaded or executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ddsetup.model.blocks import Bar, Bars, Block, Code, Flame, Flames, Series, Table
from ddsetup.model.foreign import harmless
from ddsetup.model.lines import Line, Span
from ddsetup.model.report import Report
from ddsetup.show.layout import changed

if TYPE_CHECKING:
    from jinja2 import Template

_WIDTH, _HEIGHT = 600.0, 60.0
"""The size of a chart of values over time, in units of its own."""
_ADDRESS = re.compile(r"https://[^\s<>\"'`\\]+")


def page(report: Report, blocks: Iterable[Block], at: datetime) -> str:
    """The page of a report, made at `at`."""
    facts = [("Account", report.account), ("Regions", ", ".join(report.regions)), ("Run", report.run)]
    facts += [("Ended as", f"{report.status} (exit code {report.exit_code})")]
    facts += [("Made", f"{at:%Y-%m-%d %H:%M} UTC"), ("In", "a sandbox" if report.sandbox else "")]
    return _frame().render(
        title=harmless(f"ddsetup {report.command}"),
        facts=[(name, harmless(text)) for name, text in facts if text],
        error={name: harmless(text) for name, text in (report.error or {}).items()},
        sections=_sections(blocks),
    )


@cache
def _frame() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = resources.files("ddsetup.data").joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)


def _sections(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """What stands under each heading, as what the template knows."""
    found: list[dict[str, Any]] = [{"title": (), "parts": []}]
    lines: list[Line] = []

    def end_of_lines() -> None:
        if lines:
            found[-1]["parts"].append({"kind": "list", "items": _nested(lines)})
            lines.clear()

    for block in blocks:
        if not isinstance(block, tuple):
            end_of_lines()
            found[-1]["parts"].append(_part(block))
        elif block and block[0].style == "heading":
            end_of_lines()
            found.append({"title": _spans(block), "parts": []})
        elif block:
            lines.append(block)
        else:
            end_of_lines()
    end_of_lines()
    return [section for section in found if section["title"] or section["parts"]]


def _nested(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as items of lists that are nested as the lines are indented."""
    top: list[dict[str, Any]] = []
    above: list[tuple[int, list[dict[str, Any]]]] = [(-1, top)]
    for spans in lines:
        text = "".join(span.text for span in spans)
        indent = len(text) - len(text.lstrip())
        while above[-1][0] >= indent:
            above.pop()
        item: dict[str, Any] = {"spans": _spans(spans), "items": []}
        above[-1][1].append(item)
        above.append((indent, item["items"]))
    return top


def _spans(spans: Line) -> list[dict[str, str]]:
    """Pieces of text with their class, and where one leads."""
    found: list[dict[str, str]] = []
    for span in spans:
        for at, text in enumerate(re.split(r"`([^`]+)`", span.text)):
            style = "code" if at % 2 or span.style == "code" else span.style
            address = text if span.style == "code" and _ADDRESS.fullmatch(text) else ""
            if text:
                found.append({"text": text, "style": style, "address": address})
    return found


def _part(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            rows = [[_spans((cell,)) for cell in row] for row in block.rows]
            return {"kind": "table", "head": [harmless(title) for title in block.head], "rows": rows}
        case Bars():
            largest = max((each.value for each in block.bars), default=0) or 1
            return {
                "kind": "bars",
                "title": harmless(block.title),
                "bars": [_bar(each, largest) for each in block.bars],
            }
        case Series():
            words = [harmless(text) for text in (block.title, block.figures, block.times)]
            return {"kind": "series", "title": words[0], "figures": " ".join(words[1:]), **_points(block)}
        case Flames():
            return {"kind": "flames", "rows": _tree(block)}
        case Code(text=text, language=language):
            lines = [Span(each.expandtabs()).text for each in text.splitlines()]
            styles = [changed(each) if language == "diff" else "" for each in lines]
            return {"kind": "code", "lines": list(zip(lines, styles, strict=True))}
    return {}


def _bar(each: Bar, largest: float) -> dict[str, Any]:
    words = {"label": harmless(each.label), "figure": harmless(f"{each.figure} {each.note}")}
    return {**words, "style": each.style, "width": _number(100 * each.value / largest)}


def _points(block: Series) -> dict[str, Any]:
    """The curve, in the units of the chart; points that are far apart are not joined."""
    if not block.points:
        return {"curves": [], "dots": []}
    values = [value for _, value in block.points]
    low = min(values) if block.floor is None else block.floor
    high, first, last = max(values), block.points[0][0], block.points[-1][0]
    curves: list[list[str]] = []
    before = float("-inf")
    for at, value in block.points:
        x = (at - first) / ((last - first) or 1) * _WIDTH
        y = _HEIGHT - (value - low) / ((high - low) or 1) * _HEIGHT
        if at - before > 3 * block.interval_ms:
            curves.append([])
        curves[-1].append(f"{_number(x)},{_number(y)}")
        before = at
    return {
        "curves": [" ".join(each) for each in curves if len(each) > 1],
        "dots": [each[0].split(",") for each in curves if len(each) == 1],
    }


def _tree(block: Flames) -> list[dict[str, Any]]:
    return [_flame(row, block.whole or 1) for row in block.rows]


def _flame(row: Flame, whole: float) -> dict[str, Any]:
    left = min(max(100 * row.start / whole, 0), 99.5)
    return {
        "title": harmless(row.title),
        "figure": harmless(row.figure),
        "depth": min(row.depth, 20),
        "style": "bad" if row.failed else "good" if row.depth % 2 else "warn",
        "failed": row.failed,
        "left": _number(left),
        "width": _number(min(max(100 * row.length / whole, 0.5), 100 - left)),
        "facts": [(name, harmless(text)) for name, text in row.facts if text],
    }


def _number(value: float) -> str:
    return f"{value:.2f}"
