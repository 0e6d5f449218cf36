"""`kill -9` at random moments: nothing is lost, and both ways on are open (long: benchmarks/kills.py)."""

from __future__ import annotations

import pytest

from ddsetup.sandbox.faults import ALWAYS, AwsFault
from tests.e2e.world import comparable, differences
from tests.nursery import Kill
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab
from tests.safety.killing import SETUP, Killing, prepare

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]
ROUNDS = (0, 1, 4, 5)
"""Seeds: while it writes, with an undo that is killed as well, with an undo, after Ctrl-C and completed; and
while it looks."""


@pytest.fixture(scope="module")
def lab(open_lab: OpenLab) -> Lab:
    return open_lab("foreign-filters", "own-settings")


@pytest.fixture(scope="module")
def killing(lab: Lab) -> Killing:
    return prepare(lab.nursery, lab.place)


def test_killed_at_any_moment_setup_completes_or_undo_restores(killing: Killing) -> None:
    for number in ROUNDS:
        killing.round(f"suite-{number}")
    assert killing.tally.killed == len(ROUNDS)
    assert killing.tally.killed_writing >= 2
    assert killing.tally.completed >= 1


def test_a_teardown_that_was_killed_goes_on_from_there(lab: Lab, killing: Killing) -> None:
    teardown = ("teardown", "--yes", "--output", "json")
    for number, after in enumerate((0.2, 1.5)):
        state = lab.cli.home / f"down-{number}"
        killing.complete(state)
        killing.run(teardown, state, Kill(after, str(state)))
        end = killing.run(teardown, state)
        assert end.code == 0, (killing.history, end.stdout, end.stderr)
        assert differences(killing.before, lab.world.everything()) == [], killing.history


def test_a_prune_that_was_killed_goes_on_from_there(lab: Lab, killing: Killing) -> None:
    state = lab.cli.home / "pruned"
    assert killing.run((*SETUP, "--env", "prod", "--extra-tag", "team=shop"), state).code == 0
    prune = (*SETUP, "--prune", "--exclude", "till-one-filter")
    for once in ('"function"', '"function_tags"'):
        killing.run(prune, state, Kill(0, str(state), once=once))
    end = killing.run(prune, state)
    assert end.code == 0, (killing.history, end.stdout, end.stderr)
    now = comparable(lab.world.everything())
    off = differences(killing.wanted, now)
    assert all("till-one-filter" in line for line in off), (off, killing.history)
    first = comparable(dict(killing.before))["us-east-1"]["functions"]["till-one-filter"]
    assert differences(first, now["us-east-1"]["functions"]["till-one-filter"]) == [], killing.history
    assert killing.run(("teardown", "--yes", "--output", "json"), state).code == 0
    assert differences(killing.before, lab.world.everything()) == [], killing.history


def test_killed_between_a_function_and_its_tags_setup_sets_the_tags(lab: Lab, killing: Killing) -> None:
    state = lab.cli.home / "between"
    lab.aws_fails(AwsFault("TagResources", drop=True, times=ALWAYS, access_key=lab.operator))
    end = killing.run(SETUP, state, Kill(0, str(state), once='"function_tags"'))
    lab.heal()
    assert end.killed, (end.code, end.stdout, end.stderr)
    killing.complete(state)
    killing.give_back(state)
