"""Carry out changes: in the order that they need, many at once, each recorded before it is sent.

A change that fails stops what depends on it and nothing else; what was taken away only to make room for it
is put back at once. A journal that cannot be written stops everything: what is not recorded is not sent.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ddsetup.apply.interrupt import first_interrupt_sets
from ddsetup.apply.schedule import Queue, Turn, turn_of
from ddsetup.journal.memory import JournalError
from ddsetup.journal.runs import Journal
from ddsetup.model.change import NOT_STARTED, Change, Outcome, ResourceId, Status
from ddsetup.model.clock import Clock
from ddsetup.model.errors import (
    ChangedSince,
    DdsetupError,
    Denied,
    GatewayError,
    SignedOut,
    as_bug,
    place_of,
)
from ddsetup.model.event import Event, EventKind, OnEvent

_LOOK_SECONDS = 0.5
"""How long an interruption can go unnoticed while changes are under way."""
_MORE_SECONDS = 0.1
"""How long changes that come later can go unnoticed."""
WORKERS = 48
"""Threads that write. At 15 updates a second, each of which AWS carries out in one to three seconds, as many
functions are on their way at once."""
_OTHERS = 12
"""Of these, how many are kept free of functions, for kinds of resources with quotas of their own."""
_ALL = 16 * WORKERS
"""Threads that write in all accounts side by side; some machines let nobody have many more."""
_FILTERS = 6
"""Threads that write filters in an account and region: enough for five calls a second, which is AWS's quota.
More of them would wait for it, and keep updates of functions from being sent."""


def workers_for(accounts: int) -> int:
    """How many threads write in each of so many accounts side by side."""
    return max(2 * _OTHERS, min(WORKERS, _ALL // max(1, accounts)))


class More(Protocol):
    """Changes that become known while others are carried out already."""

    def take(self, wait_seconds: float) -> Sequence[Change] | None:
        """Those that became known since it was last asked; None once there will be no more.

        Waits for up to `wait_seconds` if there is nothing new.
        """
        ...


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


@runtime_checkable
class Settling(Protocol):
    """A writer of what others may write at the same time without either noticing."""

    def settle(self, cancelled: Callable[[], bool]) -> Mapping[ResourceId, Outcome]:
        """Look at what was written once more at the end of the run, and repair it; outcomes of what is lost
        all the same. Waits, unless it is cancelled. Never raises GatewayError."""
        ...


def apply(  # noqa: PLR0913 - the parts of a run; each is used by itself in tests
    changes: Iterable[Change],
    writers: Mapping[str, Writer],
    journal: Journal,
    *,
    clock: Clock,
    on_event: OnEvent,
    cancel: threading.Event,
    workers: int = WORKERS,
    more: More | None = None,
) -> tuple[Outcome, ...]:
    """Carry out `changes`, and those that `more` gives on the way; one outcome for each, in the same order.

    When `cancel` is set (or on Ctrl-C, once) what runs is finished and the rest is skipped; a second Ctrl-C
    is passed on as KeyboardInterrupt at once: the journal then holds what was started. `on_event` is called
    from several threads.
    """
    run = _Run(tuple(changes), writers, journal, clock, on_event)
    queue = Queue(run.changes, {kind: writer.batch for kind, writer in writers.items()})
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply")
    crew = _Crew(run, queue, pool, workers)
    try:
        with first_interrupt_sets(cancel):
            _work(run, queue, crew, cancel, more)
            run.settle(cancel)
    except BaseException:
        journal.stopped = True
        raise
    finally:
        pool.shutdown(wait=not crew.running, cancel_futures=True)
    while left := queue.left():
        run.finish(queue, left[0], run.outcome(left[0], "failed", "what it needs needs, in turn, this"))
    return run.outcomes()


def _work(run: _Run, queue: Queue, crew: _Crew, cancel: threading.Event, more: More | None) -> None:
    """Until nothing is left that could be begun, and nothing more comes."""
    while True:
        if run.stop_reason or cancel.is_set():
            more = None
            run.stop(queue, cancelled=cancel.is_set())
        if more is not None:
            late = more.take(0 if crew.running else _MORE_SECONDS)
            more = None if late is None else more
            run.add(queue, late or ())
        crew.start(last=more is None)
        if crew.running:
            crew.finish(_LOOK_SECONDS if more is None else _MORE_SECONDS)
        elif more is None:
            return


class _Crew:
    """The threads, and what they work on."""

    def __init__(self, run: _Run, queue: Queue, pool: ThreadPoolExecutor, workers: int) -> None:
        self._run = run
        self._queue = queue
        self._pool = pool
        self._workers = workers
        self.running: dict[Future[list[Outcome]], tuple[int, ...]] = {}

    def start(self, *, last: bool) -> None:
        """Put free threads to work. `last`: nothing will be added, so incomplete batches need not wait."""
        for index in self._run.take_back(self._queue):
            # Whatever else has to wait, or is not sent any more.
            self.running[self._pool.submit(self._run.work, (index,))] = (index,)
        most_functions = max(1, self._workers - _OTHERS)
        while len(self.running) < self._workers:
            full = self._run.full(self.running.values(), most_functions)
            batch = self._queue.take(idle=not self.running and last, full=full)
            if not batch:
                return
            self.running[self._pool.submit(self._run.work, batch)] = batch

    def finish(self, timeout: float) -> None:
        """Wait for up to `timeout` seconds until something is done, and note what came of it."""
        finished, _ = wait(self.running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            for index, outcome in zip(self.running.pop(future), future.result(), strict=True):
                self._run.finish(self._queue, index, outcome)


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
        self.changes = list(changes)
        self._writers = writers
        self._journal = journal
        self._clock = clock
        self._on_event = on_event
        self._outcomes: dict[int, Outcome] = {}
        self._seqs: dict[int, int] = {}
        self._stopping = False
        self._made_way: dict[ResourceId, Change] = {}
        self._in_vain: list[Change] = []
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
        return self.changes[index].outcome(status, reason, fix)

    def add(self, queue: Queue, changes: Sequence[Change]) -> None:
        """Take in changes that became known on the way."""
        self.changes.extend(changes)
        for index, need in queue.add(changes):
            ends = (o.status for o in self._outcomes.values() if o.resource == need)
            bad: Status = next((end for end in ends if end not in ("applied", "unchanged")), "failed")
            self._skip(queue, index, need, bad)

    def full(self, running: Iterable[tuple[int, ...]], most: int) -> frozenset[str | Turn]:
        """What has as many threads as it may: functions must leave some to the others, filters of a region
        wait for their quota."""
        count = Counter(turn_of(self.changes[batch[0]].resource) for batch in running)
        functions = sum(number for turn, number in count.items() if turn[0] == "function")
        filters = {t for t, number in count.items() if t[0] == "subscription_filter" and number >= _FILTERS}
        return frozenset({*filters, *(("function",) if functions >= most else ())})

    def finish(self, queue: Queue, index: int, outcome: Outcome) -> None:
        """Note the outcome of one change, and skip those that can no longer be carried out."""
        self._outcomes[index] = outcome
        self.say(kind="finished", index=index, outcome=outcome)
        change = self.changes[index]
        if change.makes_room and outcome.status == "applied":
            self._made_way[change.resource] = change
        elif change.action != "delete" and outcome.status not in ("applied", "unchanged"):
            self._in_vain += self._made_room(change)
        for dependant, need in queue.settle(index, good=outcome.status in ("applied", "unchanged")):
            self._skip(queue, dependant, need, outcome.status)

    def _made_room(self, change: Change) -> Iterator[Change]:
        """What was taken away for a change that has not come about, turned round; each once."""
        for need in change.needs:
            made = self._made_way.get(need)
            # A role that was mended for a record that is there stays so.
            if made is not None and (made.action == "delete" or change.action == "create"):
                del self._made_way[need]
                what = f"put back at once, as {change.resource.name} is not there to take its place"
                yield replace(made.inverse(), why=what)

    def take_back(self, queue: Queue) -> list[int]:
        """Take in what has to be put back now; it waits for nothing. Gives the positions."""
        changes, self._in_vain = self._in_vain, []
        self.changes.extend(changes)
        return [queue.beside(change) for change in changes]

    def _skip(self, queue: Queue, index: int, need: ResourceId, ended: Status) -> None:
        how = {"failed": "failed", "changed_since": "has changed since", "skipped": "was skipped"}
        reason = f"needs {need.kind} {need.name}, which {how.get(ended, ended)}"
        self.finish(queue, index, self.outcome(index, "skipped", reason))

    def stop(self, queue: Queue, *, cancelled: bool) -> None:
        """Skip everything that was not sent yet; what is under way goes on to its end."""
        dropped = queue.drop()
        self._journal.stopped |= bool(dropped)
        if cancelled and not self._stopping:
            self._stopping = True
            self.say(kind="stopping", text="finishing what is under way; Ctrl-C again to leave at once")
        reason = self.stop_reason or NOT_STARTED
        for index in dropped:
            self.finish(queue, index, self.outcome(index, "skipped", reason))

    def settle(self, cancel: threading.Event) -> None:
        """Have the writers look at what others may have undone meanwhile without noticing."""
        for writer in self._writers.values():
            if not isinstance(writer, Settling):
                continue
            lost = writer.settle(cancel.is_set)
            for index, outcome in self._outcomes.items():
                if outcome.status == "applied" and outcome.resource in lost:
                    self._outcomes[index] = lost[outcome.resource]
                    self._record(self._seqs[index], lost[outcome.resource])
                    self.say(kind="finished", index=index, outcome=lost[outcome.resource])

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
            return self._failed(batch, error)
        except Exception as error:  # noqa: BLE001 - one change must not stop the others
            return [_bug(self.outcome(i, "failed", ""), error) for i in batch]

    def _write(self, batch: tuple[int, ...]) -> list[Outcome]:
        writer = self._writers.get(self.changes[batch[0]].resource.kind)
        if writer is None:
            kind = self.changes[batch[0]].resource.kind
            return [self.outcome(i, "failed", f"nothing here writes a {kind}") for i in batch]
        for index in batch:
            self.say(kind="started", index=index)
        resolved = self._resolved(writer, batch)
        outcomes = self._once(writer, resolved, batch)
        if all(outcome.status == "changed_since" for outcome in outcomes):
            # Nothing was sent. What a writer resolves may have changed between its look and its write.
            anew = self._resolved(writer, batch)
            if anew != resolved:
                outcomes = self._once(writer, anew, batch)
        return outcomes

    def _resolved(self, writer: Writer, batch: tuple[int, ...]) -> list[Change]:
        return [writer.resolve(self.changes[index]) for index in batch]

    def _once(self, writer: Writer, resolved: Sequence[Change], batch: tuple[int, ...]) -> list[Outcome]:
        seqs = self._journal.start_all(resolved, self._clock.now())
        self._seqs.update(zip(batch, seqs, strict=True))
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
            return self._failed(batch, error)
        except Exception as error:  # noqa: BLE001 - the journal has to hear of it
            return [_bug(self.outcome(i, "failed", ""), error) for i in batch]
        return outcomes

    def _failed(self, batch: tuple[int, ...], error: DdsetupError) -> list[Outcome]:
        if isinstance(error, SignedOut):
            # Every further call would fail alike.
            self.stop_reason = f"not sent: {error.what}"
        return [_from_error(self.outcome(i, "failed", error.what, error.fix), error) for i in batch]

    def _record(self, seq: int, outcome: Outcome) -> None:
        try:
            self._journal.done(seq, outcome, self._clock.now())
        except JournalError as error:
            # The change is in the journal as started, which undo takes in, so only new ones are stopped.
            self.stop_reason = f"not sent: {error.what}"


def _from_error(outcome: Outcome, error: DdsetupError) -> Outcome:
    details: dict[str, str] = {}
    if isinstance(error, GatewayError) and error.action:
        details["permission" if isinstance(error, Denied) else "action"] = error.action
    status: Status = "changed_since" if isinstance(error, ChangedSince) else "failed"
    return replace(outcome, status=status, details=details)


def _bug(outcome: Outcome, error: Exception) -> Outcome:
    details = {"bug": type(error).__name__, "at": place_of(error)}
    return replace(outcome, reason=as_bug(error), details=details)
