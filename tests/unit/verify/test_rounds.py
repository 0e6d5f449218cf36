"""Traffic for the proof: again while something is missing, at growing intervals, and only for those."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane
from ddsetup.model.change import Outcome
from ddsetup.model.clock import Clock
from ddsetup.model.errors import Denied
from ddsetup.verify.invoke_again import AFTER_SECONDS, Rounds, wait_for_subscriptions
from tests import builders as b
from tests.patience import PATIENCE

PAY, SHOP = b.function("pay"), b.function("shop")
OURS = {"filterName": "DD_LOG_SUBSCRIPTION_FILTER_/aws/lambda/pay", "destinationArn": "arn:x:function:any"}
FOREIGN = {"filterName": "archive", "destinationArn": "arn:aws:lambda:eu-west-1:1:function:archiver"}


@dataclass
class Time:
    """A clock that stands still until somebody sleeps or it is moved."""

    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=lambda: self.seconds, sleep=self.sleep)

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Account:
    """The answers of AWS that the rounds need."""

    filters: Callable[[], Sequence[Mapping[str, str]]] = lambda: ()
    invoked: list[str] = field(default_factory=list)

    def call(self, action: str, lane: Lane | None = None, /, **parameters: Any) -> Any:
        if action == "lambda:InvokeFunction":
            self.invoked.append(parameters["FunctionName"])
            return {"StatusCode": 200, "Payload": b"", "ResponseMetadata": {"RequestId": "1"}}
        raise AssertionError(action)

    def pages(self, action: str, lane: Lane | None, key: str, **parameters: Any) -> list[Any]:
        assert action == "logs:DescribeSubscriptionFilters"
        return [{"logGroupName": parameters["logGroupName"], **each} for each in self.filters()]


def shop() -> frozenset[str]:
    return frozenset({SHOP.arn})


def rounds(account: Account, time: Time, told: list[Outcome]) -> Rounds:
    return Rounds(cast(Aws, account), (PAY, SHOP), b"{}", time.clock(), told.extend)


def finished(of: Rounds) -> None:
    if of._running is not None:
        of._running.join(PATIENCE)


def test_functions_without_data_are_invoked_again_and_the_others_are_not() -> None:
    account, time = Account(), Time()
    told: list[Outcome] = []
    running = rounds(account, time, told)
    running.begin()
    assert sorted(account.invoked) == ["pay", "shop"]
    assert [outcome.status for outcome in told] == ["applied", "applied"]
    running.again(shop)
    assert len(account.invoked) == 2
    for after in AFTER_SECONDS:
        time.seconds = after
        running.again(shop)
        finished(running)
        running.again(shop)
        finished(running)
    time.seconds = 10_000
    running.again(shop)
    finished(running)
    assert account.invoked[2:] == ["shop"] * len(AFTER_SECONDS)


def test_nothing_is_invoked_once_everything_is_there() -> None:
    account, time = Account(), Time()
    running = rounds(account, time, [])
    running.begin()
    time.seconds = AFTER_SECONDS[0]
    running.again(frozenset)
    finished(running)
    assert len(account.invoked) == 2


def test_the_first_round_waits_for_the_subscription() -> None:
    time = Time()
    account = Account(filters=lambda: (FOREIGN, OURS) if time.seconds > 30 else (FOREIGN,))
    assert wait_for_subscriptions(cast(Aws, account), (PAY, SHOP), time.clock(), patience=300)
    assert 30 < time.seconds < 40


def test_but_not_for_ever() -> None:
    time = Time()
    account = Account(filters=lambda: (FOREIGN,))
    assert not wait_for_subscriptions(cast(Aws, account), (PAY,), time.clock(), patience=60)
    assert time.seconds == pytest.approx(60, abs=5)


def test_nor_for_a_log_group_that_is_full() -> None:
    time = Time()
    account = Account(filters=lambda: (FOREIGN, {**FOREIGN, "filterName": "audit"}))
    assert wait_for_subscriptions(cast(Aws, account), (PAY,), time.clock())
    assert time.seconds == 0


def test_and_not_at_all_where_filters_may_not_be_read() -> None:
    def denied() -> Sequence[Mapping[str, str]]:
        raise Denied("not authorized", action="logs:DescribeSubscriptionFilters")

    time = Time()
    assert not wait_for_subscriptions(cast(Aws, Account(filters=denied)), (PAY,), time.clock())
    assert time.seconds == 0
