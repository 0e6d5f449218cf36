"""Remembers running sandboxes: each has a state file in its own directory, readable by its owner only.

The owner holds a lock beside it for as long as it lives. Process numbers are used again, locks are not.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ddsetup.model.errors import UsageError
from ddsetup.sandbox.model import Keys, Sandbox

_NAME = "sandbox.json"
_LOCK = "owner.lock"
_MOMENT = 0.15
"""Seconds."""
PREFIX = "ddsetup-sandbox-"
_ENTRY = ".running"
_NAMES = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


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
    with FileLock(directory / _LOCK, mode=0o600):
        yield


def is_held(directory: Path) -> bool:
    """Whether the directory's sandbox has a living owner."""
    if not (directory / _LOCK).exists():
        return False
    try:
        # Whoever else asks this holds it for a moment, an owner for as long as it lives.
        with FileLock(directory / _LOCK, mode=0o600, timeout=_MOMENT, poll_interval=_MOMENT / 10):
            return False
    except Timeout:
        return True
    except OSError:
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


@contextlib.contextmanager
def entered(registry: Path, name: str, directory: Path) -> Iterator[str]:
    """Have others find the directory's sandbox by its name for the length of the block; gives the name.

    Without a name it is the first of `sandbox`, `sandbox-2`, ... that is free. Raises `UsageError` for a name
    that is taken, or is none.
    """
    with _one_at_a_time(registry):
        taken = {path.stem for path in _entries(registry) if not _cleared(path)}
        _check(name, taken)
        free = (each for each in _usual_names() if each not in taken)
        entry = registry / f"{name or next(free)}{_ENTRY}"
        entry.write_text(str(directory), encoding="utf-8")
    try:
        yield entry.stem
    finally:
        entry.unlink(missing_ok=True)


def check_name(registry: Path, name: str) -> None:
    """Raise `UsageError` for a name that is taken, or is none."""
    _check(name, {each.name for each in running(registry)})


def _check(name: str, taken: Collection[str]) -> None:
    if name and not _NAMES.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a sandbox", fix="small letters, digits and hyphens, up to 40"
        )
    if name in taken:
        raise UsageError(f"a sandbox {name!r} is running", fix=f"ddsetup sandbox down {name}")


def running(registry: Path) -> tuple[Sandbox, ...]:
    """Every sandbox of a registry whose owner is alive, the newest first."""
    directories = map(_directory_of, _entries(registry))
    found = (read(directory) for directory in directories if directory and is_held(directory))
    return tuple(each for each in found if each is not None)


def clear_abandoned(registry: Path) -> None:
    """Delete what is left of sandboxes whose owner is gone."""
    with _one_at_a_time(registry):
        for path in _entries(registry):
            _cleared(path)


def _usual_names() -> Iterator[str]:
    yield "sandbox"
    yield from (f"sandbox-{number}" for number in itertools.count(2))


@contextlib.contextmanager
def _one_at_a_time(registry: Path) -> Iterator[None]:
    registry.mkdir(mode=0o700, parents=True, exist_ok=True)
    with held(registry):
        yield


def _entries(registry: Path) -> list[Path]:
    """The newest first."""
    found = list(registry.glob(f"*{_ENTRY}")) if registry.is_dir() else []
    return sorted(found, key=_age)


def _age(entry: Path) -> float:
    try:
        return -entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _directory_of(entry: Path) -> Path | None:
    """None once it has ended."""
    try:
        return Path(entry.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _cleared(entry: Path) -> bool:
    """Whether the sandbox of an entry had no owner any more; what was left of it is deleted then."""
    directory = _directory_of(entry)
    if directory is None or is_held(directory):
        return directory is None
    if directory.name.startswith(PREFIX):
        shutil.rmtree(directory, ignore_errors=True)
    entry.unlink(missing_ok=True)
    return True


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
