"""Watches the whole suite for secrets: nothing that ddsetup prints, logs, raises or writes may hold one.

The values are those that the tests plant in environments, keys, secrets and stack parameters; a sandbox adds
its own. Looked at are: what the console prints, what reaches standard output and error, log records, the
texts of ddsetup's errors, and every file that a module of ddsetup opens for writing in this process (the
sandbox's own files excepted: it keeps the emulated account). Commands run as processes of their own are
looked at where they are run, by `tests.e2e.conftest.Cli`.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import pytest

from ddsetup.model.errors import DdsetupError
from ddsetup.terminal.console import Console

PACKAGE = str(Path(__file__).parents[1] / "ddsetup") + os.sep
SANDBOX = PACKAGE + "sandbox" + os.sep
WRITES = os.O_WRONLY | os.O_RDWR


class LeakError(AssertionError):
    """A secret was seen where none may be. Its value is not repeated."""


class Guard:
    """What is secret, and what was seen since the last test."""

    def __init__(self) -> None:
        self._secrets: set[str] = {
            "hunter2",
            "planted-secret",
            "value-of-a-variable-that-is-not-ours",
            "a" * 32,
            "b" * 40,
        }
        """Plain, and as JSON writes them where that is another text."""
        self._written: set[str] = set()
        self._leaks: list[str] = []
        self.looked_at = 0

    def plant(self, *values: str) -> None:
        """Add values that nobody may ever see. Short ones could be ordinary words and are left out."""
        for value in values:
            if len(value) >= 12:
                self._secrets |= {value, json.dumps(value)[1:-1]}

    def look(self, text: str, where: str) -> None:
        """Remember it if `text` holds a secret, plain or as JSON writes it."""
        self.looked_at += 1
        if any(secret in text for secret in self._secrets):
            self._leaks.append(where)

    def opened(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook: notes the files that ddsetup itself opens for writing."""
        if event != "open" or not isinstance(arguments[0], (str, os.PathLike)):
            return
        _, mode, flags = arguments
        if isinstance(mode, str) and not set(mode) & set("wax+"):
            return
        if mode is None and not (flags or 0) & WRITES:
            return
        if _is_ddsetups(sys._getframe(1)):
            self._written.add(str(arguments[0]))

    def files(self) -> None:
        """Look at the files noted, also where they were renamed to; what is gone told nobody anything."""
        for path in map(Path, self._written):
            for there in path.parent.glob(f"{path.stem.split('.')[0]}*") if path.parent.is_dir() else ():
                if there.is_file():
                    self.look(text_of(there), f"the file {there.name}")
        self._written.clear()

    def leaks(self) -> list[str]:
        """Where secrets were seen since the last call."""
        found, self._leaks = self._leaks, []
        return found


def text_of(path: Path) -> str:
    """What a file says; of an archive, what everything in it says."""
    if not zipfile.is_zipfile(path):
        return path.read_text("utf-8", "replace")
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def _is_ddsetups(frame: FrameType | None) -> bool:
    """Whether the nearest frame that is neither Python's nor a library's is ddsetup's, sandbox excepted."""
    for _ in range(8):
        if frame is None:
            return False
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE):
            return not name.startswith(SANDBOX)
        if os.sep + "tests" + os.sep in name:
            return False
        frame = frame.f_back
    return False


GUARD = Guard()


@contextmanager
def on_duty() -> Iterator[Guard]:
    """Watch for the length of the block; what ddsetup does is not changed."""
    show, raised = Console._print, DdsetupError.__init__
    sys.addaudithook(GUARD.opened)

    def shown(self: Console, stream: TextIO, text: str) -> None:
        GUARD.look(text, "what the console prints")
        show(self, stream, text)

    def made(self: DdsetupError, *arguments: Any, **named: Any) -> None:
        raised(self, *arguments, **named)
        GUARD.look(f"{self} {self!r} {vars(self)}", f"a {type(self).__name__}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Console, "_print", shown)
        patch.setattr(DdsetupError, "__init__", made)
        yield GUARD
