"""The Forwarder's stack as the official template makes it: a bucket that fills, and every right it takes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences
from tests.patience import until

pytestmark = pytest.mark.e2e

STACK = "datadog-forwarder"


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy")


def bucket_of(place: Place) -> str:
    outputs = place.world.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return next(str(o["OutputValue"]) for o in outputs if o["OutputKey"] == "ForwarderBucketName")


def keys_in(place: Place, bucket: str) -> list[str]:
    objects = place.world.client("s3").list_objects_v2(Bucket=bucket)
    return [each["Key"] for each in objects.get("Contents", [])]


def keys_after_traffic(place: Place, bucket: str) -> list[str]:
    """What is in the bucket after one more invocation: the first may come before its group is subscribed."""
    place.world.client("lambda").invoke(FunctionName="coffee-orders", Payload=b"{}")
    return keys_in(place, bucket)


def set_up(place: Place) -> None:
    done = place.cli("setup", "--all", "--yes", "--no-verify", "--output", "json")
    assert done.code == 0, done.stdout + done.stderr


def everything(place: Place) -> Any:
    """All but the log groups: those of functions that have run stay."""
    held = place.world.everything()
    for region in place.sandbox.regions:
        held[region] = {key: value for key, value in held[region].items() if key != "filters"}
    return held


def test_setup_traffic_undo_and_again_ends_as_it_began(shop: Place) -> None:
    before = everything(shop)
    for _ in range(2):
        set_up(shop)
        bucket = bucket_of(shop)
        assert keys_in(shop, bucket) == []
        assert until(partial(keys_after_traffic, shop, bucket)) == ["cache/datadog-forwarder_lambda.json"]
        undone = shop.cli("undo", "--yes", "--output", "json")
        assert undone.code == 0, undone.stdout + undone.stderr
        assert differences(before, everything(shop)) == []


def test_what_datadog_did_not_take_is_lost_only_when_told_so(shop: Place) -> None:
    before = everything(shop)
    set_up(shop)
    shop.world.client("s3").put_object(Bucket=bucket_of(shop), Key="failed_events/logs/1", Body=b"{}")
    undone = shop.cli("undo", "--yes", "--output", "json")
    assert undone.code == 5, undone.stderr
    [outcome] = undone.outcomes("stack").values()
    assert outcome["status"] == "failed"
    assert "--delete-failed-events" in outcome["fix"]
    assert shop.world.stacks() == {STACK: "CREATE_COMPLETE"}
    undone = shop.cli("undo", "--yes", "--delete-failed-events", "--output", "json")
    assert undone.code == 0, undone.stdout + undone.stderr
    assert differences(before, everything(shop)) == []


def test_a_deletion_that_failed_is_finished_by_the_next_setup(shop: Place) -> None:
    before = everything(shop)
    set_up(shop)
    shop.world.client("s3").put_object(Bucket=bucket_of(shop), Key="cache/x", Body=b"{}")
    stacks = shop.world.client("cloudformation")
    stacks.delete_stack(StackName=STACK)
    assert until(lambda: shop.world.stacks()[STACK] == "DELETE_FAILED")
    events = stacks.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = " ".join(e.get("ResourceStatusReason", "") for e in events)
    assert "The bucket you tried to delete is not empty" in reasons
    set_up(shop)
    assert shop.world.stacks() == {STACK: "CREATE_COMPLETE"}
    for _ in range(2):
        assert shop.cli("undo", "--yes").code == 0
    assert differences(before, everything(shop)) == []


def test_tags_of_the_stack_reach_its_bucket_and_take_the_right_to_tag_it(shop: Place) -> None:
    with shop.denying("s3:PutBucketTagging"):
        done = shop.cli("setup", "--all", "--yes", "--no-verify", "--output", "json")
    [outcome] = done.outcomes("stack").values()
    assert "s3:PutBucketTagging" in outcome["reason"]
    assert shop.cli("undo", "--yes").code == 0
