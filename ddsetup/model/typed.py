"""Records as JSON and back, from their type hints: one codec for whatever is kept on disk.

What is read is checked in every field, so that no forged or damaged file is believed half. Known are texts,
numbers, booleans, instants, literals, optional values, tuples, mappings with texts as keys, `Json` for what
is kept as it is, and frozen dataclasses of these.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from sys import intern
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError

T = TypeVar("T")

SPARSE: Mapping[str, bool] = {"sparse": True}
"""Marks a field that reports leave out where it is empty."""
UNTOLD: Mapping[str, bool] = {"untold": True}
"""Marks a field that is ddsetup's own business, and in no report."""

_NAMES: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
_JSON: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def encode(value: Any) -> Json:
    """The value as JSON types; of a record every field, in their order."""
    # Most values are made of plain ones: to ask that here takes less than a call for each.
    if type(value) in _PLAIN:
        return value
    if _is_record(value.__class__):
        items = [(name, getattr(value, name)) for name, _, _ in _fields(value.__class__)]
        return {name: item if type(item) in _PLAIN else encode(item) for name, item in items}
    if isinstance(value, Mapping):
        return {str(key): item if type(item) in _PLAIN else encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [item if type(item) in _PLAIN else encode(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def told(value: Any, without: frozenset[str] = frozenset()) -> Json:
    """The value as reports tell it: as `encode`, without what is `UNTOLD` and what is `SPARSE` and empty, and
    of a record without the fields of these names."""
    if type(value) in _PLAIN:
        return value
    if _is_record(value.__class__):
        shown = [
            (name, item)
            for name, untold, sparse in _fields(value.__class__)
            if not untold and name not in without and ((item := getattr(value, name)) or not sparse)
        ]
        return {name: item if type(item) in _PLAIN else told(item) for name, item in shown}
    if isinstance(value, tuple | list):
        return [told(item) for item in value]
    return encode(value)


_PLAIN = frozenset((str, int, bool, float, type(None)))


@cache
def _is_record(kind: type) -> bool:
    """Asked of each value: `is_dataclass` takes longer than all else that is done with most of them."""
    return is_dataclass(kind)


@cache
def _taken_apart(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """What a type is made of, of what, and whether it is a record; there are some dozens of types in all."""
    return get_origin(hint), get_args(hint), is_dataclass(hint)


@cache
def _fields(kind: Any) -> tuple[tuple[str, bool, bool], ...]:
    """Of each field its name, whether it is `UNTOLD`, whether `SPARSE`; asked of each record anew, this is
    most of what a large report takes."""
    return tuple((each.name, _is(each, UNTOLD), _is(each, SPARSE)) for each in fields(kind))


def _is(field: Field[Any], mark: Mapping[str, bool]) -> bool:
    return bool(mark.keys() & field.metadata.keys())


def decode(
    kind: type[T], document: Json, *, lenient: bool = False, known: Mapping[str, Any] | None = None
) -> T:
    """The record of type `kind` that a document describes.

    Raises UsageError, which names the field, when a field is missing, unknown or of another type. `lenient`:
    fields with a default may be missing. `known` are fields whose values have been told already.
    """
    made: T = _record(kind, document, kind.__name__.removesuffix("State"), lenient=lenient, known=known or {})
    return made


def schema(hint: Any, named: Mapping[Any, str] | None = None) -> Json:
    """The JSON schema of a type as `encode` writes it; with `named`, as `told` does, with references to the
    definitions of those records."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return _any_of(inner, named)
    if origin is tuple:
        return {"type": "array", "items": schema(inner[0], named)}
    if origin is not None and issubclass(origin, Mapping):
        of = schema(inner[1], named)
        return {"type": "object", "additionalProperties": of} if of else {"type": "object"}
    if is_dataclass(hint):
        name = (named or {}).get(hint)
        return {"$ref": f"#/$defs/{name}"} if name else record_schema(hint, named)
    if hint is type(None):
        return {"type": "null"}
    return {"type": "string", "format": "date-time"} if hint is datetime else {"type": _JSON[hint]}


def record_schema(kind: Any, named: Mapping[Any, str] | None = None) -> dict[str, Json]:
    """The schema of a record, spelt out."""
    shown = [field for field in fields(kind) if named is None or not _is(field, UNTOLD)]
    return {
        "type": "object",
        "properties": {field.name: schema(_hints(kind)[field.name], named) for field in shown},
        "required": [field.name for field in shown if named is None or not _is(field, SPARSE)],
        "additionalProperties": False,
    }


def _any_of(hints: tuple[Any, ...], named: Mapping[Any, str] | None) -> Json:
    """What is told of an optional value is never null: it is left out."""
    meant = [hint for hint in hints if named is None or hint is not type(None)]
    return schema(meant[0], named) if len(meant) == 1 else {"anyOf": [schema(one, named) for one in meant]}


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    """The fields of a record with their types."""
    known = get_type_hints(kind)
    return {field.name: known[field.name] for field in fields(kind)}


def _decode(hint: Any, value: Json, at: str) -> Any:
    origin, inner, record = _taken_apart(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, at)
    if origin is Literal:
        return _checked(value, isinstance(value, str | None) and value in inner, "one of its values", at)
    if origin is tuple:
        _checked(value, isinstance(value, list), "a list", at)
        return tuple(_decode(inner[0], item, f"{at}[{index}]") for index, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        _checked(value, isinstance(value, dict), "an object", at)
        return {intern(name): _decode(inner[1], item, f"{at}.{name}") for name, item in value.items()}
    if record:
        return _record(hint, value, at)
    return _instant(value, at) if hint is datetime else _simple(hint, value, at)


def _one_of(hints: tuple[Any, ...], value: Json, at: str) -> Any:
    """Optional values: null, or the one other type."""
    if value is None and type(None) in hints:
        return None
    others = [hint for hint in hints if hint is not type(None)]
    if len(others) != 1:
        raise TypeError(f"{at}: only optional values are known, no other unions")
    return _decode(others[0], value, at)


def _record(
    kind: Any, value: Json, at: str, *, lenient: bool = False, known: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    _checked(value, isinstance(value, dict), "an object", at)
    members, optional = _members(kind, lenient)
    if value.keys() != members.keys() and (
        odd := value.keys() - members.keys() or members.keys() - value.keys() - optional
    ):
        raise UsageError(f"{at} has a missing or unknown field {min(odd)!r}")
    made = dict(known)
    for name, item in value.items():
        if name not in known:
            text = members[name] is str and type(item) is str
            made[name] = intern(item) if text else _decode(members[name], item, f"{at}.{name}")
    return kind(**made)


@cache
def _members(kind: Any, lenient: bool) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The fields of a record with their types, and which of them may be missing."""
    return _hints(kind), frozenset(f.name for f in fields(kind) if lenient and _has_default(f))


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _simple(hint: Any, value: Json, at: str) -> Json:
    wanted = (int, float) if hint is float else hint
    good = isinstance(value, wanted) and (hint is bool or not isinstance(value, bool))
    _checked(value, good, _NAMES[hint], at)
    # Of thousands of records most texts are those of others, too.
    return intern(value) if type(value) is str else value


def _instant(value: Json, at: str) -> datetime:
    try:
        found = datetime.fromisoformat(_checked(value, isinstance(value, str), "an instant", at))
    except ValueError:
        raise UsageError(f"{at} is not an instant") from None
    if found.tzinfo is None:
        raise UsageError(f"{at} is an instant without a time zone")
    return found


def _checked(value: Json, good: bool, what: str, at: str) -> Json:
    if not good:
        raise UsageError(f"{at} is not {what}")
    return value
