"""Firehose cannot bring to Datadog what it is given: only the doctor tells, and its command helps."""

from __future__ import annotations

import shlex

import pytest

from ddsetup.sandbox.traffic import traffic
from tests.e2e.conftest import OpenPlace, Place
from tests.patience import until

pytestmark = pytest.mark.e2e

LOOK = ("doctor", "--only", "log-stream-delivers", "--output", "json")


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    return open_place("failing-delivery")


def test_a_key_that_was_revoked_is_told_and_mended_as_told(place: Place) -> None:
    before = place.cli(*LOOK)
    assert (before.code, before.json["findings"]) == (0, []), "nothing was delivered yet"
    traffic(place.sandbox)

    (found,) = until(lambda: place.cli(*LOOK).json["findings"], "a finding")

    assert found["severity"] == "error"
    assert found["what"].startswith("Datadog refuses its API key with 403; none of its requests")
    assert "what failed is kept in the bucket datadog-logs-failed-" in found["fix"]
    as_typed(place, found["command"])
    traffic(place.sandbox)
    until(lambda: 200 in came_by_firehose(place), "what Datadog takes")
    assert 403 in came_by_firehose(place)


def as_typed(place: Place, command: str) -> None:
    """What AWS's command line makes of the words."""
    aws, service, verb, *words = shlex.split(command)
    assert (aws, service, verb) == ("aws", "firehose", "update-destination")
    given = dict(zip(words[::2], words[1::2], strict=True))
    outer, _, inner = given["--http-endpoint-destination-update"].partition("={")
    endpoint = dict(field.split("=", 1) for field in inner.removesuffix("}").split(","))
    assert (outer, endpoint.pop("AccessKey")) == ("EndpointConfiguration", "$DD_API_KEY")
    firehose = place.world.client("firehose")
    stream = given["--delivery-stream-name"]
    described = firehose.describe_delivery_stream(DeliveryStreamName=stream)["DeliveryStreamDescription"]
    (destination,) = described["Destinations"]
    told = destination["HttpEndpointDestinationDescription"]["EndpointConfiguration"]
    assert told == endpoint, "the same endpoint, and the key is never described"
    firehose.update_destination(
        DeliveryStreamName=stream,
        CurrentDeliveryStreamVersionId=given["--current-delivery-stream-version-id"],
        DestinationId=given["--destination-id"],
        HttpEndpointDestinationUpdate={
            "EndpointConfiguration": {**endpoint, "AccessKey": place.sandbox.api_key}
        },
    )


def came_by_firehose(place: Place) -> set[int]:
    return {int(row["status"]) for row in place.world.datadog_requests() if row["path"] == "/v1/input"}
