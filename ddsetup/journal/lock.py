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

    The lock is the kernel's, so it goes with the process, however that ends; a file beside it only tells the
    next one who holds it. Raises Busy when another run does, DdsetupError when the file cannot be used.
    """
    from filelock import FileLock, Timeout

    path = make_private(state / "locks") / f"{account}.lock"
    holder = path.with_suffix(".holder")
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            f"another ddsetup run is working on account {account} ({_said(holder)})",
            fix="wait until it has ended, or end it with Ctrl-C and run this again",
            where=str(path),
        ) from None
    except (OSError, NotImplementedError) as error:
        raise DdsetupError(f"cannot use the lock file {path}: {error}") from error
    try:
        _say(holder, {"pid": os.getpid(), "run": run, "since": since.isoformat(timespec="seconds")})
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _said(holder: Path) -> str:
    try:
        who = json.loads(holder.read_bytes()[:4096])
        return f"pid {int(who['pid'])}, run {who['run']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said who it is yet"


def _say(holder: Path, who: dict[str, object]) -> None:
    # A full disk must not stop a run here: the lock holds without it.
    with suppress(OSError):
        holder.unlink(missing_ok=True)
        descriptor = os.open(holder, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(who, file)
