"""A world of resources in memory with writers for it: what apply, journal and undo are tried against.

A resource is (kind, id, region, account) and has a state or none. The writers compare before they write, as
the real ones do. `fault` is called at each moment at which a process can die.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Header, Run
from ddsetup.journal.runs import Journal, read_runs
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import Clock
from ddsetup.model.errors import DdsetupError
from ddsetup.model.states import LogGroupState, State, TagsState

ACCOUNT = "111122223333"
REGION = "eu-west-1"
AT = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)


class Killed(BaseException):
    """The process ended here: nothing catches it."""


class World:
    """What exists, by resource, and everything that was sent, in order."""

    def __init__(self, there: dict[ResourceId, State] | None = None) -> None:
        self.there: dict[ResourceId, State] = dict(there or {})
        self.sent: list[ResourceId] = []
        self.calls: list[tuple[ResourceId, ...]] = []
        self.fails: dict[ResourceId, Exception] = {}
        self.fault: Callable[[str, Change], None] = lambda moment, change: None
        self.lock = threading.Lock()

    def writer(self, batch: int = 1) -> WorldWriter:
        return WorldWriter(self, batch)


class WorldWriter:
    """Implements the Writer protocol on a World."""

    def __init__(self, world: World, batch: int = 1) -> None:
        self.world = world
        self.batch = batch

    def resolve(self, change: Change) -> Change:
        return change

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        with self.world.lock:
            self.world.calls.append(tuple(change.resource for change in changes))
            return [self._write_one(change) for change in changes]

    def _write_one(self, change: Change) -> Outcome:
        world, resource = self.world, change.resource
        if resource in world.fails:
            raise world.fails[resource]
        world.fault("before", change)
        live = world.there.get(resource)
        if live == change.after:
            return Outcome(resource=resource, status="unchanged", reason="already so", action=change.action)
        if live != change.before:
            return Outcome(resource=resource, status="changed_since", reason="differs", action=change.action)
        world.sent.append(resource)
        if change.after is None:
            del world.there[resource]
        else:
            world.there[resource] = change.after
        world.fault("after", change)
        return Outcome(resource=resource, status="applied", action=change.action)


def resource(name: str, kind: str = "log_group", region: str = REGION) -> ResourceId:
    return ResourceId(kind, name, region, ACCOUNT)


def creation(name: str, *needs: str, region: str = REGION) -> Change:
    """A log group comes to be."""
    return Change(
        step="test",
        resource=resource(name, region=region),
        before=None,
        after=LogGroupState(name=name),
        why="test",
        needs=tuple(resource(need) for need in needs),
    )


def tagging(name: str, *needs: str, tag: str = "x") -> Change:
    """A function that has no tags gets one."""
    return Change(
        step="test",
        resource=resource(name, "function_tags"),
        before=None,
        after=TagsState(tags={"env": tag}),
        why="test",
        needs=tuple(resource(need) for need in needs),
    )


def header(run: str = "20261122T101530Z-ab12", undoes: str = "") -> Header:
    return Header(
        run=run,
        version="0.0.0",
        command="setup",
        accounts=(ACCOUNT,),
        regions=(REGION,),
        site="datadoghq.eu",
        started=AT,
        undoes=undoes,
    )


def fake_clock() -> Clock:
    """Time that passes only when someone sleeps."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    return Clock(
        now=lambda: AT + timedelta(seconds=passed[0]),
        monotonic=lambda: passed[0],
        sleep=sleep,
    )


def boom(text: str = "no") -> DdsetupError:
    return DdsetupError(text)


def journal_file(state: Path, run: str = "20261122T101530Z-ab12") -> Path:
    return state / "runs" / run / "journal.jsonl"


def record(
    state: Path, run: str, *changes: Change, undoes: str = "", account: str = ACCOUNT, ends: bool = True
) -> None:
    """A run on disk; one that does not end was killed before it could say how its last change went."""
    head = replace(header(run, undoes), accounts=(account,))
    journal = Journal.create(OnDisk(state), head)
    for seq, change in zip(journal.start_all(changes, AT), changes, strict=True):
        if ends or change is not changes[-1]:
            journal.done(seq, change.outcome("applied"), AT)
    if ends:
        journal.close()


def read_journal(path: Path) -> Run:
    """The run whose journal is there."""
    (found,) = read_runs(OnDisk(path.parents[2]), (path.parent.name,))
    return found
