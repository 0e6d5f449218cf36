"""Blocks as GitHub's Markdown: for a job's summary, an issue, a comment.

Nothing of what others wrote is markup in it: punctuation that Markdown knows is escaped, and so is `@`, which
would notify somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ddsetup.model.blocks import Bars, Block, Code, Flames, Series, Table
from ddsetup.model.foreign import harmless
from ddsetup.model.lines import Line, Look, Span
from ddsetup.show.charts import bar
from ddsetup.show.layout import plain_text

_MARKUP = re.compile(r"([\\`*_\[\]#|~$])")
_BEGINS_LIST = re.compile(r"^([-+]|\d+[.)])(?= |$)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_CHART = Look(width=80)


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as one document, paragraphs apart by empty lines."""
    parts: list[str] = []
    lines: list[Line] = []
    for block in blocks:
        if isinstance(block, tuple):
            lines.append(block)
            continue
        parts.extend((*_lists(lines), _block(block)))
        lines.clear()
    parts.extend(_lists(lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """A text that is nothing but text in Markdown."""
    text = _MARKUP.sub(r"\\\1", " ".join(harmless(text).split())).translate(_ENTITIES)
    begins = _BEGINS_LIST.match(text)
    return f"{begins[0][:-1]}\\{begins[0][-1]}{text[begins.end() :]}" if begins else text


def code(text: str) -> str:
    """A text between as many backticks as it takes."""
    text = harmless(text)
    ticks = "`" * (_longest_run(text) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{blank}{text}{blank}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Lines as they are, between as many backticks as it takes."""
    lines = [harmless(each.expandtabs()) for each in text.splitlines()]
    ticks = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    known = language if re.fullmatch("[a-z]+", language) else ""
    return "\n".join((f"{ticks}{known}", *lines, ticks))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _block(block: Table | Bars | Series | Flames | Code) -> str:
    match block:
        case Table():
            return _table(block.head, [[_span(cell) for cell in row] for row in block.rows])
        case Bars():
            rows = [
                [escaped(each.label), code(_bar(each.value, block)), escaped(f"{each.figure} {each.note}")]
                for each in block.bars
            ]
            return _table(("", block.title, ""), rows)
        case Series() | Flames():
            return fenced(plain_text([block], _CHART))
        case Code():
            return fenced(block.text, block.language)


def _bar(value: float, block: Bars) -> str:
    return bar(value, max(each.value for each in block.bars), 20) or " "


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # A bar in code ends a cell all the same.
    said = [[cell.replace("|", r"\|") if cell.startswith("`") else cell for cell in row] for row in rows]
    lines = [f"| {' | '.join(map(escaped, head))} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in said)])


def _lists(lines: Sequence[Line]) -> Iterator[str]:
    """Headings, and between them lists that are nested as the lines are indented."""
    items: list[str] = []
    indents: list[int] = []
    for spans in lines:
        heading = bool(spans) and spans[0].style == "heading"
        if heading or not spans:
            yield "\n".join(items)
            items, indents = [], []
        if heading:
            title, *rest = spans
            yield " ".join(part for part in (f"### {escaped(title.text)}", *map(_span, rest)) if part)
        elif spans:
            text = "".join(span.text for span in spans)
            indent = len(text) - len(text.lstrip())
            while indents and indents[-1] >= indent:
                indents.pop()
            items.append(f"{'  ' * len(indents)}- {' '.join(filter(None, map(_span, spans)))}")
            indents.append(indent)
    yield "\n".join(items)


def _span(span: Span) -> str:
    text = span.text.strip()
    if not text:
        return ""
    if span.style == "code":
        return f"<{text}>" if re.fullmatch(r"https://[^\s<>\\`]+", text) else code(text)
    if span.style == "bold":
        return f"**{_with_code(text)}**"
    return _with_code(text)


def _with_code(text: str) -> str:
    """What stands in backticks is a command of ours, or a name."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code(part) if at % 2 else _kept(part) for at, part in enumerate(parts))


def _kept(text: str) -> str:
    """Escaped, with the blanks at its ends."""
    left = " " if text[:1] == " " else ""
    right = " " if text[-1:] == " " and text.strip() else ""
    return f"{left}{escaped(text)}{right}"
