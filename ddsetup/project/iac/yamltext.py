"""Settings as text that fits into a YAML or JSON file: in block or flow style, quoted where needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Ref:
    """CloudFormation's reference to a parameter: `!Ref NAME`, in JSON `{"Ref": NAME}`."""

    name: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text that is written in quotes, needed or not."""

    text: str
    quote: str = "'"


Plain: TypeAlias = "str | bool | int | Ref | Quoted"
Value: TypeAlias = "Plain | Mapping[str, Value] | list[Value]"

_PLAIN = re.compile(r"[A-Za-z0-9_$./@][A-Za-z0-9_$./@:+=,{}() \-]*")
_AMBIGUOUS = re.compile(
    r"(?i)(y|n|yes|no|on|off|true|false|null|~|[-+.]?[0-9][-+0-9_.:,]*(e[-+]?[0-9]+)?|0[xob][0-9a-f_]+|\.nan|[-+]?\.inf"
    r"|\d{4}-\d\d?-\d\d?.*)"
)


def scalar(value: Plain, *, style: str | None = None, flow: bool = False) -> str:
    """A scalar in YAML. `style` is the quote of the scalar that it replaces; it is kept for texts."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Ref():
            return f"!Ref {value.name}"
        case Quoted():
            return scalar(value.text, style=value.quote)
    if style == '"':
        return json.dumps(value, ensure_ascii=False)
    if style == "'" or not _is_plain(value, flow):
        return f"'{value.replace(chr(39), chr(39) * 2)}'"
    return value


def _is_plain(value: str, flow: bool) -> bool:
    if not _PLAIN.fullmatch(value) or _AMBIGUOUS.fullmatch(value):
        return False
    if value != value.strip() or ": " in value or " #" in value or value.endswith(":"):
        return False
    return not (flow and re.search(r"[,{}\[\]]", value))


def block_entries(entries: Mapping[str, Value], indent: int, step: int, *, dash: int = 0) -> list[str]:
    """The lines of a block mapping. `dash` is how far the items of a list stand in from their key."""
    lines: list[str] = []
    for key, value in entries.items():
        pad = " " * indent
        if isinstance(value, Mapping):
            lines += [f"{pad}{key}:", *block_entries(value, indent + step, step, dash=dash)]
        elif isinstance(value, list):
            lines += [f"{pad}{key}:", *block_items(value, indent + dash, step, dash=dash)]
        else:
            lines.append(f"{pad}{key}: {scalar(value)}")
    return lines


def block_items(items: list[Value], indent: int, step: int, *, dash: int = 0) -> list[str]:
    """The lines of a block sequence of scalars and mappings, its dashes in column `indent`."""
    lines: list[str] = []
    for item in items:
        if isinstance(item, Mapping):
            first, *rest = block_entries(item, indent + 2, step, dash=dash)
            lines += [f"{' ' * indent}- {first.lstrip()}", *rest]
        elif isinstance(item, list):
            lines.append(f"{' ' * indent}- {flow(item)}")
        else:
            lines.append(f"{' ' * indent}- {scalar(item)}")
    return lines


def flow(value: Value) -> str:
    """A value in flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, flow=True)


def as_json(value: Value, indent: int | None, at: int = 0) -> str:
    """A value as JSON; lines after the first are moved in by `at` columns."""
    text = json.dumps(_jsonable(value), indent=indent, ensure_ascii=False)
    return text.replace("\n", "\n" + " " * at)


def _jsonable(value: Value) -> object:
    match value:
        case Ref():
            return {"Ref": value.name}
        case Quoted():
            return value.text
        case list():
            return [_jsonable(item) for item in value]
        case Mapping():
            return {key: _jsonable(item) for key, item in value.items()}
        case _:
            return value
