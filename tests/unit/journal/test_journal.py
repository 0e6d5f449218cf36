"""The journal: what it keeps, what it notices, and what a crash leaves of it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ddsetup.journal.disk import OnDisk
from ddsetup.journal.memory import JournalError
from ddsetup.journal.runs import Journal, list_runs, new_run_id
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import UsageError
from tests.unit.world import AT, creation, header, journal_file, read_journal, tagging


def outcome(change: Change) -> Outcome:
    return Outcome(resource=change.resource, status="applied", action=change.action, details={"a": "b"})


def write(state: Path, run: str = "20261122T101530Z-ab12") -> Path:
    """Two changes that ended and one that did not."""
    journal = Journal.create(OnDisk(state), header(run))
    for change in (creation("a"), tagging("f", "a")):
        journal.done(journal.start(change, AT), outcome(change), AT)
    journal.start(creation("b", "a"), AT)
    journal.close()
    return Path(journal.where)


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    run = read_journal(write(tmp_path))
    assert run.header == header()
    assert [entry.change for entry in run.entries] == [creation("a"), tagging("f", "a"), creation("b", "a")]
    assert [entry.outcome for entry in run.entries] == [
        outcome(creation("a")),
        outcome(tagging("f")),
        None,
    ]
    assert not run.truncated


def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    path = write(tmp_path / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, tmp_path / "state"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_cut_anywhere_is_read_up_to_the_cut(tmp_path: Path) -> None:
    path = write(tmp_path)
    data = path.read_bytes()
    whole = read_journal(path)
    first_line = data.index(b"\n")
    ends = [i for i, byte in enumerate(data) if byte == 0x0A]
    for size in range(len(data)):
        path.write_bytes(data[:size])
        if size < first_line:
            with pytest.raises(UsageError, match="line 1"):
                read_journal(path)
            continue
        run = read_journal(path)
        # A line without its end of line is whole all the same.
        lines = sum(1 for end in ends if end <= size)
        assert len(run.entries) == sum(1 for n in (2, 4, 6) if lines >= n)
        assert [e.change for e in run.entries] == [e.change for e in whole.entries[: len(run.entries)]]
        at_a_line = size in ends or size - 1 in ends
        assert run.truncated == (not at_a_line)


def test_any_changed_byte_is_noticed_and_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    data = path.read_bytes()
    for position in range(0, len(data), 7):
        if data[position] == 0x0A:
            continue
        changed = bytearray(data)
        changed[position] ^= 1
        path.write_bytes(changed)
        line = data[:position].count(b"\n") + 1
        with pytest.raises(UsageError, match=f"line {line}:") as raised:
            read_journal(path)
        assert str(path) in raised.value.what
        assert path.read_bytes() == changed


@pytest.mark.parametrize("edit", ["drop", "swap", "repeat"])
def test_lines_lost_or_moved_are_noticed(tmp_path: Path, edit: str) -> None:
    path = write(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    edited = {
        "drop": [lines[0], *lines[2:]],
        "swap": [lines[0], lines[2], lines[1], *lines[3:]],
        "repeat": [*lines[:3], *lines[2:]],
    }[edit]
    path.write_bytes(b"".join(edited))
    with pytest.raises(UsageError, match=r"line [234]"):
        read_journal(path)


@pytest.mark.parametrize("content", ["", "{}\n", "hello\n", "[1]\n", '{"sum":"x","body":{}}\n'])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: str) -> None:
    path = journal_file(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(UsageError, match="line 1"):
        read_journal(path)


def test_a_missing_journal_is_refused(tmp_path: Path) -> None:
    path = journal_file(tmp_path)
    with pytest.raises(UsageError, match="no run"):
        read_journal(path)
    path.parent.mkdir(parents=True)
    (path.parent / "brief.json").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot read the journal"):
        read_journal(path)


def test_runs_are_listed_oldest_first_and_the_unreadable_apart(tmp_path: Path) -> None:
    write(tmp_path, "20261122T101530Z-ab12")
    write(tmp_path, "20261121T101530Z-cd34")
    write(tmp_path, "20261123T101530Z-ef56").write_text("nonsense\n")
    runs = list_runs(OnDisk(tmp_path))
    assert [run.id for run in runs.readable] == ["20261121T101530Z-cd34", "20261122T101530Z-ab12"]
    assert [str(journal_file(tmp_path, "20261123T101530Z-ef56")) in e.what for e in runs.unreadable] == [True]
    assert list_runs(OnDisk(tmp_path / "empty")).readable == ()


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path)
    before = path.read_bytes()
    with pytest.raises(JournalError):
        Journal.create(OnDisk(tmp_path), header())
    assert path.read_bytes() == before


def test_run_ids_sort_by_time_and_differ() -> None:
    first = new_run_id(AT)
    assert first.startswith("20261122T101530.000Z-")
    later = [new_run_id(AT + timedelta(milliseconds=n)) for n in range(50)]
    assert sorted(later) == later
    assert len({new_run_id(AT) for _ in range(50)}) > 40


def test_every_line_is_one_json_document(tmp_path: Path) -> None:
    lines = write(tmp_path).read_text().splitlines()
    assert len(lines) == 7
    for line in lines:
        assert set(json.loads(line)) == {"sum", "body"}


ROOM_COMES_BACK = """
import resource, sys
from pathlib import Path
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.memory import JournalError
from ddsetup.journal.runs import Journal
from ddsetup.model.change import Outcome
from tests.unit.world import AT, creation, header

journal = Journal.create(OnDisk(Path(sys.argv[1])), header())
first = creation("a")
seq = journal.start(first, AT)
size, (_, hard) = Path(journal.where).stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
try:
    journal.start(creation("b"), AT)
except JournalError as error:
    print(error.what)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.done(seq, Outcome(resource=first.resource, status="applied"), AT)
"""


def test_a_half_written_line_is_taken_back(tmp_path: Path) -> None:
    """What still runs when the disk fills up can be recorded once there is room again."""
    answer = subprocess.run(
        [sys.executable, "-c", ROOM_COMES_BACK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert "cannot write the journal" in answer.stdout
    run = read_journal(journal_file(tmp_path))
    assert [(e.change.resource.id, e.outcome is not None) for e in run.entries] == [("a", True)]
    assert not run.truncated


def test_what_is_in_brief_is_what_the_journal_says(tmp_path: Path) -> None:
    """Kept beside a journal that was closed; without that it is the journal's own."""
    path = write(tmp_path)
    memory = OnDisk(tmp_path)
    kept = list_runs(memory).readable
    assert [(t.resource.id, t.status) for t in kept[0].traces] == [
        ("a", "applied"),
        ("f", "applied"),
        ("b", ""),
    ]
    for lose in (
        lambda: path.with_name("brief.json").write_bytes(b"nonsense"),
        lambda: path.with_name("brief.json").unlink(),
    ):
        lose()
        assert list_runs(memory).readable == kept


def test_a_journal_with_a_brief_is_not_read_until_it_is_touched(tmp_path: Path) -> None:
    path = write(tmp_path)
    told, journal = path.with_name("brief.json").read_bytes(), path.read_bytes()
    path.with_name("brief.json").write_bytes(told.replace(b'"setup"', b'"brief"'))
    assert [run.header.command for run in list_runs(OnDisk(tmp_path)).readable] == ["brief"]
    path.write_bytes(journal.replace(b"applied", b"skipped", 1))
    assert [str(path) in error.what for error in list_runs(OnDisk(tmp_path)).unreadable] == [True]
