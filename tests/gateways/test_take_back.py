"""Taking a Forwarder out of log collection: which subscription filters go with it, and which stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.apply.writers.triggers import take_back
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.model.account import Lane, LogGroup, Unreadable
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import LogCollectionState
from ddsetup.plan.steps.uninstrument import STEP as UNINSTRUMENT
from tests.builders import function, function_arn, state_machine
from tests.gateways.bench import ACCOUNT, KEYS, LANE, REGION, Bench, answer, aws, bench, change, moto_url
from tests.gateways.integrated import set_up
from tests.gateways.standin import running
from tests.gateways.test_writers import functions

__all__ = ["aws", "bench", "moto_url"]

GROUPS = ("/aws/lambda/orders", "/aws/lambda/payments", "/aws/vendedlogs/states/brew")
REGISTERED = LogCollectionState(sources=("lambda",))


@pytest.fixture
def both(bench: Bench) -> Iterator[Bench]:
    """AWS with two Forwarders and three log groups, and Datadog."""
    functions(bench, "ours", "theirs")
    for group in (*GROUPS, "/aws/lambda/nobodys"):
        bench.client("logs").create_log_group(logGroupName=group)
    bench.seen = seen()
    with running() as standin:
        bench.dd = Datadog.connect("datadoghq.eu", KEYS, standin.server.url, clock=bench.clock)
        set_up(bench)
        yield bench


def seen(**over: Any) -> LaneSnapshot:
    here = {"account": ACCOUNT, "region": REGION}
    named = [function(name, **here) for name in ("orders", "payments", "never-ran")]
    machine = state_machine("brew", level="ALL", group=GROUPS[2], **here)
    held: dict[str, Any] = {
        "functions": tuple(named),
        "services": {"state_machine": (machine,)},
        "log_groups": {name: LogGroup(name) for name in (*GROUPS, "/aws/lambda/nobodys")},
    }
    return LaneSnapshot(lane=LANE, **{**held, **over})


def arn_of(name: str) -> str:
    return function_arn(name, REGION, ACCOUNT)


def subscribe(bench: Bench, group: str, name: str, to: str) -> None:
    bench.client("logs").put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern="", destinationArn=arn_of(to)
    )


def automatic(group: str) -> str:
    return f"DD_LOG_SUBSCRIPTION_FILTER_{group}"


def filters(bench: Bench) -> dict[str, list[str]]:
    found = {}
    for group in (*GROUPS, "/aws/lambda/nobodys"):
        answered = bench.client("logs").describe_subscription_filters(logGroupName=group)
        found[group] = sorted(f["filterName"] for f in answered["subscriptionFilters"])
    return found


def take_out(bench: Bench) -> Any:
    before = replace(REGISTERED, lambdas=(arn_of("ours"),))
    put = change("log_collection", ACCOUNT, LogCollectionState(), before)
    assert bench.one(put).status == "applied"
    return bench.one(put.inverse())


def test_datadogs_filters_to_our_forwarder_go_and_all_others_stay(both: Bench) -> None:
    orders, payments, brew = GROUPS
    subscribe(both, orders, automatic(orders), "ours")
    subscribe(both, orders, "audit", "ours")
    subscribe(both, payments, automatic(payments), "theirs")
    subscribe(both, payments, automatic(orders), "ours")
    subscribe(both, brew, automatic(brew), "ours")
    subscribe(both, "/aws/lambda/nobodys", automatic("/aws/lambda/nobodys"), "ours")
    outcome = take_out(both)
    assert (outcome.status, outcome.reason) == ("applied", "")
    assert filters(both) == {
        orders: ["audit"],
        payments: sorted([automatic(payments), automatic(orders)]),
        brew: [],
        "/aws/lambda/nobodys": [automatic("/aws/lambda/nobodys")],
    }


def test_registering_a_forwarder_takes_no_filter_away(both: Bench) -> None:
    orders = GROUPS[0]
    subscribe(both, orders, automatic(orders), "ours")
    add = change(
        "log_collection", ACCOUNT, LogCollectionState(), replace(REGISTERED, lambdas=(arn_of("ours"),))
    )
    assert both.one(add).status == "applied"
    assert both.calls("logs:DescribeSubscriptionFilters") == 0
    assert filters(both)[orders] == [automatic(orders)]


def test_a_group_that_cannot_be_looked_at_is_named_and_the_others_are_cleared(both: Bench) -> None:
    orders = GROUPS[0]
    both.seen = seen(functions=(function("orders", account=ACCOUNT, region=REGION),), services={})
    subscribe(both, orders, automatic(orders), "ours")
    both.refuse(
        "logs:DescribeSubscriptionFilters",
        [answer(400, "AccessDeniedException", "not authorized to perform")],
    )
    outcome = take_out(both)
    assert outcome.status == "applied"
    assert outcome.reason.startswith(f"filters that Datadog made may be left: {orders}: ")
    assert "logs:DescribeSubscriptionFilters" in outcome.reason
    assert filters(both)[orders] == [automatic(orders)]


def test_a_filter_that_somebody_else_takes_away_meanwhile_is_no_fault(both: Bench) -> None:
    orders, payments, _ = GROUPS
    for group in (orders, payments):
        subscribe(both, group, automatic(group), "ours")
    both.refuse("logs:DeleteSubscriptionFilter", [answer(400, "ResourceNotFoundException", "not there")])
    outcome = take_out(both)
    assert (outcome.status, outcome.reason) == ("applied", "")
    assert sum(map(len, filters(both).values())) == 1


@pytest.mark.parametrize(
    ("lane", "over"),
    [
        (Lane("999999999999", REGION), {}),
        (Lane(ACCOUNT, "us-east-1"), {}),
        (LANE, {"functions": Unreadable("lambda:ListFunctions", "refused")}),
    ],
)
def test_log_groups_elsewhere_and_of_unknown_functions_are_not_asked_about(
    both: Bench, lane: Lane, over: dict[str, Any]
) -> None:
    held = replace(both.snapshot(), lanes={lane: replace(seen(**over), lane=lane)})
    assert isinstance(held, Snapshot)
    assert take_back(both.aws, held, ACCOUNT, {arn_of("ours")}) == ()
    assert both.calls("logs:DescribeSubscriptionFilters") == 0


def test_where_groups_cannot_be_listed_each_is_looked_at(both: Bench) -> None:
    orders = GROUPS[0]
    subscribe(both, orders, automatic(orders), "ours")
    both.seen = seen(log_groups=Unreadable("logs:DescribeLogGroups", "refused"))
    assert take_out(both).reason == ""
    assert filters(both)[orders] == []


@pytest.mark.parametrize(
    ("step", "groups", "looked_at"),
    [(UNINSTRUMENT, 20, 20), (UNINSTRUMENT, 21, 0), ("log_collection", 21, 21)],
)
def test_only_where_functions_alone_go_from_many_groups_datadog_clears_them_itself(
    both: Bench, step: str, groups: int, looked_at: int
) -> None:
    here = {"account": ACCOUNT, "region": REGION}
    many = tuple(function(f"f{number}", **here) for number in range(groups))
    held = {each.log_group: LogGroup(each.log_group) for each in many}
    both.seen = seen(functions=many, services={}, log_groups=held)
    put = change(
        "log_collection", ACCOUNT, LogCollectionState(), replace(REGISTERED, lambdas=(arn_of("ours"),))
    )
    assert both.one(put).status == "applied"
    assert both.one(replace(put.inverse(), step=step)).status == "applied"
    assert both.calls("logs:DescribeSubscriptionFilters") == looked_at
