"""Single logs and spans: what they say, not only how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ddsetup.facts.searches import datadog_name
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.keys import READ_LOGS, READ_SPANS
from ddsetup.gateways.datadog.telemetry import EVENTS, LOG_BUCKETS, SPAN_BUCKETS, Window, path_in
from ddsetup.model.account import Json

MOST = 1_000
"""Events of a page, at most (API reference, logs search and spans search)."""

_LOGS = "/api/v2/logs/events/search"
_LOG_COUNTS = "/api/v2/logs/analytics/aggregate"
_SPANS = "/api/v2/spans/events/search"
_SPAN_COUNTS = "/api/v2/spans/analytics/aggregate"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log. `function` is its name in Datadog; `stream` is the log stream and `request_id` that of the
    invocation, like `region` empty if they are not told. `group` is the log group, `execution` the ARN of an
    execution of Step Functions that the log is of, `carrier` that of the Forwarder that sent it."""

    at: datetime
    function: str
    status: str
    message: str
    stream: str = ""
    request_id: str = ""
    region: str = ""
    group: str = ""
    execution: str = ""
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """One span. Ids are as Datadog writes them; `function` is its name in Datadog, `arn` its ARN, in lower
    case where a library wrote it, empty if it is not told."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    operation: str
    resource: str
    start: datetime
    duration_ms: float
    failed: bool = False
    error: str = ""
    error_type: str = ""
    function: str = ""
    arn: str = ""
    request_id: str = ""
    cold_start: bool = False


def search_logs(
    dd: Datadog, window: Window, query: str, *, limit: int = MOST, newest_first: bool = True
) -> tuple[Log, ...]:
    """Logs of the indexes, `limit` at most. Raises Denied when `logs_read_data` is missing."""
    start, end = (str(at) for at in window.milliseconds())

    def ask(page: Json) -> Json:
        body = {
            "filter": {"from": start, "to": end, "query": query, "indexes": ["*"]},
            "page": page,
            "sort": "-timestamp" if newest_first else "timestamp",
        }
        return dd.post(_LOGS, body, action=READ_LOGS, shape=EVENTS)

    return tuple(_log(path_in(event, "attributes")) for event in _pages(ask, limit))


def _pages(ask: Callable[[Json], Json], limit: int) -> Iterator[Json]:
    """The events of one page after the other, until there are no more, or enough."""
    cursor: Json = None
    while limit > 0:
        answer = ask({"limit": min(limit, MOST)} | ({"cursor": cursor} if cursor else {}))
        events = answer["data"]
        yield from events
        limit -= len(events)
        cursor = path_in(answer, "meta", "page", "after")
        if not events or not cursor:
            return


def count_logs(dd: Datadog, window: Window, query: str) -> int:
    """How many logs of the indexes match. Raises Denied when `logs_read_data` is missing."""
    start, end = (str(at) for at in window.milliseconds())
    body = {
        "filter": {"from": start, "to": end, "query": query, "indexes": ["*"]},
        "compute": [{"aggregation": "count", "type": "total"}],
    }
    answer = dd.post(_LOG_COUNTS, body, action=READ_LOGS, shape=LOG_BUCKETS)
    counts = (path_in(bucket, "computes", "c0") for bucket in answer["data"]["buckets"])
    return sum(int(count) for count in counts if isinstance(count, int | float))


def search_spans(dd: Datadog, window: Window, query: str, *, limit: int = MOST) -> tuple[SpanEvent, ...]:
    """The newest spans that match, `limit` at most. Raises Denied when `apm_read` is missing."""
    start, end = (str(at) for at in window.milliseconds())

    def ask(page: Json) -> Json:
        attributes = {
            "filter": {"from": start, "to": end, "query": query},
            "page": page,
            "sort": "-timestamp",
        }
        body = {"data": {"type": "search_request", "attributes": attributes}}
        return dd.post(_SPANS, body, action=READ_SPANS, shape=EVENTS)

    return tuple(_span(path_in(event, "attributes")) for event in _pages(ask, limit))


def span_duration(dd: Datadog, window: Window, query: str, aggregation: str) -> float | None:
    """A figure ("max", "pc95") of the durations of spans, in milliseconds; None if there is no span."""
    start, end = (str(at) for at in window.milliseconds())
    attributes = {
        "filter": {"from": start, "to": end, "query": query},
        "compute": [{"aggregation": aggregation, "metric": "@duration", "type": "total"}],
    }
    body = {"data": {"type": "aggregate_request", "attributes": attributes}}
    for bucket in dd.post(_SPAN_COUNTS, body, action=READ_SPANS, shape=SPAN_BUCKETS)["data"]:
        value = path_in(bucket, "attributes", "compute", "c0")
        if isinstance(value, int | float):
            return float(value) / 1e6
    return None


_REQUEST_KEYS = ("lambda.request_id", "requestId", "record.requestId", "AWSRequestId", "aws_request_id")
"""Where the id of a request stands: what Datadog or the Extension took from the line, and in JSON logs of
Lambda itself, its platform events, its runtimes and Powertools."""


def _log(attributes: Json) -> Log:
    tags, own = _tags(attributes), path_in(attributes, "attributes")
    return Log(
        at=_time(path_in(attributes, "timestamp")),
        function=datadog_name(tags.get("functionname", "")),
        status=str(path_in(attributes, "status") or ""),
        message=str(path_in(attributes, "message") or ""),
        stream=str(path_in(own, "aws", "awslogs", "logStream") or ""),
        request_id=_first(*(_of(own, {}, key) for key in _REQUEST_KEYS)),
        region=tags.get("region", ""),
        group=str(path_in(own, "aws", "awslogs", "logGroup") or ""),
        execution=_of(own, {}, "execution_arn"),
        carrier=str(path_in(own, "aws", "invoked_function_arn") or ""),
    )


def _span(attributes: Json) -> SpanEvent:
    # `operation_name` and `status` stand beside the other reserved attributes; older answers had them deeper.
    tags, custom, inner = _tags(attributes), path_in(attributes, "custom"), path_in(attributes, "attributes")
    start, end = (_time(path_in(attributes, f"{side}_timestamp")) for side in ("start", "end"))
    nanoseconds = path_in(custom, "duration")
    measured = isinstance(nanoseconds, int | float) and not isinstance(nanoseconds, bool)
    return SpanEvent(
        trace_id=str(path_in(attributes, "trace_id") or ""),
        span_id=str(path_in(attributes, "span_id") or ""),
        parent_id=str(path_in(attributes, "parent_id") or ""),
        service=str(path_in(attributes, "service") or ""),
        operation=_first(
            *(path_in(place, "operation_name") for place in (attributes, inner, custom)),
            path_in(custom, "name"),
        ),
        resource=str(path_in(attributes, "resource_name") or ""),
        start=start,
        duration_ms=float(nanoseconds) / 1e6 if measured else (end - start).total_seconds() * 1000,
        failed=_first(*(path_in(place, "status") for place in (attributes, inner))) == "error",
        error=_first(*(_of(custom, tags, name) for name in ("error.message", "error.type"))),
        error_type=_of(custom, tags, "error.type"),
        function=datadog_name(_of(custom, tags, "functionname")),
        arn=_of(custom, tags, "function_arn"),
        request_id=_of(custom, tags, "request_id"),
        cold_start=_of(custom, tags, "cold_start") == "true",
    )


def _of(custom: Json, tags: Mapping[str, str], name: str) -> str:
    """A value of a span, whether its key is dotted or nested, or a tag; empty if it has none."""
    nested = path_in(custom, *name.split("."))
    return _first(path_in(custom, name), nested, tags.get(name, ""))


def _first(*values: Json) -> str:
    return next((str(value) for value in values if isinstance(value, str) and value), "")


def _tags(attributes: Json) -> Mapping[str, str]:
    pairs = (str(tag).partition(":") for tag in path_in(attributes, "tags") or ())
    return {key: value for key, _, value in pairs}


def _time(value: Json) -> datetime:
    """An instant as Datadog writes it; the epoch if it cannot be read."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return _EPOCH
    return at if at.tzinfo else at.replace(tzinfo=UTC)
