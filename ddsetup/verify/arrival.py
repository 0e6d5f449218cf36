"""One look at what has arrived in Datadog, remembering from look to look what need not be asked again."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import RateLimited, unreadable
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.clock import Clock
from ddsetup.model.errors import Denied, GatewayError
from ddsetup.model.report import Signal, SignalName
from ddsetup.verify import look_at_functions
from ddsetup.verify.expected import Evidence, Expected, hint_for, judge, usual_delay
from ddsetup.verify.look_at_functions import Ask, of_cloudwatch, with_functions
from ddsetup.verify.look_at_things import (
    look_at_logs,
    look_at_metrics,
    look_at_namespaces,
    look_at_spans,
)
from ddsetup.verify.progress import About, Found, Progress, Traffic
from ddsetup.verify.things import Thing

TRAFFIC_EVERY = 30.0
"""Seconds between questions about the traffic: CloudWatch charges for each metric asked for."""

RETRY_AFTER = 2.0
"""Seconds to wait at least after a question that failed for the moment."""
LATELY = 60
"""Minutes within which a function must have run for traffic of it to be waited for."""
_POLLED_HOURLY = "Datadog may read a metric that nobody has asked for yet only once an hour"
_LIBRARY_SILENT = "only the Forwarder's own metrics of it arrived: the library in the function sends none"


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


def _since_the_start(progress: Progress, now: datetime) -> Window:
    return Window(progress.watch.since, now)


def _within(
    window: Callable[[Progress, datetime], Window],
    ask: Callable[[Datadog, Window, Sequence[Expected]], Iterator[Found]],
) -> Ask:
    return lambda dd, progress, left, now: ask(dd, window(progress, now), left)


def _of_functions(signals: Container[SignalName]) -> About:
    return lambda expected: expected.thing is None and expected.signal in signals


def _of_things(how: Callable[[Thing], object]) -> About:
    return lambda expected: expected.thing is not None and bool(how(expected.thing))


def _carried(_dd: Datadog, progress: Progress, left: Sequence[Expected], _now: datetime) -> Iterator[Found]:
    """Forwarders that have sent what arrived of functions of their place."""
    arrived = ((e.function, progress.arrived.get(e.key)) for e in progress.expected)
    places = {f.lane for f, signal in arrived if f is not None and signal and signal.path == "forwarder"}
    yield {e.key: "forwarder" for e in left if e.thing is not None and e.thing.lane in places}


_QUESTIONS: Sequence[tuple[About, Ask]] = (
    *((_of_functions(signals), ask) for signals, ask in look_at_functions.QUESTIONS),
    (
        _of_things(lambda thing: thing.log_group or thing.source or thing.stream),
        _within(_since_the_start, look_at_logs),
    ),
    (_of_things(lambda thing: thing.service), _within(_since_the_start, look_at_spans)),
    (_of_things(lambda thing: thing.metric), _within(of_cloudwatch, look_at_metrics)),
    (_of_things(lambda thing: thing.prefix), _within(of_cloudwatch, look_at_namespaces)),
    (_of_things(lambda thing: thing.shared), _carried),
)
"""What is asked, each by itself: where one may not be asked, the others may."""


def _keep(progress: Progress, left: Iterable[Expected], found: Found, now: datetime) -> None:
    for expected in left:
        if expected.key in found and expected.key not in progress.arrived:
            evidence = Evidence(path=found[expected.key])
            signal = judge(expected, evidence, timedelta(0), progress.watch.since, now)
            progress.arrived[expected.key] = signal
            progress.ran.add(expected.key[0])


def _look_at_traffic(progress: Progress, traffic: Traffic, now: datetime) -> None:
    """Who was invoked since the start, and who already longer ago than data usually takes."""
    watch = progress.watch
    since = _minutes(now - watch.since)
    out = [expected for expected in progress.expected if expected.key not in progress.arrived]
    delays = {_delay(progress, expected) for expected in out}
    lanes: dict[Lane, dict[str, Function]] = {}
    for _, function in with_functions(out):
        lanes.setdefault(function.lane, {})[function.name] = function
    past = [delay for delay in delays if now - watch.since > delay]
    each(lambda at: _look_at_lane(progress, traffic, at[0], at[1], (since, past)), lanes.items())


def _look_at_lane(
    progress: Progress,
    traffic: Traffic,
    lane: Lane,
    functions: Mapping[str, Function],
    spans: tuple[int, Sequence[timedelta]],
) -> None:
    """Who was invoked of one place since the start, in minutes, and within the delays that are over."""
    since, past = spans
    unknown = [name for name, f in functions.items() if not progress.totals.get(f.arn)]
    for name, count in _counts(traffic, lane, unknown, since).items():
        progress.totals[functions[name].arn] = count
    if lane not in progress.lively and not progress.watch.awaited:
        idle = [name for name in unknown if progress.totals.get(functions[name].arn) == 0]
        counts = _counts(traffic, lane, idle, LATELY) if since < LATELY else {}
        progress.lively[lane] = frozenset(functions[name].arn for name, count in counts.items() if count)
    used = [name for name, f in functions.items() if progress.totals.get(f.arn)]
    for delay in past:
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
    answers = progress.watch.answers_of(expected.account)
    return usual_delay(expected.signal, answers, polled=polled, streamed=streamed)


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
