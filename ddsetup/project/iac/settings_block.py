"""Bringing a mapping of settings to what is wanted, wherever in a document it stands or is to stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ddsetup.project.iac import yamlchange, yamldoc
from ddsetup.project.iac.model import CannotEdit
from ddsetup.project.iac.source import Splice
from ddsetup.project.iac.yamldoc import Document, Node
from ddsetup.project.iac.yamltext import Plain, Ref, Value


@dataclass(frozen=True, slots=True)
class Block:
    """What a mapping of settings shall hold: `must` whatever is there now, `may` only where nothing is, and
    in `lists` these items among others."""

    must: dict[str, Plain] = field(default_factory=dict)
    may: dict[str, Plain] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all(self) -> dict[str, Value]:
        """Every setting, for a mapping that is new."""
        listed: dict[str, Value] = {name: list(items) for name, items in self.lists.items() if items}
        return {**self.must, **self.may, **listed}


@dataclass(frozen=True, slots=True)
class Brought:
    """The splices that bring a mapping there, what they add or change, and what was left to the user."""

    splices: tuple[Splice, ...] = ()
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def settings_at(document: Document, path: Sequence[str]) -> Node | None:
    """The mapping of settings, None if there is none (yet).

    Raises CannotEdit when what stands there is not a mapping written in this file.
    """
    node = document.root
    for depth, name in enumerate(path):
        found = yamldoc.entry(node, name)
        if found is None:
            if yamldoc.value_of(node, name) is not None:
                raise CannotEdit(f"`{'.'.join(path[: depth + 1])}` comes from somewhere else by `<<`")
            return None
        key, value = found
        _check_written_here(document, key, value, ".".join(path[: depth + 1]))
        if not yamldoc.is_mapping(value) or not value.value:
            return None
        node = value
    return node


def _check_written_here(document: Document, key: Node, value: Node, name: str) -> None:
    if yamldoc.is_alias(key, value):
        raise CannotEdit(f"`{name}` is an alias of something else in the file")
    if yamldoc.is_mapping(value) or yamldoc.is_null(value):
        return
    if value.id == "scalar" and "${" in str(value.value):
        raise CannotEdit(f"`{name}` comes from a variable ({str(value.value).strip()})")
    raise CannotEdit(f"`{name}` at {document.where(value)} is not a mapping")


def bring(document: Document, path: Sequence[str], block: Block) -> Brought:
    """What has to change so that the mapping at `path` holds what it shall. Raises CannotEdit."""
    here = settings_at(document, path)
    if here is not None:
        return bring_mapping(document, here, block)
    node, depth = document.root, 0
    while depth < len(path):
        found = yamldoc.entry(node, path[depth])
        if found is None:
            break
        if not yamldoc.is_mapping(found[1]) or not found[1].value:
            added = _nested(path[depth + 1 :], block.all)
            return Brought(tuple(yamlchange.fill(document, *found, added)), _added(path, block.all))
        node, depth = found[1], depth + 1
    added = _nested(path[depth:], block.all)
    splice = yamlchange.add_entries(document, node, added, gap=node is document.root)
    return Brought((splice,), _added(path, block.all))


def _nested(path: Sequence[str], entries: Mapping[str, Value]) -> Mapping[str, Value]:
    for name in reversed(path):
        entries = {name: entries}
    return entries


def _added(path: Sequence[str], entries: Mapping[str, Value]) -> tuple[str, ...]:
    return (f"{'.'.join(path)}: {', '.join(entries)}",)


def bring_mapping(document: Document, mapping: Node, block: Block) -> Brought:
    """What has to change in a mapping that has some settings. Raises CannotEdit."""
    splices, why, missing = _lists(document, mapping, block)
    warnings: list[str] = []
    for name, value in (block.must | block.may).items():
        now = yamldoc.value_of(mapping, name)
        if now is None or yamldoc.is_null(now):
            own = yamldoc.entry(mapping, name)
            if own is None:
                missing[name] = value
            else:
                splices.append(_set_null(document, own[0], own[1], value))
                why.append(f"{name}: had no value")
            continue
        if name not in block.must or yamldoc.literal(now) == value or isinstance(value, Ref):
            continue
        if yamldoc.is_variable(now):
            warnings.append(f"`{name}` comes from a variable and was left; it has to be {_said(value)}")
            continue
        own = yamldoc.entry(mapping, name)
        if own is None:
            missing[name] = value
            continue
        if yamldoc.is_alias(*own):
            raise CannotEdit(f"`{name}` is an alias of something else in the file")
        splices.append(yamlchange.set_scalar(document, own[1], value))
        why.append(f"{name}: {_said(value)} instead of {_said(yamldoc.literal(now))}")
    if missing:
        splices.append(yamlchange.add_entries(document, mapping, missing))
        why.append(f"adds {', '.join(missing)}")
    return Brought(tuple(splices), tuple(why), tuple(warnings))


def _lists(
    document: Document, mapping: Node, block: Block
) -> tuple[list[Splice], list[str], dict[str, Value]]:
    """What has to be added to lists, and the lists that are not there yet."""
    splices: list[Splice] = []
    why: list[str] = []
    missing: dict[str, Value] = {}
    for name, items in block.lists.items():
        own = yamldoc.entry(mapping, name)
        if own is None and items:
            missing[name] = list(items)
            continue
        if own is None or not items:
            continue
        if not yamldoc.is_sequence(own[1]) or yamldoc.is_alias(*own):
            raise CannotEdit(f"`{name}` is not a list that is written in this file")
        present = [str(item.value) for item in own[1].value if item.id == "scalar"]
        for item in (item for item in items if item not in present):
            if not own[1].value:
                raise CannotEdit(f"`{name}` is an empty list; put {', '.join(items)} into it")
            splices.append(yamlchange.add_item(document, own[1], item))
            why.append(f"{name}: {item}")
    return splices, why, missing


def _set_null(document: Document, key: Node, node: Node, value: Plain) -> Splice:
    if yamldoc.start(node) != yamldoc.end(node):
        return yamlchange.set_scalar(document, node, value)
    colon = document.text.index(":", yamldoc.end(key)) + 1
    filled = yamlchange.set_scalar(document, node, value)
    return Splice(colon, colon, f" {filled.text}")


def _said(value: Plain | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
