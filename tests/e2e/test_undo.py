"""Undo of runs that stand on each other, and of a part of a run."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenPlace
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

SETUP = ("setup", "--region", "us-east-1", "--subscribe", "none", "--no-verify", "--yes", "--output", "json")


def test_a_run_is_not_taken_away_from_under_later_ones(open_place: OpenPlace) -> None:
    place = open_place("healthy")
    before = place.world.everything()
    first = place.cli(*SETUP, "--function", "coffee-orders").json["run"]
    second = place.cli(*SETUP, "--function", "coffee-payments", "--function", "coffee-stock").json["run"]

    part = place.cli("undo", "--function", "coffee-stock", "--yes", "--output", "json")
    assert part.code == 0, part.stderr
    assert "DD_LAMBDA_HANDLER" not in place.world.env_of("coffee-stock", "us-east-1")
    assert "DD_LAMBDA_HANDLER" in place.world.env_of("coffee-payments", "us-east-1")

    refused = place.cli("undo", first, "--yes", "--output", "json")
    assert refused.code == 2
    assert second in refused.json["error"]["what"]
    assert f"ddsetup undo {first} --with-later" in refused.json["error"]["fix"]
    assert place.world.stacks("us-east-1") == {"datadog-forwarder": "CREATE_COMPLETE"}

    undone = place.cli("undo", first, "--with-later", "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert differences(before, place.world.everything()) == []
    states = {
        row["run"]: row["state"] for row in place.cli("undo", "--list", "-o", "json").json["data"]["runs"]
    }
    assert states[first] == states[second] == "given back"
