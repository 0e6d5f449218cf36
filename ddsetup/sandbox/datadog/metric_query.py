"""The metric query language: parse ``sum:aws.lambda.invocations{env:prod} by {functionname}.as_count()``.

A subset: one aggregation of one metric with scope, grouping and the modifiers ``as_count``, ``as_rate``,
``rollup`` and ``fill``; arithmetic of such queries and numbers. Anything else is an error, never an empty
result.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

TagSet = frozenset[str]
Scope = Callable[[TagSet], bool]

AGGREGATORS = ("avg", "sum", "min", "max", "count")
#: Of distributions whose percentiles are on (metrics, distributions page).
PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}

_NAME = r"[A-Za-z][\w.]*"
_QUERY = re.compile(
    rf"(?P<agg>[a-z][a-z0-9]*):(?P<metric>{_NAME})\s*\{{(?P<scope>[^}}]*)\}}"
    r"(?:\s*by\s*\{(?P<by>[^}]*)\})?(?P<modifiers>(?:\s*\.\w+\([^)]*\))*)"
)
_MODIFIER = re.compile(r"\.(\w+)\(([^)]*)\)")


class QueryError(ValueError):
    """A metric query that cannot be read."""


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One aggregation of one metric. ``rollup`` is (method, seconds or None)."""

    text: str
    aggregator: str
    metric: str
    scope_text: str
    scope: Scope
    group_by: tuple[str, ...]
    unit: Literal["as_is", "count", "rate"] = "as_is"
    rollup: tuple[str, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A constant in an expression."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A query's name in a formula."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions joined by ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression


Expression = MetricQuery | Number | Name | Operation


def parse_expression(text: str) -> Expression:
    """An expression of queries, query names and numbers. Raises QueryError."""
    return _Arithmetic(text).parse()


def parse_query(text: str) -> MetricQuery:
    """Exactly one query. Raises QueryError."""
    expression = parse_expression(text)
    if not isinstance(expression, MetricQuery):
        raise QueryError(f"Error parsing query: not a single metric query: {text}")
    return expression


class _Arithmetic:
    """Recursive descent over + - * / and parentheses; operands are matched as a whole."""

    _NUMBER = re.compile(r"\d+(?:\.\d+)?")
    _NAME = re.compile(_NAME)

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parse(self) -> Expression:
        expression = self._chain("+-", lambda: self._chain("*/", self._operand))
        if self._peek():
            raise self._error()
        return expression

    def _peek(self) -> str:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _error(self) -> QueryError:
        return QueryError(f"Error parsing query: unable to parse {self._text}: Rule 'scope_expr' didn't match"
                          f" at position {self._at}")  # fmt: skip

    def _chain(self, operators: str, operand: Callable[[], Expression]) -> Expression:
        left = operand()
        while (operator := self._peek()) and operator in operators:
            self._at += 1
            left = Operation(operator, left, operand())
        return left

    def _operand(self) -> Expression:
        if self._peek() == "(":
            self._at += 1
            inner = self._chain("+-", lambda: self._chain("*/", self._operand))
            if self._peek() != ")":
                raise self._error()
            self._at += 1
            return inner
        if match := _QUERY.match(self._text, self._at):
            self._at = match.end()
            return _query(match)
        for pattern in (self._NUMBER, self._NAME):
            if match := pattern.match(self._text, self._at):
                self._at = match.end()
                word = match.group()
                return Number(float(word)) if pattern is self._NUMBER else Name(word)
        raise self._error()


def _query(match: re.Match[str]) -> MetricQuery:
    aggregator = match["agg"]
    if aggregator not in AGGREGATORS and aggregator not in PERCENTILES:
        raise QueryError(f"Error parsing query: unknown aggregator {aggregator}")
    unit: Literal["as_is", "count", "rate"] = "as_is"
    rollup: tuple[str, int | None] | None = None
    for name, arguments in _MODIFIER.findall(match["modifiers"] or ""):
        if name == "as_count":
            unit = "count"
        elif name == "as_rate":
            unit = "rate"
        elif name == "rollup":
            rollup = _rollup(arguments)
        elif name != "fill":  # filling gaps changes what a graph draws, not what has arrived
            raise QueryError(f"Error parsing query: unknown function {name}")
    by = tuple(part.strip() for part in (match["by"] or "").split(",") if part.strip())
    scope = match["scope"].strip()
    if not scope:
        raise QueryError("Error parsing query: empty scope, use {*}")
    return MetricQuery(
        match.group(), aggregator, match["metric"], scope, parse_scope(scope), by, unit=unit, rollup=rollup
    )


def _rollup(arguments: str) -> tuple[str, int | None]:
    method, _, seconds = (part.strip() for part in arguments.partition(","))
    if method not in AGGREGATORS or (seconds and not seconds.isdigit()):
        raise QueryError(f"Error parsing query: rollup({arguments})")
    return method, int(seconds) if seconds else None


def parse_scope(text: str) -> Scope:
    """A predicate on tag sets from ``a:b,!c:d AND (e:f* OR g IN (h,i))``. Raises QueryError."""
    return _ScopeParser(text).parse()


class _ScopeParser:
    _TOKEN = re.compile(r"\s*([(),]|!(?=\S)|[^\s(),!]+)")

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._TOKEN.findall(text)
        if "".join(self._tokens) != "".join(text.split()):
            raise self._error()
        self._next = 0

    def parse(self) -> Scope:
        scope = self._either()
        if self._peek() is not None:
            raise self._error()
        return scope

    def _error(self) -> QueryError:
        return QueryError(f"Error parsing query: invalid scope {{{self._text}}}")

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _word_is(self, *words: str) -> bool:
        token = self._peek()
        if token is not None and token.upper() in words:
            self._next += 1
            return True
        return False

    def _either(self) -> Scope:
        options = [self._all()]
        while self._word_is("OR"):
            options.append(self._all())
        return lambda tags: any(option(tags) for option in options)

    def _all(self) -> Scope:
        parts = [self._one()]
        while self._word_is("AND", ","):
            parts.append(self._one())
        return lambda tags: all(part(tags) for part in parts)

    def _one(self) -> Scope:
        if self._word_is("NOT", "!"):
            inner = self._one()
            return lambda tags: not inner(tags)
        if self._word_is("("):
            inner = self._either()
            if not self._word_is(")"):
                raise self._error()
            return inner
        token = self._peek()
        if token is None or token in (")", ",") or token.upper() in ("AND", "OR", "IN"):
            raise self._error()
        self._next += 1
        if self._word_is("NOT"):
            return self._members(token, negated=True)
        if (following := self._peek()) is not None and following.upper() == "IN":
            return self._members(token, negated=False)
        return _tag_scope(token)

    def _members(self, key: str, *, negated: bool) -> Scope:
        if not (self._word_is("IN") and self._word_is("(")):
            raise self._error()
        options = []
        while (value := self._peek()) is not None and value != ")":
            self._next += 1
            if value != ",":
                options.append(_tag_scope(f"{key}:{value}"))
        if not (options and self._word_is(")")):
            raise self._error()
        return lambda tags: any(option(tags) for option in options) is not negated


def _tag_scope(pattern: str) -> Scope:
    if pattern == "*":
        return lambda _: True
    pattern = pattern.lower()
    if "*" in pattern:
        glob = pattern.replace("[", "[[]")
        return lambda tags: any(fnmatch.fnmatchcase(tag, glob) for tag in tags)
    return lambda tags: pattern in tags
