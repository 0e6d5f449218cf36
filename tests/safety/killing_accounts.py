"""Rounds of `kill -9` of runs over many accounts, as in `tests.safety.killing`.

A round kills `org apply` or `org rollout` at a moment drawn from its seed. Then the same command again does
all that was left, each account done or named with its reason; at times this is left out, or what gives it
back is killed as well. In the end each account, and Datadog's record of all of them, is as it was.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.conftest import Cli, Place
from tests.e2e.world import Inside, World, comparable, differences
from tests.nursery import End, Kill, Nursery
from tests.safety.killing import MOST_MISSES, KillError, Tally

SCENARIO = "organisation"
REFUSES = "coffee-partner"
NAMES = ("coffee-staging", "coffee-roasting-lab", "coffee-legacy", REFUSES, "coffee-abandoned")
"""One as any, one integrated by Datadog's StackSet, one by hand, one that lets nobody in, one suspended."""
_WHICH = tuple(word for name in NAMES for word in ("--account", name))
_SAID = ("--yes", "--output", "json")
APPLY = ("org", "apply", "--all", "--no-verify", *_WHICH, *_SAID)
PLAN = ("org", "plan", "--all", *_WHICH, "--output", "json")
UNDO = ("org", "undo", *_WHICH, *_SAID)
ROLLOUT = ("org", "rollout", *_WHICH, *_SAID)
REMOVE = ("org", "rollout", "--remove", *_WHICH, *_SAID)
NOTHING_LEFT = "there is no run over many accounts to undo"
ROLLOUTS = 0.3
"""How many of the rounds are about a rollout."""
_DATADOGS = "DD_LOG_SUBSCRIPTION_FILTER_"
_ENDED = ("done", "nothing to do", "nothing is meant here")
_NAMED = ("left out", "not entered", "failed")


@dataclass(frozen=True)
class Accounts:
    """All accounts that a run is about, and what its management account holds of StackSets."""

    management: World
    inside: tuple[Inside, ...]

    def everything(self) -> dict[str, Any]:
        """All of it, to compare before with after."""
        whole = {each.account: each.everything() for each in self.inside}
        sets = self.management.client("cloudformation").list_stack_sets(Status="ACTIVE")["Summaries"]
        return {**whole, "stack sets": sorted(each["StackSetName"] for each in sets)}


@dataclass(frozen=True, slots=True)
class AccountsKilling:
    """A place to run rounds in; `pace` are the seconds that each command takes undisturbed."""

    nursery: Nursery
    cli: Cli
    accounts: Accounts
    before: Mapping[str, Any]
    pace: Mapping[tuple[str, ...], float]
    wanted: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    history: list[str] = field(default_factory=list)

    def round(self, seed: str) -> None:
        """One round in which a run was killed. Raises KillError when something is lost, is left over, or
        cannot be gone on from."""
        for sooner in range(MOST_MISSES):
            if self._attempt(seed, sooner):
                return
        raise KillError(f"seed {seed}: no run lived long enough to be killed")

    def _attempt(self, seed: str, sooner: int) -> bool:
        self.history.clear()
        chance = random.Random(seed)
        state = f"{seed}-{sooner}"
        command, back = (ROLLOUT, REMOVE) if chance.random() < ROLLOUTS else (APPLY, UNDO)
        hit = self._die(command, state, chance.uniform(0, 1.1 * self.pace[command]) / 2**sooner)
        self.tally.killed += hit
        self.tally.missed += not hit
        way = chance.random()
        if hit and way < 0.5:
            self.complete(command, state)
        if hit and way > 0.3 and self._die(back, state, chance.uniform(0, self.pace[back]) / 2**sooner):
            self.tally.undo_killed += 1
        self.give_back(back, state)
        return hit

    def _die(self, command: tuple[str, ...], state: str, after: float) -> bool:
        end = self.run(command, state, Kill(after))
        if not end.killed:
            _check_end(command, end)
        return end.killed

    def complete(self, command: tuple[str, ...], state: str) -> None:
        """The same command again does all that was left. Raises KillError."""
        rows = _check_end(command, self.run(command, state))
        odd = [row for row in rows if row["status"] not in (*_ENDED, *_NAMED)]
        odd += [row for row in rows if row["status"] in _NAMED and not row.get("reason")]
        if odd:
            raise KillError(f"neither done nor named: {odd}")
        missing = differences(self.wanted[command], alike(self.accounts.everything()))
        if missing:
            raise KillError(f"not as an undisturbed run leaves it: {_said(missing)}")
        if command is APPLY:
            left = [row for row in _check_end(PLAN, self.run(PLAN, state)) if row["status"] == "changes"]
            if left:
                raise KillError(f"something is left to do: {left}")
        self.tally.completed += 1

    def give_back(self, back: tuple[str, ...], state: str) -> None:
        """All is given back, however often that takes, and is as before then. Raises KillError."""
        for _ in range(4 if back is UNDO else 1):
            end = self.run(back, state)
            if NOTHING_LEFT in end.stdout + end.stderr:
                break
            _check_end(back, end)
        lost = differences(self.before, self.accounts.everything())
        if lost:
            raise KillError(f"not as before: {_said(lost)}")

    def run(self, command: tuple[str, ...], state: str, kill: Kill | None = None) -> End:
        """Run a command with a state directory of its own; no secret and no traceback may be in its words."""
        environ = self.cli.environ(DDSETUP_STATE_DIR=str(self.cli.home / f"state-{state}"))
        end = self.nursery.run(command, environ, self.cli.home, kill)
        self.history.append(f"{' '.join(command[:3])}: {end.code} after {end.seconds:.2f} s, {kill}")
        for text in (end.stdout, end.stderr):
            self.cli.check_secrets(text)
            if "Traceback" in text:
                raise KillError(text)
        return end


def alike(everything: dict[str, Any]) -> Any:
    """As `comparable`, without the names that StackSets and CloudFormation make up, and without the filters
    that Datadog puts when it comes by."""
    found = comparable(everything)
    for groups in _filters(found):
        for group, filters in groups.items():
            groups[group] = [each for each in filters if not each["filterName"].startswith(_DATADOGS)]
    text = json.dumps(found)
    text = re.sub(r"(?i)(stackset-ddsetup-forwarder)-[a-z0-9]{12}", r"\1-ID", text)
    text = re.sub(
        r"(?i)((?:-ID|datadog-forwarder)-(?:forwarder(?:ro)?|ddapikeysecret)\w*?-?)[0-9a-f]{13,}", r"\1", text
    )
    return json.loads(text)


def _filters(everything: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inside = (each for each in everything.values() if isinstance(each, dict))
    here = (region for each in inside for region in each.values() if isinstance(region, dict))
    return (region["filters"] for region in here if "filters" in region)


def _said(lines: list[str]) -> str:
    return "; ".join(line[:300] for line in lines[:5])


def _check_end(command: tuple[str, ...], end: End) -> list[dict[str, Any]]:
    """The rows of a run that came to its end: 5 where only the account that lets nobody in is named."""
    if NOTHING_LEFT in end.stdout + end.stderr:
        return []
    if end.code not in (0, 5):
        raise KillError(f"{command[1]} ended with {end.code}: {end.stderr}{end.stdout}")
    rows: list[dict[str, Any]] = json.loads(end.stdout)["data"]["accounts"]
    bad = [row for row in rows if row["exit_code"] and row["name"] != REFUSES]
    if bad:
        raise KillError(f"{command[1]}: {bad}")
    return rows


def prepare(nursery: Nursery, place: Place, tally: Tally | None = None) -> AccountsKilling:
    """See what is there, and how long each command takes when nobody disturbs it."""
    environ = place.cli.environ(DDSETUP_STATE_DIR=str(place.cli.home / "looking"))
    seen = nursery.run(("org", "status", *_WHICH, "--output", "json"), environ, place.cli.home)
    rows = json.loads(seen.stdout)["data"]["accounts"]
    accounts = Accounts(place.world, tuple(Inside(place.sandbox, row["account"]) for row in rows))
    before = accounts.everything()
    probe = AccountsKilling(nursery, place.cli, accounts, before, {}, {}, tally or Tally())
    pace: dict[tuple[str, ...], float] = {}
    wanted: dict[tuple[str, ...], Any] = {}
    for command, back in ((APPLY, UNDO), (ROLLOUT, REMOVE)):
        for each in (command, back):
            end = probe.run(each, f"undisturbed-{command[1]}")
            _check_end(each, end)
            pace[each] = end.seconds
            if each is command:
                wanted[each] = alike(accounts.everything())
        lost = differences(before, accounts.everything())
        if lost:
            raise KillError(f"not as before, undisturbed: {_said(lost)}")
    return AccountsKilling(nursery, place.cli, accounts, before, pace, wanted, tally or Tally())
