"""What AWS does on a normal day and an emulator does not: each switched on, with a whole run through it."""

from __future__ import annotations

import pytest

from ddsetup.sandbox.faults import (
    late_log_delivery,
    region_not_enabled,
    role_not_assumable_yet,
    role_not_seen_yet,
    secret_going,
    tag_index_lags,
)
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences
from tests.patience import until

pytestmark = pytest.mark.e2e

SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json")


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy", "failed", regions=("us-east-1", "eu-south-2"))


def test_a_region_that_is_not_enabled_is_left_out_and_names_still_free_come_back(shop: Place) -> None:
    before = shop.world.everything()
    role = "DatadogIntegrationRole"
    late = (role_not_seen_yet(role), role_not_assumable_yet(role), secret_going())
    with shop.aws_faults(region_not_enabled("eu-south-2"), *late):
        done = shop.cli(*SETUP, "--region", "us-east-1", "--region", "eu-south-2")
        assert done.code == 0, done.stdout + done.stderr
        skipped = [o for o in done.json["outcomes"] if o["resource"]["kind"] == "region"]
        assert [o["resource"]["id"] for o in skipped] == ["eu-south-2"]
        assert "not enabled" in skipped[0]["reason"]
        alone = shop.cli("plan", "--all", "--region", "eu-south-2", "--output", "json")
        assert alone.code == 2, alone.stderr
        assert "ListFunctions" not in alone.json["error"]["fix"]
    # Datadog tries again until it may assume the role, and then subscribes what is there.
    orders = "/aws/lambda/coffee-orders"
    assert until(lambda: shop.world.filters().get(orders))
    assert shop.cli("undo", "--yes").code == 0
    assert differences(before, shop.world.everything()) == []


def test_a_log_group_that_comes_back_when_its_stack_is_gone_is_replaced_by_the_next(shop: Place) -> None:
    before, group = shop.world.everything(), "/aws/lambda/datadog-forwarder"
    assert shop.cli(*SETUP, "--region", "us-east-1").code == 0
    with shop.aws_faults(late_log_delivery("datadog-forwarder", seconds=8)):
        assert shop.cli("undo", "--yes").code == 0
        assert until(lambda: group in shop.world.filters())
    kept = shop.cli(*SETUP, "--region", "us-east-1", "--no-replace-log-group")
    (refused,) = kept.outcomes("stack").values()
    assert refused["status"] == "skipped"
    assert "--replace-log-group" in refused["fix"]
    again = shop.cli(*SETUP, "--region", "us-east-1")
    assert again.code == 0, again.stdout + again.stderr
    assert again.outcomes("stack")["datadog-forwarder"]["status"] == "applied"
    for _ in range(2):
        assert shop.cli("undo", "--yes").code == 0
    assert differences(before, shop.world.everything()) == []


def test_an_undo_does_not_believe_an_index_of_tags_that_lags(shop: Place) -> None:
    before = shop.world.tags()
    shop.cli("plan", "--all", "--region", "us-east-1")
    with shop.aws_faults(tag_index_lags()):
        assert shop.cli(*SETUP, "--region", "us-east-1").code == 0
        assert shop.cli("undo", "--yes").code == 0
    assert shop.world.tags() == before


def test_a_region_that_there_is_not_is_told_before_anything_is_asked(shop: Place) -> None:
    done = shop.cli("plan", "--all", "--region", "us-east-16", "--output", "json")
    assert done.code == 2
    assert "us-east-1" in done.json["error"]["fix"]


def test_states_are_asked_for_where_aws_tells_them(shop: Place) -> None:
    listed = shop.world.client("lambda").list_functions()["Functions"]
    assert [f["FunctionName"] for f in listed if {"State", "LastUpdateStatus", "MasterArn"} & f.keys()] == []
    planned = shop.cli("plan", "--all", "--region", "us-east-1", "--output", "json")
    [skipped] = [
        s for s in planned.json["plan"]["skipped"] if s["resource"]["id"].endswith(":espresso-failed")
    ]
    assert "state Failed" in skipped["reason"]
    found = shop.cli("doctor", "--function", "espresso-failed", "--region", "us-east-1", "--output", "json")
    checks = {f["check"] for f in found.json["findings"] if f["resource"]["id"].endswith(":espresso-failed")}
    assert "function-ready" in checks
