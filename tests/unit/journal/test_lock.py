"""The lock of an account, and the directory that it lives in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ddsetup.journal.disk import OnDisk
from ddsetup.journal.statedir import state_dir
from ddsetup.model.errors import Busy, UsageError
from tests.patience import PATIENCE
from tests.unit.world import AT

HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from ddsetup.journal.disk import OnDisk

with OnDisk(Path(sys.argv[1])).lock(["111122223333"], "run-1", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(state: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until it is told to end, or killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_the_account(tmp_path: Path) -> None:
    other = hold(tmp_path)
    try:
        with (
            pytest.raises(Busy, match=rf"pid {other.pid}, run run-1, since 2026-11-22T10:00:00\+00:00"),
            OnDisk(tmp_path).lock(["111122223333"], "run-2", AT),
        ):
            raise AssertionError("two runs at once")
        with OnDisk(tmp_path).lock(["444455556666"], "run-2", AT):
            pass
    finally:
        other.communicate(timeout=PATIENCE)
    with OnDisk(tmp_path).lock(["111122223333"], "run-2", AT):
        pass


def test_who_holds_it_is_told_within_one_process_too(tmp_path: Path) -> None:
    with OnDisk(tmp_path).lock(["1"], "run-1", AT):
        said = rf"pid {os.getpid()}, run run-1, since {AT.isoformat(timespec='seconds')}"
        with pytest.raises(Busy, match=re.escape(said)), OnDisk(tmp_path).lock(["1"], "run-2", AT):
            raise AssertionError("two runs at once")
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_killed_run_leaves_no_lock(tmp_path: Path) -> None:
    other = hold(tmp_path)
    other.send_signal(signal.SIGKILL)
    other.communicate(timeout=PATIENCE)
    with OnDisk(tmp_path).lock(["111122223333"], "run-2", AT):
        pass


def test_the_lock_goes_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), OnDisk(tmp_path).lock(["1"], "run", AT):
        raise KeyError
    with OnDisk(tmp_path).lock(["1"], "run", AT):
        pass


def test_the_state_directory_is_made_for_this_user_only(tmp_path: Path) -> None:
    path = state_dir(tmp_path / "a" / "b")
    assert path.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert state_dir(path) == path


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_directory_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(UsageError, match="written by other users") as raised:
        state_dir(path)
    assert raised.value.fix == f"chmod go-w {path}"


def test_a_file_is_no_state_directory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(UsageError, match="not a directory"):
        state_dir(path)
    with pytest.raises(UsageError, match="cannot make"):
        state_dir(path / "below")


def test_the_default_is_the_platforms_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert state_dir() == tmp_path / "ddsetup"
