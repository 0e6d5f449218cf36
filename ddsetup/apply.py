"""Carry out changes: in the order that they need, many at once, each recorded before it is sent.

A change that fails stops what depends on it and nothing else. A journal that cannot be written stops
everything: what is not recorded is not sent.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from ddsetup.change import Change, Outcome, ResourceId, Status
from ddsetup.clock import Clock
from ddsetup.errors import ChangedSince, DdsetupError, Denied, GatewayError
from ddsetup.journal import Journal, JournalError

EventKind: TypeAlias = Literal["planned", "started", "finished", "stack", "log", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a run, for progress and for `--output ndjson`.

    `text` is for people; `details` holds the same as data (a stack event's logical id, status, reason).
    """

    kind: EventKind
    at: datetime
    resource: ResourceId | None = None
    step: str = ""
    change: Change | None = None
    outcome: Outcome | None = None
    text: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


OnEvent: TypeAlias = Callable[[Event], None]


class Writer(Protocol):
    """Carries out the changes of one kind of resource, in both directions.

    `batch` is how many changes it takes in one call; they have the same account, region, `before` and
    `after`. An error of ddsetup that `write` raises counts for every change of the call.
    """

    batch: int

    def resolve(self, change: Change) -> Change:
        """`change` with the references to server-issued values replaced. May call AWS or Datadog."""
        ...

    def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        """Compare with what is there, write, and say what came of each change, in the same order."""
        ...


def apply(  # noqa: PLR0913 - the parts of a run; each is used by itself in tests
    changes: Iterable[Change],
    writers: Mapping[str, Writer],
    journal: Journal,
    *,
    clock: Clock,
    on_event: OnEvent,
    cancel: threading.Event,
    workers: int = 24,
) -> tuple[Outcome, ...]:
    """Carry out `changes` and return one outcome for each, in the same order.

    When `cancel` is set (or on Ctrl-C, once) what runs is finished and the rest is skipped; a second Ctrl-C
    is passed on as KeyboardInterrupt at once: the journal then holds what was started. `on_event` is called
    from several threads.
    """
    run = _Run(tuple(changes), writers, journal, clock, on_event)
    queue = _Queue(run.changes, writers)
    running: dict[Future[list[Outcome]], tuple[int, ...]] = {}
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply")
    try:
        while True:
            if run.stop_reason or cancel.is_set():
                _drop(queue, run, run.stop_reason or "interrupted before it was started")
            while len(running) < workers and (batch := queue.take(idle=not running)):
                running[pool.submit(run.work, batch)] = batch
            if not running:
                break
            try:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                if cancel.is_set():
                    raise
                cancel.set()
                run.say(kind="stopping", text="finishing what is under way; Ctrl-C again to leave at once")
                continue
            for future in finished:
                for index, outcome in zip(running.pop(future), future.result(), strict=True):
                    run.finish(queue, index, outcome)
    finally:
        pool.shutdown(wait=not running, cancel_futures=True)
    while left := queue.left():
        run.finish(queue, left[0], run.outcome(left[0], "failed", "what it needs needs, in turn, this"))
    return run.outcomes()


class _Run:
    """What one call of `apply` carries around; `work` runs in the threads, the rest in the caller's."""

    def __init__(
        self,
        changes: tuple[Change, ...],
        writers: Mapping[str, Writer],
        journal: Journal,
        clock: Clock,
        on_event: OnEvent,
    ) -> None:
        self.changes = changes
        self._writers = writers
        self._journal = journal
        self._clock = clock
        self._on_event = on_event
        self._outcomes: dict[int, Outcome] = {}
        self.stop_reason = ""

    def say(
        self, *, kind: EventKind, index: int | None = None, outcome: Outcome | None = None, text: str = ""
    ) -> None:
        change = None if index is None else self.changes[index]
        self._on_event(
            Event(
                kind=kind,
                at=self._clock.now(),
                resource=change.resource if change else None,
                step=change.step if change else "",
                change=change,
                outcome=outcome,
                text=text,
            )
        )

    def outcome(self, index: int, status: Status, reason: str, fix: str = "") -> Outcome:
        change = self.changes[index]
        return Outcome(
            resource=change.resource,
            status=status,
            reason=reason,
            fix=fix,
            step=change.step,
            action=change.action,
        )

    def finish(self, queue: _Queue, index: int, outcome: Outcome) -> None:
        """Note the outcome of one change, and skip those that can no longer be carried out."""
        self._outcomes[index] = outcome
        self.say(kind="finished", index=index, outcome=outcome)
        for dependant, need in queue.settle(index, good=outcome.status in ("applied", "unchanged")):
            how = {"failed": "failed", "changed_since": "has changed since", "skipped": "was skipped"}
            reason = f"needs {need.kind} {need.name}, which {how.get(outcome.status, outcome.status)}"
            self.finish(queue, dependant, self.outcome(dependant, "skipped", reason))

    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self._outcomes[index] for index in range(len(self.changes)))

    def work(self, batch: tuple[int, ...]) -> list[Outcome]:
        """Resolve, record and write the changes of one batch. Never raises for what a change can cause."""
        try:
            return self._write(batch)
        except JournalError as error:
            self.stop_reason = f"not sent: {error.what}"
            return [self.outcome(i, "failed", self.stop_reason, error.fix) for i in batch]
        except DdsetupError as error:
            return [_from_error(self.outcome(i, "failed", error.what, error.fix), error) for i in batch]
        except Exception as error:  # noqa: BLE001 - one change must not stop the others
            return [_bug(self.outcome(i, "failed", ""), error) for i in batch]

    def _write(self, batch: tuple[int, ...]) -> list[Outcome]:
        writer = self._writers.get(self.changes[batch[0]].resource.kind)
        if writer is None:
            kind = self.changes[batch[0]].resource.kind
            return [self.outcome(i, "failed", f"nothing here writes a {kind}") for i in batch]
        for index in batch:
            self.say(kind="started", index=index)
        resolved = [writer.resolve(self.changes[index]) for index in batch]
        seqs = [self._journal.start(change, self._clock.now()) for change in resolved]
        outcomes = self._send(writer, resolved, batch)
        for seq, outcome in zip(seqs, outcomes, strict=True):
            self._record(seq, outcome)
        return outcomes

    def _send(self, writer: Writer, resolved: Sequence[Change], batch: tuple[int, ...]) -> list[Outcome]:
        try:
            outcomes = list(writer.write(resolved))
            if len(outcomes) != len(batch):
                raise AssertionError("a writer must answer for every change")
        except DdsetupError as error:
            return [_from_error(self.outcome(i, "failed", error.what, error.fix), error) for i in batch]
        except Exception as error:  # noqa: BLE001 - the journal has to hear of it
            return [_bug(self.outcome(i, "failed", ""), error) for i in batch]
        return outcomes

    def _record(self, seq: int, outcome: Outcome) -> None:
        try:
            self._journal.done(seq, outcome, self._clock.now())
        except JournalError as error:
            # The change is in the journal as started, which undo takes in, so only new ones are stopped.
            self.stop_reason = f"not sent: {error.what}"


class _Queue:
    """Which changes can be sent now. Used by one thread only.

    A change waits for those that it needs and, when several are about one resource, for the earlier one.
    """

    def __init__(self, changes: Sequence[Change], writers: Mapping[str, Writer]) -> None:
        self._changes = changes
        self._batch = {kind: writer.batch for kind, writer in writers.items()}
        self._waits_for: dict[int, set[int]] = _needs(changes)
        self._dependants: dict[int, list[int]] = {}
        for index, needs in self._waits_for.items():
            for need in needs:
                self._dependants.setdefault(need, []).append(index)
        self._groups = {index: self._group(index) for index in range(len(changes))}
        self._unready_in_group: dict[object, int] = {}
        for index, needs in self._waits_for.items():
            if needs:
                self._count(index, +1)
        self._ready = deque(i for i in range(len(changes)) if not self._waits_for[i])
        self._held: dict[object, list[int]] = {}

    def take(self, *, idle: bool) -> tuple[int, ...]:
        """The next changes to send together, none if there is nothing to do now.

        A group that is not full is held back while more of its kind may still become ready, unless nothing
        else is going on (`idle`).
        """
        while self._ready:
            index = self._ready.popleft()
            group = self._groups[index]
            size = self._batch.get(self._changes[index].resource.kind, 1)
            if size <= 1:
                return (index,)
            held = self._held.setdefault(group, [])
            held.append(index)
            if len(held) >= size:
                return tuple(self._held.pop(group))
        for group in list(self._held):
            if idle or not self._unready_in_group.get(group):
                return tuple(self._held.pop(group))
        return ()

    def settle(self, index: int, *, good: bool) -> list[tuple[int, ResourceId]]:
        """Note that `index` has ended. When not `good`, returns those that can now not be carried out."""
        lost: list[tuple[int, ResourceId]] = []
        for dependant in self._dependants.get(index, ()):
            needs = self._waits_for.get(dependant)
            if needs is None:
                continue
            if not good:
                del self._waits_for[dependant]
                self._count(dependant, -1)
                lost.append((dependant, self._changes[index].resource))
                continue
            needs.discard(index)
            if not needs:
                self._count(dependant, -1)
                self._ready.append(dependant)
        self._waits_for.pop(index, None)
        return lost

    def drop(self) -> list[int]:
        """Everything that was not taken yet, which is then forgotten."""
        held = [index for group in self._held.values() for index in group]
        waiting = [index for index, needs in self._waits_for.items() if needs]
        dropped = sorted({*self._ready, *held, *waiting})
        self._ready.clear()
        self._held.clear()
        for index in dropped:
            self._waits_for.pop(index, None)
        self._unready_in_group.clear()
        return dropped

    def left(self) -> list[int]:
        """What never became ready."""
        return [index for index, needs in sorted(self._waits_for.items()) if needs]

    def _group(self, index: int) -> object:
        change = self._changes[index]
        resource = change.resource
        # States hold mappings, so they cannot be hashed; their text tells them apart as well.
        return (resource.kind, resource.region, resource.account, repr(change.before), repr(change.after))

    def _count(self, index: int, by: int) -> None:
        group = self._groups[index]
        self._unready_in_group[group] = self._unready_in_group.get(group, 0) + by


def _needs(changes: Sequence[Change]) -> dict[int, set[int]]:
    """By position, the positions of the changes that have to come first."""
    by_resource: dict[ResourceId, list[int]] = {}
    for index, change in enumerate(changes):
        by_resource.setdefault(change.resource, []).append(index)
    waits: dict[int, set[int]] = {}
    for index, change in enumerate(changes):
        earlier = {i for i in by_resource[change.resource] if i < index}
        others = {i for need in change.needs if need != change.resource for i in by_resource.get(need, ())}
        waits[index] = earlier | others
    return waits


def _drop(queue: _Queue, run: _Run, reason: str) -> None:
    for index in queue.drop():
        run.finish(queue, index, run.outcome(index, "skipped", reason))


def _from_error(outcome: Outcome, error: DdsetupError) -> Outcome:
    details: dict[str, str] = {}
    if isinstance(error, GatewayError) and error.action:
        details["permission" if isinstance(error, Denied) else "action"] = error.action
    status: Status = "changed_since" if isinstance(error, ChangedSince) else "failed"
    return replace(outcome, status=status, details=details)


def _bug(outcome: Outcome, error: Exception) -> Outcome:
    """An unexpected error. Its text may hold anything, so only its type and place are told."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return replace(
        outcome,
        reason=f"unexpected {type(error).__name__} at {place}: this is a bug in ddsetup",
        details={"bug": type(error).__name__, "at": place},
    )
