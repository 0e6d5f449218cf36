"""Forgetting runs: only what nothing is left of, and never so that another looks different."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ddsetup.cli.state.prune import days_of
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.forgetting import forgettable
from ddsetup.journal.runs import Journal, list_runs
from ddsetup.journal.undo import undo_changes
from ddsetup.model.errors import GatewayError, UsageError
from tests.unit.journal.test_undo import carry_out, listed
from tests.unit.world import AT, World, creation, header, resource

LATER = AT + timedelta(days=1)


def old(state: Path, *gone: str) -> list[str]:
    return [run.id for run in forgettable(list_runs(OnDisk(state)).readable, LATER, gone)]


def test_only_what_nothing_is_left_of_is_forgotten(tmp_path: Path) -> None:
    world = World()
    world.fails[resource("f")] = GatewayError("no")
    kept = carry_out(tmp_path, world, (creation("a"), creation("b")), "r1")
    carry_out(tmp_path, world, (creation("f"),), "r2")
    back = carry_out(tmp_path, world, (creation("c"),), "r3")
    carry_out(tmp_path, world, (creation("a"),), "r4")
    carry_out(tmp_path, world, undo_changes(back), "r5", undoes="r3")
    carry_out(tmp_path, world, undo_changes(kept)[:1], "r6", undoes="r1")
    pending = Journal.create(OnDisk(tmp_path), header("r7"))
    pending.start(creation("d"), AT)
    assert old(tmp_path) == ["r3", "r5", "r4"]
    assert [run.id for run in forgettable(list_runs(OnDisk(tmp_path)).readable, AT)] == []
    assert old(tmp_path, "r1") == ["r1", "r6", "r3", "r5", "r4"]


def test_an_undo_that_was_undone_is_remembered(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"),), "r1")
    undo = carry_out(tmp_path, world, undo_changes(run), "r2", undoes="r1")
    carry_out(tmp_path, world, undo_changes(undo), "r3", undoes="r2")
    assert old(tmp_path) == []


def test_whatever_is_forgotten_first_the_others_are_as_they_were(tmp_path: Path) -> None:
    """Killed after any of the deletions: nothing that was given back counts as in force again."""
    world = World()
    run = carry_out(tmp_path, world, (creation("a"),), "r1")
    carry_out(tmp_path, world, (creation("b"),), "r2")
    carry_out(tmp_path, world, undo_changes(run), "r3", undoes="r1")
    memory = OnDisk(tmp_path)
    for number, each in enumerate(old(tmp_path)):
        memory.forget(each)
        assert "in force" in listed(tmp_path), number
        assert listed(tmp_path).count("in force") == 1
    assert listed(tmp_path) == ["in force"]
    assert not list(tmp_path.glob("forgotten*"))


def test_an_undo_without_its_run_is_forgotten_the_next_time(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"),), "r1")
    carry_out(tmp_path, world, undo_changes(run), "r2", undoes="r1")
    OnDisk(tmp_path).forget("r1")
    assert old(tmp_path) == ["r2"]


@pytest.mark.parametrize("text", ["", "-1", "a week", "9" * 6])
def test_what_is_no_number_of_days_is_refused(text: str) -> None:
    assert (days_of(None), days_of("0")) == (30, 0)
    with pytest.raises(UsageError, match="no number of days"):
        days_of(text)
