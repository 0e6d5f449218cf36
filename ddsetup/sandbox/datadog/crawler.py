"""CloudWatch metrics, read as Datadog's crawler does: of functions kept as ``aws.lambda.*``."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ddsetup.sandbox.datadog.aws_access import AccessFailed, CustomerAccess, explained, paged
from ddsetup.sandbox.datadog.integrations import Account
from ddsetup.sandbox.datadog.store import MetricKind, Telemetry
from ddsetup.sandbox.datadog.tags import all_normalised

NAMESPACE = "AWS/Lambda"
SERVICES = ("AWS/ApiGateway", "AWS/Events", "AWS/SNS", "AWS/SQS", "AWS/States")
"""Further namespaces in which the emulated account counts something."""
LOOK_BACK = timedelta(hours=3)
QUERIES_PER_CALL = 500
PERIOD = 60


@dataclass(frozen=True, slots=True)
class Collected:
    """One CloudWatch statistic and the metric it becomes."""

    cloudwatch: str
    statistic: str
    datadog: str
    kind: MetricKind


_Point = tuple[str, Collected, list[tuple[int, list[float]]]]

COLLECTED = (
    Collected("Invocations", "Sum", "aws.lambda.invocations", "count"),
    Collected("Errors", "Sum", "aws.lambda.errors", "count"),
    Collected("Throttles", "Sum", "aws.lambda.throttles", "count"),
    Collected("Duration", "Average", "aws.lambda.duration", "gauge"),
    Collected("Duration", "Maximum", "aws.lambda.duration.maximum", "gauge"),
)


def wants_metrics(account: Account) -> bool:
    """Whether the account's configuration has any metrics read."""
    return bool(account.attributes["metrics_config"].get("enabled"))


def lets_through(account: Account, namespace: str) -> bool:
    """Whether the account's configuration lets a namespace through."""
    filters = account.attributes["metrics_config"].get("namespace_filters") or {}
    if "include_only" in filters:
        return namespace in filters["include_only"]
    return namespace not in filters.get("exclude_only", [])


def crawl_region(
    account: Account, region: str, access: CustomerAccess, telemetry: Telemetry, *, unasked: bool = True
) -> tuple[int, list[str]]:
    """Read one region, metrics that nobody has asked for only if ``unasked``; none of a namespace that a
    metric stream brings, of whose resources only the tags are read (Datadog's guide to metric streams).

    Gives how many functions report there, and the issues met on the way. Raises AccessFailed when the metrics
    themselves cannot be read.
    """
    cloudwatch = access.client("cloudwatch", region)
    place = (account.aws_account_id, region)
    every = [
        metric
        for metric in paged(cloudwatch, "list_metrics", "Metrics")
        if lets_through(account, metric["Namespace"])
    ]
    listed = [metric for metric in every if not telemetry.is_streamed(*place, metric["Namespace"])]
    services = [metric for metric in listed if metric["Namespace"] in SERVICES]
    _crawl_services(account, region, cloudwatch, telemetry, services)
    own = (metric for metric in every if metric["Namespace"] == NAMESPACE)
    functions = sorted({name for metric in own if (name := _only_function_name(metric))})
    if not functions:
        return len(services), []
    issues: list[str] = []
    try:
        resource_tags = function_tags(access, region)
    except AccessFailed as error:
        issues.append(f"{region}: {error}; metrics come without the functions' tags")
        resource_tags = {}
    telemetry.keep_tags(*place, resource_tags)
    if telemetry.is_streamed(*place, NAMESPACE):
        return len(services) + len(functions), issues
    wanted = [name for name in functions if _is_collected(account, resource_tags.get(name, {}))]
    due = [item for item in COLLECTED if unasked or telemetry.was_queried(item.datadog)]
    collected = [item for item in due if _passes_name_filters(account, item)]
    now = datetime.fromtimestamp(telemetry.clock(), UTC)
    for function, item, points in _read(cloudwatch, _series(wanted, collected), now):
        tags = metric_tags(account, region, function, resource_tags.get(function, {}))
        telemetry.add_points(item.datadog, item.kind, tags, points)
    return len(services) + len(functions), issues


def _crawl_services(
    account: Account, region: str, cloudwatch: Any, telemetry: Telemetry, listed: Sequence[Mapping[str, Any]]
) -> None:
    """Read what other services count in the metrics that are listed.

    `ExecutionsStarted` of AWS/States becomes `aws.states.executions_started`; dimensions become tags, their
    keys in lower case (Datadog's pages on these services).
    """
    now = datetime.fromtimestamp(telemetry.clock(), UTC)
    points = _points(cloudwatch, [_summed(f"m{at}", metric) for at, metric in enumerate(listed)], now)
    for at, metric in enumerate(listed):
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        name = metric_name(metric["Namespace"], metric["MetricName"])
        tags = service_tags(account, region, dimensions)
        telemetry.add_points(name, "count", tags, points.get(f"m{at}", []))


def service_tags(account: Account, region: str, dimensions: Mapping[str, str]) -> list[str]:
    """The tags of what another service counts: its dimensions, their keys in lower case."""
    own = (f"{name.lower()}:{value}" for name, value in dimensions.items())
    return all_normalised((*own, f"region:{region}", f"aws_account:{account.aws_account_id}"))


def metric_name(namespace: str, metric: str) -> str:
    """What Datadog calls a metric of another service than Lambda."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", metric).lower()
    return f"aws.{namespace.rpartition('/')[2].lower()}.{words}"


def metric_tags(account: Account, region: str, function: str, resource_tags: Mapping[str, str]) -> list[str]:
    """The tags of a function's metrics, as Datadog keeps them."""
    own = [f"{key}:{value}" for key, value in resource_tags.items() if not key.startswith("aws:")]
    extra = account.attributes.get("account_tags") or []
    fixed = [f"functionname:{function}", f"region:{region}", f"aws_account:{account.aws_account_id}"]
    return all_normalised((*fixed, *own, *extra))


def function_tags(access: CustomerAccess, region: str) -> dict[str, dict[str, str]]:
    """Function name -> its AWS tags. Raises AccessFailed."""
    tagging = access.client("resourcegroupstaggingapi", region)
    listed = paged(
        tagging, "get_resources", "ResourceTagMappingList", ResourceTypeFilters=["lambda:function"]
    )
    return {
        item["ResourceARN"].split(":")[6]: {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
        for item in listed
    }


def matches_tag_filters(filters: Sequence[str], tags: Mapping[str, str]) -> bool:
    """Datadog's resource filters: any of the positive ones, none of those with ``!``; with wildcards."""
    present = [f"{key}:{value}".lower() for key, value in tags.items()]

    def has(pattern: str) -> bool:
        return any(fnmatch.fnmatchcase(tag, pattern.strip().lower()) for tag in present)

    positive = [pattern for pattern in filters if not pattern.startswith("!")]
    negative = [pattern[1:] for pattern in filters if pattern.startswith("!")]
    return (not positive or any(map(has, positive))) and not any(map(has, negative))


def collected_of(account: Account, tags: Mapping[str, str]) -> tuple[Collected, ...]:
    """What is kept of a function with these tags."""
    if not _is_collected(account, tags):
        return ()
    return tuple(item for item in COLLECTED if _passes_name_filters(account, item))


def _is_collected(account: Account, tags: Mapping[str, str]) -> bool:
    filters = [
        pattern
        for item in account.attributes["metrics_config"].get("tag_filters") or []
        if item.get("namespace") == NAMESPACE
        for pattern in item.get("tags") or []
    ]
    return matches_tag_filters(filters, tags)


def _passes_name_filters(account: Account, item: Collected) -> bool:
    for name_filter in account.attributes["metrics_config"].get("metric_name_filters") or []:
        if name_filter.get("namespace") != NAMESPACE:
            continue
        patterns = name_filter.get("include_only", name_filter.get("exclude_only", []))
        matched = any(
            fnmatch.fnmatchcase(name, p) for p in patterns for name in (item.cloudwatch, item.datadog)
        )
        if matched is not ("include_only" in name_filter):
            return False
    return True


def _only_function_name(metric: Mapping[str, Any]) -> str | None:
    dimensions = metric.get("Dimensions", [])
    if len(dimensions) == 1 and dimensions[0]["Name"] == "FunctionName":
        return str(dimensions[0]["Value"])
    return None


def _series(functions: Sequence[str], collected: Sequence[Collected]) -> dict[str, tuple[str, Collected]]:
    """Query id -> function and statistic."""
    pairs = ((function, item) for function in functions for item in collected)
    return {f"m{index}": pair for index, pair in enumerate(pairs)}


def _read(cloudwatch: Any, series: Mapping[str, tuple[str, Collected]], now: datetime) -> Iterator[_Point]:
    """The points of all series. Raises AccessFailed."""
    queries = [_query(query_id, *of) for query_id, of in series.items()]
    for query_id, points in _points(cloudwatch, queries, now).items():
        yield (*series[query_id], points)


def _points(
    cloudwatch: Any, queries: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, list[tuple[int, list[float]]]]:
    """The points of each query by its id, up to 500 of them by call. Raises AccessFailed."""
    results: list[Mapping[str, Any]] = []
    for first in range(0, len(queries), QUERIES_PER_CALL):
        with explained("get_metric_data"):
            pages = cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries[first : first + QUERIES_PER_CALL],
                StartTime=now - LOOK_BACK,
                EndTime=now + timedelta(seconds=PERIOD),
            )
            results += [result for page in pages for result in page["MetricDataResults"]]
    return {
        result["Id"]: [
            (int(at.timestamp()), [float(value)])
            for at, value in zip(result["Timestamps"], result["Values"], strict=True)
        ]
        for result in results
    }


def _summed(query_id: str, metric: Mapping[str, Any]) -> dict[str, Any]:
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": "Sum"}}


def _query(query_id: str, function: str, item: Collected) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    metric = {"Namespace": NAMESPACE, "MetricName": item.cloudwatch, "Dimensions": dimensions}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": item.statistic}}
