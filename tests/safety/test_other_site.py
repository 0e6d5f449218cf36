"""From one Datadog site to another, in one setup: nothing double, nothing left; and back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ddsetup.sandbox import standin
from ddsetup.sandbox.model import OPERATOR, Sandbox, SandboxOptions
from tests.e2e.conftest import Result
from tests.e2e.world import World, comparable, differences, operator_policy
from tests.guard import GUARD
from tests.patience import PATIENCE, until
from tests.safety.conftest import Lab, OpenLab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(10 * PATIENCE)]

HOME, AWAY = "datadoghq.com", "datadoghq.eu"
SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json")
TEARDOWN = ("teardown", "--yes", "--output", "json")


@dataclass(frozen=True)
class Move:
    """One AWS account, and an organisation on each of two sites."""

    lab: Lab
    away: Sandbox

    def run(self, *arguments: str, site: str = AWAY) -> Result:
        there = self.away.env() if site == AWAY else {}
        return self.lab.run(*arguments, **there)

    @property
    def organisation(self) -> Any:
        """What the organisation on the other site knows of AWS accounts."""
        return World(self.away).integrations()

    def secret_of(self, arn: str) -> str:
        client = self.lab.world.client("secretsmanager")
        return str(client.get_secret_value(SecretId=arn)["SecretString"])


@pytest.fixture(scope="module")
def move(open_lab: OpenLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Move]:
    lab = open_lab("own-settings", via="extension")
    both = json.dumps(operator_policy(("us-east-1",), "forwarder"))
    lab.world.client("iam").put_user_policy(UserName=OPERATOR, PolicyName="more", PolicyDocument=both)
    place = lab.place.sandbox
    keys = secrets.token_hex(16), secrets.token_hex(20)
    GUARD.plant(*keys)
    access = standin.Access(place.aws_endpoint_url, *keys, place.account)
    options = SandboxOptions({}, site=AWAY)
    datadog = standin.start(tmp_path_factory.mktemp("away"), options, access, ())
    away = replace(place, datadog_url=datadog.url, api_key=keys[0], app_key=keys[1], site=AWAY)
    try:
        yield Move(lab, away)
    finally:
        datadog.child.stop()


def subscribed(move: Move) -> bool:
    return bool(move.lab.world.filters()["/aws/lambda/own-settings"])


@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_all_of_it_moves_in_one_setup_and_comes_back(move: Move, via: str) -> None:
    world, setup = move.lab.world, (*SETUP, "--via", via)
    before = world.everything()
    assert move.run(*setup, site=HOME).code == 0
    if via == "forwarder":
        until(lambda: subscribed(move), "Datadog's own filter")
    at_home = world.everything()

    moved = move.run(*setup, "--prune")
    print(moved.stderr)
    assert moved.code == 0
    sender = world.env_of("datadog-forwarder" if via == "forwarder" else "own-settings")
    arn = sender["DD_API_KEY_SECRET_ARN"]
    assert (sender["DD_SITE"], move.secret_of(arn)) == (AWAY, move.away.api_key)
    assert world.secrets() == [f"ddsetup/datadog-api-key/{AWAY}"], "nothing is left"
    assert (len(world.stacks()), world.filters()) == (
        len(at_home["us-east-1"]["stacks"]),
        at_home["us-east-1"]["filters"],
    )
    [record] = move.organisation
    assert record["attributes"]["logs_config"]["lambda_forwarder"]["lambdas"] == (
        [world.functions()["datadog-forwarder"]["FunctionArn"]] if via == "forwarder" else []
    )
    said = " ".join(moved.json["plan"]["warnings"])
    assert f"teardown --site {HOME} --keep functions --keep role" in said
    again = move.run("plan", *setup[1:2], *setup[4:], "--prune", "--detailed-exitcode")
    assert (again.code, again.json["plan"]["warnings"]) == (0, [])

    back = move.run("undo", moved.json["run"], "--yes")
    assert (back.code, move.organisation) == (0, []), back.stderr
    came = comparable(world.everything())
    came["us-east-1"]["stacks"] = at_home["us-east-1"]["stacks"]  # of an update that was taken back
    assert differences(comparable(at_home), came) == []
    assert move.run("undo", "--yes", site=HOME).code == 0
    assert differences(before, world.everything()) == []


def test_the_former_organisation_forgets_the_account_with_its_own_keys(move: Move) -> None:
    world = move.lab.world
    before = world.everything()
    assert move.run(*SETUP, site=HOME).code == 0
    assert move.run(*SETUP).code == 0
    until(lambda: subscribed(move), "Datadog's own filter")
    there = world.everything()
    left = move.run(*TEARDOWN, "--keep", "functions", "--keep", "role", site=HOME)
    assert (left.code, world.integrations()) == (0, before["integrations"])
    assert differences({**there, "integrations": []}, world.everything()) == []
    assert move.run(*TEARDOWN).code == 0
    assert (differences(before, world.everything()), move.organisation) == ([], [])
