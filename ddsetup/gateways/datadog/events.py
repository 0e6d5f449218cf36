"""Logs and spans that have arrived in Datadog: which functions have any, and how they came.

The two aggregate calls count by facets. Their groups are limited, so a run with more functions than fit is
asked for as a whole first, and then by name for those that are still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TypeAlias

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.keys import READ_LOGS, READ_SPANS
from ddsetup.gateways.datadog.telemetry import (
    EVENTS,
    LOG_BUCKETS,
    NAMED_AT_MOST,
    SPAN_BUCKETS,
    UNTAGGED,
    Window,
    path_in,
)
from ddsetup.model.account import Json

_LOGS = "/api/v2/logs/analytics/aggregate"
_SPANS = "/api/v2/spans/analytics/aggregate"
_LOG_SEARCH = "/api/v2/logs/events/search"

_MOST_GROUPS = 10_000
"""The limit on the product of the limits of all facets of a request (API reference, aggregate logs)."""

_NAME, _REGION, _ACCOUNT, _FORWARDER, _ARN = (
    "functionname",
    "region",
    "aws_account",
    "forwardername",
    "@function_arn",
)

_Ask: TypeAlias = Callable[[str, Mapping[str, int]], Sequence[Mapping[str, str]]]
"""Asks for the events of a query grouped by facets with their limits; gives the `by` of each bucket."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose events are meant: function names in lower case, and the regions and accounts these are in."""

    names: tuple[str, ...]
    regions: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A function of which events arrived. `region` and `account` are empty where the events do not tell.

    `forwarded` tells that they came through a Forwarder.
    """

    function: str
    region: str = ""
    account: str = ""
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class ErrorLog:
    """A log of status error: `at` as ISO 8601, `function` in lower case or empty."""

    at: str
    function: str
    message: str


def log_sightings(dd: Datadog, window: Window, scope: Scope) -> frozenset[Sighting]:
    """Which functions have logs in the indexes. Raises Denied when `logs_read_data` is missing."""
    start, end = (str(at) for at in window.milliseconds())

    def ask(query: str, facets: Mapping[str, int]) -> Sequence[Mapping[str, str]]:
        body = {
            "filter": {"from": start, "to": end, "query": f"source:lambda {query}", "indexes": ["*"]},
            "compute": [{"aggregation": "count", "type": "total"}],
            "group_by": _group_by(facets),
        }
        answer = dd.post(_LOGS, body, action=READ_LOGS, shape=LOG_BUCKETS)
        return _groups(path_in(answer, "data", "buckets"), "by")

    return _sightings(ask, scope)


def span_sightings(dd: Datadog, window: Window, scope: Scope) -> frozenset[Sighting]:
    """Which functions have `aws.lambda` spans. Raises Denied when `apm_read` is missing."""
    start, end = (str(at) for at in window.milliseconds())

    def ask(query: str, facets: Mapping[str, int]) -> Sequence[Mapping[str, str]]:
        attributes = {
            "filter": {"from": start, "to": end, "query": f"operation_name:aws.lambda {query}"},
            "compute": [{"aggregation": "count", "type": "total"}],
            "group_by": _group_by(facets),
        }
        body = {"data": {"type": "aggregate_request", "attributes": attributes}}
        answer = dd.post(_SPANS, body, action=READ_SPANS, shape=SPAN_BUCKETS)
        return _groups(path_in(answer, "data"), "attributes", "by")

    # The library puts the function's ARN on its span; region and account are tags of whatever carried it.
    return _sightings(ask, scope, (_ARN,))


def log_carriers(dd: Datadog, window: Window) -> Mapping[str, frozenset[str]]:
    """The Forwarders through which logs of functions came, by the function's name in lower case, in one call
    for up to 2,000 functions. Raises Denied when `logs_read_data` is missing."""
    start, end = (str(at) for at in window.milliseconds())
    forwarders = 5
    body = {
        "filter": {"from": start, "to": end, "query": f"source:lambda {_FORWARDER}:*", "indexes": ["*"]},
        "compute": [{"aggregation": "count", "type": "total"}],
        "group_by": _group_by({_NAME: _MOST_GROUPS // forwarders, _FORWARDER: forwarders}),
    }
    found: dict[str, set[str]] = {}
    answer = dd.post(_LOGS, body, action=READ_LOGS, shape=LOG_BUCKETS)
    for group in _groups(answer["data"]["buckets"], "by"):
        if carrier := group.get(_FORWARDER, "").lower():
            found.setdefault(group.get(_NAME, "").lower(), set()).add(carrier)
    return {name: frozenset(carriers) for name, carriers in found.items()}


def newest_errors(dd: Datadog, window: Window, scope: Scope, limit: int = 5) -> tuple[ErrorLog, ...]:
    """The newest error logs of these functions. Raises Denied when `logs_read_data` is missing."""
    start, end = (str(at) for at in window.milliseconds())
    named = len(scope.names) <= NAMED_AT_MOST
    body = {
        "filter": {
            "from": start,
            "to": end,
            "query": f"source:lambda status:error {_query(scope, named=named)}",
            "indexes": ["*"],
        },
        "page": {"limit": limit},
        "sort": "-timestamp",
    }
    events = dd.post(_LOG_SEARCH, body, action=READ_LOGS, shape=EVENTS)["data"]
    return tuple(_error_log(path_in(event, "attributes")) for event in events or ())


def _sightings(ask: _Ask, scope: Scope, extra_facets: tuple[str, ...] = ()) -> frozenset[Sighting]:
    facets = _facets(scope, extra_facets)
    room = max(1, _MOST_GROUPS // prod(facets.values()))
    batch = min(NAMED_AT_MOST, room)
    found: frozenset[Sighting] = frozenset()
    missing = scope.names
    if len(missing) > batch:
        found = _sighted(ask, _query(scope, named=False), {_NAME: room, **facets})
        seen = {sighting.function for sighting in found}
        # Fewer names than there was room for: whoever is not among them has no events.
        missing = () if len(seen) < room else tuple(name for name in missing if name not in seen)
    for at in range(0, len(missing), batch):
        part = replace(scope, names=missing[at : at + batch])
        found |= _sighted(ask, _query(part, named=True), {_NAME: batch, **facets})
    return found


def _facets(scope: Scope, extra: tuple[str, ...]) -> dict[str, int]:
    """The facets besides the name, with their limits: one more than the known values, for "untagged"."""
    facets = {_FORWARDER: 3}
    if len(scope.regions) > 1:
        facets[_REGION] = len(scope.regions) + 1
    if len(scope.accounts) > 1:
        facets[_ACCOUNT] = len(scope.accounts) + 1
    # Nothing keeps namesakes elsewhere out of an extra facet: leave them some room.
    return facets | dict.fromkeys(extra, len(scope.regions) * len(scope.accounts) + 3)


def _query(scope: Scope, *, named: bool) -> str:
    """Only our functions, regions and accounts; events that do not tell region or account are let in."""
    parts = [f"{_NAME}:{_any_of(scope.names)}"] if named else []
    for facet, values in ((_REGION, scope.regions), (_ACCOUNT, scope.accounts)):
        parts.append(f"({facet}:{_any_of(values)} OR -{facet}:*)")
    return " ".join(parts)


def _any_of(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({' OR '.join(values)})"


def _sighted(ask: _Ask, query: str, facets: Mapping[str, int]) -> frozenset[Sighting]:
    try:
        groups = ask(query, facets)
    except Rejected:  # an organisation may lack one of the facets: the name alone still proves something
        groups = ask(query, {_NAME: facets[_NAME]})
    return frozenset(_sighting(group) for group in groups)


def _sighting(group: Mapping[str, str]) -> Sighting:
    arn = group.get(_ARN, "").split(":")
    region, account = (arn[3], arn[4]) if len(arn) > 6 else ("", "")
    return Sighting(
        function=group.get(_NAME, "").lower(),
        region=group.get(_REGION, "") or region,
        account=group.get(_ACCOUNT, "") or account,
        forwarded=bool(group.get(_FORWARDER)),
    )


def _group_by(facets: Mapping[str, int]) -> list[Json]:
    return [
        {"facet": facet, "limit": limit} | ({} if facet == _NAME else {"missing": UNTAGGED})
        for facet, limit in facets.items()
    ]


def _groups(buckets: Json, *path: str) -> list[Mapping[str, str]]:
    groups = (path_in(bucket, *path) for bucket in buckets or ())
    return [
        {str(facet): "" if value in (None, UNTAGGED) else str(value) for facet, value in group.items()}
        for group in groups
        if isinstance(group, Mapping)
    ]


def _error_log(attributes: Json) -> ErrorLog:
    tags = path_in(attributes, "tags")
    names = [str(tag).partition(":")[2] for tag in tags or () if str(tag).startswith(f"{_NAME}:")]
    return ErrorLog(
        at=str(path_in(attributes, "timestamp") or ""),
        function=names[0] if names else "",
        message=str(path_in(attributes, "message") or ""),
    )
