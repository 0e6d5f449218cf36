"""Functions that are left alone, and aliases that are moved along: through the command, in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import OpenPlace, Place

pytestmark = pytest.mark.e2e

SETUP = ("setup", "--all", "--yes", "--no-verify", "--publish", "--output", "json")
LEFT = {
    "at-the-edge": "edgelambda.amazonaws.com",
    "copied-to-the-edge": "replicator.lambda",
    "by-integration": "AWS integration",
    "by-remote": "remote instrumentation",
}


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    return open_place("alias", "edge", "datadog-owned")


def served(place: Place) -> dict[str, Any]:
    """What the alias serves: its version, and that version's configuration."""
    functions = place.world.client("lambda")
    alias = functions.get_alias(FunctionName="served-by-alias", Name="live")
    version = alias["FunctionVersion"]
    answer = functions.get_function(FunctionName="served-by-alias", Qualifier=version)
    return {"version": version, "handler": answer["Configuration"]["Handler"]}


def test_what_is_owned_at_the_edge_or_by_datadog_stays_and_the_alias_moves_and_comes_back(
    place: Place,
) -> None:
    before, first = place.world.functions(), served(place)
    result = place.cli(*SETUP)
    assert result.code == 0, result.stderr
    outcomes = result.outcomes()
    for name, why in LEFT.items():
        assert outcomes[name]["status"] == "skipped"
        assert why in outcomes[name]["reason"]
        assert place.world.functions()[name] == before[name]
    assert outcomes["edge-role-only"]["status"] == "applied"
    assert any("datadog-agent-resource-update-rule-lambda" in w for w in result.json["plan"]["warnings"])

    assert result.outcomes("alias")["live"]["status"] == "applied"
    now = served(place)
    assert now["version"] != first["version"]
    assert now["handler"] == "datadog_lambda.handler.handler"

    again = place.cli(*SETUP)
    assert not [o for o in again.outcomes("alias").values() if o["status"] == "applied"]

    undone = place.cli("undo", result.json["run"], "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert served(place) == first
