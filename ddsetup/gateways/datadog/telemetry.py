"""Metrics that have arrived in Datadog, asked in groups: one call, however many functions there are.

CloudWatch metrics, and what the Forwarder or the Extension send, carry the tags `functionname`, `region` and
`aws_account`; what came through the Forwarder carries `forwardername` too
(datadog-serverless-functions 5.4.11).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.keys import QUERY_METRICS
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError

Place: TypeAlias = tuple[str, str, str]
"""A function's name in Datadog, its region, empty where the points have no such tag, and its account."""

Values: TypeAlias = Mapping[str, Mapping[Place, float]]
"""Of each query by its label, the value for each place that has one."""

NAMED_AT_MOST = 100
"""Names that are written into a query; beyond that everything is asked for and sorted out here."""

CALLS_BY_NAME = 4
"""Calls by name at most, before all functions of the accounts are asked for."""

ACCOUNTS_AT_MOST = 100
"""Accounts that are written into a query; beyond that those of all accounts are sorted out here."""

MAY_BE_CUT = 100
"""Groups from which on an answer may not hold all of them: Datadog does not document how many it gives."""

NAMED_AGAIN = 400
"""Functions of a call that asks once more, few enough for the answer to hold all of them."""

UNTAGGED = "N/A"
"""The value that stands for "has no such tag" in groups."""

_SCALAR = "/api/v2/query/scalar"
_COLUMNS: Shape = {"data": {"attributes": {"columns": [{"type": str, "name": str, "values": [ANYTHING]}]}}}

EVENTS: Shape = {
    "data": [{"attributes": {"tags?": [str], "attributes?": {}, "custom?": {}}}],
    "meta?": {"page?": {"after?": str}},
}
"""The answer to a search of logs or spans; without a match its list is empty."""

LOG_BUCKETS: Shape = {"data": {"buckets": [{"by?": {}, "computes?": {}}]}}
SPAN_BUCKETS: Shape = {"data": [{"attributes": {"by?": {}, "compute?": {}}}]}
"""The answers to aggregations of logs and of spans."""

_ACCOUNT_TAGS = ("aws_account", "account_id")
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when (aware times): what happened outside of it proves nothing."""

    start: datetime
    end: datetime

    def of_counts(self) -> Window:
        """The same with the whole step in which it begins: what a library counts is kept in steps of ten
        seconds, each with the time of its start."""
        return replace(self, start=self.start.replace(second=self.start.second // 10 * 10, microsecond=0))

    def milliseconds(self) -> tuple[int, int]:
        """Both ends since the epoch; at least a second apart, as an empty range is refused."""
        start = int(self.start.timestamp() * 1000)
        return start, max(int(self.end.timestamp() * 1000), start + 1000)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric, how to aggregate it ("sum" counts), and a tag that its points must have."""

    metric: str
    aggregator: str = "sum"
    scope: str = ""


def metric_values(
    dd: Datadog, window: Window, named: Mapping[str, Sequence[str]], queries: Mapping[str, MetricQuery]
) -> Iterator[Values]:
    """The value of each query in the window, for each function of these accounts that has one.

    `named` are their functions by account, as Datadog spells them. Few are asked for by name; many of them in
    one call, and again by name those that are not in an answer which may be cut off. One answer comes after
    the other. Raises Denied when the permission `timeseries_query` is missing, and the other errors of
    `Datadog.call`.
    """
    accounts = tuple(named)
    wanted = [(name, account) for account, names in named.items() for name in names]
    size = NAMED_AT_MOST
    if len(wanted) > CALLS_BY_NAME * NAMED_AT_MOST:
        values = _values(dd, window, accounts, "", queries)
        yield values
        seen = {(name, account) for found in values.values() for name, _, account in found}
        wanted = [each for each in wanted if each not in seen] if len(seen) >= MAY_BE_CUT else []
        size = NAMED_AGAIN
    for part in _parts(Counter(name for name, _ in wanted), size):
        among = f" AND functionname IN ({','.join(sorted(part))})"
        yield _values(dd, window, accounts, among, queries)


def _parts(names: Mapping[str, int], size: int) -> Iterator[Sequence[str]]:
    """Names that stand for so many functions each, in parts of `size` functions."""
    part: list[str] = []
    held = 0
    for name, number in names.items():
        if part and held + number > size:
            yield part
            part, held = [], 0
        part.append(name)
        held += number
    if part:
        yield part


def _of_accounts(accounts: Sequence[str]) -> str:
    """Points of these accounts: CloudWatch's have one tag for it, a library's another."""
    if len(accounts) == 1:
        return f"(aws_account:{accounts[0]} OR account_id:{accounts[0]})"
    if len(accounts) > ACCOUNTS_AT_MOST:
        return "(aws_account:* OR account_id:*)"
    listed = ",".join(accounts)
    return f"(aws_account IN ({listed}) OR account_id IN ({listed}))"


def _values(
    dd: Datadog, window: Window, accounts: Sequence[str], among: str, queries: Mapping[str, MetricQuery]
) -> Values:
    scope, many = f"{_of_accounts(accounts)}{among}", len(accounts) > 1
    by = ("functionname", "region", *(_ACCOUNT_TAGS if many else ()))
    columns = _scalar(dd, window, {label: (_by_function(q, scope, by), q) for label, q in queries.items()})
    functions = _groups(columns, "functionname")
    regions = _groups(columns, "region") or [""] * len(functions)
    whose = _first_told(columns, _ACCOUNT_TAGS) if many else [accounts[0]] * len(functions)
    places = list(zip(functions, regions, whose, strict=False))
    return {
        label: {
            place: value
            for place, value in zip(places, _numbers(columns, label), strict=False)
            if value is not None
        }
        for label in queries
    }


def regions_with_data(
    dd: Datadog, window: Window, accounts: Sequence[str], metric: str
) -> frozenset[tuple[str, str]]:
    """The accounts and their regions in which a metric of CloudWatch has points in the window."""
    many = len(accounts) > 1
    listed = f"aws_account IN ({','.join(accounts)})" if many else f"aws_account:{accounts[0]}"
    scope = listed if len(accounts) <= ACCOUNTS_AT_MOST else "aws_account:*"
    by = "region,aws_account" if many else "region"
    text = f"sum:{metric}{{{scope}}} by {{{by}}}.as_count()"
    columns = _scalar(dd, window, {"any": (text, MetricQuery(metric))})
    regions = _groups(columns, "region")
    whose = _groups(columns, "aws_account") if many else [accounts[0]] * len(regions)
    return frozenset(place for place in zip(whose, regions, strict=False) if all(place))


def metrics_seen(dd: Datadog, window: Window, metrics: Sequence[str]) -> frozenset[str]:
    """Those of the named metrics that have a point in the window, whoever sent it, in one call.

    Raises UsageError for what cannot be the name of a metric.
    """
    if not metrics:
        return frozenset()
    for metric in metrics:
        if not _METRIC.fullmatch(metric):
            raise UsageError(f"{metric!r} cannot be the name of a metric")
    queries = {f"m{i}": MetricQuery(metric, "avg") for i, metric in enumerate(metrics)}
    columns = _scalar(dd, window, {label: (f"avg:{q.metric}{{*}}", q) for label, q in queries.items()})
    return frozenset(
        query.metric
        for label, query in queries.items()
        if any(value is not None for value in _numbers(columns, label))
    )


def grouped_values(
    dd: Datadog, window: Window, queries: Mapping[str, tuple[str, str]], by: Sequence[str]
) -> Mapping[tuple[str, ...], Mapping[str, float]]:
    """One number for each query and group, in one call; groups are the values of the tags in `by`.

    `queries` are by label (text of the query grouped by these tags, how to sum up its points over time:
    "sum", "avg", ...). Values that a group lacks are left out. Raises the errors of `Datadog.call`.
    """
    described = {label: (text, MetricQuery("", over_time)) for label, (text, over_time) in queries.items()}
    columns = _scalar(dd, window, described)
    names = list(zip(*(_groups(columns, tag) for tag in by), strict=False)) if by else [()]
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for label in queries:
        for group, value in zip(names, _numbers(columns, label), strict=False):
            if value is not None:
                found.setdefault(group, {})[label] = value
    return found


def _by_function(query: MetricQuery, scope: str, by: Iterable[str]) -> str:
    if query.scope:
        scope = f"{scope} AND {query.scope}"
    count = ".as_count()" if query.aggregator == "sum" else ""
    return f"{query.aggregator}:{query.metric}{{{scope}}} by {{{','.join(by)}}}{count}"


def _scalar(dd: Datadog, window: Window, queries: Mapping[str, tuple[str, MetricQuery]]) -> list[Json]:
    start, end = window.milliseconds()
    described = [
        {"name": label, "data_source": "metrics", "aggregator": query.aggregator, "query": text}
        for label, (text, query) in queries.items()
    ]
    attributes = {
        "from": start,
        "to": end,
        "queries": described,
        "formulas": [{"formula": label} for label in queries],
    }
    body = {"data": {"type": "scalar_request", "attributes": attributes}}
    answer = dd.post(_SCALAR, body, action=QUERY_METRICS, shape=_COLUMNS)
    columns: list[Json] = answer["data"]["attributes"]["columns"]
    return columns


def _groups(columns: Sequence[Json], name: str) -> list[str]:
    """The values of a group column; each is a list, as a group may have several values for a tag."""
    for column in columns:
        if path_in(column, "type") == "group" and path_in(column, "name") == name:
            firsts = (value[0] if isinstance(value, list) and value else value for value in column["values"])
            return ["" if first in (None, UNTAGGED) else str(first).lower() for first in firsts]
    return []


def _first_told(columns: Sequence[Json], names: Iterable[str]) -> list[str]:
    """Of each group the first of these tags that it has; empty where it has none."""
    told = zip(*(_groups(columns, name) for name in names), strict=False)
    return [next(filter(None, values), "") for values in told]


def _numbers(columns: Sequence[Json], label: str) -> list[float | None]:
    for column in columns:
        if path_in(column, "type") == "number" and path_in(column, "name") == label:
            values = column.get("values") or []
            return [float(v) if isinstance(v, int | float) else None for v in values]
    return []


def path_in(document: Json, *names: str) -> Json:
    """The value at the end of a path of keys; None where the answer is of another shape."""
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
