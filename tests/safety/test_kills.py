"""`kill -9` at random moments: nothing is lost, and both ways on are open (long: benchmarks/kills.py)."""

from __future__ import annotations

import pytest

from tests.safety.conftest import OpenLab
from tests.safety.killing import prepare

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
ROUNDS = 6


def test_killed_at_any_moment_setup_completes_or_undo_restores(open_lab: OpenLab) -> None:
    lab = open_lab("foreign-filters", "own-settings")
    killing = prepare(lab.nursery, lab.place)
    for number in range(ROUNDS):
        killing.round(f"suite-{number}")
    assert killing.tally.killed >= ROUNDS // 2
    assert killing.tally.killed_writing >= 2
    assert killing.tally.completed >= 1
