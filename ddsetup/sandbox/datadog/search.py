"""The event search language of logs and spans: ``service:web @http.status:>=500 -env:dev (a OR b) "text"``.

A subset: terms, quotes, wildcards, AND/OR/NOT/-, parentheses (also after a key), ranges and comparisons.
What it cannot read is an error, never an empty result.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ddsetup.sandbox.datadog.store import FUNCTION, Event, text_of
from ddsetup.sandbox.datadog.wire import text_error

Matcher = Callable[[Event], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<paren>[()])
      | (?P<minus>-(?=[^\s]))
      | (?P<key>@?[A-Za-z_][\w.\-/@$]*):(?=\S)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<range>[\[{]\s*\S+\s+TO\s+\S+\s*[\]}])
      | (?P<compare>[<>]=?-?\d+(?:\.\d+)?)
      | (?P<word>(?:[^\s()"\\]|\\.)+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def compile_query(query: str, reserved: Collection[str]) -> Matcher:
    """A predicate for ``query``. ``reserved`` names the fields that are neither tags nor attributes.

    Raises ApiError 400 on a query that cannot be read.
    """
    return _Parser(_tokens(query), reserved).parse()


def functions_of(matches: Matcher) -> frozenset[str] | None:
    """The names of functions of which whatever matches has one, as a tag or an attribute; None where a query
    does not tell them."""
    if isinstance(matches, _Equal):
        return matches.values if matches.key.removeprefix("@") == FUNCTION else None
    if isinstance(matches, _All):
        told = (named for part in matches.parts if (named := functions_of(part)) is not None)
        return min(told, key=len, default=None)
    if isinstance(matches, _Any):
        every = [functions_of(option) for option in matches.options]
        known = [named for named in every if named is not None]
        return frozenset().union(*known) if len(known) == len(every) else None
    return None


def _tokens(query: str) -> list[_Token]:
    tokens, position = [], 0
    query = query.strip()
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None or match.end() == position:
            raise text_error(400, f"invalid query: cannot parse near position {position}")
        kind = match.lastgroup or ""
        if kind == "word" and re.search(r"(?<!\\):$|^-$", match["word"]):
            raise text_error(400, f"invalid query: a value is missing near position {position}")
        tokens.append(_Token(kind, match.group(kind)))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], reserved: Collection[str]) -> None:
        self._tokens = tokens
        self._reserved = reserved
        self._next = 0

    def parse(self) -> Matcher:
        if not self._tokens:
            return lambda _: True
        matcher = self._either(None)
        if self._next < len(self._tokens):
            raise text_error(400, "invalid query: unbalanced parenthesis")
        return matcher

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek() == _Token(kind, text):
            self._next += 1
            return True
        return False

    def _either(self, key: str | None) -> Matcher:
        options = [self._all(key)]
        while self._accept("word", "OR"):
            options.append(self._all(key))
        return options[0] if len(options) == 1 else _one_of(options) or _Any(options)

    def _all(self, key: str | None) -> Matcher:
        parts = [self._one(key)]
        while (token := self._peek()) and token not in (_Token("paren", ")"), _Token("word", "OR")):
            self._accept("word", "AND")
            parts.append(self._one(key))
        return parts[0] if len(parts) == 1 else _All(parts)

    def _one(self, key: str | None) -> Matcher:
        token = self._peek()
        if token is None or token == _Token("paren", ")") or token.text in ("AND", "OR"):
            raise text_error(400, "invalid query: a term is missing")
        self._next += 1
        if token.kind == "minus" or token == _Token("word", "NOT"):
            inner = self._one(key)
            return lambda event: not inner(event)
        if token == _Token("paren", "("):
            inner = self._either(key)
            if not self._accept("paren", ")"):
                raise text_error(400, "invalid query: unbalanced parenthesis")
            return inner
        if token.kind == "key":
            return self._one(token.text)
        return self._term(key, token)

    def _term(self, key: str | None, token: _Token) -> Matcher:
        if key is None:
            if token.text == "*":
                return lambda _: True
            found = _words(token)
            return lambda event: found.search(event.message.lower()) is not None
        reserved = self._reserved
        if _is_plain(token):
            return _Equal(key, frozenset([_unquote(token)]), reserved)
        test = _value_test(token)
        return lambda event: any(test(value) for value in values_of(event, key, reserved))


@dataclass(frozen=True, slots=True)
class _Equal:
    """One of some values, however many of them a query lists."""

    key: str
    values: frozenset[str]
    reserved: Collection[str]

    def __call__(self, event: Event) -> bool:
        return any(text_of(value) in self.values for value in values_of(event, self.key, self.reserved))


def _one_of(options: Sequence[Matcher]) -> Matcher | None:
    equals = [option for option in options if isinstance(option, _Equal)]
    if len(equals) < len(options) or len({each.key for each in equals}) > 1:
        return None
    return _Equal(equals[0].key, frozenset().union(*(e.values for e in equals)), equals[0].reserved)


@dataclass(frozen=True, slots=True)
class _Any:
    options: Sequence[Matcher]

    def __call__(self, event: Event) -> bool:
        return any(option(event) for option in self.options)


@dataclass(frozen=True, slots=True)
class _All:
    parts: Sequence[Matcher]

    def __call__(self, event: Event) -> bool:
        return all(part(event) for part in self.parts)


def _is_plain(token: _Token) -> bool:
    return token.kind == "quoted" or (token.kind == "word" and not set(_unquote(token)) & set("*?"))


def values_of(event: Event, key: str, reserved: Collection[str]) -> list[Any]:
    """The values an event has for a facet: reserved field, ``@attribute`` or tag."""
    if key.startswith("@"):
        return event.attribute_values(key[1:])
    if key in reserved:
        reserved_value = event.fields.get(key)
        return [reserved_value] if reserved_value else []
    return list(event.tag_values(key))


def _value_test(token: _Token) -> Callable[[Any], bool]:
    if token.kind == "compare":
        return _comparison(token.text)
    if token.kind == "range":
        return _range(token.text)
    pattern = re.compile(fnmatch.translate(_unquote(token).replace("[", "[[]")))
    return lambda value: pattern.match(text_of(value)) is not None


def _comparison(text: str) -> Callable[[Any], bool]:
    operator = text[:2] if text[1] == "=" else text[0]
    limit = float(text[len(operator) :])
    tests: dict[str, Callable[[float], bool]] = {
        ">": lambda v: v > limit,
        ">=": lambda v: v >= limit,
        "<": lambda v: v < limit,
        "<=": lambda v: v <= limit,
    }
    return lambda value: (number := _number(value)) is not None and tests[operator](number)


def _range(text: str) -> Callable[[Any], bool]:
    low, high = (_number(part) for part in re.split(r"\s+TO\s+", text[1:-1].strip()))
    if low is None or high is None:
        raise text_error(400, "invalid query: a range needs two numbers")
    return lambda value: (number := _number(value)) is not None and low <= number <= high


def _unquote(token: _Token) -> str:
    text = token.text[1:-1] if token.kind == "quoted" else token.text
    return re.sub(r"\\(.)", r"\1", text)


def _words(token: _Token) -> re.Pattern[str]:
    """Whole words of a message, in any case."""
    text = _unquote(token).lower()
    pattern = re.escape(text)
    if token.kind == "word":
        pattern = pattern.replace(r"\*", r"\w*").replace(r"\?", r"\w")
    start, end = (r"\b" if edge.isalnum() else "" for edge in (text[:1], text[-1:]))
    return re.compile(f"{start}{pattern}{end}")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
