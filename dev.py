#!/usr/bin/env python3
"""All that a fresh machine with Python 3.11 or newer needs: `python3 dev.py sandbox | test | check`.

It makes `.venv` beside itself, installs ddsetup into it with what the task needs, and runs the task. A second
run finds all that in place and starts at once; a change of pyproject.toml installs again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def ready(extra: str) -> None:
    """Make the environment hold ddsetup with `extra`; what is already there is left alone."""
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python should hear it from us
        sys.exit(f"ddsetup needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    marks = {name: VENV / f".ddsetup-{name}" for name in ("sandbox", "dev")}
    usable = ["dev"] if extra == "dev" else ["sandbox", "dev"]
    if any(marks[name].is_file() and marks[name].read_text() == wanted for name in usable):
        return
    if not PYTHON.exists():
        print("Making .venv ...", file=sys.stderr)
        venv.create(VENV, with_pip=True)
    print(f"Installing ddsetup[{extra}] into .venv (about a minute the first time) ...", file=sys.stderr)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-e", f".[{extra}]"], cwd=ROOT, check=True)
    marks[extra].write_text(wanted)


def code_of(*command: str | Path) -> int:
    """Run a command of the environment in the project's folder; its exit code."""
    # A start-up that compiles every module anew takes three times as long.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environ["PATH"] = f"{BIN}{os.pathsep}{environ.get('PATH', '')}"
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=environ, check=False).returncode


def run(*command: str | Path) -> None:
    """Run a command and stop with its exit code if it fails."""
    if code := code_of(*command):
        sys.exit(code)


def run_tests(arguments: list[str]) -> None:
    """Run the tests, four files at a time. What fails then is tried once more with the machine to itself:

    whole sandboxes share few processors, and only what fails alone is a fault of ddsetup.
    """
    code = code_of(PYTHON, "-m", "pytest", *arguments)
    if code == 1 and not arguments:
        print("Once more, by themselves: the tests that failed ...", file=sys.stderr)
        code = code_of(PYTHON, "-m", "pytest", "--last-failed", "-n", "0")
    if code:
        sys.exit(code)


def sandbox(arguments: list[str]) -> None:
    """The main job on an emulated account: guided on a terminal, by itself without one."""
    ready("sandbox")
    by_itself = [] if sys.stdin.isatty() and sys.stderr.isatty() else ["--all", "--yes"]
    run(BIN / "ddsetup", "setup", "--sandbox", *by_itself, *arguments)


def test(arguments: list[str]) -> None:
    """All tests."""
    ready("dev")
    run_tests(arguments)


def check(arguments: list[str]) -> None:
    """Format, lint, strict types, tests: what has to be green before a commit."""
    ready("dev")
    run(PYTHON, "-m", "ruff", "format", "--check", ".")
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "mypy")
    run_tests(arguments)


TASKS = {"sandbox": sandbox, "test": test, "check": check}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TASKS:
        sys.exit("usage: python3 dev.py sandbox|test|check [arguments]\n\n" + (__doc__ or ""))
    try:
        TASKS[name](sys.argv[2:])
    except subprocess.CalledProcessError as failure:
        sys.exit(f"dev.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
