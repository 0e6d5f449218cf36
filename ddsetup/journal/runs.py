"""What a run did, remembered before it is sent: the memory that `undo` works from.

A journal is a list of JSON lines: a header, then for each change a line "start" (written and synced before
anything is sent) and a line "done" with its outcome, and "end" when the run is over. `chain` tells how they
hold together, `memory` where they are kept. A change is never sent before its line is whole: a cut line
stands for nothing that happened.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ddsetup.gateways.overlap import each
from ddsetup.journal import chain
from ddsetup.journal.brief import Brief, Trace, brief_of, kept_brief, to_bytes, trace_of
from ddsetup.journal.codec import change_from_json, change_to_json
from ddsetup.journal.memory import Begun, JournalError, Memory, Stored
from ddsetup.journal.records import Ending, Entry, Header, Run, header_from_json, header_to_json
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import UsageError
from ddsetup.model.typed import decode, encode


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs that are remembered, oldest first, and what is wrong with those that cannot be read."""

    readable: tuple[Brief, ...]
    unreadable: tuple[UsageError, ...]


def new_run_id(now: datetime) -> str:
    """`20261122T101530.123Z-ab12`: sorts by time, and the newest run is the one that undo takes."""
    at = now.astimezone(UTC)
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z-{secrets.token_hex(2)}"


class Journal:
    """The journal of the run under way. Safe to use from several threads.

    `stopped` is set where the run ends before all that it had to do was sent.
    """

    def __init__(self, header: Header, begun: Begun, digest: str) -> None:
        self._header = header
        self._begun = begun
        self._digest = digest
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)
        self._busy = False
        self._open = _Batch()
        self._traces: dict[int, Trace] = {}
        self._started = 0
        self.stopped = False

    @classmethod
    def create(cls, memory: Memory, header: Header) -> Journal:
        """Make the journal of a new run; it outlives this process when this returns.

        Raises JournalError when that is not possible.
        """
        first, digest = chain.line({"type": "header", **header_to_json(header)}, "")
        return cls(header, memory.begin(header.run, first), digest)

    @property
    def where(self) -> str:
        return self._begun.where

    def start(self, change: Change, now: datetime) -> int:
        """As `start_all`, for one."""
        return self.start_all([change], now)[0]

    def start_all(self, changes: Sequence[Change], now: datetime) -> list[int]:
        """Record that `changes` are about to be sent; they are kept when this returns, each by its number.

        Raises JournalError when they are not: then none of them must be sent.
        """
        traces = [trace_of(0, change) for change in changes]
        states = [change_to_json(change) for change in changes]
        with self._lock:
            seqs = list(range(self._started + 1, self._started + 1 + len(traces)))
            self._started += len(traces)
            starts = zip(seqs, states, strict=True)
            batch = self._join({"type": "start", "seq": n, "at": _at(now), "change": c} for n, c in starts)
            batch.starts |= {n: replace(t, seq=n) for n, t in zip(seqs, traces, strict=True)}
        self._write(batch)
        return seqs

    def done(self, seq: int, outcome: Outcome, now: datetime) -> None:
        """Record how the change `seq` went. Nobody waits until that outlives the machine's power: without it
        the change counts as one whose end nobody knows. Raises JournalError."""
        with self._lock:
            body = {"type": "done", "seq": seq, "at": _at(now), "outcome": encode(outcome)}
            batch = self._join([body])
            self._traces[seq] = replace(self._traces[seq], status=outcome.status)
        self._write(batch)

    def close(self) -> None:
        """End it with how it ended; what it says in brief is kept beside it.

        Threads may still be at work, where somebody left at once: what is being written is waited for, and
        whoever comes later gets a JournalError.
        """
        ended: Ending = "stopped" if self.stopped else "whole"
        with self._lock:
            self._written.wait_for(lambda: not self._busy)
            batch = self._join([{"type": "end", "ended": ended}])
            last, _ = self._lines(batch)
            batch.error, batch.ended = JournalError("the run has ended; nothing is sent any more"), True
            self._written.notify_all()
            traces = tuple(self._traces[seq] for seq in sorted(self._traces))
        self._begun.close(last, to_bytes(Brief(header=self._header, traces=traces, ended=ended)))

    def _join(self, bodies: Iterable[Mapping[str, Json]]) -> _Batch:
        """Add lines to those that are written next. The caller holds the lock."""
        self._open.bodies.extend(bodies)
        return self._open

    def _write(self, batch: _Batch) -> None:
        """See that these lines are written: whoever comes first writes those of all who came meanwhile, so
        that many changes take one wait for the disk. Raises JournalError."""
        with self._lock:
            # Nobody queues to learn that others wrote theirs: those would be the changes that come next.
            self._written.wait_for(lambda: batch.ended or not self._busy)
            if mine := not batch.ended:
                self._busy, self._open = True, _Batch()
        if mine:
            self._write_alone(batch)
        if batch.error is not None:
            raise JournalError(batch.error.what, fix=batch.error.fix, where=batch.error.where)

    def _write_alone(self, batch: _Batch) -> None:
        """Write a batch that nobody adds to any more, while nobody else writes."""
        batch.error = JournalError("the journal was not written, as that was cut short")
        kept = True
        try:
            lines, digest = self._lines(batch)
            kept = self._keep(lines, urgent=bool(batch.starts))
            batch.error, self._digest = None, digest if kept else self._digest
        except JournalError as error:
            batch.error = error
        finally:
            with self._lock:
                if not kept:
                    self._open.bodies[:0] = batch.bodies
                if batch.error is None:
                    self._traces |= batch.starts
                batch.ended, self._busy = True, False
                self._written.notify_all()

    def _keep(self, lines: bytes, *, urgent: bool) -> bool:
        """False: they are to come with the next ones. Raises JournalError."""
        if urgent:
            self._begun.append(lines)
            return True
        return self._begun.note(lines)

    def _lines(self, batch: _Batch) -> tuple[bytes, str]:
        """The lines as they stand after those that are written, and the digest up to and with them."""
        digest, lines = self._digest, list[bytes]()
        for body in batch.bodies:
            line, digest = chain.line(body, digest)
            lines.append(line)
        return b"".join(lines), digest


@dataclass(slots=True)
class _Batch:
    """Lines that are written together. `starts` are the changes in them that are to be sent: those who wait
    may only go on once these are kept."""

    bodies: list[Mapping[str, Json]] = field(default_factory=list)
    starts: dict[int, Trace] = field(default_factory=dict)
    ended: bool = False
    error: JournalError | None = None


def read_runs(memory: Memory, runs: Iterable[str]) -> Iterator[Run]:
    """Read the journals of these runs whole, in this order.

    Raises UsageError, naming place and line, when one is not there or was changed by hand.
    """
    there = {stored.run: stored for stored in memory.runs()}
    for run in runs:
        if run not in there:
            raise UsageError(f"no run {run}", fix="ddsetup undo --list shows all runs")
        yield read(there[run])


def list_runs(memory: Memory) -> Runs:
    """Every run that is remembered, oldest first. Only journals without a brief are read whole."""
    return in_brief(memory.runs())


def in_brief(stored: Sequence[Stored]) -> Runs:
    """These runs, as `list_runs`."""
    found = each(_brief, stored)
    return Runs(
        tuple(brief for brief in found if isinstance(brief, Brief)),
        tuple(error for error in found if isinstance(error, UsageError)),
    )


def _brief(stored: Stored) -> Brief | UsageError:
    try:
        brief = kept_brief(stored) or brief_of(read(stored))
    except UsageError as error:
        return error
    if brief.id != stored.run:
        return UsageError(
            f"the journal {stored.where} is that of run {brief.id}",
            fix="give it its own name back, or take the copy away",
            where=stored.where,
        )
    return brief


def read(stored: Stored) -> Run:
    """A journal, whole. Raises UsageError, naming place and line, when it cannot be believed."""
    return _assemble(stored.where, chain.read(stored.read(), stored.where))


def _assemble(where: str, bodies: Iterable[dict[str, Json] | None]) -> Run:
    header: Header | None = None
    ended: Ending = ""
    truncated = False
    entries: dict[int, Entry] = {}
    for number, body in enumerate(bodies, 1):
        try:
            if body is None:
                truncated = True
            elif number == 1:
                header = header_from_json(body)
            elif body.get("type") == "start":
                seq = _seq(body)
                entries[seq] = Entry(seq, change_from_json(body.get("change")))
            elif body.get("type") == "done":
                begun = entries[_seq(body)]
                entries[begun.seq] = Entry(begun.seq, begun.change, decode(Outcome, body.get("outcome")))
            elif body.get("type") == "end":
                ended = "whole" if body.get("ended") == "whole" else "stopped"
            else:
                raise UsageError("unknown kind of line")
        except KeyError:
            raise chain.corrupt(where, number, UsageError("it ends what was never started")) from None
        except UsageError as error:
            raise chain.corrupt(where, number, error) from None
    if header is None:
        raise chain.corrupt(where, 1, UsageError("the file is empty"))
    return Run(header=header, entries=tuple(entries.values()), truncated=truncated, ended=ended)


def _seq(body: Mapping[str, Json]) -> int:
    seq = body.get("seq")
    if not isinstance(seq, int):
        raise UsageError("no sequence number")
    return seq


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds")
