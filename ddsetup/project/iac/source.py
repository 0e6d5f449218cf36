"""A file's text apart from how it is stored, so that it can be given back byte for byte."""

from __future__ import annotations

import codecs
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ddsetup.model.account import Json
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.files import write_whole
from ddsetup.project.iac.model import BrokenFile

_LARGEST = 5_000_000
"""Bytes. No file written by hand is larger; a larger one is not what its name says."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file. Line ends are left in `text` as they are; the byte order mark is not part of it."""

    path: Path
    raw: bytes
    text: str
    bom: bool = False
    encoding: str = "utf-8"

    @property
    def newline(self) -> str:
        """The line end that most lines have."""
        windows = self.text.count("\r\n")
        return "\r\n" if windows * 2 > self.text.count("\n") else "\n"

    def encoded(self, text: str) -> bytes:
        """Another text, stored in the same way."""
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)


@dataclass(frozen=True, slots=True)
class Splice:
    """The characters from `start` to `end` are replaced by `text`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: list[Splice]) -> str:
    """`text` with all splices carried out. They may not overlap; those at one place keep their order."""
    found: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        if splice.start < at:
            raise ValueError("splices overlap")
        found += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*found, text[at:]])


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    line_start = text.rfind("\n", 0, index) + 1
    return text.count("\n", 0, index) + 1, index - line_start + 1


def read_source(path: Path) -> Source:
    """Read a text file.

    Raises UsageError when it cannot be read, BrokenFile when it is not UTF-8 text.
    """
    raw = read_bytes(path)
    bom = raw.startswith(codecs.BOM_UTF8)
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = place(raw[: error.start].decode("utf-8", "replace"), error.start)
        raise BrokenFile(
            "not UTF-8 text", where=f"{path}:{line}:{column}", fix="save the file as UTF-8"
        ) from error
    return Source(path, raw, text, bom)


def read_json(source: Source) -> Json:
    """What a file of JSON says. Raises BrokenFile, also for what is nested deeper than Python reads."""
    try:
        found: Json = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        line, column = place(source.text, getattr(error, "pos", 0))
        raise BrokenFile("not valid JSON", where=f"{source.path}:{line}:{column}") from error
    return found


_WITHOUT_WAITING = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))


def read_bytes(path: Path, most: int = _LARGEST, *, cut: bool = False) -> bytes:
    """The contents of an ordinary file, whatever a link or a directory's entry turns out to be. `cut`: its
    beginning is enough.

    Opened without waiting, so that a pipe without a writer cannot hold the run up; a file that grows while it
    is read is refused at the bound. Raises UsageError.
    """
    try:
        descriptor = os.open(path, _WITHOUT_WAITING)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BrokenFile("no ordinary file (a pipe, device or directory)", where=str(path))
            raw = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > most and not cut:
        raise BrokenFile(f"larger than {most:,} bytes, so not a file to edit", where=str(path))
    return raw


def real(path: Path) -> Path:
    """Where a path leads. `Path.resolve` would raise for a link to itself; reading such a one is refused."""
    return Path(os.path.realpath(path))


def check_inside(root: Path, path: Path) -> None:
    """Raise UsageError for a link that leads out of a project, or of the repository that it is part of."""
    if not path.is_symlink():
        return
    real, home = path.resolve(), root.resolve()
    around = next((each for each in (home, *home.parents) if (each / ".git").exists()), home)
    if not real.is_relative_to(around):
        raise UsageError("a link to a file outside of the project", where=str(path), fix=f"name {real}")


def check_writable(path: Path) -> None:
    """Raise UsageError when the file is marked read-only, even for those whom that would not stop."""
    mode = path.stat().st_mode
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise UsageError("the file is read-only", where=str(path), fix=f"chmod u+w {path}")
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        raise UsageError("the directory of the file cannot be written", where=str(folder))


class WriteFailed(DdsetupError):
    """A file could not be written; it is as it was before."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole, or leave it as it is. Mode and symbolic links are kept.

    Raises WriteFailed.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise WriteFailed(f"cannot be written: {error.strerror}", where=str(path)) from error
