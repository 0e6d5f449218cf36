"""Others change functions while ddsetup does: none of their writes is lost (long: benchmarks/competitor)."""

from __future__ import annotations

import pytest

from tests.patience import PATIENCE
from tests.safety.conftest import OpenLab
from tests.safety.contest import hold
from tests.safety.duel import fight


@pytest.mark.e2e
@pytest.mark.timeout(10 * PATIENCE)
def test_no_update_of_a_competitor_is_lost(open_lab: OpenLab) -> None:
    lab = open_lab("many", many=12)
    assert lab.run("setup", "--all", "--yes", "--no-verify", "--subscribe", "none").code == 0
    standing = hold(lab, writes=60, runs=2, pause=0.6)
    assert standing.errors == []
    assert standing.score.lost == []
    assert standing.outcomes["applied"] > 0
    assert standing.outcomes["changed_since"] > 0, "they never met"
    assert sum(standing.busy.values()) > 0, "those who share what they remember never excluded each other"


def test_no_update_is_lost_that_comes_between_a_look_and_a_write() -> None:
    result = fight(writes=400)
    assert result.score.lost == []
    assert result.score.writes >= 400
    assert result.outcomes["applied"] > 20
    assert result.outcomes["changed_since"] > 20
    assert set(result.outcomes) <= {"applied", "changed_since", "unchanged"}
