"""Systems without POSIX: what Python lacks on Windows is taken away, and the command still starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

AS_ON_WINDOWS = """
import asyncio, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile
# Libraries have a Windows side of their own, which needs Windows: they are loaded before it is pretended.
import botocore.session, datadog_api_client, filelock, prompt_toolkit, rich.console, ruamel.yaml, typer.main
import platformdirs.unix, pydantic.types, zoneinfo
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
NAMES = ("O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK fchmod fork forkpty getegid geteuid getgid "
         "getgroups getlogin getpgid getpgrp getsid getuid killpg openpty setpgid setsid "
         "tcgetpgrp tcsetpgrp uname wait3 wait4 sched_getaffinity").split()
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ImportError(f"No module named {name!r}")
for name in MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
for name in NAMES:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGTSTP", "SIGCONT", "SIGWINCH", "SIGALRM"):
    if hasattr(signal, name):
        delattr(signal, name)
sys.platform = "win32"
sys.argv = ["ddsetup", *sys.argv[1:]]
from ddsetup.__main__ import main
main()
"""


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DD_", "AWS_"))}
    environ |= {"LOCALAPPDATA": str(home / "local"), "APPDATA": str(home), "USERPROFILE": str(home)}
    return subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS, *arguments],
        env={**environ, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--version",), 0, "ddsetup "),
        (("setup", "--help-all"), 0, "--api-key-file"),
        (("undo", "--list"), 0, "There are no runs."),
        (("policy", "--region", "eu-west-1"), 0, "lambda:ListFunctions"),
        (("plan", "--no-input"), 2, "answers are missing"),
        (("iac", "."), 2, "no file of a deployment tool"),
        (("sandbox", "up"), 2, "a system with process groups"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_it_starts_without_posix(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(tmp_path, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


def test_a_journal_is_kept_without_posix(tmp_path: Path) -> None:
    """An undo of nothing goes as far as the state directory; a plan is written and read again."""
    (tmp_path / "plan.json").write_text(json.dumps({"schema": "ddsetup-plan/0"}))
    done = run(tmp_path, "apply", "plan.json", "--yes", "--state-dir", str(tmp_path / "state"))
    assert done.returncode == 2, done.stderr
    assert "not a plan of this version" in done.stderr
