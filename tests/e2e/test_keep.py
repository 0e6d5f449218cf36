"""What was set up stays so: drift is noticed, told who it was, put right, and given back."""

from __future__ import annotations

import json

import pytest

from ddsetup.sandbox.deployments import deploy
from tests.e2e.conftest import OpenPlace, Place

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    """Set up with filters of ddsetup's own, which nobody puts back by himself."""
    place = open_place("healthy")
    done = place.cli("setup", "--all", "--subscribe", "direct", "--env", "prod", "--yes", "--no-verify")
    assert done.code == 0, done.stderr
    return place


def test_a_deployment_that_takes_datadog_out_is_noticed_and_put_right(shop: Place) -> None:
    rule = ("--all", "--subscribe", "direct", "--env", "prod")
    calm = shop.cli("keep", "check", *rule, "--output", "json")
    assert (calm.code, calm.json["data"]["drift"]) == (0, []), calm.stderr
    deploy(shop.sandbox, ["coffee-orders", "coffee-new"])
    group = "/aws/lambda/coffee-stock"
    held = shop.world.client("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    shop.world.client("logs").delete_subscription_filter(logGroupName=group, filterName=held[0]["filterName"])

    told = shop.cli("keep", "check", *rule, "--sarif", "drift.sarif", "--output", "json")
    assert told.code == 3, told.stderr
    found = {each["resource"]: each for each in told.json["data"]["drift"]}
    assert [each["kind"] for each in told.json["data"]["drift"]] == ["lost", "new", "filter"]
    lost = found["function coffee-orders (us-east-1)"]
    assert lost["by"]["who"] == "assumed-role/coffee-pipeline/deploy-4711"
    rules = json.loads((shop.cli.home / "drift.sarif").read_text())["runs"][0]["results"]
    assert {each["ruleId"] for each in rules} == {"drift-lost", "drift-new", "drift-filter"}

    mended = shop.cli("keep", "apply", *rule, "--yes", "--output", "json")
    assert mended.code == 0, mended.stderr + mended.stdout
    assert set(mended.outcomes()) == {"coffee-orders", "coffee-new", "coffee-stock"}
    assert shop.world.env_of("coffee-orders")["DD_ENV"] == "prod"
    again = shop.cli("keep", "check", *rule, "--output", "json")
    assert (again.code, again.json["data"]["drift"]) == (0, []), again.stdout

    assert shop.cli("undo", "--yes").code == 0
    back = shop.cli("keep", "check", *rule, "--output", "json").json["data"]["drift"]
    assert {each["kind"] for each in back} >= {"lost", "new"}


def test_a_rule_that_names_state_machines_and_stages_of_apis_can_be_kept(open_place: OpenPlace) -> None:
    place = open_place("services")
    rule = ("--all", "--state-machine", "brewing", "--api-stage", "all", "--env", "prod")
    done = place.cli("setup", *rule, "--yes", "--no-verify")
    assert done.code == 0, done.stderr
    calm = place.cli("keep", "check", *rule, "--output", "json")
    assert (calm.code, calm.json["data"]["drift"], calm.json["data"]["notes"]) == (0, [], []), calm.stderr
    unknown = place.cli("keep", "check", *rule, "--state-machine", "nonsense")
    assert (unknown.code, "matches no state machine" in unknown.stderr) == (2, True)
