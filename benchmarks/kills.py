"""Kill ddsetup with SIGKILL, again and again, and see that nothing is ever lost.

    python -m benchmarks.kills --rounds 200 --seed 1

Each round sets up an account of the sandbox and kills the run at a moment drawn from the seed; then `setup`
again completes, or `undo` (itself killed at times) restores. After each round the account and Datadog's
record of it are compared, call by call, with what was there before. Ends with 1 if a round went wrong.
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
from tests.safety.killing import SCENARIOS, KillError, prepare
from tests.safety.nursery import Nursery

REGION = "us-east-1"


def main() -> int:
    """Run the rounds and print a line for each, and the sum at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--scenario", nargs="+", default=SCENARIOS, help="what the account looks like")
    parser.add_argument("--only", help="one round by its seed, as printed")
    options = parser.parse_args()
    seeds = [options.only] if options.only else [f"{options.seed}-{n}" for n in range(options.rounds)]
    wanted = SandboxOptions(
        operator_policy=operator_policy((REGION,)), scenarios=tuple(options.scenario), regions=(REGION,)
    )
    with (
        tempfile.TemporaryDirectory(prefix="ddsetup-kills-") as home,
        start(wanted) as sandbox,
        Nursery() as nursery,
    ):
        world = World(sandbox)
        secrets = (sandbox.api_key, sandbox.app_key, *world.planted())
        killing = prepare(nursery, Place(sandbox, Cli(Path(home), sandbox.env(), secrets), world))
        print(f"seed {options.seed}; undisturbed: {killing.pace}", flush=True)
        for seed in seeds:
            begun = time.monotonic()
            try:
                killing.round(seed)
                said = "as before"
            except KillError as error:
                killing.tally.wrong.append(seed)
                said = f"WRONG: {error}"
            print(f"{seed:>12} {time.monotonic() - begun:5.1f} s  {said}", flush=True)
            if killing.tally.rounds % 10 == 0:
                print(killing.tally, flush=True)
            if killing.tally.wrong:
                break
    print(killing.tally)
    return 1 if killing.tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
