"""What flows through metric streams: whatever AWS's services count, by the minute, to a delivery stream.

CloudWatch puts the records in the name of the stream's role, which has to trust it and to have the right
(CloudWatch user guide, "Trust between CloudWatch and Firehose"). A minute to which something was added is
sent again as a whole.
"""

from __future__ import annotations

import contextvars
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ddsetup.sandbox.emulator import firehose, metric_streams, otlp

SERVICE = "streams.metrics.cloudwatch.amazonaws.com"
"""Whom the role of a stream trusts."""
_PAUSE = 0.1
"""Seconds in which points are collected: a minute of Datadog's time at the sandbox's pace."""
_PERIOD = 60
_OWN = ("AWS/CloudWatch/MetricStreams", "AWS/Firehose")
"""What streams themselves count is not streamed here: it would go round without end, once a moment."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """A metric of one minute that a stream is to carry. `key` is the emulator's own of it."""

    stream: str
    key: tuple[Any, ...]
    unit: str
    dimensions: tuple[tuple[str, str], ...]
    begins: int


_due: queue.SimpleQueue[tuple[contextvars.Context, _Due]] = queue.SimpleQueue()


def install() -> None:
    """Watch what is counted."""
    from ministack.services import cloudwatch

    plain = cloudwatch.record_metric

    def counted(
        namespace: str, metric: str, value: float, unit: str = "None", dimensions: Any = None
    ) -> None:
        plain(namespace, metric, value, unit, dimensions)
        for stream in () if namespace in _OWN else metric_streams.running_here(namespace, metric):
            held = dict(dimensions or {})
            key = (namespace, metric, cloudwatch._dims_key(held))
            now = int(time.time())
            due = _Due(stream["Name"], key, unit, tuple(held.items()), now - now % _PERIOD)
            _due.put((contextvars.copy_context(), due))

    cloudwatch.record_metric = counted
    threading.Thread(target=_work, name="metric-streams", daemon=True).start()


def _work() -> None:
    for waiting in firehose.batches(_due, _PAUSE):
        for context, stream, due in _by_stream(waiting):
            try:
                context.run(_send, stream, due)
            except Exception:  # noqa: BLE001 - the next batch must be sent whatever went wrong with this one
                _log.exception("metric stream %s", stream)


def _by_stream(
    waiting: Iterable[tuple[contextvars.Context, _Due]],
) -> Iterable[tuple[contextvars.Context, str, tuple[_Due, ...]]]:
    """Each stream of an account and region with what it is to carry, each once."""
    found: dict[tuple[Any, str], tuple[contextvars.Context, dict[_Due, None]]] = {}
    for context, due in waiting:
        place = context.run(metric_streams._place)
        found.setdefault((place, due.stream), (context, {}))[1][due] = None
    for (_, stream), (context, dues) in found.items():
        yield context, stream, tuple(dues)


def _send(name: str, dues: tuple[_Due, ...]) -> None:
    from ministack.services import cloudwatch

    account, region = place = metric_streams._place()
    stream = metric_streams._kept.get(place, {}).get(name)
    if stream is None:
        return
    dimensions = {"MetricStreamName": name}
    cloudwatch.record_metric("AWS/CloudWatch/MetricStreams", "MetricUpdate", len(dues), "Count", dimensions)
    resource = {
        "cloud.provider": "aws",
        "cloud.account.id": account,
        "cloud.region": region,
        "aws.exporter.arn": stream["Arn"],
    }
    summaries = [each for each in map(_summary, dues) if each is not None]
    record = _ENCODERS[stream["OutputFormat"]](resource, summaries)
    arn = str(stream["FirehoseArn"])
    may = firehose.may_put(str(stream["RoleArn"]), SERVICE, "PutRecordBatch", arn)
    if not (may and firehose.put(arn.rpartition("/")[2], record)):
        cloudwatch.record_metric("AWS/CloudWatch/MetricStreams", "PublishErrorRate", 1, "Count", dimensions)


def _summary(due: _Due) -> otlp.Summary | None:
    """The metric in its minute, as CloudWatch has it now."""
    from ministack.services import cloudwatch

    points = cloudwatch._metrics.get(due.key) or ()
    here = [each for each in points if due.begins <= each["Timestamp"] < due.begins + _PERIOD]
    stats = cloudwatch._calc_stats(here)
    if not stats:
        return None
    told = (stats["SampleCount"], stats["Sum"], stats["Minimum"], stats["Maximum"])
    return otlp.Summary(due.key[0], due.key[1], due.unit, dict(due.dimensions), due.begins, *told)


def _as_json(resource: Mapping[str, str], summaries: Iterable[otlp.Summary]) -> bytes:
    """A line for each metric; who takes OpenTelemetry cannot read it."""
    return "".join(json.dumps({**resource, **asdict(each)}) + "\n" for each in summaries).encode()


_ENCODERS: Mapping[str, Callable[[Mapping[str, str], Iterable[otlp.Summary]], bytes]] = {
    "json": _as_json,
    "opentelemetry0.7": otlp.request,
    "opentelemetry1.0": otlp.request,
}
"""What is sent as 0.7 is 1.0: that format is not told from the other."""
