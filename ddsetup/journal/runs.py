"""What a run did, on disk before it is sent: the memory that `undo` works from.

A journal is a file of JSON lines, `<state>/runs/<RUN>/journal.jsonl`: a header, then for each change a line
"start" (written and synced before anything is sent) and a line "done" with its outcome. Each line carries the
digest of all that stands before and in it, so that a line changed, lost or moved by hand is noticed. Only the
last line can be cut short, by a crash in the middle of writing it; a change is never sent before its line is
whole, so a cut line stands for nothing that happened.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ddsetup.journal.codec import change_from_json, change_to_json, outcome_from_json, outcome_to_json
from ddsetup.journal.statedir import make_private
from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.typed import decode, encode

SCHEMA = "ddsetup-journal/1"
FILE_NAME = "journal.jsonl"


class JournalError(DdsetupError):
    """The journal cannot be written, so nothing may be sent any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a run was. `run` is its id; `undoes` the id of the run that it gives back, if it is an undo."""

    run: str
    version: str
    command: str
    account: str
    regions: tuple[str, ...]
    site: str
    started: datetime
    undoes: str = ""
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was started. `outcome` None: the run ended before it could say how it went."""

    seq: int
    change: Change
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A journal as read. `truncated`: its last line was cut short and was left out of account."""

    header: Header
    entries: tuple[Entry, ...]
    path: Path
    truncated: bool = False

    @property
    def id(self) -> str:
        return self.header.run


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs of a state directory, oldest first, and what is wrong with those that cannot be read."""

    readable: tuple[Run, ...]
    unreadable: tuple[UsageError, ...]


def new_run_id(now: datetime) -> str:
    """`20261122T101530.123Z-ab12`: sorts by time, and the newest run is the one that undo takes."""
    at = now.astimezone(UTC)
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z-{secrets.token_hex(2)}"


class Journal:
    """The journal of the run under way. Safe to use from several threads."""

    def __init__(self, descriptor: int, path: Path, digest: str) -> None:
        self._descriptor = descriptor
        self._digest = digest
        self._lock = threading.Lock()
        self._seq = 0
        self._broken = False
        self.path = path

    @classmethod
    def create(cls, state: Path, header: Header) -> Journal:
        """Make the journal of a new run, synced to disk with its directory.

        Raises JournalError when that is not possible.
        """
        folder = make_private(state / "runs") / header.run
        path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700)
            line, digest = _line({"type": "header", **_header_to_json(header)}, "")
            descriptor = _create_whole(path, line)
            for directory in (folder, folder.parent):
                _sync_directory(directory)
        except OSError as error:
            raise _cannot_write(path, error) from error
        return cls(descriptor, path, digest)

    def start(self, change: Change, now: datetime) -> int:
        """Record that `change` is about to be sent; it is on disk when this returns.

        Raises JournalError when it is not: then the change must not be sent.
        """
        with self._lock:
            self._seq += 1
            self._append(
                {"type": "start", "seq": self._seq, "at": _at(now), "change": change_to_json(change)}
            )
            return self._seq

    def done(self, seq: int, outcome: Outcome, now: datetime) -> None:
        """Record how the change `seq` went. Raises JournalError."""
        with self._lock:
            self._append({"type": "done", "seq": seq, "at": _at(now), "outcome": outcome_to_json(outcome)})

    def close(self) -> None:
        os.close(self._descriptor)

    def _append(self, body: Mapping[str, Json]) -> None:
        line, digest = _line(body, self._digest)
        if self._broken:
            raise JournalError(f"the journal {self.path} could not be written; nothing is sent any more")
        size = os.fstat(self._descriptor).st_size
        try:
            _write_all(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            # Take a half written line back, or everything after it would be unreadable.
            try:
                os.ftruncate(self._descriptor, size)
            except OSError:
                self._broken = True
            raise _cannot_write(self.path, error) from error
        self._digest = digest


def read_run(path: Path) -> Run:
    """Read a journal (the file, or the run's directory).

    Raises UsageError, naming file and line, when it is not a journal or was changed by hand. The file is
    never written here.
    """
    path = path / FILE_NAME if path.is_dir() else path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the journal {path}: {error.strerror}") from error
    lines = data.split(b"\n")
    tail = lines.pop()
    if tail:
        lines.append(tail)
    digest, bodies, truncated = "", [], False
    for number, line in enumerate(lines, 1):
        try:
            body, digest = _check_line(line, digest)
        except UsageError as error:
            if tail and number == len(lines) and number > 1:
                truncated = True
                break
            raise _corrupt(path, number, error) from None
        bodies.append(body)
    return _assemble(path, bodies, truncated)


def list_runs(state: Path) -> Runs:
    """Every run that the state directory remembers, oldest first."""
    readable: list[Run] = []
    unreadable: list[UsageError] = []
    folder = state / "runs"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir():
            continue
        try:
            readable.append(read_run(path))
        except UsageError as error:
            unreadable.append(error)
    return Runs(tuple(readable), tuple(unreadable))


def _assemble(path: Path, bodies: list[dict[str, Json]], truncated: bool) -> Run:
    if not bodies:
        raise _corrupt(path, 1, UsageError("the file is empty"))
    header: Header | None = None
    entries: dict[int, Entry] = {}
    for number, body in enumerate(bodies, 1):
        try:
            if number == 1:
                header = _header_from_json(body)
            elif body.get("type") == "start":
                seq = _seq(body)
                entries[seq] = Entry(seq, change_from_json(body.get("change")))
            elif body.get("type") == "done":
                begun = entries[_seq(body)]
                entries[begun.seq] = Entry(begun.seq, begun.change, outcome_from_json(body.get("outcome")))
            else:
                raise UsageError("unknown kind of line")
        except KeyError:
            raise _corrupt(path, number, UsageError("it ends what was never started")) from None
        except UsageError as error:
            raise _corrupt(path, number, error) from None
    assert header is not None
    return Run(header=header, entries=tuple(entries.values()), path=path, truncated=truncated)


def _seq(body: Mapping[str, Json]) -> int:
    seq = body.get("seq")
    if not isinstance(seq, int):
        raise UsageError("no sequence number")
    return seq


def _line(body: Mapping[str, Json], digest: str) -> tuple[bytes, str]:
    """The line for `body`, and the digest up to and with it."""
    text = json.dumps(body, separators=(",", ":"))
    fresh = hashlib.sha256(f"{digest}\n{text}".encode()).hexdigest()
    return f'{{"sum":"{fresh[:24]}","body":{text}}}\n'.encode(), fresh


def _check_line(line: bytes, digest: str) -> tuple[dict[str, Json], str]:
    try:
        document = json.loads(line)
    except ValueError:
        raise UsageError("not a JSON document") from None
    if not isinstance(document, dict) or not isinstance(document.get("body"), dict):
        raise UsageError("not a line of a journal")
    body = document["body"]
    expected, fresh = _line(body, digest)
    if expected.rstrip(b"\n") != line:
        raise UsageError("it was changed, or a line before it is missing")
    return body, fresh


def _header_to_json(header: Header) -> dict[str, Json]:
    return {"schema": SCHEMA, **encode(header)}


def _header_from_json(body: Mapping[str, Json]) -> Header:
    if body.get("schema") != SCHEMA:
        raise UsageError(f"not a journal of this version of ddsetup ({SCHEMA})")
    return decode(Header, {name: value for name, value in body.items() if name not in ("schema", "type")})


def _create_whole(path: Path, line: bytes) -> int:
    """A new file with its first line, never seen half written; returns an open descriptor for appending."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, line)
        os.fsync(descriptor)
        draft.rename(path)
    except OSError:
        os.close(descriptor)
        with suppress(OSError):
            draft.unlink()
            path.parent.rmdir()
        raise
    return descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds")


def _cannot_write(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"cannot write the journal {path}: {error.strerror}; what is not in the journal is not sent",
        fix="make room on the disk, or choose another place with --state-dir DIRECTORY, and run this again",
        where=str(path),
    )


def _corrupt(path: Path, number: int, error: UsageError) -> UsageError:
    return UsageError(
        f"the journal {path} cannot be trusted: line {number}: {error.what}",
        fix="give back by hand what this run did, or restore the file from a backup; it was left as it is",
        where=f"{path}:{number}",
    )
