"""The stack by which CloudWatch streams metrics to Datadog: a metric stream, and what delivers it. Pure.

Datadog's own template makes the same with a StackSet of its own, roles of fixed names and up to three
namespaces, and takes the API key as a parameter (DataDog/cloudformation-template, `aws_streams`). Here it is
one stack in each region, so that each is undone by itself, with a filter for each namespace that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ddsetup.facts.metric_streams import FORMAT, PERCENTILES, STACK, intake
from ddsetup.model.account import Json
from ddsetup.plan.delivery_stream import Delivery, arn_of, putting

SERVICE = "streams.metrics.cloudwatch.amazonaws.com"
"""Who takes on the stream's role (CloudWatch user guide, "Trust between CloudWatch and Firehose")."""


def template(namespaces: Sequence[str], *, role_path: str = "/", role_boundary: str = "") -> Json:
    """The template for these namespaces, as JSON types."""
    delivery = Delivery(name=STACK, intake=intake, role_path=role_path, role_boundary=role_boundary)
    further = {
        "StreamRole": delivery.role(SERVICE, (putting(),)),
        "MetricStream": {
            "Type": "AWS::CloudWatch::MetricStream",
            "Properties": {
                "Name": STACK,
                "FirehoseArn": arn_of("DeliveryStream"),
                "RoleArn": arn_of("StreamRole"),
                "OutputFormat": FORMAT,
                "IncludeFilters": [{"Namespace": each} for each in namespaces],
                "StatisticsConfigurations": list(_percentiles(namespaces)),
            },
        },
    }
    said = "Streams CloudWatch metrics to Datadog. Made by ddsetup, which takes it away again."
    return delivery.template(said, further)


def namespaces_of(found: Json) -> tuple[str, ...]:
    """Which namespaces a stack of such a template streams; none if it is another one."""
    resources = found.get("Resources", {}) if isinstance(found, dict) else {}
    properties = resources.get("MetricStream", {}).get("Properties", {})
    return tuple(str(each.get("Namespace")) for each in properties.get("IncludeFilters", ()))


def _percentiles(namespaces: Iterable[str]) -> Iterator[Json]:
    """What Datadog reads by polling besides sums and averages; a stream has it if it is asked for."""
    for namespace in namespaces:
        by_statistics: dict[tuple[str, ...], list[str]] = {}
        for metric, statistics in PERCENTILES.get(namespace, {}).items():
            by_statistics.setdefault(statistics, []).append(metric)
        for statistics, metrics in by_statistics.items():
            yield {
                "IncludeMetrics": [{"Namespace": namespace, "MetricName": metric} for metric in metrics],
                "AdditionalStatistics": list(statistics),
            }
