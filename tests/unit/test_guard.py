"""The guard itself: a leak on any way out is seen."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from ddsetup.change import Change
from ddsetup.console import Console, Streams
from ddsetup.errors import GatewayError
from ddsetup.journal import Journal
from ddsetup.states import TagsState
from tests.guard import GUARD
from tests.unit.world import AT, header, resource

SECRET = "hunter2"


def printed(_: Path) -> None:
    Console(streams=Streams(out=io.StringIO(), err=io.StringIO(), environ={})).say(f"it is {SECRET}")


def raised(_: Path) -> None:
    GatewayError(f"AWS said: {SECRET}")


def written(home: Path) -> None:
    journal = Journal.create(home, header())
    tags = TagsState(tags={"password": SECRET})
    journal.start(Change(step="t", resource=resource("f"), before=None, after=tags, why=""), AT)
    journal.close()


@pytest.mark.parametrize("leak", [printed, raised, written])
def test_a_leak_is_seen(leak: Callable[[Path], None], tmp_path: Path) -> None:
    leak(tmp_path)
    GUARD.files()
    assert len(GUARD.leaks()) >= 1


def test_what_is_no_leak_is_not_reported(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(SECRET)
    GUARD.files()
    assert GUARD.leaks() == []
