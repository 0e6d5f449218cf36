"""Undo: the inverse of what was done, wherever the run was killed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsetup.apply.run import apply
from ddsetup.ask.prompter import Prompt, Prompter
from ddsetup.cli.undo import state_of
from ddsetup.flow.remembered import check_built_on
from ddsetup.journal.brief import brief_of
from ddsetup.journal.disk import OnDisk
from ddsetup.journal.records import Run
from ddsetup.journal.runs import Journal, list_runs
from ddsetup.journal.undo import built_on, changes_of, undo_changes
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError, Interrupted, UsageError
from ddsetup.model.states import FilterState, FunctionState, LogGroupState, SecretState, State, TagsState
from tests.unit.world import (
    AT,
    Killed,
    World,
    creation,
    fake_clock,
    header,
    journal_file,
    read_journal,
    resource,
)


def carry_out(state: Path, world: World, changes: tuple[Change, ...], run: str, undoes: str = "") -> Run:
    journal = Journal.create(OnDisk(state), header(run, undoes))
    kinds = {change.resource.kind for change in changes}
    try:
        apply(
            changes,
            {kind: world.writer() for kind in kinds},
            journal,
            clock=fake_clock(),
            on_event=lambda event: None,
            cancel=threading.Event(),
            workers=1,
        )
    finally:
        journal.close()
    return read_journal(Path(journal.where))


def test_undo_goes_the_other_way_round(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"), creation("b", "a"), creation("c", "a")), "r1")
    back = undo_changes(run)
    assert [c.resource.name for c in back] == ["c", "b", "a"]
    assert {c.action for c in back} == {"delete"}
    assert set(back[-1].needs) == {resource("b"), resource("c")}
    carry_out(tmp_path, world, back, "r2", undoes="r1")
    assert world.there == {}


def test_what_something_else_still_needs_is_kept(tmp_path: Path) -> None:
    """A dependant that somebody changed since is left alone, and so is what it depends on."""
    world = World()
    run = carry_out(tmp_path, world, (creation("a"), creation("b", "a")), "r1")
    world.there[resource("b")] = LogGroupState(name="somebody else's")
    undone = carry_out(tmp_path, world, undo_changes(run), "r2", undoes="r1")
    assert set(world.there) == {resource("a"), resource("b")}
    assert [e.outcome.status for e in undone.entries if e.outcome] == ["changed_since"]


def test_an_undone_run_has_nothing_left_to_undo(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"), creation("b")), "r1")
    carry_out(tmp_path, world, undo_changes(run), "r2", undoes="r1")
    others = list_runs(OnDisk(tmp_path)).readable
    assert undo_changes(run, others) == ()
    assert len(undo_changes(run)) == 2


def test_an_undo_can_be_undone_and_then_the_run_counts_again(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"), creation("b", "a")), "r1")
    undo = carry_out(tmp_path, world, undo_changes(run), "r2", undoes="r1")
    carry_out(tmp_path, world, undo_changes(undo), "r3", undoes="r2")
    assert set(world.there) == {resource("a"), resource("b")}
    others = list_runs(OnDisk(tmp_path)).readable
    assert undo_changes(undo, others) == ()
    assert len(undo_changes(run, others)) == 2


def test_a_half_done_undo_leaves_the_rest_to_undo(tmp_path: Path) -> None:
    world = World()
    run = carry_out(tmp_path, world, (creation("a"), creation("b")), "r1")
    carry_out(tmp_path, world, undo_changes(run)[:1], "r2", undoes="r1")
    assert [c.resource.name for c in undo_changes(run, list_runs(OnDisk(tmp_path)).readable)] == ["a"]


class Asked:
    """Somebody who answers every question alike."""

    def __init__(self, *, answer: bool) -> None:
        self.answer = answer
        self.texts: list[str] = []

    def ask(self, prompt: Prompt) -> bool:
        self.texts.append(prompt.text)
        return self.answer


def test_later_runs_that_may_rely_on_a_run_are_named(tmp_path: Path) -> None:
    world = World()
    secret = replace(
        creation("a"), resource=resource("a", "secret"), after=SecretState(name="a", tags={"created_by": "x"})
    )
    carry_out(tmp_path, world, (secret,), "r1")
    carry_out(tmp_path, world, (creation("b"),), "r2")
    first, second = list_runs(OnDisk(tmp_path)).readable
    assert built_on(first, (first, second)) == (second,)
    assert built_on(second, (first, second)) == ()
    with pytest.raises(UsageError, match=second.id) as refused:
        check_built_on(first, (first, second), None)
    assert f"ddsetup undo {first.id} --with-later" in refused.value.fix
    asked = Asked(answer=False)
    with pytest.raises(Interrupted):
        check_built_on(first, (first, second), cast(Prompter, asked))
    check_built_on(first, (first, second), cast(Prompter, Asked(answer=True)))
    check_built_on(second, (first, second), None)
    assert second.id in asked.texts[0]
    carry_out(
        tmp_path, world, undo_changes(read_journal(journal_file(tmp_path, second.id))), "r3", undoes="r2"
    )
    assert built_on(first, list_runs(OnDisk(tmp_path)).readable) == ()


def test_what_changed_nothing_is_not_undone(tmp_path: Path) -> None:
    there = creation("a")
    assert there.after is not None
    world = World({there.resource: there.after})
    run = carry_out(tmp_path, world, (there,), "r1")
    assert undo_changes(run) == ()


def test_started_without_an_end_is_pending_and_undone(tmp_path: Path) -> None:
    journal = Journal.create(OnDisk(tmp_path), header())
    journal.start(creation("a"), fake_clock().now())
    journal.close()
    run = read_journal(Path(journal.where))
    assert brief_of(run).cut_short
    assert len(undo_changes(run)) == 1


def test_failed_changes_are_undone_as_far_as_they_went(tmp_path: Path) -> None:
    journal = Journal.create(OnDisk(tmp_path), header())
    change = creation("a")
    seq = journal.start(change, fake_clock().now())
    journal.done(seq, Outcome(resource=change.resource, status="failed"), fake_clock().now())
    journal.close()
    world = World()
    undone = carry_out(
        tmp_path, world, undo_changes(read_journal(Path(journal.where))), "r2", undoes=header().run
    )
    assert [e.outcome.status for e in undone.entries if e.outcome] == ["unchanged"]


NAMES = ("a", "b", "c", "d", "e")
STATES: tuple[State | None, ...] = (None, *(TagsState(tags={"env": value}) for value in "xyz"))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, State | None], tuple[Change, ...]]:
    """What is there, and changes on it: each resource goes to another state and needs some before it."""
    there: dict[str, State | None] = {}
    changes = []
    for position, name in enumerate(NAMES[: draw(st.integers(1, 5))]):
        before, after = draw(st.lists(st.sampled_from(STATES), min_size=2, max_size=2, unique_by=repr))
        there[name] = before
        needs = draw(st.lists(st.sampled_from(NAMES[:position]), unique=True)) if position else []
        changes.append(
            Change(
                step="test",
                resource=resource(name, "function_tags"),
                before=before,
                after=after,
                why="test",
                needs=tuple(resource(need, "function_tags") for need in needs),
            )
        )
    return there, tuple(changes)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 12), st.integers(0, 400))
def test_killed_anywhere_then_undone_all_is_as_before(
    made: tuple[dict[str, State | None], tuple[Change, ...]], moment: int, cut: int
) -> None:
    there, changes = made
    before = {resource(name, "function_tags"): s for name, s in there.items() if s is not None}
    world = World(before)
    moments = [0]

    def die(when: str, change: Change) -> None:
        if moments[0] == moment:
            raise Killed
        moments[0] += 1

    world.fault = die
    with TemporaryDirectory() as folder:
        state = Path(folder)
        try:
            carry_out(state, world, changes, "r1")
        except Killed:
            # The line being written at the moment of death may be cut short, but never one that was synced
            # before a change was sent: only an unfinished "done" line can be.
            _cut_last_done_line(journal_file(state, "r1"), cut)
        world.fault = lambda when, change: None
        run = read_journal(journal_file(state, "r1"))
        undone = carry_out(state, world, undo_changes(run), "r2", undoes="r1")
        assert world.there == before
        assert {e.outcome.status for e in undone.entries if e.outcome} <= {"applied", "unchanged"}
        assert undo_changes(run, list_runs(OnDisk(state)).readable) == ()


def _cut_last_done_line(path: Path, cut: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    if b'"type":"done"' in lines[-1]:
        lines[-1] = lines[-1][: -1 - cut % (len(lines[-1]) - 1)]
        path.write_bytes(b"".join(lines))


def test_of_single_functions_their_tags_and_filters_are_given_back(tmp_path: Path) -> None:
    world = World()
    filters = FilterState(
        log_group="g", name="f", destination_arn="arn:aws:lambda:eu-west-1:1:function:forwarder"
    )
    orders, pay = (f"arn:aws:lambda:eu-west-1:1:function:{name}" for name in ("orders", "pay"))
    named: tuple[tuple[str, str, State], ...] = (
        ("log_group", "orders", LogGroupState(name="orders")),
        ("function", orders, FunctionState()),
        ("function_tags", orders, TagsState(tags={"a": "b"})),
        ("subscription_filter", "/aws/lambda/orders:ddsetup-x", filters),
        ("subscription_filter", "/aws/lambda/pay:ddsetup-x", filters),
        ("function", pay, FunctionState()),
    )
    made = tuple(replace(creation("x"), resource=resource(i, kind), after=state) for kind, i, state in named)
    run = carry_out(tmp_path, world, made, "r1")
    assert len(changes_of(run, ())) == 6
    some = changes_of(run, (), ("order*",))
    assert {(c.resource.kind, c.resource.name) for c in some} == {
        ("function", "orders"),
        ("function_tags", "orders"),
        ("subscription_filter", "/aws/lambda/orders:ddsetup-x"),
    }
    assert changes_of(run, (), ("nobody",)) == ()


def listed(state: Path, **gone: bool) -> list[str]:
    runs = list_runs(OnDisk(state)).readable
    return [state_of(run, runs, gone=gone.get(run.id, False)) for run in runs]


def test_the_list_tells_what_became_of_each_run(tmp_path: Path) -> None:
    world = World()
    kept = carry_out(tmp_path, world, (creation("a"), creation("b")), "r1")
    carry_out(tmp_path, world, (creation("a"),), "r2")
    world.fails[resource("c")] = GatewayError("no")
    carry_out(tmp_path, world, (creation("c"),), "r3")
    assert listed(tmp_path) == ["in force", "changed nothing", "failed"]
    carry_out(tmp_path, world, undo_changes(kept)[:1], "r4", undoes="r1")
    world.fails[resource("a")] = GatewayError("no")
    carry_out(tmp_path, world, undo_changes(kept)[1:], "r5", undoes="r1")
    assert listed(tmp_path)[0] == "in force in part"
    assert listed(tmp_path)[3:] == ["gave back r1", "gave back nothing of r1"]
    assert listed(tmp_path, r1=True)[0] == "its sandbox is gone"


def test_the_list_marks_what_did_not_come_to_its_end(tmp_path: Path) -> None:
    """Killed between two changes: nothing is pending, and still it is not all that was planned."""
    world = World()
    killed = Journal.create(OnDisk(tmp_path), header("r1"))
    change = creation("a")
    killed.done(killed.start(change, AT), change.outcome("applied"), AT)
    stopped = Journal.create(OnDisk(tmp_path), header("r2"))
    cancel = threading.Event()
    cancel.set()
    apply(
        (creation("b"),),
        {"log_group": world.writer()},
        stopped,
        clock=fake_clock(),
        on_event=lambda event: None,
        cancel=cancel,
    )
    stopped.close()
    assert listed(tmp_path) == ["in force, not ended", "changed nothing, stopped on the way"]
