#!/usr/bin/env python3
"""All that a fresh machine with Python 3.11 or newer needs: `python3 dev.py sandbox | test | check | ci`.

It makes `.venv` beside itself, installs ddsetup into it with what the task needs, and runs the task. A second
run finds all that in place and starts at once; a change of pyproject.toml installs again.

`ci` is `check` with every dependency pinned by version and hash, on the platform that has been pinned for.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PINS = ROOT / ".ci" / "requirements-linux-x86_64-cp311.txt"
"""Written by `.ci/pin.py`; for the platform in its name."""


def not_pinned() -> str:
    """Why the pins do not fit this machine; empty if they do."""
    here = (platform.python_implementation(), sys.version_info[:2], sys.platform, platform.machine())
    if here == ("CPython", (3, 11), "linux", "x86_64"):
        return ""
    return f"{PINS.name} is for another machine than {platform.python_version()} on {platform.platform()}"


def ready(extra: str, *, pinned: bool = False) -> None:
    """Make the environment hold ddsetup with `extra`; what is already there is left alone.

    `pinned`: exactly the versions that the pins name, each checked by its hash, and nothing else.
    """
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python should hear it from us
        sys.exit(f"ddsetup needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
    read = (ROOT / "pyproject.toml", PINS) if pinned else (ROOT / "pyproject.toml",)
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in read)).hexdigest()
    mark = "pinned" if pinned else extra
    marks = {name: VENV / f".ddsetup-{name}" for name in ("sandbox", "dev", "pinned")}
    usable = {"sandbox": ["sandbox", "dev"], "dev": ["dev"], "pinned": ["pinned"]}[mark]
    if any(marks[name].is_file() and marks[name].read_text() == wanted for name in usable):
        return
    if not PYTHON.exists():
        print("Making .venv ...", file=sys.stderr)
        venv.create(VENV, with_pip=True)
    print(f"Installing ddsetup[{mark}] into .venv (about a minute the first time) ...", file=sys.stderr)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for mine in marks.values():
        mine.unlink(missing_ok=True)
    if pinned:
        subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(PINS)], check=True)
        # What builds it is among the pins as well; nothing else is fetched for it.
        subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], cwd=ROOT, check=True)
    else:
        subprocess.run([*pip, "-e", f".[{extra}]"], cwd=ROOT, check=True)
    marks[mark].write_text(wanted)


def run(*command: str | Path) -> None:
    """Run a command of the environment in the project's folder; stop with its exit code if it fails."""
    # A start-up that compiles every module anew takes three times as long.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environ["PATH"] = f"{BIN}{os.pathsep}{environ.get('PATH', os.defpath)}"
    if code := subprocess.run([str(c) for c in command], cwd=ROOT, env=environ, check=False).returncode:
        sys.exit(code)


def sandbox(arguments: list[str]) -> None:
    """The main job on an emulated account: guided on a terminal, by itself without one."""
    ready("sandbox")
    by_itself = [] if sys.stdin.isatty() and sys.stderr.isatty() else ["--all", "--yes"]
    run(BIN / "ddsetup", "setup", "--sandbox", *by_itself, *arguments)


def test(arguments: list[str]) -> None:
    """All tests."""
    ready("dev")
    run(PYTHON, "-m", "pytest", *arguments)


def check(arguments: list[str]) -> None:
    """Format, lint, strict types, borders, tests: what has to be green before a commit."""
    ready("dev")
    check_all(arguments)


def ci(arguments: list[str]) -> None:
    """The same, with dependencies pinned by hash where that is possible; else it is said why not."""
    why_not = not_pinned()
    if why_not:
        print(f"Dependencies are not pinned by hash: {why_not}.", file=sys.stderr)
    ready("dev", pinned=not why_not)
    check_all(["--durations=25", *arguments])


def check_all(arguments: list[str]) -> None:
    """Format, lint, strict types, borders, tests, in the environment as it is."""
    run(PYTHON, "-m", "ruff", "format", "--check", ".")
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "mypy")
    run(BIN / "lint-imports", "--no-cache")
    run(PYTHON, "-m", "pytest", *arguments)


TASKS = {"sandbox": sandbox, "test": test, "check": check, "ci": ci}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TASKS:
        sys.exit("usage: python3 dev.py sandbox|test|check|ci [arguments]\n\n" + (__doc__ or ""))
    try:
        TASKS[name](sys.argv[2:])
    except subprocess.CalledProcessError as failure:
        sys.exit(f"dev.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
