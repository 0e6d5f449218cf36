#!/usr/bin/env python3
"""Builds the wheel, installs it into an environment of its own, runs what needs no account.

python .ci/installed.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALLS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("--version",)),
    (0, ("version",)),
    (0, ("--help",)),
    (0, ("setup", "--help")),
    (0, ("sandbox", "scenarios")),
    (0, ("config",)),
    (0, ("undo", "--list")),
    (0, ("policy", "--region", "eu-west-1")),
    (2, ("setup", "--no-such-option")),
    (2, ("plan", "--no-input")),
)
"""Each command line, and the exit code that it must have without an account and without a terminal."""


def main() -> int:
    """Build, install, run."""
    with tempfile.TemporaryDirectory(prefix="ddsetup-installed-") as place:
        here = Path(place)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", place, str(ROOT)]
        subprocess.run(build, check=True)
        (wheel,) = here.glob("ddsetup-*.whl")
        venv.create(here / "venv", with_pip=True)
        binaries = here / "venv" / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([str(binaries / "python"), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
        return sum(_wrong(binaries / "ddsetup", arguments, code, here) for code, arguments in CALLS)


def _wrong(program: Path, arguments: tuple[str, ...], wanted: int, home: Path) -> bool:
    kept = {"PATH", "SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "LANG"}
    environ = {name: value for name, value in os.environ.items() if name.upper() in kept}
    environ |= {"HOME": str(home), "USERPROFILE": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    environ |= {"LOCALAPPDATA": str(home / "local"), "APPDATA": str(home / "roaming")}
    done = subprocess.run(
        [str(program), *arguments],
        env=environ,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    good = done.returncode == wanted and "Traceback" not in said
    print(f"{'ok ' if good else 'BAD'} {done.returncode} ddsetup {' '.join(arguments)}")
    if not good:
        print(said)
    return not good


if __name__ == "__main__":
    sys.exit(main())
