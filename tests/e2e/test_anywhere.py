"""The first command as another user, with a space in every path: what is proven there is proven anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.e2e.conftest import DDSETUP
from tests.other_user import NOBODY, another_user, give
from tests.patience import PATIENCE

pytestmark = pytest.mark.e2e

SIGNALS = {"cloudwatch_metrics", "enhanced_metrics", "cold_start", "logs", "traces"}
PLACES = {"HOME": "home of mine", "TMPDIR": "room for a while", "DDSETUP_STATE_DIR": "what was done"}


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory with a space that is the other user's, and those in it."""
    root = Path(tempfile.mkdtemp(prefix="a place with spaces "))
    for directory in (root, root / "a project", *(root / name for name in PLACES.values())):
        directory.mkdir(exist_ok=True)
        if another_user():
            give(directory)
    yield root
    rmtree(root)


@pytest.fixture(scope="module")
def done(place: Path) -> subprocess.CompletedProcess[str]:
    """What the README's first command does there: no account, no key, no answer."""
    own = {name: str(place / directory) for name, directory in PLACES.items()}
    return subprocess.run(
        [*another_user(), DDSETUP, "setup", "--sandbox", "--all", "--yes", "--output", "json"],
        cwd=place / "a project",
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE,
    )


def test_every_signal_of_every_function_is_proven(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert "sandbox" in done.stderr
    seen: dict[str, set[str]] = {}
    for signal in json.loads(done.stdout)["signals"]:
        if signal["status"] == "arrived":
            seen.setdefault(signal["function"], set()).add(signal["signal"])
    assert len([name for name, signals in seen.items() if signals >= SIGNALS]) >= 5


def test_what_is_left_lies_where_it_was_wanted(place: Path, done: subprocess.CompletedProcess[str]) -> None:
    (journal,) = (place / PLACES["DDSETUP_STATE_DIR"]).glob("runs/*/journal.jsonl")
    assert journal.stat().st_mode & 0o077 == 0
    assert list((place / PLACES["TMPDIR"]).iterdir()) == [], "the sandbox takes down all of it"
    assert list((place / "a project").iterdir()) == []


@pytest.mark.skipif(not another_user(), reason="only root with setpriv can be another user")
def test_it_was_another_user(place: Path, done: subprocess.CompletedProcess[str]) -> None:
    (journal,) = (place / PLACES["DDSETUP_STATE_DIR"]).glob("runs/*/journal.jsonl")
    assert journal.stat().st_uid == NOBODY
