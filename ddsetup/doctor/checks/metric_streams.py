"""CloudWatch metric streams that lead to Datadog: that they run, and in a form that it takes."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.facts.guides import STREAM_GUIDE
from ddsetup.facts.metric_streams import FORMAT, READABLE, start_command
from ddsetup.model.account import Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.metric_stream import MetricStream

check = Checks("integration", needs=("cloudwatch:ListMetricStreams", "cloudwatch:GetMetricStream"))


@check(
    "metric-stream", "metric streams to Datadog run, in a format that it takes", "warning", link=STREAM_GUIDE
)
def metric_stream(case: Case) -> Iterator[Result]:
    """A metric stream that leads to Datadog is stopped, or sends another format than OpenTelemetry 1.0.

    It is known by its name, or its Firehose's, which has `datadog` in it.

    While it is stopped Datadog polls the metrics again, which takes longer. With 0.7 metrics may be missing;
    JSON it cannot read at all. Two streams with the same namespace count everything twice.
    """
    for place in case.places:
        streams = place.lane.metric_streams
        if isinstance(streams, Unreadable):
            if streams.denied:
                yield Blind(_stream("", place), streams)
            continue
        for stream in streams or ():
            yield from _wrong(stream, place)
        yield from _twice(streams or (), place)


def _wrong(stream: MetricStream, place: Place) -> Iterator[Problem]:
    resource = _stream(stream.name, place)
    if not stream.running:
        yield Problem(
            resource=resource,
            what="is stopped: Datadog polls the metrics again, which takes longer",
            fix="start it, or delete it if it is not needed",
            command=start_command(stream.name, place.at.region),
        )
    elif stream.output_format != FORMAT:
        readable = stream.output_format in READABLE
        what = "metrics may be missing" if readable else "Datadog cannot read them"
        yield Problem(
            resource=resource,
            what=f"sends metrics as {stream.output_format or 'an unknown format'}: {what}",
            fix=f"change its output format to {FORMAT}",
            severity="warning" if readable else "error",
        )


def _twice(streams: tuple[MetricStream, ...], place: Place) -> Iterator[Problem]:
    carrying = [each.name for each in streams if each.carries_functions]
    if len(carrying) > 1:
        yield Problem(
            resource=_stream(carrying[0], place),
            what=f"{carrying[1]} leads metrics of functions to Datadog as well: they count twice",
            fix="delete one of them",
        )


def _stream(name: str, place: Place) -> ResourceId:
    return ResourceId("metric_stream", name or place.at.region, place.at.region, place.at.account)
