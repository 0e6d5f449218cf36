"""CloudWatch metric streams that lead to Datadog."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.gateways.aws.errors import readable
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane
from ddsetup.model.metric_stream import MetricFilter, MetricStream


@readable
def datadogs_streams(aws: Aws, lane: Lane) -> tuple[MetricStream, ...]:
    """Those of a region, by name.

    Datadog's are known by their name or their Firehose's: the template and the guides of Datadog call both
    "datadog-...". Only of those that run the filters are asked for. Needs cloudwatch:ListMetricStreams and
    cloudwatch:GetMetricStream.
    """
    entries = aws.pages(
        "cloudwatch:ListMetricStreams",
        lane,
        "Entries",
        token=("NextToken", "NextToken"),
        patience=OPTIONAL,
    )
    found = (_stream(aws, lane, entry) for entry in entries if _is_datadogs(entry))
    return tuple(sorted(found, key=lambda each: each.name))


def _stream(aws: Aws, lane: Lane, entry: Json) -> MetricStream:
    name, running = str(entry["Name"]), entry.get("State") == "running"
    told: Json = {}
    if running:
        told = aws.call("cloudwatch:GetMetricStream", lane, patience=OPTIONAL, Name=name)
    return MetricStream(
        name=name,
        delivery=_delivery(entry),
        running=running,
        output_format=str(entry.get("OutputFormat") or ""),
        include=tuple(_filters(told.get("IncludeFilters") or ())),
        exclude=tuple(_filters(told.get("ExcludeFilters") or ())),
    )


def _delivery(entry: Json) -> str:
    return str(entry.get("FirehoseArn") or "").rpartition("/")[2]


def _is_datadogs(entry: Json) -> bool:
    return any("datadog" in name.lower() for name in (str(entry["Name"]), _delivery(entry)))


def _filters(told: Iterable[Json]) -> Iterable[MetricFilter]:
    for each in told:
        yield str(each.get("Namespace") or ""), tuple(map(str, each.get("MetricNames") or ()))
