"""Changing files of a project: only on top of what is committed, all of them or none, with a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.flow.call import Call
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.project.iac import backup
from ddsetup.project.iac import run as programs
from ddsetup.project.iac.backup import IacRun
from ddsetup.project.iac.model import Edit, Project, Proposal
from ddsetup.project.iac.source import WriteFailed, check_writable, read_source, write_atomically

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Host

_SHOWN = 5


def check_committed(call: Call, host: Host, project: Project, proposal: Proposal) -> None:
    """Have it confirmed that files are changed on top of what git does not know. Raises UsageError."""
    from ddsetup.flow import verbs

    if host.prompter is None:
        refuse_uncommitted(call, project, tuple(edit.path for edit in proposal.edits))
        return
    open_changes = programs.uncommitted(project.root, (edit.path for edit in proposal.edits))
    if not open_changes or call.value("allow_dirty"):
        return
    call.console.say("There are changes that are not committed:", "warn")
    for text in open_changes[:_SHOWN]:
        call.console.say(f"  {text}")
    verbs.confirm(host, "Change the files all the same?", yes=False)


def refuse_uncommitted(call: Call, project: Project, paths: Sequence[Path] = ()) -> None:
    """Raise UsageError when git knows of changes that are not committed, unless that is allowed. `paths` are
    those that are about to be changed."""
    beside = paths or tuple(file.path for file in project.files)
    if call.value("allow_dirty") or not (found := programs.uncommitted(project.root, beside)):
        return
    names = ", ".join(project.name(path) for path in paths)
    allow = "" if call.command == "setup" else ", or give --allow-dirty"
    raise UsageError(
        f"there are uncommitted changes{f' beside the ones to be made ({names})' if names else ''}",
        where=str(project.root),
        fix=f"commit them first{allow}: {found[0]}" if not names else f"commit them first{allow}",
    )


def write_all(
    state: Path,
    root: Path,
    edits: Sequence[Edit],
    now: datetime,
    further: Mapping[Path, bytes | None] | None = None,
) -> IacRun:
    """Put the files aside, and `further` ones that a program is about to change; then write all or none.

    Raises UsageError or DdsetupError; then every file is as it was.
    """
    for edit in edits:
        check_writable(edit.path)
        if read_source(edit.path).raw != edit.before:
            what = "the file was changed in the meantime"
            raise DdsetupError(what, where=str(edit.path), fix="run it again")
    before: dict[Path, bytes | None] = {**(further or {}), **{edit.path: edit.before for edit in edits}}
    record = backup.keep(state, root, tuple(before.items()), now)
    try:
        for edit in edits:
            write_atomically(edit.path, edit.after)
    except WriteFailed:
        backup.give_back(record)
        raise
    return backup.finish(record)
