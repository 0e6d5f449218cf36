"""Everything is taken down, as the account shows it; with the memory of runs to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.world import differences
from tests.patience import PATIENCE
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]

SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json", "--env", "prod")
DIRECT = ("--subscribe", "direct", "--on-conflict", "replace", "--create-log-groups")
TEARDOWN = ("teardown", "--yes", "--output", "json")


@pytest.fixture(scope="module")
def lab(open_lab: OpenLab) -> Lab:
    return open_lab("foreign-filters", "own-settings")


def test_it_leaves_nothing_and_can_be_given_back(lab: Lab, tmp_path: Path) -> None:
    before = lab.world.everything()
    assert lab.run(*SETUP, *DIRECT).code == 0
    down = lab.run(*TEARDOWN)
    assert (down.code, differences(before, lab.world.everything())) == (0, [])
    back = lab.run("undo", down.json["run"], "--yes", "--output", "json")
    assert back.code == 0
    assert "DD_LAMBDA_HANDLER" in lab.world.env_of("own-settings")
    # A machine that remembers nothing sees the same account, but not what was there before.
    elsewhere = lab.run(*TEARDOWN, DDSETUP_STATE_DIR=str(tmp_path))
    assert elsewhere.code == 0
    left = lab.world.everything()["us-east-1"]
    assert (left["stacks"], left["secrets"], lab.world.integrations()) == (
        before["us-east-1"]["stacks"],
        before["us-east-1"]["secrets"],
        before["integrations"],
    )
    assert lab.world.roles() == before["roles"]
    assert not any(
        name.startswith("DD_LAMBDA") or "Datadog" in str(f.get("Layers", ""))
        for f in left["functions"].values()
        for name in f.get("Environment", {}).get("Variables", {})
    )
