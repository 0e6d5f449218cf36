"""How many questions a proof takes, for so many functions in so many regions: `python -m benchmarks.queries`.

One look at healthy functions, each of which has everything, in the stand-in for Datadog; it refuses what
Datadog's documented limits refuse. Prints the table of docs/performance.md. `--waves 10`: instead, the whole
proof of functions that arrive one after the other, a tenth of them every minute. `--named 100`: instead, how
long the stand-in takes to find the spans of so many functions that are asked for by name among those of all.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from ddsetup.gateways.datadog.sightings import span_sightings
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Function
from ddsetup.model.report import Signal
from ddsetup.sandbox.datadog.limits import HOURLY_LIMITS
from ddsetup.verify.progress import Watch
from ddsetup.verify.watch import observe_signals, watch
from tests.builders import answers, function
from tests.gateways.datadog_world import World, cloudwatch_metrics, datadog, library_metrics, logs, spans

KINDS = {
    "metrics": ("/query/scalar", "timeseries_query"),
    "logs": ("/logs/analytics/aggregate", "logs_aggregate"),
    "spans": ("/spans/analytics/aggregate", "spans_aggregate"),
}


def main() -> None:
    """Every number of functions in every number of regions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[200, 1_000, 5_000])
    parser.add_argument("--regions", type=int, nargs="+", default=[1, 3, 17])
    parser.add_argument("--waves", type=int, default=0)
    parser.add_argument("--named", type=int, default=0)
    given = parser.parse_args()
    if given.named:
        for number in given.n:
            calls, seconds = named(spread(number, 1), given.named)
            said = f"{calls} calls, {seconds:.2f} s"
            print(f"spans of {given.named} of {number:,} functions: {said}", flush=True)
        return
    if given.waves:
        for number in given.n:
            with datadog({"limits": dict(HOURLY_LIMITS)}) as world:
                signals = staggered(world, spread(number, given.regions[0]), given.waves)
                asked = [len(world.calls(path)) for path, _ in KINDS.values()]
                told = Counter(s.status for s in signals)
            print(f"{number:,} functions in {given.waves} waves: {asked} calls, {dict(told)}", flush=True)
        return
    print("| functions | regions | metrics | logs | spans | arrived |\n|---:|---:|---:|---:|---:|---:|")
    for number in given.n:
        for regions in given.regions:
            with datadog({"limits": dict(HOURLY_LIMITS)}) as world:
                signals = looked(world, spread(number, regions))
                counts = [len(world.calls(path)) for path, _ in KINDS.values()]
            seen = Counter(s.status for s in signals)["arrived"] / len(signals)
            print(f"| {number:,} | {regions} | {' | '.join(map(str, counts))} | {seen:.0%} |", flush=True)


def named(functions: list[Function], count: int) -> tuple[int, float]:
    """How many calls it takes, and how many seconds, to learn which of the first functions have spans, where
    all have."""
    with datadog() as world:
        arrive(world, functions)
        dd, window = world.connect(), Window(world.now() - timedelta(minutes=1), world.now())
        begun = time.monotonic()
        seen = frozenset().union(*span_sightings(dd, window, functions[:count]))
        taken = time.monotonic() - begun
        if len(seen) != count:
            raise AssertionError(f"{len(seen)} of {count} were seen")
        return len(world.calls("/spans/analytics/aggregate")), taken


def spread(number: int, regions: int) -> list[Function]:
    """So many functions, of the same names in each region."""
    return [function(f"f{n // regions}", region=f"region-{n % regions}") for n in range(number)]


def staggered(world: World, functions: list[Function], waves: int) -> tuple[Signal, ...]:
    """The proof of functions whose data comes in `waves`, one a minute, within Datadog's limits."""
    began, size = world.standin.clock.now, -(-len(functions) // waves)
    left = [functions[at : at + size] for at in range(0, len(functions), size)]

    def sleep(seconds: float) -> None:
        world.sleep(seconds)
        while left and world.standin.clock.now >= began + 60 * (waves - len(left)):
            arrive(world, left.pop(0))

    clock = replace(world.clock, sleep=sleep)
    since = world.now() - timedelta(minutes=1)
    wanted = Watch(functions=tuple(functions), answers=answers(), since=since)
    return watch(world.connect(), lambda *_: {}, wanted, wait_seconds=120 * waves, clock=clock)


def arrive(world: World, functions: list[Function]) -> None:
    """All that these functions leave in Datadog."""
    library_metrics(world, functions)
    cloudwatch_metrics(world, functions)
    logs(world, functions)
    for at in range(0, len(functions), 1_000):
        spans(world, functions[at : at + 1_000])


def looked(world: World, functions: list[Function]) -> tuple[Signal, ...]:
    """One look at functions that have everything."""
    arrive(world, functions)
    since = world.now() - timedelta(minutes=1)
    wanted = Watch(functions=tuple(functions), answers=answers(), since=since)
    return observe_signals(world.connect(), lambda *_: {}, wanted, clock=world.clock)


if __name__ == "__main__":
    main()
