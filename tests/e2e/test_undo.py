"""Undo of runs that stand on each other, of a part of a run, and on what somebody did since."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Cli, OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

SETUP = ("setup", "--region", "us-east-1", "--subscribe", "none", "--no-verify", "--yes", "--output", "json")


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    return open_place("healthy")


def states(cli: Cli) -> dict[str, str]:
    rows = cli("undo", "--list", "--output", "json").json["data"]["runs"]
    return {row["run"]: row["state"] for row in rows}


def test_a_run_is_not_taken_away_from_under_later_ones(place: Place) -> None:
    before = place.world.everything()
    first = place.cli(*SETUP, "--function", "coffee-orders").json["run"]
    second = place.cli(*SETUP, "--function", "coffee-payments", "--function", "coffee-stock").json["run"]

    part = place.cli("undo", "--function", "coffee-stock", "--yes", "--output", "json")
    assert part.code == 0, part.stderr
    assert "DD_LAMBDA_HANDLER" not in place.world.env_of("coffee-stock", "us-east-1")
    assert "DD_LAMBDA_HANDLER" in place.world.env_of("coffee-payments", "us-east-1")
    assert states(place.cli)[second] == "in force in part"

    refused = place.cli("undo", first, "--yes", "--output", "json")
    assert refused.code == 2
    assert second in refused.json["error"]["what"]
    assert f"ddsetup undo {first} --with-later" in refused.json["error"]["fix"]
    assert place.world.stacks("us-east-1") == {"datadog-forwarder": "CREATE_COMPLETE"}

    undone = place.cli("undo", first, "--with-later", "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert differences(before, place.world.everything()) == []
    assert states(place.cli)[first] == states(place.cli)[second] == "given back"


def test_nor_from_under_what_another_machine_set_up(place: Place, tmp_path: Path) -> None:
    """Nothing here knows of that run: only the account tells."""
    before = place.world.everything()
    first = place.cli(*SETUP, "--function", "coffee-orders").json["run"]
    other = place.new_cli(tmp_path / "other")
    second = other(*SETUP, "--function", "coffee-payments").json["run"]

    refused = place.cli("undo", first, "--yes", "--output", "json")
    assert refused.code == 2
    assert "coffee-payments" in refused.json["error"]["what"]
    assert f"ddsetup undo {first} --keep-shared" in refused.json["error"]["fix"]
    looked = place.cli("undo", first, "--dry-run", "--output", "json")
    assert looked.code == 0
    assert any("coffee-payments" in warning for warning in looked.json["plan"]["warnings"])

    rest = place.cli("undo", first, "--keep-shared", "--yes", "--output", "json")
    assert rest.code == 0, rest.stderr
    assert "DD_LAMBDA_HANDLER" not in place.world.env_of("coffee-orders", "us-east-1")
    assert place.world.stacks("us-east-1") == {"datadog-forwarder": "CREATE_COMPLETE"}
    assert [o["reason"] for o in rest.outcomes("stack").values()] == [
        "it stays, as it is relied on by function coffee-payments"
    ]
    assert states(place.cli)[first] == "in force in part"

    for cli, run in ((other, second), (place.cli, first)):
        assert cli("undo", run, "--yes").code == 0
    assert differences(before, place.world.everything()) == []


def test_what_was_changed_since_keeps_its_mark_and_its_forwarder(place: Place) -> None:
    before = place.world.everything()
    run = place.cli(*SETUP, "--function", "coffee-orders", "--function", "coffee-stock").json["run"]
    client = place.world.client("lambda", "us-east-1")
    changed = place.world.functions("us-east-1")["coffee-orders"]
    client.update_function_configuration(FunctionName="coffee-orders", Handler="other.handler")

    looked = place.cli("undo", "--dry-run", "--output", "json")
    assert "coffee-orders" not in [c["resource"]["id"].split(":")[-1] for c in looked.json["plan"]["changes"]]
    partly = place.cli("undo", "--yes", "--output", "json")
    assert partly.code == 5, partly.stderr
    assert partly.outcomes()["coffee-orders"]["status"] == "changed_since"
    assert "dd_ddsetup" in place.world.tags("us-east-1")[changed["FunctionArn"]]
    assert place.world.stacks("us-east-1") == {"datadog-forwarder": "CREATE_COMPLETE"}
    assert "DD_LAMBDA_HANDLER" not in place.world.env_of("coffee-stock", "us-east-1")

    # Once it is as it was left, or gone, all of it can be given back.
    client.update_function_configuration(FunctionName="coffee-orders", Handler=changed["Handler"])
    assert place.cli("undo", run, "--yes").code == 0
    assert differences(before, place.world.everything()) == []
