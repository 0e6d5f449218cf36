"""A metric stream in place of polling: set up, proven by what comes through it, and given back."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from ddsetup.sandbox.traffic import traffic
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences

pytestmark = pytest.mark.e2e

T = TypeVar("T")
STACK = "datadog-metric-stream"
DELIVERIES = ("--only", "metric-stream-delivers", "--output", "json")
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


def a_refused_key_is_found_and_mended_as_told(place: Place) -> None:
    """Firehose takes everything all the same, and the metric stream runs on: only the doctor tells."""
    said = place.cli("doctor", *DELIVERIES)
    assert (said.code, said.json["findings"]) == (0, [])
    (told,) = place.world.client("firehose").describe_delivery_stream(DeliveryStreamName=STACK)[
        "DeliveryStreamDescription"
    ]["Destinations"]
    address = told["HttpEndpointDestinationDescription"]["EndpointConfiguration"]
    assert set(address) == {"Name", "Url"}, "the key is never described"
    set_again(place, {**address, "AccessKey": "0" * 32})
    traffic(place.sandbox)

    found = eventually(lambda: place.cli("doctor", *DELIVERIES).json["findings"])

    assert (found[0]["check"], found[0]["severity"]) == ("metric-stream-delivers", "error")
    assert found[0]["what"].startswith("Datadog refuses its API key with 403; ")
    assert "what failed is kept in the bucket datadog-metric-stream" in found[0]["fix"]
    words = shlex.split(found[0]["command"])
    given = dict(zip(words[3::2], words[4::2], strict=True))
    fields = given["--http-endpoint-destination-update"].partition("={")[2].rstrip("}").split(",")
    endpoint = dict(each.split("=", 1) for each in fields)
    assert endpoint.pop("AccessKey") == "$DD_API_KEY"
    assert endpoint == address
    before = came_by_stream(place)
    set_again(place, {**endpoint, "AccessKey": place.sandbox.api_key})
    traffic(place.sandbox)
    eventually(lambda: came_by_stream(place) > before)


def set_again(place: Place, endpoint: dict[str, str]) -> None:
    firehose = place.world.client("firehose")
    there = firehose.describe_delivery_stream(DeliveryStreamName=STACK)["DeliveryStreamDescription"]
    firehose.update_destination(
        DeliveryStreamName=STACK,
        CurrentDeliveryStreamVersionId=there["VersionId"],
        DestinationId=there["Destinations"][0]["DestinationId"],
        HttpEndpointDestinationUpdate={"EndpointConfiguration": endpoint},
    )


def eventually(look: Callable[[], T]) -> T:
    """What is to be found once Firehose has handed on what it holds."""
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("nothing was found")


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

    a_refused_key_is_found_and_mended_as_told(place)

    undone = place.cli("undo", "--yes")
    assert undone.code == 0, undone.stderr
    assert beside(place) == besides
    assert differences(before, place.world.everything()) == []
