"""The index beside the journals: what runs up to a certain one left in force.

With it only journals of later runs are read. It is a copy of what the journals say, and never more: it is
believed only where each journal that went into it is untouched since, and made anew otherwise. Nothing is
given back by it: `undo` reads the journals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ddsetup.journal.codec import change_from_json, change_to_json
from ddsetup.journal.statedir import make_private
from ddsetup.model.account import Json
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.files import PRIVATE, write_whole

_FOLDER = "applied"
_BEFORE = ("applied.json", "applied.jsonl")
"""What was written earlier, which nobody reads any more."""
_FORMAT = 2
"""Counts up when folding comes to say something else: what an earlier release folded is not believed."""


@dataclass(frozen=True, slots=True)
class Index:
    """What runs left in force in some accounts, as one change for each resource.

    `stamps` are the runs that went into it, by id, as their journals were; empty for those of other accounts,
    which say nothing whatever becomes of them; None for those that could not be read, which are tried each
    time: that may end without a change of the journal. `undone` are the runs that any of them gave back.
    `known`: whether one of them is a run of these accounts.
    """

    stamps: Mapping[str, str | None] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()
    known: bool = False
    changes: Mapping[ResourceId, Change] = field(default_factory=dict)


def kept(directory: Path, about: Json, stamps: Mapping[str, str]) -> Index:
    """The index that is kept there about these accounts; an empty one where it says nothing of journals with
    these `stamps`, or cannot be believed."""
    try:
        lines = _file(directory, about).read_bytes().splitlines()
        head = json.loads(lines[0])
        if head["format"] != _FORMAT or head["about"] != about or head["sum"] != _digest(lines[1:]):
            return Index()
        body = json.loads(lines[1])
        index = Index(body["stamps"], frozenset(body["undone"]), body["known"], {})
        if not _holds(index, stamps):
            return Index()
        changes = (change_from_json(json.loads(line)) for line in lines[2:])
        return Index(index.stamps, index.undone, index.known, {c.resource: c for c in changes})
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, UsageError):
        return Index()


def _holds(index: Index, stamps: Mapping[str, str]) -> bool:
    """Whether all that went into it is as it was, and what came since does come after it."""
    newest = max(index.stamps, default="")
    later = stamps.keys() - index.stamps.keys()
    return (
        all(stamps.get(run) == stamp for run, stamp in index.stamps.items() if stamp)
        and all(run > newest for run in later)
        and not later & index.undone
    )


def keep(directory: Path, about: Json, index: Index) -> None:
    """Best effort: without it the journals are read again."""
    body = {"stamps": dict(index.stamps), "undone": sorted(index.undone), "known": index.known}
    lines = [*_lines((body, *map(change_to_json, index.changes.values())))]
    head = {"format": _FORMAT, "about": about, "sum": _digest(lines)}
    path = _file(directory, about)
    with suppress(OSError, UsageError):
        make_private(path.parent)
        write_whole(path, b"\n".join((*_lines((head,)), *lines)), mode=PRIVATE)
        for name in _BEFORE:
            (directory / name).unlink(missing_ok=True)


def _file(directory: Path, about: Json) -> Path:
    """One for each account: of many that are looked at in turn, none is in the way of another."""
    (line,) = _lines((about,))
    return directory / _FOLDER / f"{_digest((line,))[:24]}.jsonl"


def _lines(documents: Iterable[Json]) -> Iterator[bytes]:
    return (json.dumps(document, separators=(",", ":")).encode() for document in documents)


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()
