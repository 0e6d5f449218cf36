"""One look at what was switched on of functions: grouped calls, never one for each function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import TypeAlias

from ddsetup.facts.searches import datadog_name, datadog_names
from ddsetup.facts.signals import CLOUDWATCH_DELAY
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.sightings import Sighting, log_sightings, span_sightings
from ddsetup.gateways.datadog.telemetry import (
    MetricQuery,
    Place,
    Window,
    metric_values,
    metrics_seen,
    regions_with_data,
)
from ddsetup.model.account import Function, Lane
from ddsetup.model.report import SignalName
from ddsetup.verify.expected import Expected, SignalKey
from ddsetup.verify.progress import Found, Progress, Watch

POLLED_WITHIN = timedelta(hours=3)
"""Where Datadog has a metric of CloudWatch of so long ago, it reads it as often as usual."""

Ask: TypeAlias = Callable[[Datadog, Progress, Sequence[Expected], datetime], Iterator[Found]]
Seen: TypeAlias = Mapping[Place, Sequence[Sighting]]
"""What was seen by name and place, which are empty where that is not told."""
INVOCATIONS = "aws.lambda.invocations"
_ENHANCED = "aws.lambda.enhanced"


def cloudwatch(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[Found]:
    """What CloudWatch counts, by way of the integration, and where Datadog reads it often."""
    window = of_cloudwatch(progress, now)
    wanted = {expected.signal: _OF_CLOUDWATCH[expected.signal] for expected, _ in with_functions(left)}
    queries: dict[str, MetricQuery] = {label: MetricQuery(metric) for label, metric in sorted(wanted.items())}
    for values in metric_values(dd, window, _by_account(left), queries):
        seen = {label: _positive(values[label]) for label in queries}
        own = with_functions(left)
        yield {e.key: "cloudwatch" for e, function in own if _of(function, seen[e.signal], progress)}
    _look_for_polling(dd, progress, left, now)


_OF_CLOUDWATCH: Mapping[SignalName, str] = {
    "cloudwatch_metrics": INVOCATIONS,
    "durable_executions": "aws.lambda.durable_execution_started",
}


def _look_for_polling(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> None:
    """Where Datadog reads the metric as often as usual, not only once an hour."""
    if now - progress.watch.since <= CLOUDWATCH_DELAY:
        return
    window = Window(now - POLLED_WITHIN, now)
    accounts = {f.account for _, f in with_functions(left) if f.lane not in progress.polled}
    if accounts:
        places = regions_with_data(dd, window, sorted(accounts), INVOCATIONS)
        progress.polled |= {Lane(account, region) for account, region in places}


def enhanced(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[Found]:
    """What the library or the Forwarder counts."""
    invocations = f"{_ENHANCED}.invocations"
    queries = {
        "any": MetricQuery(invocations),
        "cold": MetricQuery(invocations, scope="cold_start:true"),
        "forwarded": MetricQuery(invocations, scope="forwardername:*"),
        "duration": MetricQuery(f"{_ENHANCED}.duration", "avg"),
    }
    window = Window(progress.watch.since, now).of_counts()
    for values in metric_values(dd, window, _by_account(left), queries):
        seen = {label: _positive(values[label]) for label in queries}
        found: dict[SignalKey, str] = {}
        for expected, function in with_functions(left):
            wanted = "cold" if expected.signal == "cold_start" else "any"
            if _of(function, seen[wanted], progress):
                forwarded = bool(_of(function, seen["forwarded"], progress))
                found[expected.key] = _path(progress.watch, function, forwarded=forwarded)
            elif wanted == "any" and _of(function, seen["duration"], progress):
                progress.silent.add(function.arn)
        yield found


def of_cloudwatch(progress: Progress, now: datetime) -> Window:
    """CloudWatch stamps a minute's points with its start."""
    return Window(progress.watch.since.replace(second=0, microsecond=0), now)


def logs(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[Found]:
    """Which functions logs have arrived of, and how."""
    window = Window(progress.watch.since, now)
    for sightings in log_sightings(dd, window, _meant(progress, left), progress.watch.others):
        yield _sighted(progress, left, sightings)


def spans(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[Found]:
    """Which functions spans have arrived of, and how."""
    window = Window(progress.watch.since, now)
    for sightings in span_sightings(dd, window, _meant(progress, left)):
        yield _sighted(progress, left, sightings)


def custom(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[Found]:
    """Which of the metrics that are named have arrived."""
    window = Window(progress.watch.since, now).of_counts()
    seen = metrics_seen(dd, window, [expected.metric for expected in left])
    yield {expected.key: "" for expected in left if expected.metric in seen}


def _sighted(progress: Progress, left: Iterable[Expected], sightings: Iterable[Sighting]) -> Found:
    found: dict[SignalKey, str] = {}
    seen = _seen(sightings)
    for expected, function in with_functions(left):
        own = _of(function, seen, progress)
        if own:
            forwarded = any(s.forwarded for s in own)
            found[expected.key] = _path(progress.watch, function, forwarded=forwarded)
    return found


def _of(function: Function, seen: Seen, progress: Progress) -> list[Sighting]:
    """What was seen of this function, and can be of no other that is watched."""
    name = datadog_name(function.name)
    places = product((function.region, ""), (function.account, ""))
    own = (sighting for region, account in places for sighting in seen.get((name, region, account), ()))
    return [s for s in own if (s.region and s.account) or not _of_another(s, function, progress)]


def _of_another(sighting: Sighting, function: Function, progress: Progress) -> bool:
    others = (other for other in progress.namesakes[sighting.function] if other.lane != function.lane)
    return any(sighting.may_be(other) for other in others)


def _positive(values: Mapping[Place, float]) -> Seen:
    """Where each name has a value above zero."""
    return _seen(Sighting(*place) for place, value in values.items() if value > 0)


def _seen(sightings: Iterable[Sighting]) -> Seen:
    found: dict[Place, list[Sighting]] = {}
    for sighting in sightings:
        place = (sighting.function, sighting.region, sighting.account)
        found.setdefault(place, []).append(sighting)
    return found


def _path(watch: Watch, function: Function, *, forwarded: bool) -> str:
    if forwarded:
        return "forwarder"
    return "extension" if watch.answers_of(function.account).via == "extension" else ""


def _meant(progress: Progress, left: Iterable[Expected]) -> list[Function]:
    """The functions of what is left. Namesakes are meant as well, although theirs has arrived: where two
    places are in question, the events must be told apart by place to the end."""
    names = {datadog_name(function.name) for _, function in with_functions(left)}
    return [function for name in sorted(names) for function in progress.namesakes[name]]


def with_functions(left: Iterable[Expected]) -> Iterator[tuple[Expected, Function]]:
    """Of what is left that which is about one function."""
    return ((e, e.function) for e in left if e.function is not None)


def _by_account(left: Iterable[Expected]) -> Mapping[str, Sequence[str]]:
    """The names of the functions in each account, as Datadog spells them."""
    found: dict[str, list[str]] = {}
    for _, function in with_functions(left):
        found.setdefault(function.account, []).append(function.name)
    return {account: datadog_names(found[account]) for account in sorted(found)}


QUESTIONS: Sequence[tuple[tuple[SignalName, ...], Ask]] = (
    (("enhanced_metrics", "cold_start"), enhanced),
    (("logs",), logs),
    (("traces",), spans),
    (("custom_metric",), custom),
    (("cloudwatch_metrics", "durable_executions"), cloudwatch),
)
"""Which question tells of which signals."""
