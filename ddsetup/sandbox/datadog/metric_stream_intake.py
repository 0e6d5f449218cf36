"""Where Firehose brings what CloudWatch's metric streams carry.

The endpoint is that of Datadog's template for metric streams (DataDog/cloudformation-template,
`streams_single_region.yaml`), the request and the answer are Firehose's (its developer guide, "Understand
HTTP endpoint delivery request and response specifications"). Tags of functions come by polling, and filters
by tags hold (Datadog's guide to metric streams). Of accounts that are not integrated nothing is kept.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ddsetup.sandbox.datadog import crawler
from ddsetup.sandbox.datadog.firehose_api import PROTOCOL, REQUEST_ID
from ddsetup.sandbox.datadog.integrations import Account
from ddsetup.sandbox.datadog.protobuf import delimited, double, parts
from ddsetup.sandbox.datadog.wire import Request, Response
from ddsetup.sandbox.datadog.world import World

_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True)
class Streamed:
    """One metric of CloudWatch in one minute, which `begins` at that second."""

    account: str
    region: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    begins: int
    statistics: Mapping[str, float]


def submit(request: Request, world: World) -> Response:
    """``POST /api/v2/awsmetrics?dd-protocol=aws-kinesis-firehose``."""
    number = request.headers.get(REQUEST_ID, "")
    told = {"requestId": number, "timestamp": int(world.clock() * 1000)}
    if request.query.get("dd-protocol") != PROTOCOL or not number:
        return Response(400, {**told, "errorMessage": "Invalid request"})
    try:
        records = [base64.b64decode(each["data"]) for each in request.json_object()["records"]]
        found = [each for record in records for message in delimited(record) for each in _read(message)]
    except (KeyError, TypeError, ValueError):
        return Response(400, {**told, "errorMessage": "Cannot decode the records: not OpenTelemetry"})
    for each in found:
        _keep(each, world)
    return Response(200, told)


def _keep(found: Streamed, world: World) -> None:
    place = (found.account, found.region)
    world.telemetry.note_streamed(*place, found.namespace)
    for account in world.integrations.accounts():
        if account.aws_account_id == found.account:
            _keep_of(account, found, world)


def _keep_of(account: Account, found: Streamed, world: World) -> None:
    telemetry = world.telemetry
    points = [(found.begins, [found.statistics["Sum"]])]
    if found.namespace != crawler.NAMESPACE:
        tags = crawler.service_tags(account, found.region, found.dimensions)
        telemetry.add_points(crawler.metric_name(found.namespace, found.metric), "count", tags, points)
        return
    if set(found.dimensions) != {"FunctionName"}:
        return
    name = found.dimensions["FunctionName"]
    own = telemetry.tags_of(found.account, found.region).get(name, {})
    for item in crawler.collected_of(account, own):
        if item.cloudwatch == found.metric:
            tags = crawler.metric_tags(account, found.region, name, own)
            value = found.statistics[item.statistic]
            telemetry.add_points(item.datadog, item.kind, tags, [(found.begins, [value])])


def _read(message: bytes) -> Iterator[Streamed]:
    """What an `ExportMetricsServiceRequest` holds. Raises ValueError, KeyError when it is something else."""
    for exported in parts(message, 1):
        resource = _attributes(parts(exported, 1)[0], 1)
        for scope in parts(exported, 2):
            for metric in parts(scope, 2):
                for summary in parts(metric, 11):
                    for point in parts(summary, 1):
                        yield _point(resource, point)


def _point(resource: Mapping[str, Any], point: bytes) -> Streamed:
    attributes = _attributes(point, 7)
    count = int.from_bytes(parts(point, 4)[0], "little")
    total = double((parts(point, 5) or [b""])[0])
    quantiles = {
        double((parts(q, 1) or [b""])[0]): double((parts(q, 2) or [b""])[0]) for q in parts(point, 6)
    }
    return Streamed(
        account=resource["cloud.account.id"],
        region=resource["cloud.region"],
        namespace=attributes["Namespace"],
        metric=attributes["MetricName"],
        dimensions=attributes["Dimensions"],
        begins=int.from_bytes(parts(point, 2)[0], "little") // _NANOSECONDS,
        statistics={
            "Sum": total,
            "SampleCount": count,
            "Average": total / count,
            "Minimum": quantiles[0.0],
            "Maximum": quantiles[1.0],
        },
    )


def _attributes(message: bytes, number: int) -> dict[str, Any]:
    """`KeyValue`s: texts, and lists of them."""
    found: dict[str, Any] = {}
    for each in parts(message, number):
        key, value = parts(each, 1)[0].decode(), parts(each, 2)[0]
        texts, lists = parts(value, 1), parts(value, 6)
        found[key] = texts[0].decode() if texts else _attributes(lists[0], 1)
    return found
