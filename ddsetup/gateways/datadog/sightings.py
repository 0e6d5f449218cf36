"""Which functions logs and spans have arrived of, and how they came: few questions, whatever their number.

The aggregate calls count by facets. Datadog allows 300 of them an hour, and the limits of the facets of one
call may multiply up to 10,000 (rate limits page; API reference). So a few functions are asked for by name;
many of them as a whole. Of several accounts a name that is in one place only tells which function it is; of
the others the place is asked for as well, as many accounts at a time as fit into one answer.

Of a log, name and place are tags. Of a span they are what the library put on it (`@functionname`, and
`@function_arn`, which tells the place; datadog_lambda/tracing.py), or tags where the Extension sent it
(bottlecap, lambda/tags.rs).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from ddsetup.facts.searches import INVOCATIONS, any_of, datadog_name, logs_of, spans_of
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.keys import READ_LOGS, READ_SPANS
from ddsetup.gateways.datadog.telemetry import (
    ACCOUNTS_AT_MOST,
    LOG_BUCKETS,
    NAMED_AT_MOST,
    SPAN_BUCKETS,
    UNTAGGED,
    Window,
    path_in,
)
from ddsetup.model.account import Function, Json

MOST_GROUPS = 10_000
"""The limit on the product of the limits of all facets of a call (API reference, aggregate logs)."""

BATCHES = 4
"""Calls by name at most before all are asked for as a whole."""

_LOGS = "/api/v2/logs/analytics/aggregate"
_SPANS = "/api/v2/spans/analytics/aggregate"
_NAME, _REGION, _ACCOUNT, _FORWARDER = "functionname", "region", "aws_account", "forwardername"
_ARNS = ("@function_arn", "function_arn")
_FORWARDERS = 3
"""None, ours, and another one's."""

Groups: TypeAlias = Sequence[Mapping[str, str]]
_Ask: TypeAlias = Callable[[str, Mapping[str, int]], Groups]
"""Asks for the events of a query grouped by facets with their limits; gives the `by` of each bucket."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A function of which events arrived, by its name in Datadog. `region` and `account` are empty where the
    events do not tell. `forwarded` tells that they came through a Forwarder.
    """

    function: str
    region: str = ""
    account: str = ""
    forwarded: bool = False

    def may_be(self, function: Function) -> bool:
        """Whether it fits: what the events do not tell fits anywhere."""
        return (
            self.function == datadog_name(function.name)
            and self.region in ("", function.region)
            and self.account in ("", function.account)
        )


Sightings: TypeAlias = frozenset[Sighting]


@dataclass(frozen=True, slots=True)
class _Part:
    """Events of one place, or of several that facets tell apart. `named` makes the condition for some of the
    functions; `key` is the facet that identifies them, `forwarder` the one that tells how they came."""

    ask: _Ask
    query: str
    functions: Sequence[Function]
    named: Callable[[Iterable[str]], str]
    key: str = _NAME
    forwarder: str = _FORWARDER
    facets: Mapping[str, int] | None = None
    region: str = ""
    account: str = ""

    def look(self, batches: int) -> Iterator[Sightings]:
        """By name if that takes no more calls than `batches`, else as a whole."""
        parts = list(_batches(self.functions))
        if len(parts) <= batches:
            yield from (self._named(part) for part in parts)
            return
        extra = prod((self.facets or {}).values())
        room = self._room
        many = len(self.functions if self.key in _ARNS else _names(self.functions)) > room
        found = None if many else self._asked(self.query, room, tell_forwarder=True)
        if found is None or self._number(found) >= room:
            room = MOST_GROUPS // extra
            found = self._asked(self.query, room)
            came = self._asked(f"{self.query} {self.forwarder}:*", room)
            yield frozenset(Sighting(s.function, s.region, s.account, forwarded=True) for s in came)
        yield found
        if self._number(found) >= room:  # there may be more than fitted
            yield from (self._named(part) for part in _batches(_unseen(self.functions, found)))

    @property
    def _room(self) -> int:
        """How many of what identifies a function fit into an answer that tells all there is to tell."""
        return MOST_GROUPS // (prod((self.facets or {}).values()) * _FORWARDERS)

    def _number(self, found: Sightings) -> int:
        """How many of what identifies a function an answer names."""
        return len({(s.function, s.region, s.account) if self.key in _ARNS else s.function for s in found})

    def _named(self, names: Sequence[str]) -> Sightings:
        query = f"{self.query} {self.named(names)}"
        return self._asked(query, self._room, tell_forwarder=True)

    def _asked(self, query: str, limit: int, *, tell_forwarder: bool = False) -> Sightings:
        forwarder = {self.forwarder: _FORWARDERS} if tell_forwarder else {}
        try:
            groups = self.ask(query, {self.key: limit, **(self.facets or {}), **forwarder})
        except Rejected:  # an organisation may lack one of the facets: the name alone still proves something
            groups = self.ask(query, {_NAME: limit})
        return frozenset(self._sighting(group) for group in groups)

    def _sighting(self, group: Mapping[str, str]) -> Sighting:
        arn = group.get(self.key, "").split(":") if self.key in _ARNS else []
        region, account, name = (arn[3], arn[4], arn[6]) if len(arn) > 6 else ("", "", "")
        return Sighting(
            function=datadog_name(name or group.get(_NAME, "")),
            region=region or self.region or group.get(_REGION, ""),
            account=account or self.account or group.get(_ACCOUNT, ""),
            forwarded=bool(group.get(self.forwarder)),
        )


def log_sightings(
    dd: Datadog, window: Window, functions: Sequence[Function], others: Iterable[str] = ()
) -> Iterator[Sightings]:
    """Which functions have logs in the indexes, one answer after the other. `others` are names of functions
    of these places that are not asked for: where they are the same, a name alone does not tell.

    Up to 10,000 functions take 4 calls at most, and one for each region; in how many accounts they are makes
    little difference. Raises Denied when `logs_read_data` is missing.
    """
    bearers = Counter(datadog_name(name) for name in (*(f.name for f in functions), *others))

    def ask(query: str, facets: Mapping[str, int]) -> Groups:
        return log_groups(dd, window, query, facets)

    parts = _by_place(ask, "source:lambda", functions, bearers)
    for part in parts:
        own = {datadog_name(name) for name in _names(part.functions)}
        for found in part.look(BATCHES if len(parts) == 1 else 1):
            yield frozenset(sighting for sighting in found if sighting.function in own)


def log_groups(dd: Datadog, window: Window, query: str, facets: Mapping[str, int]) -> Groups:
    """The values of facets (with their limits) of the logs that a query finds; the first is required."""
    start, end = (str(at) for at in window.milliseconds())
    body = {
        "filter": {"from": start, "to": end, "query": query, "indexes": ["*"]},
        "compute": [{"aggregation": "count", "type": "total"}],
        "group_by": _group_by(facets),
    }
    answer = dd.post(_LOGS, body, action=READ_LOGS, shape=LOG_BUCKETS)
    return _groups(answer["data"]["buckets"], "by")


def span_sightings(dd: Datadog, window: Window, functions: Sequence[Function]) -> Iterator[Sightings]:
    """Which functions have spans of an invocation, one answer after the other: of two ways to tell them each
    takes 4 calls at most for up to 10,000 functions. Raises Denied when `apm_read` is missing."""
    left = list(functions)
    for key in _ARNS:
        part = _Part(
            lambda query, facets: span_groups(dd, window, query, facets),
            f"{INVOCATIONS} {key}:*",
            left,
            spans_of,
            key=key,
            forwarder=f"@{_FORWARDER}",
        )
        for found in part.look(BATCHES) if left else ():
            yield found
            left = _unseen(left, found)


def span_groups(dd: Datadog, window: Window, query: str, facets: Mapping[str, int]) -> Groups:
    """The groups of the spans that a query finds. Raises Denied when `apm_read` is missing."""
    start, end = (str(at) for at in window.milliseconds())
    attributes = {
        "filter": {"from": start, "to": end, "query": query},
        "compute": [{"aggregation": "count", "type": "total"}],
        "group_by": _group_by(facets),
    }
    body = {"data": {"type": "aggregate_request", "attributes": attributes}}
    answer = dd.post(_SPANS, body, action=READ_SPANS, shape=SPAN_BUCKETS)
    return _groups(answer["data"], "attributes", "by")


def _by_place(
    ask: _Ask, query: str, functions: Sequence[Function], bearers: Mapping[str, int]
) -> list[_Part]:
    """One part if it fits into one answer, else one for all whose names tell them, some for the others, as
    many places together as fit, and one for what tells no place."""
    if _fits(functions):
        return [_Part(ask, f"{query} {_here(functions)}", functions, logs_of, facets=_facets(functions))]
    alone = [f for f in functions if bearers[datadog_name(f.name)] == 1]
    shared = [f for f in functions if bearers[datadog_name(f.name)] > 1]
    parts = [_Part(ask, f"{query} {_in_any_lane(alone)}", alone, logs_of)] if alone else []
    if not shared:
        return parts
    told = tuple(_facets(shared))
    parts += [_told(ask, query, bundle, told) for bundle in _bundles(shared)]
    if not told:
        return parts
    untold = " OR ".join(f"-{facet}:*" for facet in told)
    return [*parts, _Part(ask, f"{query} {_here(shared)} ({untold})", shared, logs_of)]


def _told(ask: _Ask, query: str, functions: Sequence[Function], told: Sequence[str]) -> _Part:
    """Events that tell where they are from, as far as there are several places to tell apart."""
    regions, accounts = _places(functions)
    here = _here(functions, told)
    facets = {facet: number for facet, number in _facets(functions).items() if facet in told}
    if not _fits(functions):
        facets = {}
    return _Part(
        ask,
        f"{query} {here}",
        functions,
        logs_of,
        facets=facets,
        region="" if _REGION in facets else regions[0],
        account="" if _ACCOUNT in facets else accounts[0],
    )


def _bundles(functions: Sequence[Function]) -> Iterator[Sequence[Function]]:
    """Those of as many accounts as one answer has room for; of one that has more regions than that, those of
    each region."""
    by_account: dict[str, list[Function]] = {}
    for function in functions:
        by_account.setdefault(function.account, []).append(function)
    held: list[Function] = []
    for account in sorted(by_account):
        own = by_account[account]
        if held and not _fits([*held, *own]):
            yield held
            held = []
        if _fits(own):
            held += own
            continue
        for region in sorted({f.region for f in own}):
            yield [f for f in own if f.region == region]
    if held:
        yield held


def _fits(functions: Sequence[Function]) -> bool:
    """Whether one answer has room for all that there is to tell of them."""
    regions, accounts = _places(functions)
    if len(accounts) > ACCOUNTS_AT_MOST:
        return False
    names = len(_names(functions))
    size = names if names > BATCHES * NAMED_AT_MOST else min(names, NAMED_AT_MOST)
    one = len(regions) == len(accounts) == 1
    return one or size * prod(_facets(functions).values()) * _FORWARDERS <= MOST_GROUPS


def _places(functions: Sequence[Function]) -> tuple[list[str], list[str]]:
    return sorted({f.region for f in functions}), sorted({f.account for f in functions})


def _facets(functions: Sequence[Function]) -> dict[str, int]:
    """What tells their places apart, with room for events that do not tell."""
    places = zip((_REGION, _ACCOUNT), _places(functions), strict=True)
    return {facet: len(values) + 1 for facet, values in places if len(values) > 1}


def _here(functions: Sequence[Function], told: Sequence[str] = ()) -> str:
    """Events of these places; those that do not tell as well, but for what has to be `told`."""
    places = zip((_REGION, _ACCOUNT), _places(functions), strict=True)
    return " ".join(
        f"{facet}:{any_of(values)}" if facet in told else f"({facet}:{any_of(values)} OR -{facet}:*)"
        for facet, values in places
    )


def _in_any_lane(functions: Sequence[Function]) -> str:
    """Events of these accounts, of each in its own regions only; those that do not tell as well."""
    regions: dict[str, set[str]] = {}
    for function in functions:
        regions.setdefault(function.account, set()).add(function.region)
    alike: dict[frozenset[str], list[Function]] = {}
    for function in functions:
        alike.setdefault(frozenset(regions[function.account]), []).append(function)
    conditions = [_here(group) for group in alike.values()]
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(f'({each})' for each in conditions)})"


def _batches(functions: Sequence[Function]) -> Iterator[Sequence[str]]:
    names = _names(functions)
    for at in range(0, len(names), NAMED_AT_MOST):
        yield names[at : at + NAMED_AT_MOST]


def _names(functions: Sequence[Function]) -> list[str]:
    return sorted({function.name for function in functions})


def _unseen(functions: Sequence[Function], found: Sightings) -> list[Function]:
    by_name: dict[str, list[Sighting]] = {}
    for sighting in found:
        by_name.setdefault(sighting.function, []).append(sighting)
    return [f for f in functions if not any(s.may_be(f) for s in by_name.get(datadog_name(f.name), ()))]


def _group_by(facets: Mapping[str, int]) -> list[Json]:
    identity = next(iter(facets))
    return [
        {"facet": facet, "limit": limit} | ({} if facet == identity else {"missing": UNTAGGED})
        for facet, limit in facets.items()
    ]


def _groups(buckets: Json, *path: str) -> list[Mapping[str, str]]:
    """The values of the facets of each bucket; empty where the events have none."""
    groups = (path_in(bucket, *path) for bucket in buckets)
    return [
        {str(facet): "" if value in (None, UNTAGGED) else str(value) for facet, value in group.items()}
        for group in groups
        if isinstance(group, Mapping)
    ]
