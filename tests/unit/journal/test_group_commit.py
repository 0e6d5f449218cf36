"""Many changes take one wait for the disk; what is not kept is not begun; ends wait for nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ddsetup.journal import chain
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.memory import JournalError
from ddsetup.journal.runs import Journal
from tests.patience import PATIENCE
from tests.unit.world import AT, creation, header, read_journal


@dataclass
class Paper:
    """Implements Begun: keeps what was synced, one piece a call, and what was only noted. `gate` holds up the
    first sync, `full` refuses."""

    takes_notes: bool = True
    full: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)
    synced: list[bytes] = field(default_factory=list)
    noted: list[bytes] = field(default_factory=list)
    text: bytes = b""
    brief: bytes = b""

    @property
    def where(self) -> str:
        return "paper"

    def append(self, lines: bytes) -> None:
        self.waiting.set()
        self.gate.wait(PATIENCE)
        if self.full:
            raise JournalError("full")
        self.synced.append(lines)
        self.text += lines

    def note(self, lines: bytes) -> bool:
        if self.takes_notes:
            self.noted.append(lines)
            self.text += lines
        return self.takes_notes

    def close(self, last: bytes, brief: bytes) -> None:
        self.text += last
        self.brief = brief

    def traces(self) -> list[int]:
        """The numbers of the changes that the brief knows."""
        return [trace[0] for trace in json.loads(self.brief)["traces"]]

    def bodies(self) -> list[dict[str, object]]:
        return [dict(body) for body in chain.read(self.text, "paper") if body]


def journal_on(paper: Paper) -> Journal:
    first, digest = chain.line({"type": "header"}, "")
    paper.text = first
    return Journal(header(), paper, digest)


def opened(*, takes_notes: bool = True) -> tuple[Paper, Journal]:
    paper = Paper(takes_notes)
    paper.gate.set()
    return paper, journal_on(paper)


def test_those_that_come_while_one_waits_for_the_disk_are_written_together() -> None:
    paper = Paper()
    journal = journal_on(paper)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(journal.start, creation("first"), AT)
        assert paper.waiting.wait(PATIENCE)
        others = [pool.submit(journal.start, creation(f"f{n}"), AT) for n in range(8)]
        while len(journal._open.bodies) < 8:
            threading.Event().wait(0.001)
        paper.gate.set()
        numbers = {first.result(), *(other.result() for other in others)}
    assert numbers == set(range(1, 10))
    assert [piece.count(b"\n") for piece in paper.synced] == [1, 8]
    assert len(paper.bodies()) == 10


class SlowPaper(Paper):
    """Every sync takes as long as on a disk."""

    def append(self, lines: bytes) -> None:
        threading.Event().wait(0.005)
        super().append(lines)


def test_whose_lines_others_wrote_goes_on_at_once_and_comes_back_with_all_of_them() -> None:
    """One that had to queue to learn it would come back alone, and each would wait for the disk again."""
    paper = SlowPaper()
    paper.gate.set()
    journal = journal_on(paper)

    def change(number: int) -> None:
        made = creation(f"f{number}")
        journal.done(journal.start(made, AT), made.outcome("applied"), AT)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(change, range(160)))
    assert len(paper.synced) < 160 * 0.6
    assert len(paper.bodies()) == 1 + 2 * 160


def test_when_writing_is_cut_short_nobody_takes_the_lines_for_written() -> None:
    paper, journal = opened()

    def cut_short(lines: bytes) -> None:
        raise KeyboardInterrupt

    paper.append = cut_short  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        journal.start(creation("a"), AT)
    del paper.append
    assert journal.start(creation("b"), AT) == 2
    assert [body["type"] for body in paper.bodies()] == ["header", "start"]


def test_a_batch_of_changes_takes_one_and_their_ends_none() -> None:
    paper, journal = opened()
    changes = [creation(name) for name in ("a", "b", "c")]
    for seq, change in zip(journal.start_all(changes, AT), changes, strict=True):
        journal.done(seq, change.outcome("applied"), AT)
    assert (len(paper.synced), len(paper.noted)) == (1, 3)


def test_ends_that_cost_a_call_come_with_the_next_beginning_or_at_the_end() -> None:
    paper, journal = opened(takes_notes=False)
    a, b = creation("a"), creation("b")
    seq = journal.start(a, AT)
    journal.done(seq, a.outcome("applied"), AT)
    assert len(paper.bodies()) == 2
    last = journal.start(b, AT)
    assert [body["type"] for body in paper.bodies()] == ["header", "start", "done", "start"]
    journal.done(last, b.outcome("applied"), AT)
    journal.close()
    assert [body["type"] for body in paper.bodies()][4:] == ["done", "end"]
    assert len(paper.synced) == 2


def test_what_is_not_kept_is_not_begun_and_the_chain_goes_on_where_it_was() -> None:
    paper, journal = opened()
    journal.start(creation("a"), AT)
    paper.full = True
    with pytest.raises(JournalError):
        journal.start(creation("b"), AT)
    paper.full = False
    journal.start(creation("c"), AT)
    journal.close()
    assert [body.get("seq") for body in paper.bodies()] == [None, 1, 3, None]


def test_a_journal_ends_after_what_is_being_written_and_nobody_writes_after_its_end() -> None:
    """As where somebody leaves at once, and threads are at work still."""
    paper = Paper()
    journal = journal_on(paper)
    with ThreadPoolExecutor(3) as pool:
        under_way = pool.submit(journal.start, creation("a"), AT)
        assert paper.waiting.wait(PATIENCE)
        waiting = pool.submit(journal.start, creation("b"), AT)
        while not journal._open.bodies:
            threading.Event().wait(0.001)
        ending = pool.submit(journal.close)
        with pytest.raises(FuturesTimeout):
            ending.result(0.05)
        paper.gate.set()
        ending.result(10)
        assert under_way.result(10) == 1
        # Who waited may have been the next to write, or may have come too late.
        late = waiting.exception(10)
        assert late is None or isinstance(late, JournalError)
    assert paper.bodies()[-1]["type"] == "end"
    assert paper.traces() == ([1] if late else [1, 2])
    text = paper.text
    for write in (
        lambda: journal.start(creation("c"), AT),
        lambda: journal.done(1, creation("a").outcome("applied"), AT),
    ):
        with pytest.raises(JournalError, match="the run has ended"):
            write()
    assert paper.text == text


def test_a_line_that_was_cut_short_by_ctrl_c_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows of it: with it there, no later line would be believed, nor the journal."""
    journal = Journal.create(OnDisk(tmp_path), header())
    journal.start(creation("a"), AT)

    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.start(creation("b"), AT)
    journal.close()
    run = read_journal(Path(journal.where))
    assert [entry.change.resource.id for entry in run.entries] == ["a"]
    assert run.ended == "whole"


AT_WORK = """
import os, sys, threading
from itertools import count
from pathlib import Path
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal
from tests.unit.world import AT, creation, header, read_journal

journal = Journal.create(OnDisk(Path(sys.argv[1])), header())
numbers = count()

def work():
    while True:
        change = creation(f"f{next(numbers)}")
        seq = journal.start(change, AT)
        os.write(1, f"{change.resource.id}\\n".encode())
        journal.done(seq, change.outcome("applied"), AT)

for _ in range(8):
    threading.Thread(target=work).start()
"""


@pytest.mark.parametrize("sent_before", [1, 40, 300])
def test_after_a_kill_all_that_was_sent_is_in_the_journal(tmp_path: Path, sent_before: int) -> None:
    command = [sys.executable, "-c", AT_WORK, str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stdout is not None
        sent = [process.stdout.readline().strip() for _ in range(sent_before)]
        process.kill()
        rest = process.stdout.read().split("\n")
        sent += [name for name in rest if name]
    (run,) = (tmp_path / "runs").iterdir()
    started = {entry.change.resource.id for entry in read_journal(run / "journal.jsonl").entries}
    assert set(sent) <= started
