"""What an answer of Datadog must look like before anything is read from it.

An answer without content, or of another shape than documented, is no answer: taken for one, it would say
"nothing there" of things that are there. So each call states the shape that it needs, and `Datadog.call`
refuses everything else.

A shape is written like the JSON it describes: a type for a value, `[shape]` for a list, a mapping for an
object that has these members (more may be there). `?` at the end of a member's name: it may be missing or
null. The required members are those of the official client's models and of recorded answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import NoneType
from typing import Final, NoReturn, TypeAlias

from ddsetup.model.account import Json

Shape: TypeAlias = "type | list[Shape] | Mapping[str, Shape]"

ANYTHING: Final[type] = object
"""The caller reads nothing from the answer, not even that there is one."""

_DEEPEST = 200
"""Levels of nesting; a group of widgets in a dashboard of Datadog has a dozen."""

_NAMES: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    dict: "an object",
    list: "a list",
}


def parse_json(data: bytes) -> Json:
    """JSON as the standard has it: no NaN, no Infinity, no number beyond a float, no bottomless nesting.

    Raises ValueError, which says what it is instead.
    """
    try:
        document = json.loads(data, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except ValueError as error:
        raise ValueError(str(error) if str(error) in _SAID else "no JSON") from None
    if _is_deep(document):
        raise ValueError("JSON nested too deeply")
    return document


_NO_NUMBER = "JSON with a number that is none (NaN, Infinity)"
_SAID = frozenset({_NO_NUMBER})


def _no_number(_text: str) -> NoReturn:
    raise ValueError(_NO_NUMBER)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _no_number(text)
    return number


def _is_deep(document: Json) -> bool:
    level = [document]
    for _ in range(_DEEPEST):
        level = [inner for value in level for inner in _members(value)]
        if not level:
            return False
    return True


def _members(value: Json) -> list[Json]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inside if isinstance(one, dict | list)]


def mismatch(document: Json, shape: Shape, at: str = "") -> str:
    """The first place where a document is not of the shape, in words; empty when it is."""
    if isinstance(shape, list):
        if not isinstance(document, list):
            return _expected("a list", document, at)
        found = (mismatch(item, shape[0], f"{at}[{index}]") for index, item in enumerate(document))
        return next(filter(None, found), "")
    if isinstance(shape, Mapping):
        if not isinstance(document, dict):
            return _expected("an object", document, at)
        found = (_member(document, name, inner, at) for name, inner in shape.items())
        return next(filter(None, found), "")
    if shape is ANYTHING or _is(document, shape):
        return ""
    return _expected(_NAMES[shape], document, at)


def _member(document: Mapping[str, Json], name: str, shape: Shape, at: str) -> str:
    optional, name = name.endswith("?"), name.removesuffix("?")
    place = f"{at}.{name}" if at else name
    if document.get(name) is None and optional:
        return ""
    if name not in document:
        return f"{place} is missing"
    return mismatch(document[name], shape, place)


def _is(value: Json, wanted: type) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)


def _expected(what: str, document: Json, at: str) -> str:
    found = _NAMES.get(type(document), "something else")
    return f"{at or 'the whole'} is {found}, not {what}"
