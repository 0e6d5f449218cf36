"""Two regions in one run, subscribed by ddsetup itself, taken out again function by function."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

REGIONS = ("us-east-1", "eu-west-1")
WHERE = ("--region", REGIONS[0], "--region", REGIONS[1])


@pytest.fixture(scope="module")
def lanes(open_place: OpenPlace) -> Place:
    return open_place("healthy", regions=REGIONS)


def test_two_regions_are_set_up_proven_and_given_back(lanes: Place) -> None:
    before = lanes.world.everything()
    chosen = (*WHERE, "--function", "coffee-orders", "--function", "coffee-payments")
    setup = ("setup", *chosen, "--subscribe", "direct", "--yes", "--output", "json")

    result = lanes.cli(*setup, "--invoke", "--wait", "120")

    assert result.code == 0, result.stderr
    signals = [signal for signal in result.json["signals"] if signal["status"] == "arrived"]
    proven = {(signal["function"], signal["region"]) for signal in signals if signal["function"]}
    assert proven == {(name, region) for name in ("coffee-orders", "coffee-payments") for region in REGIONS}
    carried = {s["region"] for s in signals if s["signal"] == "forwarder_metrics"}
    assert carried == set(REGIONS)
    for region in REGIONS:
        assert lanes.world.stacks(region) == {"datadog-forwarder": "CREATE_COMPLETE"}
        (made,) = lanes.world.filters(region)["/aws/lambda/coffee-orders"]
        forwarder = f"arn:aws:lambda:{region}:{lanes.sandbox.account}:function:datadog-forwarder"
        assert made["destinationArn"] == forwarder

    _uninstrumented_and_back(lanes)

    assert lanes.cli(*setup, "--dry-run").json["plan"]["changes"] == []
    undone = lanes.cli("undo", "--yes", "--output", "json")
    kept = {o["resource"]["kind"] for o in undone.json["outcomes"] if o["status"] == "failed"}
    assert undone.code == (5 if kept else 0), undone.stderr
    # Invocations have left logs, and log groups that hold logs are not deleted.
    assert kept <= {"log_group"}
    left = differences(before, lanes.world.everything())
    assert [line for line in left if "/filters//aws/lambda/" not in line] == []


def _uninstrumented_and_back(place: Place) -> None:
    """`uninstrument` leaves no trace in the functions, and its undo puts back what was there."""
    before = {region: place.world.functions(region) for region in REGIONS}
    taken_out = place.cli("uninstrument", *WHERE, "--function", "coffee-*", "--yes", "--output", "json")
    assert taken_out.code == 0, taken_out.stderr
    for region in REGIONS:
        orders = place.world.functions(region)["coffee-orders"]
        assert orders["Handler"] == "coffee.handler"
        assert "Layers" not in orders
        assert not [name for name in place.world.env_of("coffee-orders", region) if name.startswith("DD_")]
        assert place.world.filters(region)["/aws/lambda/coffee-orders"] == []
    assert place.cli("undo", "--yes").code == 0
    assert differences(before, {region: place.world.functions(region) for region in REGIONS}) == []
