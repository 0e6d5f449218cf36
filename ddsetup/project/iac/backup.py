"""The files as they were, kept in the state directory, so that `ddsetup iac --undo` gives them back exactly.

A run is a directory `<state>/iac/<RUN>`: `manifest.json` names the files with the digests of what they were
and what they became, `0`, `1`, … are the former contents. It is on disk before the first file is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ddsetup.journal.runs import new_run_id
from ddsetup.journal.statedir import make_private
from ddsetup.model.errors import UsageError
from ddsetup.model.files import PRIVATE, write_whole
from ddsetup.project.iac.source import WriteFailed, write_atomically

_MANIFEST = "manifest.json"
_SCHEMA = "ddsetup-iac/1"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a run: the digests of its contents before and after; empty where there was no file."""

    path: Path
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class IacRun:
    """What one run changed in a project. `undone`: it has been given back."""

    id: str
    root: Path
    files: tuple[Kept, ...]
    folder: Path
    undone: bool = False


def keep(state: Path, root: Path, files: Sequence[tuple[Path, bytes | None]], now: datetime) -> IacRun:
    """Put aside the files that are about to be changed (contents None: not there yet).

    Raises UsageError when the state directory cannot be written: then nothing may be changed.
    """
    run = new_run_id(now)
    folder = make_private(state / "iac" / run)
    kept = []
    try:
        for number, (path, content) in enumerate(files):
            if content is not None:
                write_whole(folder / str(number), content, mode=PRIVATE)
            kept.append(Kept(path, _digest(content), ""))
        record = IacRun(run, root, tuple(kept), folder)
        _save(record)
    except OSError as error:
        raise UsageError(f"the files cannot be put aside: {error.strerror}", where=str(folder)) from error
    return record


def finish(run: IacRun) -> IacRun:
    """Note what the files are now."""
    files = tuple(Kept(kept.path, kept.before, _digest(_content(kept.path))) for kept in run.files)
    finished = IacRun(run.id, run.root, files, run.folder, run.undone)
    _save(finished)
    return finished


def newest(state: Path, root: Path) -> IacRun:
    """The last run in a project that has not been given back. Raises UsageError when there is none."""
    for run in reversed(runs(state)):
        if not run.undone and (run.root == root or root in run.root.parents):
            return run
    raise UsageError("there is nothing to give back here", where=str(root), fix="name the project of the run")


def runs(state: Path) -> tuple[IacRun, ...]:
    """All runs that can be read, oldest first."""
    folder = state / "iac"
    found = []
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        run = _load(each)
        if run is not None:
            found.append(run)
    return tuple(found)


def give_back(run: IacRun) -> tuple[tuple[Path, str], ...]:
    """Write every file as it was; returns each with what came of it: "" or the reason why it was left.

    A file that somebody changed since is left alone.
    """
    results = []
    for number, kept in enumerate(run.files):
        now = _digest(_content(kept.path))
        if now == kept.before:
            results.append((kept.path, ""))
        elif kept.after and now != kept.after:
            results.append((kept.path, f"changed since; what it was is {run.folder / str(number)}"))
        else:
            results.append((kept.path, _restore(run, number, kept)))
    if not any(reason for _path, reason in results):
        _save(IacRun(run.id, run.root, run.files, run.folder, undone=True))
    return tuple(results)


def _restore(run: IacRun, number: int, kept: Kept) -> str:
    try:
        if not kept.before:
            kept.path.unlink()
            return ""
        content = (run.folder / str(number)).read_bytes()
        if _digest(content) != kept.before:
            return "what was put aside has been changed"
        write_atomically(kept.path, content)
    except (OSError, WriteFailed) as error:
        return str(error)
    return ""


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _save(run: IacRun) -> None:
    document = {
        "schema": _SCHEMA,
        "root": str(run.root),
        "undone": run.undone,
        "files": [{"path": str(k.path), "before": k.before, "after": k.after} for k in run.files],
    }
    write_whole(run.folder / _MANIFEST, json.dumps(document, indent=1).encode(), mode=PRIVATE)


def _load(folder: Path) -> IacRun | None:
    try:
        document = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        files = tuple(Kept(Path(f["path"]), str(f["before"]), str(f["after"])) for f in document["files"])
        return IacRun(folder.name, Path(document["root"]), files, folder, bool(document["undone"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
