"""The proof: asking Datadog, until all has arrived or the time is over, for the data of each function.

A poll takes a handful of calls however many functions there are, and asks only for what has not arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from ddsetup.gateways.aws.errors import read_even_signed_out
from ddsetup.gateways.aws.metric_streams import datadogs_streams
from ddsetup.gateways.aws.metrics import active_namespaces, invocations, sums
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.clock import SYSTEM_CLOCK, Clock
from ddsetup.model.metric_stream import MetricStream
from ddsetup.model.report import Signal
from ddsetup.verify.arrival import look
from ddsetup.verify.progress import Count, Progress, Traffic, Watch
from ddsetup.verify.things import Thing

OnUpdate: TypeAlias = Callable[[tuple[Signal, ...]], None]
Streams: TypeAlias = Mapping[Lane, tuple[MetricStream, ...] | Unreadable]
"""The metric streams to Datadog of each place, or why they are not known."""

FIRST_PAUSE, LONGEST_PAUSE, SLOWING = 2.0, 30.0, 1.5


def watch(
    dd: Datadog,
    traffic: Traffic,
    wanted: Watch,
    *,
    wait_seconds: float = 0.0,
    clock: Clock = SYSTEM_CLOCK,
    on_update: OnUpdate | None = None,
) -> tuple[Signal, ...]:
    """Look until nothing is left to wait for, or `wait_seconds` are over; once at least.

    Looks come quickly first and slower later, and slower still when a rate limit runs low. `on_update` gets
    all signals after each of them. Raises UsageError for an impossible name of a custom metric; that
    Datadog cannot be asked is a state of the signals.
    """
    progress = Progress.of(wanted)
    deadline = clock.monotonic() + wait_seconds
    pause = FIRST_PAUSE
    while True:
        left = deadline - clock.monotonic()
        before = {path: limit.remaining for path, limit in dd.limits.items()}
        signals = look(dd, traffic, progress, clock, last=left <= 0)
        if on_update is not None:
            on_update(signals)
        waiting = progress.retry or progress.goes_on(signals, clock.now())
        if left <= 0 or not waiting:
            return signals
        left = max(0.0, deadline - clock.monotonic())
        clock.sleep(min(left, max(pause, progress.retry, _paced(dd, before))))
        pause = min(pause * SLOWING, LONGEST_PAUSE)


def observe_signals(
    dd: Datadog, traffic: Traffic, wanted: Watch, *, clock: Clock = SYSTEM_CLOCK
) -> tuple[Signal, ...]:
    """The state of every expected signal now."""
    return look(dd, traffic, Progress.of(wanted), clock, last=True)


def cloudwatch_traffic(aws: Aws) -> Traffic:
    """Who was invoked, from CloudWatch. Datadog can be asked even when the AWS credentials have ended."""
    return lambda lane, names, minutes: read_even_signed_out(lambda: invocations(aws, lane, names, minutes))


def cloudwatch_counts(aws: Aws, lanes: Collection[Lane]) -> Count:
    """What went on of other things than functions; of a namespace, how many metrics got data in `lanes`."""

    def count(wanted: Sequence[tuple[Thing, int]]) -> Mapping[tuple[Thing, int], float]:
        found: dict[tuple[Thing, int], float] = {}
        for lane, minutes in dict.fromkeys((thing.lane, n) for thing, n in wanted if thing.counted):
            # Several things may be counted by one series: state machines that log to one group.
            asked = {t: t.counted for t, n in wanted if t.counted and (t.lane, n) == (lane, minutes)}
            series = list(dict.fromkeys(asked.values()))
            counts = read_even_signed_out(partial(sums, aws, lane, series, minutes))
            if not isinstance(counts, Unreadable):
                found |= {(thing, minutes): counts[of] for thing, of in asked.items()}
        of = {thing.resource.account for thing, _ in wanted if thing.namespace}
        for account in sorted(of):
            own = [(thing, n) for thing, n in wanted if thing.namespace and thing.resource.account == account]
            found |= _of_namespaces(aws, [lane for lane in lanes if lane.account == account], own)
        return found

    return count


def _of_namespaces(
    aws: Aws, lanes: Collection[Lane], wanted: Sequence[tuple[Thing, int]]
) -> Mapping[tuple[Thing, int], float]:
    names = sorted({thing.namespace for thing, _ in wanted})
    totals = dict.fromkeys(names, 0.0)
    for lane in lanes:
        found = read_even_signed_out(partial(active_namespaces, aws, lane, names))
        if isinstance(found, Unreadable):
            return {}
        for name, number in found.items():
            totals[name] += number
    return {(thing, n): totals[thing.namespace] for thing, n in wanted}


def streamed_lanes(aws: Aws, functions: Iterable[Function]) -> frozenset[Lane]:
    """Where a metric stream brings CloudWatch's metrics to Datadog; not where that cannot be told."""
    return carried(streams_in(aws, functions))


def streams_in(aws: Aws, functions: Iterable[Function]) -> Streams:
    """The metric streams to Datadog, where these functions are."""
    lanes = list(dict.fromkeys(f.lane for f in functions))
    found = each(lambda lane: read_even_signed_out(lambda: datadogs_streams(aws, lane)), lanes)
    return dict(zip(lanes, found, strict=True))


def carried(streams: Streams) -> frozenset[Lane]:
    """Where one of them has the invocations of functions."""
    return frozenset(
        lane
        for lane, found in streams.items()
        if not isinstance(found, Unreadable) and any(stream.carries_functions for stream in found)
    )


def _paced(dd: Datadog, before: Mapping[str, int]) -> float:
    """The pause that makes what is left of each rate limit last until it resets, once half of it is used.

    A look may take several calls: as many as the last one took of what was left `before` it.
    """
    pauses = [
        limit.reset * max(before.get(path, 0) - limit.remaining, 1) / max(limit.remaining, 1)
        for path, limit in list(dd.limits.items())
        if limit.remaining < limit.limit / 2
    ]
    return max(pauses, default=0.0)
