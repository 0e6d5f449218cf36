"""Applying changes: order, isolation, batches, interruption, and the journal that comes first."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.apply.run import Writer, apply
from ddsetup.apply.schedule import Queue
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal
from ddsetup.journal.undo import undo_changes
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.errors import ChangedSince, Denied
from ddsetup.model.event import Event
from ddsetup.model.states import RoleState
from tests.patience import PATIENCE, until
from tests.unit.world import (
    World,
    boom,
    creation,
    fake_clock,
    header,
    journal_file,
    read_journal,
    resource,
    tagging,
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def run(
    state: Path,
    world: World,
    changes: Iterable[Change],
    *,
    batch: int = 1,
    cancel: threading.Event | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
    workers: int = 4,
) -> tuple[Outcome, ...]:
    writers: dict[str, Writer] = {
        "log_group": world.writer(),
        "function_tags": world.writer(batch),
    }
    journal = Journal.create(OnDisk(state), header())
    try:
        return apply(
            changes,
            writers,
            journal,
            clock=fake_clock(),
            on_event=on_event,
            cancel=cancel or threading.Event(),
            workers=workers,
        )
    finally:
        journal.close()


def statuses(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.resource.name: outcome.status for outcome in outcomes}


def test_a_change_waits_for_all_that_it_needs(state: Path) -> None:
    changes = [creation("d", "b", "c"), creation("b", "a"), creation("c", "a"), creation("a")]
    world = World()
    outcomes = run(state, world, changes)
    assert [o.resource.name for o in outcomes] == ["d", "b", "c", "a"]
    assert {o.status for o in outcomes} == {"applied"}
    sent = [r.name for r in world.sent]
    assert sent[0] == "a"
    assert sent[-1] == "d"


def test_every_order_of_the_same_changes_ends_the_same(tmp_path: Path) -> None:
    changes = [creation("a"), creation("b", "a"), creation("c", "b"), creation("e")]
    for number, order in enumerate(itertools.permutations(changes)):
        world = World()
        assert {o.status for o in run(tmp_path / str(number), world, order)} == {"applied"}
        sent = [r.name for r in world.sent]
        assert sent.index("a") < sent.index("b") < sent.index("c")


def test_two_changes_of_one_resource_run_in_the_order_of_the_plan(state: Path) -> None:
    first = creation("a")
    away = replace(first, before=first.after, after=None)
    world = World({first.resource: first.after} if first.after else {})
    events: list[Event] = []
    again = replace(first, needs=(first.resource,))
    outcomes = run(state, world, [away, again], on_event=events.append)
    assert [o.status for o in outcomes] == ["applied", "applied"]
    assert [e.kind for e in events] == ["started", "finished", "started", "finished"]
    assert world.there == {first.resource: first.after}


def test_a_failure_stops_what_depends_on_it_and_nothing_else(state: Path) -> None:
    world = World()
    world.fails[resource("b")] = boom("the name is taken")
    changes = [creation("a"), creation("b"), creation("c", "b"), creation("d", "c"), creation("e", "a")]
    outcomes = run(state, world, changes)
    assert statuses(outcomes) == {
        "a": "applied",
        "b": "failed",
        "c": "skipped",
        "d": "skipped",
        "e": "applied",
    }
    assert outcomes[1].reason == "the name is taken"
    assert outcomes[2].reason == "needs log_group b, which failed"
    assert outcomes[3].reason == "needs log_group c, which was skipped"


def makes_room(name: str, for_what: str) -> tuple[World, Change, Change]:
    """A world with something that goes so that another thing can come."""
    gone = replace(creation(name), before=creation(name).after, after=None)
    assert gone.before is not None
    return World({gone.resource: gone.before}), gone, creation(for_what, name)


def test_what_made_room_in_vain_is_put_back_at_once(state: Path) -> None:
    world, gone, put = makes_room("audit", "ours")
    world.fails[put.resource] = boom("the destination cannot be invoked")
    outcomes = run(state, world, [gone, put, creation("after", "ours"), creation("other")])
    assert world.there.keys() == {gone.resource, resource("other")}
    assert [(o.resource.name, o.status) for o in outcomes] == [
        ("audit", "applied"),
        ("ours", "failed"),
        ("after", "skipped"),
        ("other", "applied"),
        ("audit", "applied"),
    ]
    assert undo_changes(read_journal(journal_file(state))) != ()
    assert {c.resource.name for c in undo_changes(read_journal(journal_file(state)))} == {"ours", "other"}


@pytest.mark.parametrize("there", [False, True])
def test_a_role_trusts_whom_it_trusted_where_the_new_record_does_not_come_about(
    state: Path, *, there: bool
) -> None:
    before = RoleState(name="r", trust_account="1", external_id="former")
    moved = replace(creation("r"), before=before, after=replace(before, external_id="new"))
    record = replace(creation("record", "r"), before=creation("record").after if there else None)
    world = World({moved.resource: before})
    world.fails[record.resource] = boom("Datadog refuses the account")
    run(state, world, [moved, record])
    assert world.there[moved.resource] == (moved.after if there else before), "mended for one that is there"


def test_an_interruption_leaves_no_room_that_nothing_takes(state: Path) -> None:
    world, gone, put = makes_room("audit", "ours")
    cancel = threading.Event()

    def stop_after(event: Event) -> None:
        if event.kind == "finished":
            cancel.set()

    outcomes = run(state, world, [gone, put], cancel=cancel, on_event=stop_after)
    assert world.there == {gone.resource: gone.before}
    assert statuses(outcomes[:2]) == {"audit": "applied", "ours": "skipped"}


def test_a_deletion_that_another_one_waited_for_is_not_put_back(state: Path) -> None:
    world, gone, put = makes_room("a", "b")
    away = replace(put, before=put.after, after=None)
    world.fails[away.resource] = boom("it is in use")
    run(state, world, [gone, away])
    assert world.there == {}


def test_what_is_already_so_satisfies_those_that_need_it(state: Path) -> None:
    there = creation("a")
    assert there.after is not None
    outcomes = run(state, World({there.resource: there.after}), [there, creation("b", "a")])
    assert statuses(outcomes) == {"a": "unchanged", "b": "applied"}


def test_a_need_that_is_not_part_of_the_plan_is_taken_as_given(state: Path) -> None:
    assert statuses(run(state, World(), [creation("b", "elsewhere")])) == {"b": "applied"}


def test_a_circle_is_reported_and_not_waited_for(state: Path) -> None:
    outcomes = run(state, World(), [creation("a", "b"), creation("b", "a"), creation("c")])
    assert statuses(outcomes) == {"a": "failed", "b": "skipped", "c": "applied"}


def test_errors_become_outcomes_of_their_own_kind(state: Path) -> None:
    world = World()
    world.fails[resource("a")] = ChangedSince("the handler differs")
    world.fails[resource("b")] = Denied("not allowed", action="logs:CreateLogGroup", fix="ask for it")
    first, second = run(state, world, [creation("a"), creation("b")])
    assert (first.status, first.reason) == ("changed_since", "the handler differs")
    assert (second.status, second.fix) == ("failed", "ask for it")
    assert second.details == {"permission": "logs:CreateLogGroup"}


def test_a_bug_in_one_writer_is_contained_and_does_not_quote_its_text(state: Path) -> None:
    world = World()
    world.fails[resource("a")] = ValueError("DB_PASSWORD=hunter2")
    outcomes = run(state, world, [creation("a"), creation("b")])
    assert statuses(outcomes) == {"a": "failed", "b": "applied"}
    assert outcomes[0].details["bug"] == "ValueError"
    assert "hunter2" not in repr(outcomes)
    assert "hunter2" not in journal_file(state).read_text()


def test_a_kind_without_a_writer_fails_alone(state: Path) -> None:
    odd = replace(creation("a"), resource=ResourceId("secret", "a"))
    outcomes = run(state, World(), [odd, creation("b")])
    assert statuses(outcomes) == {"a": "failed", "b": "applied"}


def test_the_journal_holds_the_change_before_it_is_sent(state: Path) -> None:
    world, seen = World(), []

    def look(moment: str, change: Change) -> None:
        started = [e.change.resource for e in read_journal(journal_file(state)).entries]
        seen.append((moment, change.resource in started))

    world.fault = look
    run(state, world, [creation("a"), creation("b", "a"), tagging("f")])
    assert seen == [(m, True) for _ in range(3) for m in ("before", "after")]


def test_the_journal_is_on_the_disk_before_anything_is_sent(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        order.append("synced")

    world = World()
    world.fault = lambda moment, change: order.append(moment)
    monkeypatch.setattr(os, "fsync", fsync)
    run(state, world, [creation("a")])
    header_and_folders, change = 3, ["synced", "before", "after"]
    assert order == ["synced"] * header_and_folders + change


def test_equal_changes_go_together_and_others_do_not(state: Path) -> None:
    world = World()
    changes = [tagging(f"f{n}") for n in range(45)] + [tagging("odd", tag="y")]
    outcomes = run(state, world, changes, batch=20)
    assert {o.status for o in outcomes} == {"applied"}
    assert sorted(len(call) for call in world.calls) == [1, 5, 20, 20]
    assert len(read_journal(journal_file(state)).entries) == 46


def test_batches_fill_up_while_their_members_become_ready_one_by_one(state: Path) -> None:
    world = World()
    groups = [creation(f"g{n}") for n in range(30)]
    tags = [tagging(f"f{n}", f"g{n}") for n in range(30)]
    run(state, world, groups + tags, batch=10, workers=2)
    assert [len(call) for call in world.calls if call[0].kind == "function_tags"] == [10, 10, 10]


def test_a_batch_waits_for_members_that_become_ready_late(state: Path) -> None:
    world = World()
    chain = [creation("g0"), *(creation(f"g{n}", f"g{n - 1}") for n in range(1, 6))]
    tags = [tagging(f"f{n}", f"g{n}") for n in range(6)]
    run(state, world, [*chain, *tags], batch=6)
    assert [len(call) for call in world.calls if call[0].kind == "function_tags"] == [6]


def test_a_held_batch_never_blocks_what_needs_it(state: Path) -> None:
    first, second = tagging("f1"), tagging("f2")
    second = replace(second, needs=(first.resource,))
    outcomes = run(state, World(), [first, second], batch=20)
    assert {o.status for o in outcomes} == {"applied"}


def test_regions_are_never_mixed_in_a_batch(state: Path) -> None:
    world = World()
    here = tagging("f1")
    there = replace(tagging("f2"), resource=resource("f2", "function_tags", "us-east-1"))
    run(state, world, [here, there], batch=20)
    assert sorted(len(call) for call in world.calls) == [1, 1]


def test_cancelling_finishes_what_runs_and_drops_the_rest(state: Path) -> None:
    world, cancel = World(), threading.Event()

    def stop(moment: str, change: Change) -> None:
        if moment == "before" and change.resource.name == "a":
            cancel.set()

    world.fault = stop
    outcomes = run(state, world, [creation("a"), creation("b", "a"), creation("c", "b")], cancel=cancel)
    assert statuses(outcomes) == {"a": "applied", "b": "skipped", "c": "skipped"}
    assert outcomes[1].reason == "interrupted before it was started"
    assert [e.outcome.status for e in read_journal(journal_file(state)).entries if e.outcome] == ["applied"]


def test_cancelled_beforehand_sends_nothing(state: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    world = World()
    outcomes = run(state, world, [creation("a"), tagging("f")], cancel=cancel, batch=20)
    assert {o.status for o in outcomes} == {"skipped"}
    assert world.sent == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_finishes_what_runs(state: Path, number: signal.Signals) -> None:
    world, events = World(), list[Event]()

    def interrupt(moment: str, change: Change) -> None:
        if moment == "before":
            os.kill(os.getpid(), number)
            # The handler runs in the main thread.
            until(lambda: "stopping" in [e.kind for e in events], "the stop")

    world.fault = interrupt
    was = signal.getsignal(number)
    outcomes = run(state, world, [creation("a"), creation("b", "a")], on_event=events.append)
    assert statuses(outcomes) == {"a": "applied", "b": "skipped"}
    assert [e.kind for e in events].count("stopping") == 1
    assert signal.getsignal(number) == was


def test_the_second_interrupt_leaves_at_once_and_the_journal_knows(state: Path) -> None:
    world, left, events = World(), threading.Event(), list[Event]()

    def twice(moment: str, change: Change) -> None:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGINT)
            until(lambda: "stopping" in [e.kind for e in events], "the stop")
            os.kill(os.getpid(), signal.SIGINT)
            left.wait(PATIENCE)

    world.fault = twice
    with pytest.raises(KeyboardInterrupt):
        run(state, world, [creation("a"), creation("b", "a")], on_event=events.append)
    left.set()
    assert [e.change.resource.name for e in read_journal(journal_file(state)).entries] == ["a"]


class Nested(threading.Event):
    """An Event that a second signal finds in the middle of `set`, where its lock is held."""

    def set(self) -> None:
        with self._cond:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGHUP)
        super().set()


@pytest.mark.timeout(PATIENCE)
def test_a_signal_upon_a_signal_does_not_hang(state: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.default_int_handler)

    world, cancel = World(), Nested()

    def closed(moment: str, change: Change) -> None:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGHUP)
            assert cancel.wait(PATIENCE / 2)

    world.fault = closed
    try:
        outcomes = run(state, world, [creation("a"), creation("b", "a")], cancel=cancel)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert cancel.is_set()
    assert statuses(outcomes) == {"a": "applied", "b": "skipped"}


def test_events_tell_start_and_end_of_each_change(state: Path) -> None:
    events: list[Event] = []
    run(state, World(), [creation("a"), creation("b", "a")], on_event=events.append)
    told = [(e.kind, e.resource.name if e.resource else "") for e in events]
    assert told == [("started", "a"), ("finished", "a"), ("started", "b"), ("finished", "b")]
    assert events[1].outcome is not None


def test_as_many_run_at_once_as_there_are_workers(state: Path) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    class Meeting:
        batch = 1

        def resolve(self, change: Change) -> Change:
            return change

        def write(self, changes: Sequence[Change]) -> Sequence[Outcome]:
            together.wait()
            return [Outcome(resource=c.resource, status="applied") for c in changes]

    journal = Journal.create(OnDisk(state), header())
    outcomes = apply(
        [creation("a"), creation("b"), creation("c")],
        {"log_group": Meeting()},
        journal,
        clock=fake_clock(),
        on_event=lambda event: None,
        cancel=threading.Event(),
        workers=3,
    )
    journal.close()
    assert {o.status for o in outcomes} == {"applied"}


FULL_DISK = """
import json, resource, sys, threading
from pathlib import Path
from ddsetup.apply.run import apply
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.runs import Journal
from tests.unit.world import World, creation, fake_clock, header

journal = Journal.create(OnDisk(Path(sys.argv[1])), header())
room = Path(journal.where).stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
world = World()
changes = [creation(f"g{n}", *([f"g{n-1}"] if n else [])) for n in range(6)] + [creation("alone")]
outcomes = apply(changes, {"log_group": world.writer()}, journal, clock=fake_clock(),
                 on_event=lambda event: None, cancel=threading.Event(), workers=1)
print(json.dumps({"sent": [r.id for r in world.sent], "outcomes": [[o.status, o.reason] for o in outcomes]}))
"""


@pytest.mark.parametrize("room", [0, 10, 400, 700, 1000, 1400])
def test_a_full_disk_stops_the_run_before_an_unrecorded_change(state: Path, room: int) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(state), str(room)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    said = json.loads(answer.stdout)
    recorded = [entry.change.resource.id for entry in read_journal(journal_file(state)).entries]
    assert set(said["sent"]) <= set(recorded)
    assert len(said["sent"]) < 7
    assert any("cannot write the journal" in reason for _, reason in said["outcomes"])
    assert {status for status, _ in said["outcomes"]} <= {"applied", "failed", "skipped"}


class Later:
    """Gives one portion of changes after another, then no more."""

    def __init__(self, *portions: Sequence[Change]) -> None:
        self.portions = list(portions)

    def take(self, wait_seconds: float) -> Sequence[Change] | None:
        return self.portions.pop(0) if self.portions else None


def test_changes_that_come_later_are_carried_out_in_their_place(tmp_path: Path) -> None:
    world = World()
    world.fails[resource("boom")] = boom("no")
    journal = Journal.create(OnDisk(tmp_path / "state"), header())
    later = Later([], [creation("c", "a")], [creation("d", "c"), creation("e", "boom")])
    outcomes = apply(
        [creation("a"), creation("boom")],
        {"log_group": world.writer()},
        journal,
        clock=fake_clock(),
        on_event=lambda event: None,
        cancel=threading.Event(),
        workers=1,
        more=later,
    )
    journal.close()
    assert statuses(outcomes) == {
        "a": "applied",
        "boom": "failed",
        "c": "applied",
        "d": "applied",
        "e": "skipped",
    }
    assert [o.resource.name for o in outcomes] == ["a", "boom", "c", "d", "e"]


def test_kinds_take_turns() -> None:
    changes = [creation("a"), creation("b"), creation("c"), tagging("t")]
    queue = Queue(changes, {})
    assert [queue.take(idle=False) for _ in changes] == [(0,), (3,), (1,), (2,)]


def test_a_kind_that_is_full_is_passed_over() -> None:
    queue = Queue([creation("a"), tagging("t")], {})
    assert queue.take(idle=False, full=("log_group",)) == (1,)
    assert queue.take(idle=False, full=("log_group",)) == ()
    assert queue.take(idle=False) == (0,)


def test_all_that_need_what_failed_are_lost_each_once() -> None:
    queue = Queue([creation("a"), creation("b"), creation("x", "a", "b"), creation("y", "b")], {})
    assert queue.settle(0, good=False) == [(2, resource("a"))]
    # What is lost already is passed over, and the next that needs the same is still told.
    assert queue.settle(1, good=False) == [(3, resource("b"))]
    assert queue.left() == []


def test_one_failure_loses_every_one_that_needs_it() -> None:
    queue = Queue([creation("a"), creation("x", "a"), creation("y", "a")], {})
    assert queue.settle(0, good=False) == [(1, resource("a")), (2, resource("a"))]


def test_what_needs_two_is_ready_after_the_second() -> None:
    queue = Queue([creation("a"), creation("b"), creation("x", "a", "b"), creation("y", "a")], {})
    assert [queue.take(idle=True) for _ in range(2)] == [(0,), (1,)]
    queue.settle(0, good=True)
    assert queue.take(idle=True) == (3,)
    assert queue.take(idle=True) == ()
    queue.settle(1, good=True)
    assert queue.take(idle=True) == (2,)
