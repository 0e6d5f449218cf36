"""CloudWatch metrics: who is used, and which services are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from ddsetup.gateways.aws.errors import read
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane, Unreadable

_QUERIES = 500
"""Metrics per GetMetricData call (CloudWatch API reference)."""
_POINTS = 100_800
"""Data points per GetMetricData call (same)."""


def invocations(
    aws: Aws, lane: Lane, names: Iterable[str], since_minutes: int
) -> Mapping[str, float] | Unreadable:
    """How often each function ran within the last minutes, by CloudWatch, which lags by a minute or two.

    Every name is in the answer. Needs cloudwatch:GetMetricData.
    """

    def ask() -> Mapping[str, float]:
        wanted = tuple(dict.fromkeys(names))
        counts: dict[str, float] = dict.fromkeys(wanted, 0.0)
        for start in range(0, len(wanted), _QUERIES):
            counts |= _sums(aws, lane, wanted[start : start + _QUERIES], since_minutes)
        return counts

    return read(ask)


def namespaces_in_use(aws: Aws, lane: Lane, namespaces: Iterable[str]) -> Mapping[str, int] | Unreadable:
    """How many metrics each namespace has, at most one page (500) of each.

    CloudWatch lists what got data within two weeks. Needs cloudwatch:ListMetrics.
    """

    def ask() -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for namespace in namespaces:
            page = aws.call("cloudwatch:ListMetrics", lane, patience=OPTIONAL, Namespace=namespace)
            counts[namespace] = len(page.get("Metrics") or ())
        return counts

    return read(ask)


def invoked_by_qualifier(aws: Aws, lane: Lane) -> frozenset[str] | Unreadable:
    """The functions that were invoked by an alias or a version within two weeks.

    Lambda's metrics have the dimension Resource for that: the function's name, or name and qualifier with a
    colon (AWS Lambda developer guide, metrics). Needs cloudwatch:ListMetrics.
    """

    def ask() -> frozenset[str]:
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
        return frozenset(value.partition(":")[0] for value in resources if ":" in value)

    return read(ask)


def _sums(aws: Aws, lane: Lane, names: Sequence[str], since_minutes: int) -> Mapping[str, float]:
    period = _period(since_minutes)
    end = aws.clock.now()
    results = aws.pages(
        "cloudwatch:GetMetricData",
        lane,
        "MetricDataResults",
        token=("NextToken", "NextToken"),
        MetricDataQueries=[_query(index, name, period) for index, name in enumerate(names)],
        StartTime=end - timedelta(minutes=since_minutes),
        EndTime=end + timedelta(minutes=1),
    )
    counts = dict.fromkeys(names, 0.0)
    for result in results:
        counts[names[int(result["Id"][1:])]] += sum(result.get("Values") or ())
    return counts


def _period(since_minutes: int) -> int:
    """Seconds per point: one minute, unless so many points would not fit into one call."""
    for period in (60, 300, 3600):
        if since_minutes * 60 / period * _QUERIES <= _POINTS:
            return period
    return 86400


def _query(index: int, name: str, period: int) -> Json:
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
    }
    return {"Id": f"m{index}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}
