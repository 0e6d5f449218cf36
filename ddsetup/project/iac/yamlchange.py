"""The smallest text changes to a YAML or JSON document: whole lines where it is written in lines.

Nothing is written anew: what is added takes its indentation, quotes and line ends from what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ddsetup.project.iac.model import CannotEdit
from ddsetup.project.iac.source import Splice
from ddsetup.project.iac.yamldoc import (
    MAP,
    Document,
    Node,
    column,
    dash_step,
    end,
    first_dash,
    is_alias,
    is_flow,
    is_null,
    start,
    step,
)
from ddsetup.project.iac.yamltext import (
    Plain,
    Quoted,
    Value,
    as_json,
    block_entries,
    block_items,
    flow,
    scalar,
)


def set_scalar(document: Document, node: Node, value: Plain) -> Splice:
    """Another value in the same place, in the same quotes.

    Raises CannotEdit for a value that is not simply written there.
    """
    raw = document.text[start(node) : end(node)]
    if node.id != "scalar" or raw[:1] in ("&", "!", "|", ">", "*"):
        raise CannotEdit("a value that has to change is not a simple one")
    if document.json:
        return Splice(start(node), end(node), as_json(value, None))
    return Splice(start(node), end(node), scalar(value, style=node.style))


def rename_key(document: Document, key: Node, name: str) -> Splice:
    """Another name for a key, in the same quotes."""
    raw = document.text[start(key) : end(key)]
    quote = raw[0] if raw[:1] in ("'", '"') else ""
    return Splice(start(key), end(key), f"{quote}{name}{quote}")


def add_entries(
    document: Document, mapping: Node, entries: Mapping[str, Value], *, gap: bool = False
) -> Splice:
    """New keys after the last one of a mapping that has some. `gap`: with an empty line before them."""
    if is_flow(mapping):
        return _add_to_flow(document, mapping, entries)
    indent = column(document, start(mapping.value[0][0]))
    at = _after(document, mapping, indent)
    lines = block_entries(entries, indent, step(document), dash=dash_step(document))
    blank_before = document.text[:at].endswith(("\n\n", "\n\r\n"))
    return _lines_at(document, at, ["", *lines] if gap and not blank_before else lines)


def _add_to_flow(document: Document, mapping: Node, entries: Mapping[str, Value]) -> Splice:
    text = document.text
    first, last = mapping.value[0][0], mapping.value[-1][1]
    inside = text[start(mapping) : start(first)]
    if document.json:
        at = column(document, start(first))
        wide = at if "\n" in inside else None
        parts = [
            f"{as_json(key, None)}: {as_json(value, step(document) if wide is not None else None, at)}"
            for key, value in entries.items()
        ]
    else:
        parts = [f"{key}: {flow(value)}" for key, value in entries.items()]
    between = "," + (
        f"{document.source.newline}{' ' * column(document, start(first))}" if "\n" in inside else " "
    )
    added = "".join(between + part.replace("\n", document.source.newline) for part in parts)
    return Splice(end(last), end(last), as_indented(document, added))


def as_indented(document: Document, text: str) -> str:
    """Lines of JSON that are moved in by tabs where the file's are, which YAML cannot be."""
    if not document.json or "\n\t" not in document.text:
        return text
    return re.sub(r"(?<=\n) +", lambda blanks: "\t" * len(blanks[0]), text)


def fill(document: Document, key: Node, node: Node, entries: Mapping[str, Value]) -> list[Splice]:
    """The first keys of a mapping that is empty: nothing at all, `null` or `{}`."""
    if node.id == "mapping" and str(node.tag) != MAP:
        raise CannotEdit("the mapping has a tag of its own")
    raw = document.text[start(node) : end(node)]
    if raw[:1] in ("&", "*", "!"):
        raise CannotEdit("the empty value has an anchor")
    indent = column(document, start(key))
    if document.json:
        written = as_json(entries, step(document), indent).replace("\n", document.source.newline)
        return [Splice(start(node), end(node), as_indented(document, written))]
    if raw and column(document, start(key)) != _indent_of_line(document, start(key)):
        return [Splice(start(node), end(node), flow(entries))]
    lines = block_entries(entries, indent + step(document), step(document), dash=dash_step(document))
    added = _lines_at(document, _line_end(document.text, end(key)), lines)
    if not raw:
        return [added]
    blank = len(document.text[: start(node)].rstrip(" "))
    return [Splice(blank, end(node), ""), added]


def _indent_of_line(document: Document, index: int) -> int:
    line = document.text[document.text.rfind("\n", 0, index) + 1 :]
    return len(line) - len(line.lstrip(" "))


def add_item(document: Document, sequence: Node, item: Value, *, before: Node | None = None) -> Splice:
    """A new item at the end of a sequence that has some, or before one of them."""
    if isinstance(item, str):
        item = _quoted_like(sequence, item)
    if is_flow(sequence):
        return _item_in_flow(document, sequence, item, before)
    indent = column(document, first_dash(document, sequence))
    lines = block_items([item], indent, step(document), dash=dash_step(document))
    if before is None:
        return _lines_at(document, _after(document, sequence, indent), lines)
    return _lines_at(document, _above(document.text, start(before), indent), lines)


def lines_below(document: Document, index: int, lines: Sequence[str]) -> Splice:
    """Lines put in below the one that holds a character."""
    return _lines_at(document, _line_end(document.text, index), lines)


def first_item(document: Document, key: Node, item: Value) -> Splice:
    """The first item of a sequence whose key has no value yet."""
    indent = column(document, start(key)) + dash_step(document)
    lines = block_items([item], indent, step(document), dash=dash_step(document))
    return _lines_at(document, _line_end(document.text, end(key)), lines)


def _item_in_flow(document: Document, sequence: Node, item: Value, before: Node | None) -> Splice:
    text = document.text
    written = as_json(item, None) if document.json else flow(item)
    wide = "\n" in text[start(sequence) : start(sequence.value[0])]
    indent = " " * column(document, start(sequence.value[0]))
    between = f",{document.source.newline}{indent}" if wide else ", "
    if document.json and isinstance(item, Mapping) and wide:
        written = as_json(item, step(document), len(indent)).replace("\n", document.source.newline)
    if before is not None:
        return Splice(start(before), start(before), as_indented(document, written + between))
    last = end(sequence.value[-1])
    return Splice(last, last, as_indented(document, between + written))


def _above(text: str, index: int, indent: int) -> int:
    """Where a line can be added above an item: over the comments that stand right above it."""
    at = text.rfind("\n", 0, index) + 1
    while at:
        previous = text.rfind("\n", 0, at - 1) + 1
        line = text[previous:at]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip(" ")) < indent:
            break
        at = previous
    return at


def _quoted_like(sequence: Node, text: str) -> Value:
    """The text in the quotes that all other items have."""
    styles = {item.style for item in sequence.value if item.id == "scalar"}
    return Quoted(text, styles.pop()) if styles in ({"'"}, {'"'}) else text


def move_item(document: Document, sequence: Node, item: Node, before: Node | None) -> list[Splice]:
    """Put an item of a sequence before another one, or at the end, as it is written there.

    Raises CannotEdit when it shares its lines with others.
    """
    if is_flow(sequence):
        return _move_in_flow(document, sequence, item, before)
    line_start = document.text.rfind("\n", 0, start(item)) + 1
    line_end = _line_end(document.text, end(item))
    line = document.text[line_start:line_end]
    if not line.lstrip().startswith("- ") or item.id != "scalar" or "\n" in line.rstrip("\r\n"):
        raise CannotEdit("the list is written in a way that its order cannot be changed safely")
    indent = column(document, first_dash(document, sequence))
    at = _above(document.text, start(before), indent) if before else _after(document, sequence, indent)
    return [Splice(line_start, line_end, ""), _lines_at(document, at, [line.rstrip("\r\n")])]


def _move_in_flow(document: Document, sequence: Node, item: Node, before: Node | None) -> list[Splice]:
    """What stands between the items stays where it is; only the items change places."""
    rest = [each for each in sequence.value if each is not item]
    at = len(rest) if before is None else rest.index(before)
    order = [*rest[:at], item, *rest[at:]]
    return [
        Splice(start(place), end(place), document.text[start(now) : end(now)])
        for place, now in zip(sequence.value, order, strict=True)
        if place is not now
    ]


def remove_entry(document: Document, key: Node, value: Node) -> Splice:
    """Take a one-line entry out of a block mapping.

    Raises CannotEdit when it shares its lines with others.
    """
    line_start = document.text.rfind("\n", 0, start(key)) + 1
    stop = end(key) if is_null(value) and start(value) == end(value) else end(value)
    line_end = _line_end(document.text, stop)
    alone = document.text[line_start : start(key)].strip() == ""
    if document.json or not alone or value.id != "scalar" or "\n" in document.text[start(key) : stop]:
        raise CannotEdit("a setting that has to go shares its line with others")
    return Splice(line_start, line_end, "")


# Where lines end


def _line_end(text: str, index: int) -> int:
    """Where the line ends that holds this character: after its newline, or at the end of the text."""
    newline = text.find("\n", index)
    return len(text) if newline < 0 else newline + 1


def _content_end(text: str, node: Node) -> int:
    """Where the last character of a node stands, comments and blank lines after it left out."""
    while node.id in ("mapping", "sequence") and node.value and not is_flow(node):
        last = node.value[-1]
        if node.id == "sequence":
            node = last
            continue
        key, value = last
        if is_alias(key, value) or (is_null(value) and start(value) == end(value)):
            return _alias_end(text, key)
        node = value
    if node.id == "scalar" and node.style in ("|", ">"):
        header = text[start(node) : _line_end(text, start(node))]
        return end(node) if "+" in header else len(text[: end(node)].rstrip())
    return end(node)


def _alias_end(text: str, key: Node) -> int:
    """Where the line of a key without a value of its own ends, its comment left out."""
    line = text[end(key) : _line_end(text, end(key))]
    return end(key) + len(re.sub(r"\s+#.*", "", line).rstrip())


def _after(document: Document, node: Node, indent: int) -> int:
    """Where a line can be added after a block node: comments that stand in as far as it belong to it."""
    text = document.text
    last = _content_end(text, node)
    at = last if last and text[last - 1] == "\n" else _line_end(text, last)
    probe = at
    while probe < len(text):
        line = text[probe : _line_end(text, probe)]
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            break
        probe += len(line)
        if stripped:
            if len(line) - len(line.lstrip(" ")) < indent:
                break
            at = probe
    return at


def _lines_at(document: Document, at: int, lines: Sequence[str]) -> Splice:
    """Whole lines put in at the start of a line, or after a last line that lacks its end."""
    newline = document.source.newline
    body = newline.join(lines)
    if at and document.text[at - 1] != "\n":
        return Splice(at, at, newline + body)
    return Splice(at, at, body + newline)
