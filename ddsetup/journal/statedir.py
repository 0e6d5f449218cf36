"""Where ddsetup keeps what must outlive a run: journals, locks and caches."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ddsetup.model.errors import UsageError


def state_dir(override: Path | None = None) -> Path:
    """The state directory, made (0700) if it is not there.

    `override` is the value of `--state-dir`; without it the platform's place for a user's state is taken
    (e.g. `~/.local/state/ddsetup`). Raises UsageError when the directory cannot be made, is not a directory,
    belongs to someone else, or lets other users write: whoever can write here decides what `undo` sends.
    """
    path = override if override is not None else _default()
    made = make_private(path)
    _check_private(made)
    return made


def make_private(path: Path) -> Path:
    """Make a directory and its parents; the ones made are for this user only (0700)."""
    try:
        for missing in reversed([p for p in (path, *path.parents) if not p.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the state directory {path}: {error.strerror}",
            fix="choose another one with --state-dir DIRECTORY (or DDSETUP_STATE_DIR)",
        ) from error
    return path


def _default() -> Path:
    from platformdirs import user_state_path

    return user_state_path("ddsetup", appauthor=False)


def _check_private(path: Path) -> None:
    choose = "choose another one with --state-dir DIRECTORY (or DDSETUP_STATE_DIR)"
    if not path.is_dir():
        raise UsageError(f"the state directory {path} is not a directory", fix=choose)
    if not hasattr(os, "geteuid"):
        # Windows: a profile is its user's alone, by access lists that `stat` does not show.
        return
    info = path.stat()
    if info.st_uid not in (os.geteuid(), 0):
        raise UsageError(f"the state directory {path} belongs to another user", fix=choose)
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"the state directory {path} can be written by other users, who could change what undo does",
            fix=f"chmod go-w {path}",
        )
