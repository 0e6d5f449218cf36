"""Programs that ddsetup starts in a project: git, to look, and the package manager, if it is allowed to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from ddsetup.project.iac.model import Install

_LOOK_SECONDS = 20
_INSTALL_SECONDS = 600
_QUIET = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.pager=cat"),
    *("-c", "core.untrackedCache=keep", "-c", "core.sshCommand=false", "-c", "diff.external="),
)
_PRIVATE = ("DD_", "DATADOG_", "AWS_", "DDSETUP_", "GIT_")


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
    """What `git status` says of a directory, None outside of a repository.

    A repository may be anybody's: nothing that its configuration names is run (hooks, file system monitors,
    pagers, filters), and nothing in it is locked or written.
    """
    quiet = [git, "--no-pager", "--no-optional-locks", "-C", str(root), *_QUIET]
    named = _output([*quiet, "config", "--local", "--name-only", "--get-regexp", r"^filter\."])
    drivers = {name.rpartition(".")[0] for name in (named or "").splitlines()}
    off = [
        f"{driver}.{key}" for driver in sorted(drivers) for key in ("clean=", "process=", "required=false")
    ]
    more = [part for setting in off for part in ("-c", setting)]
    done = _output([*quiet, *more, "status", "--porcelain", "--ignore-submodules=all", "--", "."])
    return None if done is None else tuple(done.splitlines())


def _output(command: list[str]) -> str | None:
    """What a program prints, None if it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command,
            capture_output=True,
            text=True,
            timeout=_LOOK_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=without_secrets(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a foreign program: without what signs in to Datadog or AWS. Git's own variables
    are left out, too, as they would let it look elsewhere."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(_PRIVATE)}


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
            env=without_secrets(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{wanted.command[0]} did not come to an end: {type(error).__name__}"
    if done.returncode == 0:
        return ""
    last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-3:]
    return f"{wanted.command[0]} ended with {done.returncode}: {' / '.join(last)}"
