"""One look at what has arrived in Datadog, remembering from look to look what need not be asked again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from ddsetup.facts.searches import datadog_name, datadog_names
from ddsetup.facts.signals import CLOUDWATCH_DELAY
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import RateLimited, unreadable
from ddsetup.gateways.datadog.sightings import Sighting, log_sightings, span_sightings
from ddsetup.gateways.datadog.telemetry import (
    MetricQuery,
    Place,
    Window,
    metric_values,
    metrics_seen,
    regions_with_data,
)
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.clock import Clock
from ddsetup.model.errors import Denied, GatewayError
from ddsetup.model.report import Signal, SignalName
from ddsetup.verify.expected import (
    Evidence,
    Expected,
    SignalKey,
    expected_signals,
    hint_for,
    is_pending,
    judge,
    usual_delay,
)
from ddsetup.verify.look_at_things import look_at_logs, look_at_metrics, look_at_namespaces
from ddsetup.verify.things import Thing

Count: TypeAlias = Callable[[Sequence[tuple[Thing, int]]], Mapping[tuple[Thing, int], float]]
"""How much went on of each thing in its number of minutes, by CloudWatch, as far as it knows."""

About: TypeAlias = Callable[[Expected], bool]
"""Whether a question is about what is expected."""

Traffic: TypeAlias = Callable[[Lane, Sequence[str], int], Mapping[str, float] | Unreadable]
"""How often each of the named functions of a lane ran in the last so many minutes."""

TRAFFIC_EVERY = 30.0
"""Seconds between questions about the traffic: CloudWatch charges for each metric asked for."""

RETRY_AFTER = 2.0
"""Seconds to wait at least after a question that failed for the moment."""

LATELY = 60
"""Minutes within which a function must have run for traffic of it to be waited for."""

POLLED_WITHIN = timedelta(hours=3)
"""Where Datadog has a metric of CloudWatch of so long ago, it reads it as often as usual."""

INVOCATIONS = "aws.lambda.invocations"
_ENHANCED = "aws.lambda.enhanced"
_POLLED_HOURLY = "Datadog may read a metric that nobody has asked for yet only once an hour"
_LIBRARY_SILENT = "only the Forwarder's own metrics of it arrived: the library in the function sends none"


def _nobody_counts(_wanted: Sequence[tuple[Thing, int]]) -> Mapping[tuple[Thing, int], float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is to be proven: the data of these functions, monitored as the answers say, since a moment.

    What is older than `since` is no proof. `awaited` tells that somebody makes traffic of functions, also of
    those that did not run of late. `streamed` are the places whose CloudWatch metrics come by a stream.
    `things` are what else was switched on, and `count` tells what went on there.
    """

    functions: tuple[Function, ...]
    answers: Answers
    since: datetime
    custom_metrics: tuple[str, ...] = ()
    awaited: bool = False
    streamed: frozenset[Lane] = frozenset()
    things: tuple[Thing, ...] = ()
    count: Count = field(default=_nobody_counts, repr=False)


@dataclass(slots=True)
class Progress:
    """What the looks so far have found out.

    `namesakes` are the watched functions by their name in Datadog; `ran` the ARNs of those that something
    arrived of, `silent` of those whose library sends nothing. `retry` is the number of seconds after which
    to repeat what failed for the moment, 0 if nothing did. `polled` are the places whose CloudWatch metrics
    are known to be read as often as usual, `went_on` what was counted of a thing in so many minutes, `lively`
    the ARNs of those idle since the start that ran within the hour before, by place.
    """

    watch: Watch
    expected: tuple[Expected, ...]
    namesakes: Mapping[str, Sequence[Function]]
    arrived: dict[SignalKey, Signal] = field(default_factory=dict)
    denied: dict[SignalKey, Unreadable] = field(default_factory=dict)
    faults: dict[SignalKey, Unreadable] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    retry: float = 0.0
    traffic_at: float = -math.inf
    totals: dict[str, float] = field(default_factory=dict)
    recent: dict[tuple[str, timedelta], float] = field(default_factory=dict)
    went_on: dict[tuple[Thing, int], float] = field(default_factory=dict)
    polled: set[Lane] = field(default_factory=set)
    lively: dict[Lane, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, watch: Watch) -> Progress:
        """Nothing asked yet."""
        namesakes: dict[str, list[Function]] = {}
        for function in watch.functions:
            namesakes.setdefault(datadog_name(function.name), []).append(function)
        expected = expected_signals(watch.answers, watch.functions, watch.custom_metrics, watch.things)
        return cls(watch, expected, namesakes)

    def left(self, about: About) -> list[Expected]:
        """What is still to be asked for: not seen yet, and not refused for good."""
        return [
            e for e in self.expected if about(e) and e.key not in self.arrived and e.key not in self.denied
        ]

    def goes_on(self, signals: Sequence[Signal], now: datetime) -> bool:
        """Whether it makes sense to go on waiting: not for functions that nobody calls."""
        return any(
            is_pending(signal, self.watch.since, now)
            for expected, signal in zip(self.expected, signals, strict=True)
            if signal.status != "no_traffic" or self._may_run(expected)
        )

    def _may_run(self, expected: Expected) -> bool:
        if self.watch.awaited:
            return True
        if expected.thing is not None:
            return False
        if expected.function is None:
            return any(self.lively.values())
        return expected.function.arn in self.lively.get(expected.function.lane, ())

    def has(self, function: Function, signal: SignalName) -> bool:
        return (function.arn, signal, "") in self.arrived


def look(
    dd: Datadog, traffic: Traffic, progress: Progress, clock: Clock, *, last: bool = False
) -> tuple[Signal, ...]:
    """Ask for what is left, and say how each expected signal stands. `last`: ask about the traffic anyway."""
    now = clock.now()
    progress.retry = 0.0
    progress.faults.clear()
    for about, ask in _QUESTIONS:
        if left := progress.left(about):
            try:
                for found in ask(dd, progress, left, now):  # what was found before a refusal is kept
                    _keep(progress, left, found, now)
            except Denied as error:
                progress.denied |= dict.fromkeys((e.key for e in left), unreadable(error))
            except GatewayError as error:
                progress.faults |= dict.fromkeys((e.key for e in left), unreadable(error))
                wait = error.retry_after if isinstance(error, RateLimited) else RETRY_AFTER
                progress.retry = max(progress.retry, wait)
    if last or clock.monotonic() - progress.traffic_at >= TRAFFIC_EVERY:
        progress.traffic_at = clock.monotonic()
        _look_at_traffic(progress, traffic, now)
        _look_at_things(progress, now)
    return tuple(progress.arrived.get(e.key) or _judged(progress, e, now) for e in progress.expected)


_Found: TypeAlias = Mapping[SignalKey, str]
"""The path of each signal that was seen in one answer."""


def _cloudwatch(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    window = _of_cloudwatch(progress, now)
    wanted = {expected.signal: _OF_CLOUDWATCH[expected.signal] for expected, _ in _with_functions(left)}
    queries: dict[str, MetricQuery] = {label: MetricQuery(metric) for label, metric in sorted(wanted.items())}
    for account, names in _by_account(left):
        own = list(_of_account(left, account))
        for values in metric_values(dd, window, account, names, queries):
            seen = {label: _positive(values[label]) for label in queries}
            yield {e.key: "cloudwatch" for e, function in own if _at(function, seen[e.signal], progress)}
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
    for account in {f.account for _, f in _with_functions(left) if f.lane not in progress.polled}:
        regions = regions_with_data(dd, window, account, INVOCATIONS)
        progress.polled |= {Lane(account, region) for region in regions}


def _enhanced(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    invocations = f"{_ENHANCED}.invocations"
    queries = {
        "any": MetricQuery(invocations),
        "cold": MetricQuery(invocations, scope="cold_start:true"),
        "forwarded": MetricQuery(invocations, scope="forwardername:*"),
        "duration": MetricQuery(f"{_ENHANCED}.duration", "avg"),
    }
    for account, names in _by_account(left):
        for values in metric_values(dd, _of_library(progress, now), account, names, queries):
            seen = {label: _positive(values[label]) for label in queries}
            found: dict[SignalKey, str] = {}
            for expected, function in _of_account(left, account):
                wanted = "cold" if expected.signal == "cold_start" else "any"
                if _at(function, seen[wanted], progress):
                    forwarded = _at(function, seen["forwarded"], progress)
                    found[expected.key] = _path(progress.watch, forwarded=forwarded)
                elif wanted == "any" and _at(function, seen["duration"], progress):
                    progress.silent.add(function.arn)
            yield found


def _of_cloudwatch(progress: Progress, now: datetime) -> Window:
    """CloudWatch stamps a minute's points with its start."""
    return Window(progress.watch.since.replace(second=0, microsecond=0), now)


def _of_library(progress: Progress, now: datetime) -> Window:
    """What a library counts is kept in steps of ten seconds, each with the time of its start."""
    since = progress.watch.since
    return Window(since.replace(second=since.second // 10 * 10, microsecond=0), now)


def _logs(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    window = Window(progress.watch.since, now)
    for sightings in log_sightings(dd, window, _meant(progress, left)):
        yield _sighted(progress, left, sightings)


def _spans(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    window = Window(progress.watch.since, now)
    for sightings in span_sightings(dd, window, _meant(progress, left)):
        yield _sighted(progress, left, sightings)


def _logs_of_things(
    dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime
) -> Iterator[_Found]:
    yield from look_at_logs(dd, Window(progress.watch.since, now), left)


def _metrics_of_things(
    dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime
) -> Iterator[_Found]:
    yield from look_at_metrics(dd, _of_cloudwatch(progress, now), left)


def _namespaces(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    yield from look_at_namespaces(dd, _of_cloudwatch(progress, now), left)


def _custom(dd: Datadog, progress: Progress, left: Sequence[Expected], now: datetime) -> Iterator[_Found]:
    seen = metrics_seen(dd, _of_library(progress, now), [expected.metric for expected in left])
    yield {expected.key: "" for expected in left if expected.metric in seen}


def _of_functions(*signals: SignalName) -> About:
    return lambda expected: expected.thing is None and expected.signal in signals


def _of_things(how: Callable[[Thing], str]) -> About:
    return lambda expected: expected.thing is not None and bool(how(expected.thing))


_QUESTIONS: Sequence[
    tuple[About, Callable[[Datadog, Progress, Sequence[Expected], datetime], Iterator[_Found]]]
] = (
    (_of_functions("enhanced_metrics", "cold_start"), _enhanced),
    (_of_functions("logs"), _logs),
    (_of_functions("traces"), _spans),
    (_of_functions("custom_metric"), _custom),
    (_of_functions("cloudwatch_metrics", "durable_executions"), _cloudwatch),
    (_of_things(lambda thing: thing.log_group or thing.source), _logs_of_things),
    (_of_things(lambda thing: thing.metric), _metrics_of_things),
    (_of_things(lambda thing: thing.prefix), _namespaces),
)
"""What is asked, each by itself: where one may not be asked, the others may."""


def _keep(progress: Progress, left: Iterable[Expected], found: _Found, now: datetime) -> None:
    for expected in left:
        if expected.key in found and expected.key not in progress.arrived:
            evidence = Evidence(path=found[expected.key])
            signal = judge(expected, evidence, timedelta(0), progress.watch.since, now)
            progress.arrived[expected.key] = signal
            progress.ran.add(expected.key[0])


def _sighted(progress: Progress, left: Iterable[Expected], sightings: Iterable[Sighting]) -> _Found:
    found: dict[SignalKey, str] = {}
    by_name: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        by_name.setdefault(sighting.function, []).append(sighting)
    for expected, function in _with_functions(left):
        known_as = datadog_name(function.name)
        own = [s for s in by_name.get(known_as, ()) if _means(s, function, progress)]
        if own:
            found[expected.key] = _path(progress.watch, forwarded=any(s.forwarded for s in own))
    return found


def _means(sighting: Sighting, function: Function, progress: Progress) -> bool:
    """Whether events of a function of this name are of this one, and can be of no other that is watched."""
    namesakes = progress.namesakes[sighting.function]
    others = (other for other in namesakes if other.lane != function.lane)
    return sighting.may_be(function) and not any(sighting.may_be(other) for other in others)


def _at(function: Function, places: Mapping[str, Sequence[str]], progress: Progress) -> bool:
    """Whether points of the function's account, by name and regions, are those of this function."""
    name = datadog_name(function.name)
    sightings = (Sighting(name, region, function.account) for region in places.get(name, ()))
    return any(_means(sighting, function, progress) for sighting in sightings)


def _positive(values: Mapping[Place, float]) -> Mapping[str, Sequence[str]]:
    """The regions in which each name has a value above zero."""
    found: dict[str, list[str]] = {}
    for (name, region), value in values.items():
        if value > 0:
            found.setdefault(name, []).append(region)
    return found


def _path(watch: Watch, *, forwarded: bool) -> str:
    if forwarded:
        return "forwarder"
    return "extension" if watch.answers.via == "extension" else ""


def _meant(progress: Progress, left: Iterable[Expected]) -> list[Function]:
    """The functions of what is left. Namesakes are meant as well, although theirs has arrived: where two
    places are in question, the events must be told apart by place to the end."""
    names = {datadog_name(function.name) for _, function in _with_functions(left)}
    return [function for name in sorted(names) for function in progress.namesakes[name]]


def _with_functions(left: Iterable[Expected]) -> Iterator[tuple[Expected, Function]]:
    return ((e, e.function) for e in left if e.function is not None)


def _of_account(left: Iterable[Expected], account: str) -> Iterator[tuple[Expected, Function]]:
    return ((e, f) for e, f in _with_functions(left) if f.account == account)


def _by_account(left: Sequence[Expected]) -> Iterator[tuple[str, Sequence[str]]]:
    for account in sorted({function.account for _, function in _with_functions(left)}):
        yield account, datadog_names(f.name for _, f in _of_account(left, account))


def _look_at_traffic(progress: Progress, traffic: Traffic, now: datetime) -> None:
    """Who was invoked since the start, and who already longer ago than data usually takes."""
    watch = progress.watch
    since = _minutes(now - watch.since)
    out = [expected for expected in progress.expected if expected.key not in progress.arrived]
    delays = {_delay(progress, expected) for expected in out}
    lanes: dict[Lane, dict[str, Function]] = {}
    for _, function in _with_functions(out):
        lanes.setdefault(function.lane, {})[function.name] = function
    for lane, functions in lanes.items():
        unknown = [name for name, f in functions.items() if not progress.totals.get(f.arn)]
        for name, count in _counts(traffic, lane, unknown, since).items():
            progress.totals[functions[name].arn] = count
        if lane not in progress.lively and not watch.awaited:
            idle = [name for name in unknown if progress.totals.get(functions[name].arn) == 0]
            counts = _counts(traffic, lane, idle, LATELY) if since < LATELY else {}
            progress.lively[lane] = frozenset(functions[name].arn for name, count in counts.items() if count)
        used = [name for name, f in functions.items() if progress.totals.get(f.arn)]
        for delay in delays:
            if now - watch.since > delay:
                for name, count in _counts(traffic, lane, used, _minutes(delay)).items():
                    progress.recent[functions[name].arn, delay] = count


def _look_at_things(progress: Progress, now: datetime) -> None:
    """What went on since the start of what is not seen yet, and longer ago than its data usually takes."""
    out = {e.thing: e for e in progress.expected if e.thing is not None and e.key not in progress.arrived}
    wanted = [(thing, _minutes(now - progress.watch.since)) for thing in out]
    for thing, expected in out.items():
        delay = _delay(progress, expected)
        if now - progress.watch.since > delay:
            wanted.append((thing, _minutes(delay)))
    if wanted:
        progress.went_on |= progress.watch.count(wanted)


def _counts(traffic: Traffic, lane: Lane, names: Sequence[str], minutes: int) -> Mapping[str, float]:
    counts = traffic(lane, names, minutes) if names else {}
    return {} if isinstance(counts, Unreadable) else counts


def _minutes(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds() / 60))


def _judged(progress: Progress, expected: Expected, now: datetime) -> Signal:
    watch = progress.watch
    delay = _delay(progress, expected)
    if expected.thing is not None:
        evidence = _of_thing(progress, expected, expected.thing, delay)
        return judge(expected, evidence, delay, watch.since, now)
    functions = (expected.function,) if expected.function else watch.functions
    counts = [_invocations(progress, function, delay) for function in functions]
    known = [count for count, _ in counts if count is not None]
    evidence = Evidence(
        invocations=max(known) if known else None,
        settled=any(settled for _, settled in counts),
        fault=progress.denied.get(expected.key) or progress.faults.get(expected.key),
        hint=_hint(progress, expected),
        warm=expected.signal == "cold_start"
        and expected.function is not None
        and progress.has(expected.function, "enhanced_metrics"),
    )
    return judge(expected, evidence, delay, watch.since, now)


def _of_thing(progress: Progress, expected: Expected, thing: Thing, delay: timedelta) -> Evidence:
    total = max((n for (of, _), n in progress.went_on.items() if of == thing), default=None)
    recent = progress.went_on.get((thing, _minutes(delay)))
    return Evidence(
        invocations=total,
        settled=bool(total) and recent is not None and ((total or 0.0) > recent or bool(thing.namespace)),
        fault=progress.denied.get(expected.key) or progress.faults.get(expected.key),
    )


def _delay(progress: Progress, expected: Expected) -> timedelta:
    place = expected.function or expected.thing
    lane = place.lane if place is not None else None
    polled, streamed = lane in progress.polled, lane in progress.watch.streamed
    return usual_delay(expected.signal, progress.watch.answers, polled=polled, streamed=streamed)


def _invocations(progress: Progress, function: Function, delay: timedelta) -> tuple[float | None, bool]:
    """How often a function ran, as far as known, and whether some of that is longer ago than `delay`.

    What arrived of it proves an invocation that CloudWatch may not have counted yet.
    """
    total = progress.totals.get(function.arn)
    if not total:
        return (1.0, total is None) if function.arn in progress.ran else (total, False)
    recent = progress.recent.get((function.arn, delay))
    return total, recent is not None and total > recent


def _hint(progress: Progress, expected: Expected) -> str:
    function = expected.function
    if function is None:
        return ""
    hint = hint_for(expected.signal, function)
    if not hint and expected.signal == "enhanced_metrics" and function.arn in progress.silent:
        return _LIBRARY_SILENT
    often = progress.polled | progress.watch.streamed
    if not hint and expected.signal == "cloudwatch_metrics" and function.lane not in often:
        return _POLLED_HOURLY
    return hint
