"""A difficult account: every function is done, or left alone with its reason; what is foreign stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

SKIPPED = {
    "full-environment": "AWS allows less than 4096",
    "full-layers": "AWS allows 5",
    "other-vendor": "New Relic",
    "self-reference": "cannot start",
    "tea-image": "container image",
    "tea-python27": "retired",
    "vault-unreadable": "cannot be read",
}
LOGS_ONLY = {"tea-dotnet": "Extension", "tea-go": "nothing can be attached", "tea-java": "Extension"}
NEVER = {"DatadogLambdaLogForwarder": "Forwarder itself"}
FOREIGN = {"archive-orders", "security-audit", "datadog"}
SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json")


@pytest.fixture(scope="module")
def messy(open_place: OpenPlace) -> Place:
    return open_place("messy")


@pytest.fixture(scope="module")
def before(messy: Place) -> dict[str, Any]:
    return messy.world.everything()


def foreign_filters(place: Place) -> dict[str, list[Any]]:
    """The filters that somebody else made, by group, to the letter."""
    return {
        group: mine
        for group, filters in place.world.filters().items()
        if (mine := [f for f in filters if f["filterName"] in FOREIGN])
    }


def test_each_function_is_done_or_left_alone_with_its_reason(messy: Place, before: dict[str, Any]) -> None:
    result = messy.cli(*SETUP)
    assert result.code == 0, result.stderr
    outcomes = result.outcomes()
    assert set(outcomes) == set(before["us-east-1"]["functions"])
    for expected, status in ((SKIPPED, "skipped"), (LOGS_ONLY, "unchanged"), (NEVER, "unchanged")):
        for name, reason in expected.items():
            assert outcomes[name]["status"] == status, outcomes[name]
            assert reason in outcomes[name]["reason"]
    left = {*SKIPPED, *LOGS_ONLY, *NEVER}
    assert {name for name, o in outcomes.items() if o["status"] == "applied"} == set(outcomes) - left
    assert all(outcomes[name]["fix"] for name in SKIPPED)

    now = messy.world.functions()
    assert [n for n in left if differences(before["us-east-1"]["functions"][n], now[n])] == []
    own = messy.world.env_of("own-settings")
    assert (own["DD_SERVICE"], own["DD_ENV"], own["DD_LOG_LEVEL"]) == ("till", "staging", "debug")
    assert own["MENU_URL"] == "https://coffee.example/menu"
    assert messy.world.env_of("stale-handler")["DD_LAMBDA_HANDLER"] == "coffee.handler"


def test_foreign_filters_stay_until_the_user_says_otherwise_and_come_back(
    messy: Place, before: dict[str, Any]
) -> None:
    foreign = foreign_filters(messy)
    assert foreign == {group: filters for group, filters in before["us-east-1"]["filters"].items() if filters}
    replaced = messy.cli(*SETUP, "--on-conflict", "replace")
    assert replaced.code == 0, replaced.stderr
    gone = {o["resource"]["id"] for o in replaced.json["outcomes"] if o.get("action") == "delete"}
    assert gone == {
        "/aws/lambda/till-two-filters:archive-orders",
        "/aws/lambda/till-old-forwarder:datadog",
    }
    assert foreign_filters(messy) != foreign

    assert messy.cli("undo", "--yes").code == 0
    assert foreign_filters(messy) == foreign


def test_undo_gives_back_the_whole_account(messy: Place, before: dict[str, Any]) -> None:
    undone = messy.cli("undo", "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert differences(before, messy.world.everything()) == []
