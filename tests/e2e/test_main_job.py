"""The main job: an untouched account, proven data, nothing left to do, everything given back."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy")


def test_setup_then_setup_again_then_undo(shop: Place) -> None:
    before = shop.world.everything()

    first = shop.cli("setup", "--all", "--yes", "--no-verify", "--output", "json")
    assert first.code == 0, first.stderr + first.stdout
    assert {o["status"] for o in first.outcomes().values()} == {"applied"}
    env = shop.world.env_of("coffee-orders")
    assert env["DD_FLUSH_TO_LOG"] == "true"
    assert shop.world.functions()["coffee-orders"]["Handler"] == "datadog_lambda.handler.handler"
    assert len(shop.world.integrations()) == 1

    writes, datadog_writes = len(shop.world.operator_writes()), len(shop.world.datadog_writes())
    second = shop.cli("setup", "--all", "--yes", "--no-verify", "--output", "json")
    assert second.code == 0, second.stderr
    assert second.json["plan"]["changes"] == []
    assert shop.world.operator_writes()[writes:] == []
    assert shop.world.datadog_writes()[datadog_writes:] == []
    assert {o["status"] for o in second.outcomes().values()} == {"unchanged"}

    undone = shop.cli("undo", "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert differences(before, shop.world.everything()) == []


def test_plan_writes_nothing_and_apply_refuses_what_has_moved(shop: Place) -> None:
    plan = shop.cli.home / "plan.json"
    writes = len(shop.world.operator_writes())
    planned = shop.cli("plan", "--all", "--out", str(plan), "--detailed-exitcode", "--output", "json")
    assert planned.code == 3, planned.stderr
    assert shop.world.operator_writes()[writes:] == []

    shop.world.client("lambda").update_function_configuration(
        FunctionName="coffee-stock", Environment={"Variables": {"MINE": "changed-by-somebody-else"}}
    )
    applied = shop.cli("apply", str(plan), "--yes", "--no-verify", "--output", "json")
    assert applied.code == 5, applied.stderr
    outcomes = applied.outcomes()
    assert outcomes["coffee-stock"]["status"] == "changed_since"
    assert outcomes["coffee-orders"]["status"] == "applied"
    assert shop.world.env_of("coffee-stock") == {"MINE": "changed-by-somebody-else"}
    assert shop.cli("undo", "--yes").code == 0
