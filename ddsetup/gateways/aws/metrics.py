"""CloudWatch metrics: who is used, and which services are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ddsetup.gateways.aws.errors import readable
from ddsetup.gateways.aws.session import OPTIONAL, PATIENCE, Aws, Patience
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError
from ddsetup.model.keeper import Alarm
from ddsetup.model.points import Points

_READ = "cloudwatch:GetMetricData"
_QUERIES = 500
"""Metrics per GetMetricData call (CloudWatch API reference)."""
_POINTS = 100_800
"""Data points per GetMetricData call (same)."""
_AT_ONCE = 8
_UNTOLD = ("InternalError", "Forbidden")
"""Statuses of a series without its values (same, MetricDataResult)."""


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of CloudWatch of one resource; `dimensions` as (name, value), `statistic` as AWS names it."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str = "Sum"

    @classmethod
    def of_function(cls, name: str, metric: str, statistic: str = "Sum") -> Series:
        """What Lambda counts of a function."""
        return cls("AWS/Lambda", metric, (("FunctionName", name),), statistic)


@readable
def invocations(aws: Aws, lane: Lane, names: Iterable[str], since_minutes: int) -> Mapping[str, float]:
    """How often each function ran within the last minutes, by CloudWatch, which lags by a minute or two.

    Every name is in the answer. Needs cloudwatch:GetMetricData.
    """
    wanted = {Series.of_function(name, "Invocations"): name for name in names}
    return {wanted[of]: n for of, n in _sums(aws, lane, tuple(wanted), since_minutes).items()}


@readable
def sums(aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int) -> Mapping[Series, float]:
    """The sum of each series within the last minutes. Needs cloudwatch:GetMetricData."""
    return _sums(aws, lane, wanted, since_minutes)


@readable
def by_hour(aws: Aws, lane: Lane, wanted: Sequence[Series], hours: int) -> Mapping[Series, tuple[float, ...]]:
    """The sum of each hour in which there was anything, of each series; none where nothing was.

    A series that CloudWatch could not tell is left out. Calls for 500 series each, side by side. Needs
    cloudwatch:GetMetricData.
    """
    found = each(
        lambda part: _points(aws, lane, part, hours * 60, 3600, OPTIONAL), _for_a_call(wanted), _AT_ONCE
    )
    return {series: values for part in found for series, values in part.items()}


@readable
def by_minute(aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int) -> Mapping[Series, Points]:
    """What each series was in each minute of the last ones, unreadable if one of them could not be told.

    Needs cloudwatch:GetMetricData.
    """
    found = _told(aws, lane, wanted, since_minutes, 60, PATIENCE)
    if untold := [series.metric for series in wanted if series not in found]:
        raise GatewayError(f"CloudWatch did not tell {', '.join(untold)}", action=_READ)
    return {
        series: tuple(
            sorted(
                (at, float(value))
                for part in parts
                for at, value in zip(part.get("Timestamps") or (), part.get("Values") or (), strict=False)
            )
        )
        for series, parts in found.items()
    }


@readable
def longest_runs(aws: Aws, lane: Lane, names: Iterable[str], minutes: int) -> Mapping[str, float]:
    """The longest run of each function in milliseconds, those that ran. Needs cloudwatch:GetMetricData."""
    wanted = {Series.of_function(name, "Duration", "Maximum"): name for name in names}
    found: dict[str, float] = {}
    for part in _for_a_call(tuple(wanted)):
        points = _points(aws, lane, part, minutes, 300, PATIENCE)
        found |= {wanted[series]: max(values) for series, values in points.items() if values}
    return found


@readable
def active_namespaces(aws: Aws, lane: Lane, namespaces: Iterable[str]) -> Mapping[str, int]:
    """How many metrics of each namespace got data in the last three hours, at most one page (500) of each.

    Needs cloudwatch:ListMetrics.
    """
    return _listed(aws, lane, namespaces, RecentlyActive="PT3H")


@readable
def namespaces_in_use(aws: Aws, lane: Lane, namespaces: Iterable[str]) -> Mapping[str, int]:
    """How many metrics each namespace has, at most one page (500) of each.

    CloudWatch lists what got data within two weeks. Needs cloudwatch:ListMetrics.
    """
    return _listed(aws, lane, namespaces)


def _listed(aws: Aws, lane: Lane, namespaces: Iterable[str], **more: Any) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for namespace in namespaces:
        page = aws.call("cloudwatch:ListMetrics", lane, patience=OPTIONAL, Namespace=namespace, **more)
        counts[namespace] = len(page.get("Metrics") or ())
    return counts


@readable
def invoked_by_qualifier(aws: Aws, lane: Lane) -> Mapping[str, tuple[str, ...]]:
    """The functions that were invoked by an alias or a version within two weeks, each with these.

    Lambda's metrics have the dimension Resource for that: the function's name, or name and qualifier with a
    colon (AWS Lambda developer guide, metrics). Needs cloudwatch:ListMetrics.
    """
    found = aws.pages(
        "cloudwatch:ListMetrics",
        lane,
        "Metrics",
        token=("NextToken", "NextToken"),
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "Resource"}],
    )
    dimensions = (d for metric in found for d in metric.get("Dimensions") or ())
    resources = (d["Value"] for d in dimensions if d["Name"] == "Resource")
    by_name: dict[str, set[str]] = {}
    for name, colon, qualifier in (value.partition(":") for value in resources):
        if colon:
            by_name.setdefault(name, set()).add(qualifier)
    return {name: tuple(sorted(found)) for name, found in sorted(by_name.items())}


@readable
def alarm_states(aws: Aws, lane: Lane, names: Sequence[str]) -> tuple[Alarm, ...]:
    """Those of these metric alarms that there are, by name. Needs cloudwatch:DescribeAlarms."""
    answer = aws.call("cloudwatch:DescribeAlarms", lane, patience=OPTIONAL, AlarmNames=list(names))
    found = answer.get("MetricAlarms") or ()
    return tuple(sorted((Alarm(a["AlarmName"], a["StateValue"]) for a in found), key=lambda a: a.name))


def _sums(aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int) -> Mapping[Series, float]:
    found: dict[Series, float] = {}
    for part in _for_a_call(wanted):
        found |= _summed(aws, lane, part, since_minutes)
    return found


def _summed(aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int) -> Mapping[Series, float]:
    points = _points(aws, lane, wanted, since_minutes, _period(since_minutes), PATIENCE)
    return {series: sum(points.get(series, ()), 0.0) for series in wanted}


def _for_a_call(wanted: Sequence[Series]) -> Sequence[Sequence[Series]]:
    """As many as one call tells, each."""
    return [wanted[start : start + _QUERIES] for start in range(0, len(wanted), _QUERIES)]


def _points(
    aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int, period: int, patience: Patience
) -> Mapping[Series, tuple[float, ...]]:
    found = _told(aws, lane, wanted, since_minutes, period, patience)
    return {
        series: tuple(float(value) for part in parts for value in part.get("Values") or ())
        for series, parts in found.items()
    }


def _told(
    aws: Aws, lane: Lane, wanted: Sequence[Series], since_minutes: int, period: int, patience: Patience
) -> Mapping[Series, Sequence[Json]]:
    """The parts of the answer for each series that could be told."""
    end = aws.clock.now()
    results = aws.pages(
        _READ,
        lane,
        "MetricDataResults",
        token=("NextToken", "NextToken"),
        patience=patience,
        MetricDataQueries=[_query(index, series, period) for index, series in enumerate(wanted)],
        StartTime=end - timedelta(minutes=since_minutes),
        EndTime=end + timedelta(minutes=1),
    )
    found: dict[Series, list[Json]] = {series: [] for series in wanted}
    for result in results:
        series = wanted[int(result["Id"][1:])]
        if result.get("StatusCode") in _UNTOLD:
            found.pop(series, None)
        elif series in found:
            found[series].append(result)
    return found


def _period(since_minutes: int) -> int:
    """Seconds per point: one minute, unless so many points would not fit into one call."""
    for period in (60, 300, 3600):
        if since_minutes * 60 / period * _QUERIES <= _POINTS:
            return period
    return 86400


def _query(index: int, series: Series, period: int) -> Json:
    metric = {
        "Namespace": series.namespace,
        "MetricName": series.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
    }
    return {"Id": f"m{index}", "MetricStat": {"Metric": metric, "Period": period, "Stat": series.statistic}}
