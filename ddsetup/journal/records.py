"""What a journal holds, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from ddsetup.model.account import Json
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import UsageError
from ddsetup.model.typed import decode, encode

SCHEMA = "ddsetup-journal/1"

Ending: TypeAlias = Literal["", "whole", "stopped"]
"""How a run came to its end: with all that it had to do; stopped before that, in order; or not at all, as it
was killed or is still under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a run was. `run` is its id; `undoes` the id of the run that it gives back, if it is an undo.
    `planned`: how many changes it was about to make; 0 where that was not written down yet."""

    run: str
    version: str
    command: str
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    site: str
    started: datetime
    undoes: str = ""
    sandbox: bool = False
    planned: int = 0
    within: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was started. `outcome` None: the run ended before it could say how it went."""

    seq: int
    change: Change
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A journal as read. `truncated`: its last line was cut short and was left out of account; `ended` as
    `Ending` says."""

    header: Header
    entries: tuple[Entry, ...]
    truncated: bool = False
    ended: Ending = ""

    @property
    def id(self) -> str:
        return self.header.run


def header_to_json(header: Header) -> dict[str, Json]:
    """Every field of the header, and the version of the format."""
    return {"schema": SCHEMA, **encode(header)}


def header_from_json(body: Mapping[str, Json]) -> Header:
    """The inverse. Raises UsageError when the document does not fit."""
    if body.get("schema") != SCHEMA:
        raise UsageError(f"not a journal of this version of ddsetup ({SCHEMA})")
    members = {name: value for name, value in body.items() if name not in ("schema", "type")}
    if "account" in members:  # written when a run was of one account
        members["accounts"] = [members.pop("account")]
    return decode(Header, members, lenient=True)
