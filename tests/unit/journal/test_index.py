"""The index beside the journals: it spares reading, and says what the journals say, or is not believed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ddsetup.journal.applied import last_applied
from ddsetup.journal.disk import OnDisk, StoredFile
from ddsetup.journal.runs import list_runs
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.errors import UsageError
from ddsetup.model.states import FunctionState
from tests.unit.world import ACCOUNT, record, resource

MINE = frozenset({ACCOUNT})
NAMES = ("orders", "payments")
OTHER = "444455556666"


def put(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    was, now = (FunctionState(handler="app.handler", layers=(), env=env) for env in (before, after))
    return Change(step="instrument", resource=resource(name, "function"), before=was, after=now, why="test")


@dataclass(frozen=True)
class Watched(OnDisk):
    """Notes of which runs anything was read."""

    opened: list[str]

    def runs(self) -> Sequence[StoredFile]:
        return [Noted(stored.path, self.opened) for stored in super().runs()]


@dataclass(frozen=True)
class Noted(StoredFile):
    opened: list[str]

    def read(self) -> bytes:
        self.opened.append(self.run)
        return StoredFile(self.path).read()

    def brief(self) -> bytes:
        self.opened.append(self.run)
        return StoredFile(self.path).brief()


def applied(state: Path) -> tuple[Mapping[ResourceId, Change] | None, list[str]]:
    """The record as the index has it, and the runs of which anything was read for it."""
    memory = Watched(state, [])
    return last_applied(memory, MINE, state), sorted(set(memory.opened))


def afresh(state: Path) -> Mapping[ResourceId, Change] | None:
    return last_applied(OnDisk(state), MINE)


def test_only_what_came_since_is_read(tmp_path: Path) -> None:
    for number in range(5):
        record(tmp_path, f"r{number}", put("orders", {"A": str(number)}, {"A": str(number + 1)}))
    assert applied(tmp_path)[1] == ["r0", "r1", "r2", "r3", "r4"]
    assert applied(tmp_path)[1] == []
    record(tmp_path, "r5", put("payments", {}, {"A": "1"}))
    found, opened = applied(tmp_path)
    assert opened == ["r5"]
    assert found == afresh(tmp_path)
    assert found is not None
    assert found[resource("orders", "function")] == put("orders", {"A": "0"}, {"A": "5"})
    assert applied(tmp_path) == (found, [])


def test_runs_of_other_accounts_are_read_once_whatever_becomes_of_them(tmp_path: Path) -> None:
    record(tmp_path, "r1", account=OTHER, ends=False)
    assert applied(tmp_path) == (None, ["r1"])
    (tmp_path / "runs" / "r1" / "journal.jsonl").open("a").write("more")
    assert applied(tmp_path) == (None, [])
    record(tmp_path, "r2", put("orders", {}, {"A": "1"}))
    assert applied(tmp_path)[1] == ["r2"]
    record(tmp_path, "r3", undoes="r1", account=OTHER)
    assert applied(tmp_path)[1] == ["r3"]


def test_each_of_many_accounts_has_its_own(tmp_path: Path) -> None:
    """Of an organisation's accounts one is looked at after the other, again and again."""
    record(tmp_path, "r1", put("orders", {}, {"A": "1"}))
    record(tmp_path, "r2", account=OTHER)
    last_applied(Watched(tmp_path, []), frozenset({OTHER}), tmp_path)
    found, _ = applied(tmp_path)
    memory = Watched(tmp_path, [])
    assert last_applied(memory, frozenset({OTHER}), tmp_path) == {}
    assert memory.opened == []
    assert applied(tmp_path) == (found, [])


def test_what_is_taken_back_makes_it_anew(tmp_path: Path) -> None:
    first, second = put("orders", {}, {"A": "1"}), put("orders", {"A": "1"}, {"A": "2"})
    record(tmp_path, "r1", first)
    record(tmp_path, "r2", second)
    applied(tmp_path)
    record(tmp_path, "r3", second.inverse(), undoes="r2")
    assert applied(tmp_path)[0] == {first.resource: first} == afresh(tmp_path)
    record(tmp_path, "r4", second, undoes="r3")
    assert applied(tmp_path)[0] == afresh(tmp_path) != {first.resource: first}


@pytest.mark.parametrize("harm", ["flipped", "cut", "older format", "of others", "empty", "no file"])
def test_an_index_that_was_harmed_is_not_believed(tmp_path: Path, harm: str) -> None:
    record(tmp_path, "r1", put("orders", {}, {"A": "1"}), put("payments", {}, {"A": "1"}))
    right, _ = applied(tmp_path)
    (path,) = (tmp_path / "applied").iterdir()
    data = path.read_bytes()
    harmed = {
        "flipped": data.replace(b'"A":"1"', b'"A":"7"', 1),
        "cut": data[: data.rindex(b"\n")],
        "older format": data.replace(b'"format":', b'"format":1', 1),
        "of others": data.replace(ACCOUNT.encode(), OTHER.encode(), 1),
        "empty": b"",
        "no file": b"[]\n[]",
    }[harm]
    assert harmed != data
    path.write_bytes(harmed)
    assert applied(tmp_path) == (right, ["r1"])
    assert path.read_bytes() == data


@pytest.mark.parametrize("harm", ["touched", "gone", "older one"])
def test_an_index_of_journals_that_are_no_longer_so_is_not_believed(tmp_path: Path, harm: str) -> None:
    record(tmp_path, "r2", put("orders", {}, {"A": "1"}))
    record(tmp_path, "r3", put("payments", {}, {"A": "1"}))
    applied(tmp_path)
    if harm == "touched":
        (tmp_path / "runs" / "r3" / "journal.jsonl").open("a").write("{}\n")
    elif harm == "gone":
        OnDisk(tmp_path).forget("r3")
    else:  # of a machine whose clock is behind, in a state that is shared
        record(tmp_path, "r1", put("orders", {"A": "0"}, {"A": "1"}))
    found, opened = applied(tmp_path)
    assert "r2" in opened
    assert found == afresh(tmp_path)
    assert found is not None
    assert (resource("payments", "function") in found) == (harm == "older one")


@dataclass(frozen=True)
class Locked(OnDisk):
    """Cannot read the journal of one run, which nothing has changed."""

    run: str

    def runs(self) -> Sequence[StoredFile]:
        return [Unread(s.path) if s.run == self.run else s for s in super().runs()]


class Unread(StoredFile):
    def read(self) -> bytes:
        raise UsageError(f"cannot read the journal {self.path}: the network is down")


def test_what_could_not_be_read_is_tried_again_each_time_and_not_taken_for_nothing(tmp_path: Path) -> None:
    record(tmp_path, "r1", put("orders", {}, {"A": "1"}), ends=False)
    record(tmp_path, "r2", put("payments", {}, {"A": "1"}))
    without = last_applied(Locked(tmp_path, "r1"), MINE, tmp_path)
    assert without is not None
    assert [each.name for each in without] == ["payments"]
    assert last_applied(Locked(tmp_path, "r1"), MINE, tmp_path) == without
    record(tmp_path, "r3", put("payments", {"A": "1"}, {"A": "2"}))
    found, _ = applied(tmp_path)
    assert found == afresh(tmp_path)
    assert sorted(each.name for each in found or ()) == ["orders", "payments"]
    assert applied(tmp_path) == (found, [])


def test_beside_what_is_never_readable_the_others_are_read_once(tmp_path: Path) -> None:
    lost = tmp_path / "runs" / "r1" / "brief.json"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(b"")
    record(tmp_path, "r2", put("orders", {}, {"A": "1"}))
    found, _ = applied(tmp_path)
    assert applied(tmp_path) == (found, ["r1"])


def test_a_copy_of_a_run_is_none(tmp_path: Path) -> None:
    record(tmp_path, "r1", put("orders", {}, {"A": "1"}))
    found, _ = applied(tmp_path)
    shutil.copytree(tmp_path / "runs" / "r1", tmp_path / "runs" / "r1.old")
    assert applied(tmp_path)[0] == found
    shutil.rmtree(tmp_path / "runs" / "r1")
    assert applied(tmp_path)[0] is None
    assert "is that of run r1" in list_runs(OnDisk(tmp_path)).unreadable[0].what


@pytest.mark.parametrize("seed", range(5))
def test_looked_at_after_each_run_or_once_at_the_end_it_is_the_same(tmp_path: Path, seed: int) -> None:
    """Whatever runs did, ended or were killed, and whatever of it was taken back."""
    dice = random.Random(seed)
    made: dict[str, tuple[Change, ...]] = {}
    for number in range(6):
        run, undoes = f"r{number}", ""
        if made and dice.random() < 0.3:
            undoes = dice.choice(sorted(made))
            changes = tuple(change.inverse() for change in made[undoes])
        else:
            names = dice.sample(NAMES, dice.randint(1, 2))
            sides = [({k: dice.choice("01") for k in dice.sample("AB", 1)} for _ in range(2)) for _ in names]
            changes = tuple(put(name, *pair) for name, pair in zip(names, sides, strict=True))
        made[run] = changes
        account = ACCOUNT if undoes or dice.random() < 0.8 else OTHER
        record(tmp_path, run, *changes, undoes=undoes, account=account, ends=dice.random() < 0.7)
        assert applied(tmp_path)[0] == afresh(tmp_path)
