"""A journal with more than one thing wrong: a cut end is no excuse for a damaged middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Runs, list_runs
from ddsetup.model.errors import UsageError
from tests.unit.journal.test_journal import write
from tests.unit.world import read_journal


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("damage", ["flip", "drop", "garbage"])
@pytest.mark.parametrize("end", ["cut", "whole", "garbage"])
def test_a_damaged_middle_is_refused_however_the_file_ends(tmp_path: Path, damage: str, end: str) -> None:
    path = write(tmp_path)
    lines = lines_of(path)
    middle = lines[2]
    damaged = {"flip": middle.replace(b"2", b"3", 1), "drop": b"", "garbage": b"\x00\n"}[damage]
    last = {"cut": lines[-1][:-9], "whole": lines[-1], "garbage": b"{"}[end]
    path.write_bytes(b"".join([*lines[:2], damaged, *lines[3:-1], last]))
    before = path.read_bytes()
    with pytest.raises(UsageError, match="line 3:") as raised:
        read_journal(path)
    assert raised.value.where == f"{path}:3"
    assert "it was left as it is" in raised.value.fix
    assert path.read_bytes() == before
    assert [str(path) in error.what for error in list_runs(OnDisk(tmp_path)).unreadable] == [True]


def test_a_damaged_line_before_a_cut_one_is_not_taken_for_the_cut(tmp_path: Path) -> None:
    """The last whole line: it would be lost with the cut one, and with it the outcome of a change."""
    path = write(tmp_path)
    lines = lines_of(path)[:-1]
    path.write_bytes(b"".join([*lines[:-2], lines[-2].replace(b"applied", b"skipped"), lines[-1][:20]]))
    with pytest.raises(UsageError, match=f"line {len(lines) - 1}: it was changed"):
        read_journal(path)


def test_a_whole_last_line_that_was_changed_is_no_cut(tmp_path: Path) -> None:
    path = write(tmp_path)
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"creation", b"deletion").replace(b"7", b"8")]))
    with pytest.raises(UsageError, match=f"line {len(lines)}:"):
        read_journal(path)


def test_only_a_header_that_is_cut_leaves_no_run(tmp_path: Path) -> None:
    path = write(tmp_path)
    header, *_ = lines_of(path)
    path.write_bytes(header[:-1])
    assert read_journal(path).entries == ()
    assert not read_journal(path).truncated
    path.write_bytes(header[:-2])
    with pytest.raises(UsageError, match="line 1"):
        read_journal(path)


@pytest.mark.parametrize("left", [(), ("journal.new",)])
def test_a_run_that_was_killed_before_its_journal_was_there_is_none(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    folder = tmp_path / "runs" / "20261129T120317.018Z-50fb"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_bytes(b"{")
    assert list_runs(OnDisk(tmp_path)) == Runs((), ())


def test_a_run_that_lost_its_journal_is_told(tmp_path: Path) -> None:
    write(tmp_path).rename(tmp_path / "elsewhere")
    (error,) = list_runs(OnDisk(tmp_path)).unreadable
    assert "No such file" in error.what
