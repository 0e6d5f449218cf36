"""The memory of this machine: a directory for each run, `<state>/runs/<RUN>/`, with its journal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ddsetup.journal.lock import account_lock
from ddsetup.journal.memory import JournalError, held_all, stamped, unstamped
from ddsetup.journal.statedir import make_private
from ddsetup.model.errors import UsageError

FILE_NAME = "journal.jsonl"
_BRIEF = "brief.json"
_DRAFT = "journal.new"


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Implements Memory in a state directory."""

    state: Path

    def begin(self, run: str, first: bytes) -> OpenFile:
        folder = make_private(self.state / "runs") / run
        path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700)
            descriptor = _create_whole(path, first)
            for directory in (folder, folder.parent):
                _sync_directory(directory)
        except OSError as error:
            raise _cannot_write(path, error) from error
        return OpenFile(descriptor, path)

    def runs(self) -> Sequence[StoredFile]:
        folder = self.state / "runs"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [StoredFile(path / FILE_NAME) for path in found if path.is_dir() and _was_begun(path)]

    def forget(self, run: str) -> None:
        leaving = make_private(self.state / "forgotten") / run
        try:
            # A name is there or is not; what is in the folder goes file by file.
            (self.state / "runs" / run).rename(leaving)
            _sync_directory(self.state / "runs")
        except OSError as error:
            raise JournalError(f"cannot forget run {run}: {error.strerror}", where=str(leaving)) from error
        shutil.rmtree(leaving.parent, ignore_errors=True)

    def lock(self, accounts: Sequence[str], run: str, since: datetime) -> AbstractContextManager[None]:
        return held_all(lambda account: account_lock(self.state, account, run, since), accounts)


class OpenFile:
    """Implements Begun. Not for several threads."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._broken = False

    @property
    def where(self) -> str:
        return str(self._path)

    def append(self, lines: bytes) -> None:
        self._add(lines, sync=True)

    def note(self, lines: bytes) -> bool:
        self._add(lines, sync=False)
        return True

    def _add(self, line: bytes, *, sync: bool) -> None:
        if self._broken:
            raise JournalError(f"the journal {self._path} could not be written; nothing is sent any more")
        size = os.fstat(self._descriptor).st_size
        try:
            _write_all(self._descriptor, line)
            if sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self._take_back(size)
            raise _cannot_write(self._path, error) from error
        except BaseException:  # Ctrl-C, while waiting for the disk
            self._take_back(size)
            raise

    def _take_back(self, size: int) -> None:
        """What is after this size: nobody knows of it, so everything that came later would be unreadable."""
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._broken = True

    def close(self, last: bytes, brief: bytes) -> None:
        with suppress(JournalError):
            self._add(last, sync=False)
        stamp = _stamp(os.fstat(self._descriptor))
        os.close(self._descriptor)
        # Without it the journal is read; a full disk must not make a run fail at its end.
        with suppress(OSError):
            descriptor = os.open(self._path.with_name(_BRIEF), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(stamped(brief, stamp))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Implements Stored."""

    path: Path

    @property
    def run(self) -> str:
        return self.path.parent.name

    @property
    def where(self) -> str:
        return str(self.path)

    def stamp(self) -> bytes:
        try:
            return _stamp(self.path.stat())
        except OSError:
            return b"none"

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read the journal {self.path}: {error.strerror}") from error

    def brief(self) -> bytes:
        try:
            return unstamped(self.path.with_name(_BRIEF).read_bytes(), self.stamp())
        except OSError:
            return b""


def _stamp(info: os.stat_result) -> bytes:
    """What changes whenever the file does."""
    return b"%d %d" % (info.st_size, info.st_mtime_ns)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Windows inherits no descriptors, and would write line ends of its own."""


def _was_begun(folder: Path) -> bool:
    """Not where a run was killed before its journal was there: nothing had been sent. A folder that has lost
    its journal has something else in it still."""
    journal = folder / FILE_NAME
    return journal.exists() or any(path.name != _DRAFT for path in folder.iterdir())


def _create_whole(path: Path, line: bytes) -> int:
    """A new file with its first line, never seen half written; returns an open descriptor for appending."""
    draft = path.with_name(_DRAFT)
    descriptor = os.open(draft, _NEW | os.O_APPEND, 0o600)
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
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows opens no directories, and keeps its own record of names (NTFS is journaled)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"cannot write the journal {path}: {error.strerror}; what is not in the journal is not sent",
        fix="make room on the disk, or choose another place with --state-dir DIRECTORY, and run this again",
        where=str(path),
    )
