"""One run at a time for an AWS account: two that write the same functions would undo each other's work."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ddsetup.journal.statedir import make_private
from ddsetup.model.errors import Busy, DdsetupError


@contextmanager
def account_lock(state: Path, account: str, run: str, since: datetime) -> Iterator[None]:
    """Hold the lock of `account` while the block runs.

    The lock is the kernel's (flock), so it goes with the process, however that ends; the file's content only
    tells the next one who holds it. Raises Busy when another run does, DdsetupError when the file cannot be
    used.
    """
    path = make_private(state / "locks") / f"{account}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DdsetupError(f"cannot use the lock file {path}: {error.strerror}") from error
    try:
        _take(descriptor, path, account)
        holder = {"pid": os.getpid(), "run": run, "since": since.isoformat(timespec="seconds")}
        _write(descriptor, json.dumps(holder))
        yield
        _write(descriptor, "")
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, account: str) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(
            f"another ddsetup run is working on account {account} ({_holder(descriptor)})",
            fix="wait until it has ended, or end it with Ctrl-C and run this again",
            where=str(path),
        ) from None
    except OSError as error:
        raise DdsetupError(f"cannot lock {path}: {error.strerror}") from error


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        holder = json.loads(os.read(descriptor, 4096))
        return f"pid {int(holder['pid'])}, run {holder['run']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "it has not said who it is yet"


def _write(descriptor: int, text: str) -> None:
    # A full disk must not stop a run here: the lock holds without its content.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
