"""The guard itself: a leak on any way out is seen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ddsetup.doctor import bundle
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal
from ddsetup.model.change import Change
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import TagsState
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console
from tests.guard import GUARD
from tests.unit.world import AT, header, resource

SECRET = "hunter2"


def printed(_: Path) -> None:
    Console(streams=Streams(out=io.StringIO(), err=io.StringIO(), environ={})).say(f"it is {SECRET}")


def raised(_: Path) -> None:
    GatewayError(f"AWS said: {SECRET}")


def written(home: Path) -> None:
    journal = Journal.create(OnDisk(home), header())
    tags = TagsState(tags={"password": SECRET})
    journal.start(Change(step="t", resource=resource("f"), before=None, after=tags, why=""), AT)
    journal.close()


def bundled(home: Path) -> None:
    bundle.write(home / "support.zip", {"functions.json": f'{{"env": "{SECRET}"}}'})


@pytest.mark.parametrize("leak", [printed, raised, written, bundled])
def test_a_leak_is_seen(leak: Callable[[Path], None], tmp_path: Path) -> None:
    leak(tmp_path)
    GUARD.files()
    assert len(GUARD.leaks()) >= 1


def test_what_is_no_leak_is_not_reported(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(SECRET)
    GUARD.files()
    assert GUARD.leaks() == []


def test_what_is_published_holds_nothing_that_could_be_a_key() -> None:
    """Recorded sessions and the pages around them: keys of sandboxes are hexadecimal, as Datadog's are."""
    docs = Path(__file__).parents[3] / "docs"
    pages = [path for path in docs.rglob("*") if path.suffix in {".md", ".txt", ".svg", ".html", ".json"}]
    assert len(pages) > 50
    keys = re.compile(r"(?<![0-9a-f-])(?:[0-9a-f]{32}|[0-9a-f]{40})(?![0-9a-f-])")
    assert [path.name for path in pages if keys.search(path.read_text("utf-8"))] == []
