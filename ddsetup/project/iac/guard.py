"""The last look at an edited document: nothing but what was meant to change may mean something else now."""

from __future__ import annotations

from typing import TypeAlias

from ddsetup.project.iac.model import BrokenFile, CannotEdit
from ddsetup.project.iac.source import Source, Splice, spliced
from ddsetup.project.iac.yamldoc import Document, Node, entry, parse

Path: TypeAlias = tuple[str, ...]


def edited(document: Document, splices: list[Splice], touched: frozenset[Path]) -> Document:
    """The document with the splices carried out.

    Raises CannotEdit when it cannot be read any more, or means something else outside of `touched` paths.
    """
    source = document.source
    text = spliced(source.text, splices)
    try:
        template = document.twice is not None
        after = parse(Source(source.path, source.encoded(text), text, source.bom), template=template)
    except BrokenFile as error:
        raise CannotEdit("the file is written in a way that cannot be changed safely") from error
    if not _alike(document.root, after.root, touched):
        raise CannotEdit("a change here would change other settings as well")
    return after


def _alike(before: Node, after: Node, touched: frozenset[Path]) -> bool:
    """Whether both mean the same outside of the touched paths. A new parent of a touched path is fine."""
    heads = {path[0] for path in touched}
    names = {key.value for root in (before, after) for key, _ in root.value if key.id == "scalar"}
    for name in names:
        own = entry(before, name), entry(after, name)
        if name not in heads:
            if own[0] is None or own[1] is None or not _same(own[0][1], own[1][1], set()):
                return False
            continue
        deeper = frozenset(path[1:] for path in touched if path[0] == name and len(path) > 1)
        if not deeper:
            continue
        if own[1] is None:
            return False
        below_before = own[0][1] if own[0] and own[0][1].id == "mapping" else None
        if own[1][1].id != "mapping":
            return False
        if below_before is None:
            if {key.value for key, _ in own[1][1].value} - {path[0] for path in deeper}:
                return False
        elif not _alike(below_before, own[1][1], deeper):
            return False
    return True


def _same(before: Node, after: Node, seen: set[tuple[int, int]]) -> bool:
    """Whether two nodes mean the same: kind, tag, anchor and contents. Shared nodes are compared once."""
    if (id(before), id(after)) in seen:
        return True
    seen.add((id(before), id(after)))
    if (before.id, str(before.tag), _anchor(before)) != (after.id, str(after.tag), _anchor(after)):
        return False
    if before.id == "scalar":
        return bool(before.value == after.value)
    if len(before.value) != len(after.value):
        return False
    if before.id == "sequence":
        return all(_same(b, a, seen) for b, a in zip(before.value, after.value, strict=True))
    return all(
        _same(b[0], a[0], seen) and _same(b[1], a[1], seen)
        for b, a in zip(before.value, after.value, strict=True)
    )


def _anchor(node: Node) -> str | None:
    """The anchor's name, where the parser tells."""
    return getattr(node, "anchor", None)
