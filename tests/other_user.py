"""Being somebody else: what root can try with setpriv."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

NOBODY = 65534
_ROOT = Path(__file__).parents[1]


@cache
def another_user() -> tuple[str, ...]:
    """What makes a command run as a user who may write nowhere; empty where that cannot be."""
    if not hasattr(os, "getuid") or os.getuid() != 0 or shutil.which("setpriv") is None:
        return ()
    nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # root's Python may lie where nobody else can look: so this nobody may look everywhere, and write nowhere.
    looking = (*nobody, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return next((user for user in (looking, nobody) if _can_read(user)), ())


def _can_read(user: tuple[str, ...]) -> bool:
    program = [*user, sys.executable, "-c", "import ddsetup, tests"]
    return subprocess.run(program, cwd=_ROOT, capture_output=True, check=False).returncode == 0


def give(path: Path) -> None:
    """Make it the other user's."""
    os.chown(path, NOBODY, NOBODY)
