"""Remembers running sandboxes: each has a state file in its own directory, readable by its owner only.

The owner holds a lock beside it for as long as it lives. Process numbers are used again, locks are not.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddsetup.sandbox.model import Keys, Sandbox

_NAME = "sandbox.json"
_LOCK = "owner.lock"
PREFIX = "ddsetup-sandbox-"


def write(sandbox: Sandbox) -> None:
    """Write or replace the state file of that sandbox."""
    document = asdict(sandbox)
    document["call_log"], document["directory"] = str(sandbox.call_log), str(sandbox.directory)
    staged = sandbox.directory / f"{_NAME}.new"
    with os.fdopen(
        os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(document, file, indent=1)
    staged.replace(sandbox.directory / _NAME)


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Say for the length of the block that the directory's sandbox has a living owner."""
    file = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def is_held(directory: Path) -> bool:
    """Whether the directory's sandbox has a living owner."""
    try:
        file = os.open(directory / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def read(directory: Path) -> Sandbox | None:
    """The sandbox of that directory, if it has come up."""
    try:
        document: dict[str, Any] = json.loads((directory / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    document["operator"], document["root"] = Keys(**document["operator"]), Keys(**document["root"])
    document["regions"], document["scenarios"] = tuple(document["regions"]), tuple(document["scenarios"])
    document["call_log"], document["directory"] = Path(document["call_log"]), Path(document["directory"])
    return Sandbox(**document)


def running() -> tuple[Sandbox, ...]:
    """Every sandbox of this user whose owner is alive, the newest first."""
    found = (read(directory) for directory in _directories() if is_held(directory))
    return tuple(each for each in found if each is not None)


def clear_abandoned() -> None:
    """Delete the directories of sandboxes whose owner is gone."""
    for directory in _directories():
        if (directory / _NAME).exists() and not is_held(directory):
            shutil.rmtree(directory, ignore_errors=True)


def _directories() -> list[Path]:
    mine = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.is_dir() and status.st_uid == os.getuid():
            mine.append((status.st_ctime, path))
    return [path for _, path in sorted(mine, reverse=True)]


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    # Where nobody collects orphans (a container, say), the dead keep their number; Linux marks them.
    return not status.rpartition(") ")[2].startswith("Z")
