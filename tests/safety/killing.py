"""Rounds of `kill -9`: set up, die at some moment, go on or give back, and compare with what was there.

Every moment comes from a seed, so that a round that goes wrong can be had again. A run that ended before its
moment came was not killed and does not count: the round is had again with a moment half as late.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Cli, Place
from tests.e2e.world import World, comparable, differences
from tests.nursery import End, Kill, Nursery

SCENARIOS = ("healthy", "foreign-filters", "own-settings")
SETUP = (
    *("setup", "--all", "--yes", "--no-verify", "--output", "json"),
    *("--subscribe", "direct", "--on-conflict", "replace", "--create-log-groups"),
)
UNDO = ("undo", "--yes", "--output", "json")
NOTHING_LEFT = "there is no run to undo"
MOST_MISSES = 12
"""Attempts at a round; the last one's moment is a thousandth of what was drawn."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an undisturbed run takes, in seconds: until its first write, and from there to its end."""

    looking: float
    setting_up: float
    giving_back: float


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run dies, in seconds after its first write or after its start; with Ctrl-C before it, or not."""

    after: float
    while_writing: bool
    ctrl_c_first: bool


@dataclass(slots=True)
class Tally:
    """What happened in all rounds so far: `killed` are the setups that SIGKILL found alive, one a round.

    `missed` are setups that ended before their moment; `undo_killed` are undos that were killed besides.
    """

    killed: int = 0
    missed: int = 0
    killed_writing: int = 0
    interrupted: int = 0
    undo_killed: int = 0
    completed: int = 0
    wrong: list[str] = field(default_factory=list)


class KillError(AssertionError):
    """A round did not end as it must."""


@dataclass(frozen=True, slots=True)
class Killing:
    """A place to run rounds in.

    `before` is what every round has to come back to, `wanted` what an undisturbed setup makes of it;
    `history` says what was run in the round under way, and how it ended.
    """

    nursery: Nursery
    cli: Cli
    world: World
    before: Mapping[str, Any]
    wanted: Mapping[str, Any]
    pace: Pace
    tally: Tally = field(default_factory=Tally)
    history: list[str] = field(default_factory=list)

    def round(self, seed: str) -> None:
        """One round in which setup was killed: raises KillError when something is lost, left over or cannot

        be gone on from.
        """
        for sooner in range(MOST_MISSES):
            if self._attempt(seed, sooner):
                return
        raise KillError(f"seed {seed}: no run lived long enough to be killed")

    def _attempt(self, seed: str, sooner: int) -> bool:
        """The round with moments 2 ** `sooner` times as early as drawn; whether SIGKILL hit setup alive."""
        self.history.clear()
        chance = random.Random(seed)
        state = self.cli.home / f"state-{seed}-{sooner}"
        hit = self._die(SETUP, state, self._moment(chance, self.pace.setting_up, sooner))
        way = chance.random()
        if hit and way < 0.3:
            self.complete(state)
        elif hit and way < 0.55:
            self._die(UNDO, state, self._moment(chance, self.pace.giving_back, sooner))
        self.give_back(state)
        self.tally.missed += not hit
        return hit

    def _moment(self, chance: random.Random, seconds: float, sooner: int) -> Moment:
        """Mostly with SIGKILL while it writes; some are interrupted as well: people press Ctrl-C first."""
        while_writing = chance.random() < 0.85
        after = chance.uniform(0, 1.1 * seconds if while_writing else self.pace.looking)
        ctrl_c_first = chance.random() < 0.15
        return Moment(after / 2**sooner, while_writing, ctrl_c_first)

    def _die(self, command: tuple[str, ...], state: Path, moment: Moment) -> bool:
        """Run a command and end it at some moment; whether SIGKILL found it alive."""
        signals = (signal.SIGINT, signal.SIGKILL) if moment.ctrl_c_first else (signal.SIGKILL,)
        journal_of = str(state) if moment.while_writing else ""
        end = self.run(command, state, Kill(moment.after, journal_of, signals=signals))
        undo = command is UNDO
        if end.killed:
            self.tally.killed += not undo
            self.tally.undo_killed += undo
            self.tally.killed_writing += end.wrote_after is not None and not undo
        elif moment.ctrl_c_first and end.code in (130, -signal.SIGINT):
            self.tally.interrupted += 1
        elif not (undo and NOTHING_LEFT in end.stdout + end.stderr) and end.code != 0:
            raise KillError(f"{command[0]} ended with {end.code}: {end.stderr}{end.stdout}")
        return end.killed

    def complete(self, state: Path) -> None:
        """`setup` again does all that was left, and a plan after it is empty. Raises KillError."""
        end = self.run(SETUP, state)
        if end.code != 0:
            raise KillError(f"setup after a kill ended with {end.code}: {end.stderr}{end.stdout}")
        missing = differences(self.wanted, comparable(self.world.everything()))
        if missing:
            raise KillError(f"not as an undisturbed setup leaves it: {missing}")
        plan = self.run(("plan", *SETUP[1:2], *SETUP[6:], "--detailed-exitcode"), state)
        if plan.code != 0:
            raise KillError(f"something is left to do: {plan.stdout}")
        self.tally.completed += 1

    def give_back(self, state: Path) -> None:
        """`undo` until there is nothing left to undo; then all is as before. Raises KillError."""
        for _ in range(4):
            end = self.run(UNDO, state)
            if NOTHING_LEFT in end.stdout + end.stderr:
                lost = differences(self.before, self.world.everything())
                if lost:
                    raise KillError(f"not as before: {lost}")
                return
            if end.code != 0:
                raise KillError(f"undo ended with {end.code}: {end.stderr}{end.stdout}")
        raise KillError("undo does not come to an end")

    def run(self, command: tuple[str, ...], state: Path, kill: Kill | None = None) -> End:
        """Run a command with a state directory of its own; no secret and no traceback may be in its words."""
        environ = self.cli.environ(DDSETUP_STATE_DIR=str(state))
        end = self.nursery.run(command, environ, self.cli.home, kill)
        self.history.append(f"{command[0]}: {end.code} after {end.seconds:.2f} s, {kill}")
        for text in (end.stdout, end.stderr):
            self.cli.check_secrets(text)
            if "Traceback" in text:
                raise KillError(text)
        return end


def prepare(nursery: Nursery, place: Place, tally: Tally | None = None) -> Killing:
    """See what is there, and how long a run takes when nobody disturbs it (in both directions).

    With `tally` its figures are added to.
    """
    before = place.world.everything()
    state = place.cli.home / "undisturbed"
    probe = Killing(nursery, place.cli, place.world, before, {}, Pace(0, 0, 0))
    there = _undisturbed(probe, SETUP, state)
    wanted = comparable(place.world.everything())
    back = _undisturbed(probe, UNDO, state)
    lost = differences(before, place.world.everything())
    if lost:
        raise KillError(f"not as before, undisturbed: {lost}")
    pace = Pace(there[0], there[1], back[1])
    return Killing(nursery, place.cli, place.world, before, wanted, pace, tally or Tally())


def _undisturbed(probe: Killing, command: tuple[str, ...], state: Path) -> tuple[float, float]:
    """How long a command that nobody kills takes, in seconds: until its journal begins, and from there on."""
    end = probe.run(command, state, Kill(3600, str(state)))
    if end.code != 0 or end.wrote_after is None:
        raise KillError(f"ended with {end.code}: {end.stderr}{end.stdout}")
    return end.wrote_after, end.seconds - end.wrote_after
