"""The pace of calls: buckets, their classes, and what throttling does to them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ddsetup.gateways.aws.limits import Bucket, Limits
from tests.gateways.aws_stand import FakeTime


def test_calls_are_spaced_at_the_rate() -> None:
    time = FakeTime()
    bucket = Bucket(15, time.clock)
    for _ in range(151):
        bucket.take()
    assert time.seconds == pytest.approx(10)


def test_a_pause_saves_up_no_burst() -> None:
    time = FakeTime()
    bucket = Bucket(10, time.clock)
    bucket.take()
    time.seconds += 60
    bucket.take()
    before = time.seconds
    bucket.take()
    assert time.seconds - before == pytest.approx(0.1)


def test_threads_share_one_pace() -> None:
    time = FakeTime()
    bucket = Bucket(5, time.clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bucket.take(), range(40)))
    # Forty slots, a fifth of a second apart; sleeps of several threads add up on the fake clock.
    assert time.seconds >= 39 / 5 - 1e-6


def test_throttling_slows_down_once_a_second_and_recovers() -> None:
    time = FakeTime()
    bucket = Bucket(10, time.clock)
    for _ in range(20):
        bucket.throttled()
    assert bucket.pace == pytest.approx(7), "twenty refusals of one moment are one sign"
    for _ in range(40):
        bucket.take()
    assert bucket.pace == 10


def test_throttling_never_stops_the_bucket() -> None:
    time = FakeTime()
    bucket = Bucket(16, time.clock)
    for _ in range(50):
        time.seconds += 2
        bucket.throttled()
    assert bucket.pace == 2


@pytest.mark.parametrize(
    ("service", "one", "other", "shared"),
    [
        ("lambda", "ListFunctions", "UpdateFunctionConfiguration", True),
        ("lambda", "ListFunctions", "GetFunction", False),
        ("lambda", "ListFunctions", "GetPolicy", False),
        ("logs", "PutSubscriptionFilter", "DeleteSubscriptionFilter", False),
    ],
)
def test_operations_share_a_bucket_as_aws_documents(
    service: str, one: str, other: str, *, shared: bool
) -> None:
    limits = Limits(FakeTime().clock)
    first, second = (limits.bucket(service, operation, "eu-west-1") for operation in (one, other))
    assert (first is second) == shared


def test_every_region_has_buckets_of_its_own() -> None:
    limits = Limits(FakeTime().clock)
    here, there = (limits.bucket("lambda", "ListFunctions", region) for region in ("eu-west-1", "us-east-1"))
    assert here is not there
    assert here.rate == 15
