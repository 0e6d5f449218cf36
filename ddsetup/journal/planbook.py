"""The plans of many accounts in one document, a line each: written and read one after the other, so that no
more than one is held at a time.

The first line names the format, the last one the accounts that there are plans of. Each plan is the document
that `planfile` keeps, with a digest of its own.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ddsetup.journal.planfile import PlanMeta, from_document, to_document
from ddsetup.model.account import Json
from ddsetup.model.change import Plan
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.files import PRIVATE

SCHEMA = "ddsetup-plans/1"


@dataclass(slots=True)
class Planbook:
    """Plans by account, in a file that is there once it is whole. Safe to use from several threads."""

    path: Path
    _file: IO[bytes]
    _at: dict[str, int] = field(default_factory=dict)
    _changing: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def create(cls, path: Path) -> Planbook:
        """A new one, readable by this user only. Raises DdsetupError when it cannot be written."""
        try:
            partly = _partly(path)
            partly.unlink(missing_ok=True)
            descriptor = os.open(partly, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            made = cls(path, os.fdopen(descriptor, "wb"))
            made._write({"schema": SCHEMA})
        except OSError as error:
            raise _cannot(path, error) from None
        return made

    def add(self, plan: Plan, meta: PlanMeta) -> None:
        """Add the plan of an account. Raises DdsetupError when it cannot be written."""
        document = to_document(plan, meta)
        with self._lock:
            try:
                self._at[meta.account] = self._file.tell()
                self._write(document)
            except OSError as error:
                raise _cannot(self.path, error) from None
            if plan.changes:
                self._changing.add(meta.account)

    def close(self) -> Plans:
        """End it; the file has its name then. Gives what it holds. Raises DdsetupError when it cannot be
        written."""
        try:
            self._write({"accounts": list(self._at)})
            self._file.close()
            _partly(self.path).replace(self.path)
        except OSError as error:
            raise _cannot(self.path, error) from None
        return Plans(self.path, self._at, frozenset(self._changing))

    def abandon(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):
            self._file.close()
            _partly(self.path).unlink(missing_ok=True)

    def _write(self, document: Json) -> None:
        self._file.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Plans:
    """What a file holds: where in it the plan of each account begins, and which of them change anything."""

    path: Path
    at: dict[str, int]
    changing: frozenset[str]

    def of(self, account: str) -> tuple[Plan, PlanMeta]:
        """The plan of an account. Raises UsageError when it is not as it was written."""
        with self.path.open("rb") as file:
            file.seek(self.at[account])
            return from_document(_json(file.readline(), self.path), self.path)


def read_planbook(path: Path) -> Plans:
    """What is in a file that `Planbook` wrote. Raises UsageError, naming it, for any other."""
    found: dict[str, int] = {}
    changing: set[str] = set()
    try:
        with path.open("rb") as file:
            if _json(file.readline(), path).get("schema") != SCHEMA:
                raise _no_book(path, f"not plans of this version of ddsetup ({SCHEMA})")
            at = file.tell()
            while line := file.readline():
                document = _json(line, path)
                if "accounts" in document:
                    if document["accounts"] != list(found) or file.readline():
                        raise _no_book(path, "it was changed after it was made")
                    return Plans(path, found, frozenset(changing))
                plan, meta = from_document(document, path)
                found[meta.account] = at
                if plan.changes:
                    changing.add(meta.account)
                at = file.tell()
    except OSError as error:
        raise UsageError(f"cannot read the plans {path}: {error.strerror}") from error
    raise _no_book(path, "its end is missing")


def _json(line: bytes, path: Path) -> dict[str, Json]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise _no_book(path, "a line is no JSON document") from None
    if not isinstance(document, dict):
        raise _no_book(path, "a line is no plan")
    return document


def _partly(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _no_book(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} has no plans that can be applied: {why}",
        fix=f"make them again: ddsetup org plan --out {path}",
        where=str(path),
    )


def _cannot(path: Path, error: OSError) -> DdsetupError:
    return DdsetupError(f"cannot write the plans to {path}: {error.strerror}")
