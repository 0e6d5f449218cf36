"""A metric stream in place of polling: set up, proven by what comes through it, and given back."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.sandbox.traffic import traffic
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

STACK = "datadog-metric-stream"
CHOSEN = ("--all", "--metrics", "stream", "--output", "json")


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    return open_place("healthy", wishes={"metrics": "stream"})


def beside(place: Place) -> dict[str, Any]:
    """What a stream takes, besides what is looked at for every run."""
    client = place.world.client
    return {
        "buckets": {bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]},
        "streams": [each["Name"] for each in client("cloudwatch").list_metric_streams()["Entries"]],
        "deliveries": client("firehose").list_delivery_streams()["DeliveryStreamNames"],
    }


def came_by_stream(place: Place) -> int:
    """How many times Firehose brought metrics to Datadog."""
    rows = place.world.datadog_requests()
    return len([row for row in rows if row["path"] == "/api/v2/awsmetrics" and row["status"] == 200])


def test_a_stream_is_set_up_proven_and_given_back(place: Place) -> None:
    traffic(place.sandbox)  # a function's first run makes its log group, which stays
    before, besides = place.world.everything(), beside(place)

    result = place.cli("setup", *CHOSEN, "--yes", "--invoke")

    assert result.code == 0, result.stderr
    assert result.outcomes("stack")[STACK]["status"] == "applied"
    (stream,) = place.world.client("cloudwatch").list_metric_streams()["Entries"]
    assert (stream["Name"], stream["State"], stream["OutputFormat"]) == (STACK, "running", "opentelemetry1.0")
    proven = {s["function"]: s for s in result.json["signals"] if s["signal"] == "cloudwatch_metrics"}
    assert {signal["status"] for signal in proven.values()} == {"arrived"}
    assert came_by_stream(place) >= 1

    again = place.cli("plan", *CHOSEN, "--detailed-exitcode")
    assert again.code == 0, again.stdout
    reasons = {s["resource"]["id"]: s["reason"] for s in again.json["plan"]["skipped"]}
    assert reasons[STACK] == "streams AWS/Lambda to Datadog already"

    undone = place.cli("undo", "--yes")
    assert undone.code == 0, undone.stderr
    assert beside(place) == besides
    assert differences(before, place.world.everything()) == []
