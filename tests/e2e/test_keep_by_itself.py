"""It keeps itself so: a deployment is heard of, and put right by a build in the account."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.sandbox.deployments import deploy
from tests.e2e.conftest import OpenPlace, Place
from tests.patience import until

pytestmark = pytest.mark.e2e

STATE = "s3://ddsetup-state/prod"
RULE = ("--all", "--subscribe", "direct", "--env", "prod", "--state", STATE)


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    place = open_place("healthy", state="ddsetup-state")
    assert place.cli("state", "init", "--state", STATE, "--yes").code == 0
    done = place.cli("setup", *RULE, "--yes", "--no-verify")
    assert done.code == 0, done.stderr
    return place


def _ended(shop: Place) -> dict[str, Any] | None:
    """The keeper, once a run of it has ended."""
    told = shop.cli("keep", "status", "--state", STATE, "--output", "json")
    (keeper,) = told.json["data"]["keepers"]
    return None if keeper["ok"] is None else dict(keeper)


def _until_it_ran(shop: Place) -> dict[str, object]:
    """The newest run of the keeper, once it has ended."""
    keeper = until(lambda: _ended(shop), "a run of the keeper")
    assert keeper is not None
    assert keeper["ok"] is True, keeper
    return dict(keeper["runs"][0])


def test_a_deployment_is_put_right_by_the_account_itself(shop: Place) -> None:
    asked_too_early = shop.cli("keep", "install", *RULE[:-2], "--yes")
    assert (asked_too_early.code, "--state" in asked_too_early.stderr) == (2, True)
    events, datadogs = shop.world.client("events"), "datadog-agent-resource-update-rule-lambda"
    events.put_rule(Name=datadogs, EventPattern='{"source": ["aws.lambda"]}')
    fighting = shop.cli("keep", "install", *RULE, "--yes")
    assert (fighting.code, f"EventBridge rule {datadogs}" in fighting.stderr) == (1, True), fighting.stderr
    events.delete_rule(Name=datadogs)
    installed = shop.cli("keep", "install", *RULE, "--yes", "--output", "json")
    assert installed.code == 0, installed.stderr + installed.stdout
    (note,) = installed.json["data"]["notes"]
    assert "package index" in note
    assert "--package" in note
    planned = {change["resource"]["id"] for change in installed.json["plan"]["changes"]}
    assert planned == {"ddsetup/datadog-app-key", "ddsetup-keep"}, "the API key's secret is there"

    deploy(shop.sandbox, ["coffee-orders"])
    run = _until_it_ran(shop)
    assert shop.world.env_of("coffee-orders")["DD_ENV"] == "prod"
    assert (run["because"], run["status"], run["changed"]) == ("a deployment", "SUCCEEDED", 1)
    calm = shop.cli("keep", "check", *RULE, "--output", "json")
    assert (calm.code, calm.json["data"]["drift"]) == (0, []), calm.stdout
    # What the build itself changed woke it no second time.
    builds = shop.world.client("codebuild").list_builds_for_project(projectName="ddsetup-keep")["ids"]
    assert len(builds) == 1

    gone = shop.cli("keep", "uninstall", "--state", STATE, "--yes", "--output", "json")
    assert gone.code == 0, gone.stderr + gone.stdout
    assert shop.world.client("codebuild").list_projects()["projects"] == []
    names = [rule["Name"] for rule in shop.world.client("events").list_rules()["Rules"]]
    assert [name for name in names if name.startswith("ddsetup-keep")] == []
    assert shop.world.env_of("coffee-orders")["DD_ENV"] == "prod"
