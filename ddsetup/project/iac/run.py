"""Programs that ddsetup starts in a project: git, to look, and the package manager, if it is allowed to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ddsetup.project.iac.model import Install

_LOOK_SECONDS = 20
_INSTALL_SECONDS = 600


def uncommitted(root: Path, paths: Iterable[Path] = ()) -> tuple[str, ...]:
    """What git has not been told of below a directory, as git says it. Where that is in no repository, the
    directories of the `paths` in it may each be; empty outside of all."""
    git = shutil.which("git")
    if git is None:
        return ()
    found = _status(git, root)
    if found is not None:
        return found
    folders = dict.fromkeys(path.parent for path in paths)
    return tuple(line for folder in folders for line in _status(git, folder) or ())


def _status(git: str, root: Path) -> tuple[str, ...] | None:
    """What `git status` says of a directory, None outside of a repository."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [git, "-C", str(root), "status", "--porcelain", "--", "."],
            capture_output=True,
            text=True,
            timeout=_LOOK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return tuple(done.stdout.splitlines()) if done.returncode == 0 else None


def install(wanted: Install) -> str:
    """Run a package manager in the project; what went wrong, or an empty text."""
    program = shutil.which(wanted.command[0])
    if program is None:
        return f"{wanted.command[0]} is not installed here"
    try:
        done = subprocess.run(  # noqa: S603 - shown to the user, who agreed
            [program, *wanted.command[1:]],
            cwd=wanted.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{wanted.command[0]} did not come to an end: {type(error).__name__}"
    if done.returncode == 0:
        return ""
    last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-3:]
    return f"{wanted.command[0]} ended with {done.returncode}: {' / '.join(last)}"
