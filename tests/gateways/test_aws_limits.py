"""The pace of calls: buckets, their classes, and what throttling does to them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest

from benchmarks.front import Allowance
from ddsetup.facts.rates import given_rates
from ddsetup.gateways.aws.limits import Bucket, Limits
from ddsetup.model.account import Lane
from ddsetup.model.errors import GatewayError
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, Reply, ScriptedAws, connect, fault


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


def test_where_no_rate_is_published_a_seconds_worth_comes_at_once_and_no_more() -> None:
    time = FakeTime()
    bucket = Limits(time.clock).bucket("iam", "GetRole", "us-east-1")
    for _ in range(5):
        bucket.take()
    assert time.seconds == 0
    for _ in range(50):
        bucket.take()
    assert time.seconds == pytest.approx(10)
    time.seconds += 60
    for _ in range(6):
        bucket.take()
    assert time.seconds == pytest.approx(70.2), "a pause saves up one second's worth, however long it is"


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


@dataclass(frozen=True)
class Passed:
    """How long so many calls took, and how many AWS refused."""

    seconds: float
    refused: int


def passed(calls: int, rate: float, allowed: float, *, fixed: bool = False) -> Passed:
    """`calls` calls of a class of which `rate` is documented and `allowed` are let through a second.

    A second's worth may come at once, what is refused comes again, and answers take a tenth of a second.
    """
    time, front = FakeTime(), Allowance(allowed, at=0.0)
    bucket = Bucket(rate, time.clock, fixed=fixed)
    answers: deque[tuple[float, bool]] = deque()
    done = refused = 0
    while done < calls:
        bucket.take()
        answers.append((time.seconds, front.take(time.seconds)))
        while answers and answers[0][0] <= time.seconds - 0.1:
            if answers.popleft()[1]:
                done += 1
            else:
                refused += 1
                bucket.throttled()
    return Passed(time.seconds, refused)


@pytest.mark.parametrize("rate", [5, 15])
@pytest.mark.parametrize("calls", [200, 1_000, 5_000])
def test_a_faster_pace_is_tried_and_costs_nothing_where_aws_allows_none(rate: float, calls: int) -> None:
    found = passed(calls, rate, allowed=rate)
    assert found.seconds <= calls / rate + 0.2
    assert found.refused <= max(2, calls / 100)


def test_a_quota_that_was_raised_is_used_without_being_told_of() -> None:
    found = passed(5_000, 15, allowed=30)
    assert found.seconds <= 0.62 * 5_000 / 15
    assert found.refused <= 5_000 / 100


def test_a_rate_that_somebody_names_is_kept_to() -> None:
    assert passed(1_000, 30, allowed=60, fixed=True).seconds == pytest.approx(1_000 / 30, rel=0.02)
    limits = Limits(FakeTime().clock, rates=given_rates(("lambda=30", "logs:PutSubscriptionFilter=2")))
    assert limits.bucket("lambda", "UpdateFunctionConfiguration", "eu-west-1").rate == 30
    assert limits.bucket("lambda", "GetFunction", "eu-west-1").rate == 100
    assert limits.bucket("logs", "PutSubscriptionFilter", "eu-west-1").rate == 2


def test_what_was_gained_by_a_faster_pace_is_given_back_and_no_more() -> None:
    time = FakeTime()
    bucket = Bucket(10, time.clock)
    calls = 0
    while bucket.pace < 11:
        bucket.take()
        calls += 1
    bucket.throttled()
    assert bucket.pace == 10
    bucket.take()
    assert calls > 100
    assert time.seconds == pytest.approx(calls / 10), "as if the pace had been the documented one all along"


def test_only_a_refusal_that_says_so_slows_down(script: ScriptedAws) -> None:
    made = connect(script.url, FakeTime())
    bucket = made.limits.bucket("lambda", "GetAccountSettings", REGION)
    lane, rate = Lane(ACCOUNT, REGION), bucket.pace
    for answer, slower in (
        (Reply({}), False),
        (fault("ResourceNotFoundException", status=404), False),
        (fault("AccessDeniedException", status=403), False),
        (fault("TooManyRequestsException", status=429), True),
    ):
        script.script(answer, Reply({}))
        with suppress(GatewayError):
            made.call("lambda:GetAccountSettings", lane)
        assert (bucket.pace < rate) is slower, answer
