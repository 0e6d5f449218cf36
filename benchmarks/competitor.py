"""Change functions while two ddsetups change them, too, and count what is lost: nothing may be.

    python -m benchmarks.competitor --writes 10000
    python -m benchmarks.competitor --writes 10000 --whole --functions 200

Competitors edit variables and layers, resize, deploy and build; each looks, before each write, whether all
that it wrote is still there. First they meet ddsetup's writer on a Lambda in memory that lets them strike
between its look and its write. With --whole they then work on the emulated AWS, while one whole ddsetup sets
up and undoes, and another one sets up and uninstruments. Ends with 1 if a write was lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import SandboxOptions
from tests.e2e.conftest import Cli, Place
from tests.e2e.world import World, operator_policy
from tests.nursery import Nursery
from tests.safety.competing import Score
from tests.safety.conftest import Lab
from tests.safety.contest import ON_ALL, hold
from tests.safety.duel import fight

REGION = "us-east-1"


def main() -> int:
    """Hold the contest and print how it ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--functions", type=int, default=60)
    parser.add_argument("--whole", action="store_true", help="also the whole command, on the emulated AWS")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between a competitor's turns")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    result = fight(options.writes, options.functions, options.seed)
    print(f"in memory: seed {options.seed}, {time.monotonic() - begun:.0f} s")
    _tell(result.score, f"functions {dict(result.outcomes)}")
    lost = bool(result.score.lost)
    return 1 if (options.whole and _whole(options)) or lost else 0


def _tell(score: Score, more: str) -> None:
    print(f"  competing writes {score.writes} (refused {score.refused}), looks {score.looks}; {more}")
    print(f"  lost {len(score.lost)}", *score.lost, sep="\n  ")


def _whole(options: argparse.Namespace) -> bool:
    """The contest of whole runs; whether it went wrong."""
    wanted = SandboxOptions(
        operator_policy=operator_policy((REGION,)),
        scenarios=("many",),
        regions=(REGION,),
        many=options.functions,
    )
    with (
        tempfile.TemporaryDirectory(prefix="ddsetup-competitor-") as home,
        start(wanted) as sandbox,
        Nursery() as nursery,
    ):
        world = World(sandbox)
        lab = Lab(Place(sandbox, Cli(Path(home), sandbox.env(), (sandbox.api_key,)), world), nursery)
        first = lab.run("setup", *ON_ALL)
        if first.code != 0:
            print(first.stderr)
            return True
        begun = time.monotonic()
        standing = hold(lab, options.writes, runs=4, pause=options.pause, seed=options.seed)
    print(f"whole runs: seed {options.seed}, {time.monotonic() - begun:.0f} s")
    _tell(standing.score, f"runs {dict(standing.runs)}, functions {dict(standing.outcomes)}")
    print(*standing.errors, sep="\n")
    return bool(standing.score.lost or standing.errors)


if __name__ == "__main__":
    sys.exit(main())
