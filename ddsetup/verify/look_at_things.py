"""One look at what was switched on beside functions: a call for each way of looking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ddsetup.facts.searches import any_of, datadog_name
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.event_search import MOST, Log, search_logs
from ddsetup.gateways.datadog.metric_tags import active_metrics
from ddsetup.gateways.datadog.sightings import log_groups, span_groups
from ddsetup.gateways.datadog.telemetry import Window, grouped_values
from ddsetup.verify.expected import Expected
from ddsetup.verify.progress import Found
from ddsetup.verify.things import Thing

ROUNDS = 3
"""Searches for logs by group in one look: what writes much may hide what writes little."""

NAMED = 100
"""Services that are asked for by name; of more, the whole account's are looked at."""
EXECUTIONS = "aws.stepfunctions"
"""The operation of the root span that Datadog makes of an execution's log."""

Wanted = Sequence[tuple[Expected, Thing]]


def look_at_logs(dd: Datadog, window: Window, left: Sequence[Expected]) -> Iterator[Found]:
    """What is there of the logs of things. Raises Denied when `logs_read_data` is missing."""
    things = _things(left)
    yield from _by_group(dd, window, [pair for pair in things if pair[1].log_group])
    for expected, thing in things:
        if thing.stream and search_logs(dd, window, f"@aws.firehose.arn:{any_of((thing.stream,))}", limit=1):
            yield {expected.key: "firehose"}
    of_sources = [pair for pair in things if pair[1].source]
    if of_sources:
        yield _of_sources(dd, window, of_sources)


def _of_sources(dd: Datadog, window: Window, things: Wanted) -> Found:
    """What does not tell its account is of the only one that is asked for it."""
    by_source: dict[str, set[str]] = {}
    for _, thing in things:
        by_source.setdefault(thing.source, set()).add(thing.resource.account)
    accounts = tuple(sorted(set().union(*by_source.values())))
    query = f"source:{any_of(tuple(sorted(by_source)))} (aws_account:{any_of(accounts)} OR -aws_account:*)"
    groups = log_groups(dd, window, query, {"source": len(by_source), "aws_account": len(accounts) + 1})
    seen = {(group.get("source", ""), group.get("aws_account", "")) for group in groups}
    return {
        expected.key: "forwarder"
        for expected, thing in things
        if (thing.source, thing.resource.account) in seen
        or ((thing.source, "") in seen and len(by_source[thing.source]) == 1)
    }


def _by_group(dd: Datadog, window: Window, things: Wanted) -> Iterator[Found]:
    left = list(things)
    for _ in range(ROUNDS):
        if not left:
            return
        groups = any_of(tuple(sorted({thing.log_group for _, thing in left})))
        logs = search_logs(dd, window, f"@aws.awslogs.logGroup:{groups}", limit=MOST)
        found = {e.key: "forwarder" for e, thing in left if any(_is_of(log, thing) for log in logs)}
        yield found
        if len(logs) < MOST or not found:
            return
        left = [(expected, thing) for expected, thing in left if expected.key not in found]


def _is_of(log: Log, thing: Thing) -> bool:
    """Where several state machines log to one group, an event names its execution."""
    if log.group != thing.log_group:
        return False
    carrier = log.carrier.split(":")
    if len(carrier) > 4 and (carrier[3], carrier[4]) != (thing.resource.region, thing.resource.account):
        return False  # a group of that name in another place
    return not (thing.execution and log.execution) or f":{thing.execution}:" in log.execution


def look_at_metrics(dd: Datadog, window: Window, left: Sequence[Expected]) -> Iterator[Found]:
    """What is there of the metrics of things. Raises Denied when `timeseries_query` is missing."""
    things = [pair for pair in _things(left) if not pair[1].shared]
    for metric, tag in sorted({(thing.metric, thing.tag[0]) for _, thing in things if thing.metric}):
        query = {"n": (f"sum:{metric}{{*}} by {{{tag}}}.as_count()", "sum")}
        seen = {name for (name,), values in grouped_values(dd, window, query, (tag,)).items() if values}
        yield {
            expected.key: "forwarder" if expected.signal == "forwarder_metrics" else "cloudwatch"
            for expected, thing in things
            if thing.metric == metric and datadog_name(thing.tag[1]) in seen
        }


def look_at_spans(dd: Datadog, window: Window, left: Sequence[Expected]) -> Iterator[Found]:
    """What is there of the traces of state machines, whose root span is `aws.stepfunctions` (Datadog's page
    on their troubleshooting). Raises Denied when `apm_read` is missing."""
    things = [pair for pair in _things(left) if pair[1].service]
    if not things:
        return
    names = tuple(sorted({form for _, thing in things for form in _spelled(thing.service)}))
    which = f" service:{any_of(names)}" if len(names) <= NAMED else ""
    groups = span_groups(dd, window, f"operation_name:{EXECUTIONS}{which}", {"service": MOST})
    seen = {group.get("service", "").lower() for group in groups}
    yield {expected.key: "forwarder" for expected, thing in things if seen & _spelled(thing.service)}


def _spelled(service: str) -> set[str]:
    """A service as it may stand on a span: as it is in lower case, or as a tag."""
    return {service.lower(), datadog_name(service)}


def look_at_namespaces(dd: Datadog, window: Window, left: Sequence[Expected]) -> Iterator[Found]:
    """What is there of the metrics of namespaces. Raises Denied when `metrics_read` is missing."""
    things = _things(left)
    for account in sorted({thing.resource.account for _, thing in things if thing.prefix}):
        names = active_metrics(dd, window.start, f"aws_account:{account}")
        yield {
            expected.key: "cloudwatch"
            for expected, thing in things
            if thing.prefix and thing.resource.account == account and _any(names, thing.prefix)
        }


def _any(names: Iterable[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _things(left: Sequence[Expected]) -> list[tuple[Expected, Thing]]:
    return [(expected, expected.thing) for expected in left if expected.thing is not None]
