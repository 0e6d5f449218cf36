"""Rounds of `kill -9`: set up, die at some moment, go on or give back, and compare with what was there.

Every moment comes from a seed, so that a round that goes wrong can be had again.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Cli, Place
from tests.e2e.world import World, differences
from tests.safety.nursery import End, Kill, Nursery

SCENARIOS = ("healthy", "foreign-filters", "own-settings")
SETUP = (
    *("setup", "--all", "--yes", "--no-verify", "--output", "json"),
    *("--subscribe", "direct", "--on-conflict", "replace", "--create-log-groups", "--env", "prod"),
)
UNDO = ("undo", "--yes", "--output", "json")
NOTHING_LEFT = "there is no run to undo"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an undisturbed run takes, in seconds: until its first write, and from there to its end."""

    looking: float
    setting_up: float
    giving_back: float


@dataclass(slots=True)
class Tally:
    """What happened in all rounds so far."""

    rounds: int = 0
    killed: int = 0
    killed_writing: int = 0
    interrupted: int = 0
    undo_killed: int = 0
    completed: int = 0
    wrong: list[str] = field(default_factory=list)


class KillError(AssertionError):
    """A round did not end as it must."""


@dataclass(frozen=True, slots=True)
class Killing:
    """A place to run rounds in. `before` is what every round has to come back to."""

    nursery: Nursery
    cli: Cli
    world: World
    before: Mapping[str, Any]
    pace: Pace
    tally: Tally = field(default_factory=Tally)

    def round(self, seed: str) -> None:
        """One round: raises KillError when something is lost, left over or cannot be gone on from."""
        chance = random.Random(seed)
        state = self.cli.home / f"state-{seed}"
        self.tally.rounds += 1
        self._die(SETUP, chance, state, self.pace.setting_up)
        way = chance.random()
        if way < 0.3:
            self._complete(state)
        elif way < 0.55:
            self._die(UNDO, chance, state, self.pace.giving_back, undo=True)
        self._give_back_all(state)
        lost = differences(self.before, self.world.everything())
        if lost:
            raise KillError(f"seed {seed}: not as before: {lost}")

    def _die(
        self, command: tuple[str, ...], chance: random.Random, state: Path, seconds: float, undo: bool = False
    ) -> None:
        """Run a command and end it at some moment: mostly with SIGKILL while it writes."""
        while_writing = chance.random() < 0.85
        moment = chance.uniform(0, 1.1 * seconds if while_writing else self.pace.looking)
        # Some are interrupted as well: people press Ctrl-C first.
        ctrl_c_first = chance.random() < 0.15
        signals = (signal.SIGINT, signal.SIGKILL) if ctrl_c_first else (signal.SIGKILL,)
        end = self._run(command, state, Kill(moment, str(state) if while_writing else "", signals))
        if end.killed:
            self.tally.killed += not undo
            self.tally.undo_killed += undo
            self.tally.killed_writing += end.wrote_after is not None and not undo
        elif ctrl_c_first and end.code == 130:
            self.tally.interrupted += 1
        elif undo and NOTHING_LEFT in end.stdout + end.stderr:
            return
        elif end.code not in (0, 130, -signal.SIGINT):
            raise KillError(f"{command[0]} ended with {end.code}: {end.stderr}{end.stdout}")

    def _complete(self, state: Path) -> None:
        """`setup` again does what was left, and a plan after it is empty."""
        end = self._run(SETUP, state)
        if end.code != 0:
            raise KillError(f"setup after a kill ended with {end.code}: {end.stderr}{end.stdout}")
        plan = self._run(("plan", *SETUP[1:2], *SETUP[6:], "--detailed-exitcode"), state)
        if plan.code != 0:
            raise KillError(f"something is left to do: {plan.stdout}")
        self.tally.completed += 1

    def _give_back_all(self, state: Path) -> None:
        for _ in range(4):
            end = self._run(UNDO, state)
            if NOTHING_LEFT in end.stdout + end.stderr:
                return
            if end.code != 0:
                raise KillError(f"undo ended with {end.code}: {end.stderr}{end.stdout}")
        raise KillError("undo does not come to an end")

    def _run(self, command: tuple[str, ...], state: Path, kill: Kill | None = None) -> End:
        environ = self.cli.environ(DDSETUP_STATE_DIR=str(state))
        end = self.nursery.run(command, environ, self.cli.home, kill)
        for text in (end.stdout, end.stderr):
            self.cli.check_secrets(text)
            if "Traceback" in text:
                raise KillError(text)
        return end


def prepare(nursery: Nursery, place: Place) -> Killing:
    """See what is there, and how long a run takes when nobody disturbs it (in both directions)."""
    before = place.world.everything()
    state = place.cli.home / "undisturbed"
    probe = Killing(nursery, place.cli, place.world, before, Pace(0, 0, 0))
    never = Kill(3600, str(state))
    ends = [probe._run(command, state, never) for command in (SETUP, UNDO)]
    for end in ends:
        if end.code != 0 or end.wrote_after is None:
            raise KillError(f"ended with {end.code}: {end.stderr}{end.stdout}")
    there, back = ((end.wrote_after or 0, end.seconds - (end.wrote_after or 0)) for end in ends)
    lost = differences(before, place.world.everything())
    if lost:
        raise KillError(f"not as before, undisturbed: {lost}")
    return Killing(nursery, place.cli, place.world, before, Pace(there[0], there[1], back[1]))
