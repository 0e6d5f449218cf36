"""Kill ddsetup with SIGKILL, again and again, and see that nothing is ever lost.

    python -m benchmarks.kills --rounds 200 --seed 1 --tally kills.json

Each round sets up an account of the sandbox and kills the run at a moment drawn from the seed; then `setup`
again completes, or `undo` (itself killed at times) restores. After each round the account and Datadog's
record of it are compared, call by call, with what was there before. Only rounds count in which SIGKILL found
setup alive. With --organisation it is runs over many accounts that are killed. Ends with 1 if a round went
wrong. With --tally the rounds go on where the file says that they were left, so 200 of them need not be had
in one sitting.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import SandboxOptions
from tests.e2e.conftest import Cli, Place
from tests.e2e.world import World, operator_policy
from tests.nursery import Nursery
from tests.safety import killing_accounts
from tests.safety.killing import SCENARIOS, KillError, Killing, Tally, prepare
from tests.safety.killing_accounts import AccountsKilling

REGION = "us-east-1"
SITTING = 40
"""Rounds in one sandbox: its Datadog remembers every request, and becomes slower with each."""


def main() -> int:
    """Run the rounds and print a line for each, and the sum at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="how many times setup is to be killed")
    parser.add_argument("--seed", help="of all moments; default: the tally's, or the time")
    parser.add_argument("--scenario", nargs="+", default=SCENARIOS, help="what the account looks like")
    parser.add_argument("--only", help="one round by its seed, as printed")
    parser.add_argument("--tally", type=Path, help="file that remembers the seed and what happened so far")
    parser.add_argument("--organisation", action="store_true", help="kill runs over many accounts")
    options = parser.parse_args()
    if options.organisation:
        options.scenario = [killing_accounts.SCENARIO]
    seed, tally = _begin(options.tally, options.seed or str(int(time.time())))
    while True:
        _sitting(options, seed, tally)
        if options.only or tally.wrong or tally.killed >= options.rounds:
            break
    print(tally)
    return 1 if tally.wrong else 0


def _sitting(options: argparse.Namespace, seed: str, tally: Tally) -> None:
    """Rounds in one sandbox, or the only one: until enough is killed, something goes wrong, or it is full."""
    policy = operator_policy((REGION,), organisation=bool(options.organisation))
    wanted = SandboxOptions(policy, scenarios=tuple(options.scenario), regions=(REGION,))
    with (
        tempfile.TemporaryDirectory(prefix="ddsetup-kills-") as home,
        start(wanted) as sandbox,
        Nursery() as nursery,
    ):
        world = World(sandbox)
        secrets = (sandbox.api_key, sandbox.app_key, *world.planted())
        place = Place(sandbox, Cli(Path(home), sandbox.env(), secrets), world)
        ready = killing_accounts.prepare if options.organisation else prepare
        killing = ready(nursery, place, tally)
        print(f"seed {seed}; undisturbed: {killing.pace}", flush=True)
        if options.only:
            _round(killing, options.only)
            return
        full = tally.killed + SITTING
        while tally.killed < min(full, options.rounds) and not tally.wrong:
            _round(killing, f"{seed}-{tally.killed}")
            if options.tally:
                options.tally.write_text(json.dumps({"seed": seed, **asdict(tally)}, indent=1), "utf-8")
            if tally.killed % 10 == 0:
                print(tally, flush=True)


def _begin(file: Path | None, seed: str) -> tuple[str, Tally]:
    """The seed and what happened so far, of the file if it is there."""
    if file is None or not file.exists():
        return seed, Tally()
    kept = json.loads(file.read_text("utf-8"))
    return kept.pop("seed"), Tally(**kept)


def _round(killing: Killing | AccountsKilling, seed: str) -> None:
    begun, missed = time.monotonic(), killing.tally.missed
    try:
        killing.round(seed)
        said = "as before"
    except KillError as error:
        killing.tally.wrong.append(seed)
        kept = Path(tempfile.mkdtemp(prefix=f"ddsetup-kills-{seed}-"))
        for state in killing.cli.home.glob(f"state-{seed}-*"):
            shutil.copytree(state, kept / state.name)
        history = "\n".join(killing.history)
        said = f"WRONG: {error}\n{history}\nits journals are kept in {kept}"
    misses = killing.tally.missed - missed
    more = f", after {misses} misses" if misses else ""
    print(f"{seed:>12} {time.monotonic() - begun:5.1f} s  {said}{more}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
