"""Readers that go away: nothing crashes, the exit code says it, and what can be said is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

DDSETUP = str(Path(sys.executable).parent / "ddsetup")
FULL = Path("/dev/full")
COMMANDS = (("--version",), ("--help",), ("doctor", "--list"), ("sandbox", "scenarios", "--output", "json"))

needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


def run(command: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """`command` in a shell, in which "$@" is ddsetup with the arguments."""
    done = subprocess.run(
        ["bash", "-c", command, "bash", DDSETUP, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    return done


@needs_full
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_said_on_the_other_stream(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run('"$@" >/dev/full', *arguments, home=tmp_path)
    assert done.returncode == 5
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_pipe_that_is_closed_needs_no_words(arguments: tuple[str, ...], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    os.mkfifo(gone)
    # Open for reading only as long as it takes to open it for writing.
    done = run(f'exec 4<>"{gone}" 5>"{gone}" 4>&-; "$@" >&5 5>&-', *arguments, home=tmp_path)
    assert (done.returncode, done.stderr) == (5, "")


def test_a_stream_that_is_closed_from_the_start_takes_no_file_with_it(tmp_path: Path) -> None:
    done = run('"$@" >&-', "doctor", "--list", home=tmp_path)
    assert done.returncode == 5
    assert "Bad file descriptor" in done.stderr


@needs_full
@pytest.mark.parametrize("closed", ["2>/dev/full", "2>&-"])
def test_without_a_place_for_words_the_result_is_whole(closed: str, tmp_path: Path) -> None:
    done = run(f'"$@" {closed}', "doctor", "--list", home=tmp_path)
    assert done.returncode == 0
    assert "log-group-room" in done.stdout
    refused = run(f'"$@" {closed}', "status", "--output", "json", "--config", "not-there.toml", home=tmp_path)
    assert refused.returncode == 2
    assert '"exit_code": 2' in refused.stdout
