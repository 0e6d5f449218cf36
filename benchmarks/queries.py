"""How many questions a proof takes, for so many functions in so many regions: `python -m benchmarks.queries`.

One look at healthy functions, each of which has everything, in the stand-in for Datadog; it refuses what
Datadog's documented limits refuse. Prints the table of docs/performance.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import timedelta

from ddsetup.model.account import Function
from ddsetup.model.report import Signal
from ddsetup.sandbox.datadog.limits import HOURLY_LIMITS
from ddsetup.verify.arrival import Watch
from ddsetup.verify.watch import observe_signals
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
    given = parser.parse_args()
    print("| functions | regions | metrics | logs | spans | arrived |\n|---:|---:|---:|---:|---:|---:|")
    for number in given.n:
        for regions in given.regions:
            with datadog({"limits": dict(HOURLY_LIMITS)}) as world:
                signals = looked(world, spread(number, regions))
                counts = [len(world.calls(path)) for path, _ in KINDS.values()]
            seen = Counter(s.status for s in signals)["arrived"] / len(signals)
            print(f"| {number:,} | {regions} | {' | '.join(map(str, counts))} | {seen:.0%} |", flush=True)


def spread(number: int, regions: int) -> list[Function]:
    """So many functions, of the same names in each region."""
    return [function(f"f{n // regions}", region=f"region-{n % regions}") for n in range(number)]


def looked(world: World, functions: list[Function]) -> tuple[Signal, ...]:
    """One look at functions that have everything."""
    library_metrics(world, functions)
    cloudwatch_metrics(world, functions)
    logs(world, functions)
    for at in range(0, len(functions), 1_000):
        spans(world, functions[at : at + 1_000])
    since = world.now() - timedelta(minutes=1)
    wanted = Watch(functions=tuple(functions), answers=answers(), since=since)
    return observe_signals(world.connect(), lambda *_: {}, wanted, clock=world.clock)


if __name__ == "__main__":
    main()
