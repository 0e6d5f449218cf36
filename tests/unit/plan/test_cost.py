"""What a plan costs in quantities: how data flows before and after it, times what CloudWatch counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.filters import AUTOMATIC_PREFIX
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers, Tracing
from ddsetup.model.change import Change
from ddsetup.model.cost import Amount, Cost, Traffic
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import LogCollectionState
from ddsetup.plan.cost import MOST_BEYOND, cost, wanted
from ddsetup.plan.flows import Flows, flows
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.whole import make_plan
from tests import builders as b

WEEKS = 30 / 7
PAY, STOCK, IDLE = (b.function(name, log_group=f"/aws/lambda/{name}") for name in ("pay", "stock", "idle"))
EVERY = (PAY, STOCK, IDLE)
OLD = b.function_arn("old-forwarder")
OURS = b.forwarder()
DIRECT = b.answers(subscribe="direct")


def traffic(functions: tuple[Function, ...] = EVERY) -> Traffic:
    """A function has 700 invocations in seven hours of a week, 7 GB of logs and 2,100 lines."""
    groups = [(f.lane, f.log_group) for f in functions]
    return Traffic(
        invocations={f.arn: 700.0 for f in functions},
        hours={f.arn: 7 for f in functions},
        log_bytes=dict.fromkeys(groups, 7e9),
        log_events=dict.fromkeys(groups, 2100.0),
    )


def found(
    snapshot: Snapshot,
    answers: Answers,
    chosen: tuple[Function, ...] = (PAY,),
    counted: Traffic | None = None,
) -> Cost:
    moving = flows(snapshot, answers, chosen, make_plan(snapshot, answers, chosen))
    return cost(moving, counted or traffic(), answers)


def amounts(told: Cost) -> Mapping[str, tuple[Amount, Amount]]:
    return {each.name: (each.now, each.after) for each in told.quantities}


def lanes(*functions: Function, **over: Any) -> Snapshot:
    return b.snapshot(b.lane_snapshot(*(functions or EVERY), **over))


def registered(lane: Any) -> Snapshot:
    there = b.integration(lambdas=(OURS.arn,), sources=("lambda",))
    return b.snapshot(lane, accounts=[b.account_snapshot(integration=there, role=b.role())])


INSTRUMENTED = b.function(
    "pay",
    log_group="/aws/lambda/pay",
    handler="datadog_lambda.handler.handler",
    layers=b.function("x").layers,
    env={"DD_LAMBDA_HANDLER": "app.handler", "DD_TRACE_SAMPLE_RATE": "0.5"},
)
TO_OLD = b.subscription_filter(PAY.log_group, "datadog-ci-filter", OLD)
FOREIGN = b.subscription_filter(PAY.log_group, "audit", "arn:aws:kinesis:eu-west-1:1:stream/audit")


@pytest.mark.parametrize(
    ("snapshot", "answers", "name", "now", "after"),
    [
        pytest.param(lanes(), DIRECT, "logs_gb", Amount(0), Amount(7 * WEEKS), id="a filter is put"),
        pytest.param(lanes(), DIRECT, "log_events", Amount(0), Amount(2100 * WEEKS), id="and its lines"),
        pytest.param(
            lanes(), DIRECT, "spans", Amount(0), Amount(700 * WEEKS, at_least=True), id="each is traced"
        ),
        pytest.param(lanes(), DIRECT, "functions", Amount(0), Amount(7 / 168), id="seven hours of a week"),
        pytest.param(
            lanes(), DIRECT, "forwarder_invocations", Amount(0), Amount(700 * WEEKS), id="it is called"
        ),
        pytest.param(lanes(), DIRECT, "custom_metrics", Amount(None), Amount(None), id="the code decides"),
        pytest.param(
            lanes(),
            b.answers(subscribe="direct", tracing=Tracing(sample_rate="0.1")),
            "spans",
            Amount(0),
            Amount(70 * WEEKS, at_least=True),
            id="one in ten is traced",
        ),
        pytest.param(
            lanes(), b.answers(subscribe="direct", traces=False), "spans", Amount(0), Amount(0), id="none is"
        ),
        pytest.param(
            lanes(INSTRUMENTED),
            b.answers(subscribe="none", logs=False),
            "spans",
            Amount(350 * WEEKS, at_least=True),
            Amount(350 * WEEKS, at_least=True),
            id="half of them already",
        ),
        pytest.param(
            lanes(filters={PAY.log_group: (TO_OLD,)}),
            b.answers(subscribe="direct", on_conflict="add"),
            "logs_gb",
            Amount(7 * WEEKS),
            Amount(14 * WEEKS),
            id="a second copy",
        ),
        pytest.param(
            lanes(filters={PAY.log_group: (TO_OLD,)}),
            b.answers(subscribe="direct", on_conflict="replace"),
            "logs_gb",
            Amount(7 * WEEKS),
            Amount(7 * WEEKS),
            id="one in place of another",
        ),
        pytest.param(
            lanes(filters={PAY.log_group: (FOREIGN,)}),
            DIRECT,
            "logs_gb",
            Amount(0),
            Amount(7 * WEEKS),
            id="what goes elsewhere is not Datadog's",
        ),
        pytest.param(
            lanes(), b.answers(via="extension"), "logs_gb", Amount(0), Amount(7 * WEEKS), id="the Extension's"
        ),
        pytest.param(
            lanes(),
            b.answers(via="extension"),
            "forwarder_invocations",
            Amount(0),
            Amount(0),
            id="which needs no Forwarder",
        ),
        pytest.param(
            lanes(log_groups={}, filters={}), DIRECT, "logs_gb", Amount(0), Amount(0), id="it never ran"
        ),
        pytest.param(
            lanes(), b.answers(subscribe="direct", logs=False), "logs_gb", Amount(0), Amount(0), id="no logs"
        ),
        pytest.param(
            lanes(filters={PAY.log_group: Unreadable("logs:DescribeSubscriptionFilters", "denied")}),
            b.answers(),
            "logs_gb",
            Amount(None),
            Amount(3 * 7 * WEEKS, at_least=True),
            id="what was not read is at least once",
        ),
        pytest.param(
            registered(b.lane_snapshot(*EVERY, forwarders=(OURS,), filters={})),
            b.answers(),
            "logs_gb",
            Amount(2 * 7 * WEEKS, at_least=True),
            Amount(3 * 7 * WEEKS, at_least=True),
            id="Datadog subscribed the others before",
        ),
    ],
)
def test_quantities_before_and_after(
    snapshot: Snapshot, answers: Answers, name: str, now: Amount, after: Amount
) -> None:
    chosen = tuple(f for f in snapshot.functions() if f.name == "pay")
    told = amounts(found(snapshot, answers, chosen))[name]
    for is_, wanted_ in zip(told, (now, after), strict=True):
        assert is_.at_least == wanted_.at_least
        assert is_.value == (None if wanted_.value is None else pytest.approx(wanted_.value))


def test_what_datadog_subscribes_beside_the_chosen_functions_is_told_with_the_way_to_less() -> None:
    told = found(lanes(), b.answers())
    assert told.automatic == ("/aws/lambda/idle", "/aws/lambda/stock")
    assert told.automatic_gb == pytest.approx(2 * 7 * WEEKS)
    assert told.doubled == ()
    offers = {offer.option: offer.saves for offer in told.offers}
    assert offers["--subscribe direct"] == "2 log groups, 60.0 GB a month"
    assert found(lanes(), DIRECT).automatic == ()
    everything = found(lanes(), b.answers(), EVERY)
    assert everything.automatic == ()


def test_a_policy_of_the_account_leads_everything_on_once_more() -> None:
    snapshot = lanes(
        log_groups={name: b.log_group(name) for name in (PAY.log_group, "/audit")},
        filters={PAY.log_group: (TO_OLD,)},
    )
    told = found(snapshot, b.answers(subscribe="account", on_conflict="add"))
    assert told.automatic == ("/audit",)
    assert told.doubled == (PAY.log_group,)


def test_filters_that_datadog_takes_out_itself_lead_nothing_on() -> None:
    theirs = b.subscription_filter(PAY.log_group, f"{AUTOMATIC_PREFIX}{PAY.log_group}", OURS.arn)
    snapshot = registered(b.lane_snapshot(PAY, forwarders=(OURS,), filters={PAY.log_group: (theirs,)}))
    ours = LogCollectionState(lambdas=(OURS.arn,))
    record = Change(step="collection", resource=collection_id(b.ACCOUNT), before=None, after=ours, why="")
    told = found(replace(snapshot, applied={record.resource: record}), b.answers(via="extension"))
    assert told.doubled == ()
    assert amounts(told)["logs_gb"] == (Amount(7 * WEEKS), Amount(7 * WEEKS))


def test_what_arrives_twice_is_named() -> None:
    doubled = found(
        lanes(filters={PAY.log_group: (TO_OLD,)}), b.answers(subscribe="direct", on_conflict="add")
    )
    assert doubled.doubled == (PAY.log_group,)
    assert "ddsetup doctor" in [offer.option for offer in doubled.offers]


@pytest.mark.parametrize(
    ("answers", "counted", "option", "offered"),
    [
        (DIRECT, traffic(), "--exclude-at-match '^(START|END) RequestId: '", True),
        (b.answers(subscribe="direct", exclude_at_match="x"), traffic(), "--exclude-at-match", False),
        (DIRECT, traffic(), "--trace-sample-rate", False),
        (DIRECT, Traffic(invocations={PAY.arn: 1e6}), "--trace-sample-rate 0.1", True),
        (
            b.answers(subscribe="direct", tracing=Tracing(sample_rate="1")),
            Traffic(invocations={PAY.arn: 1e6}),
            "--trace-sample-rate",
            False,
        ),
    ],
)
def test_settings_are_offered_where_they_help(
    answers: Answers, counted: Traffic, option: str, offered: bool
) -> None:
    told = found(lanes(), answers, counted=counted)
    assert any(each.option.startswith(option) for each in told.offers) == offered


def test_what_cloudwatch_does_not_tell_stays_unknown() -> None:
    denied = Unreadable("cloudwatch:GetMetricData", "not allowed: cloudwatch:GetMetricData")
    told = found(lanes(), DIRECT, counted=Traffic(unreadable={b.lane(): denied}))
    assert {each.after for each in told.quantities} == {Amount(None)}
    assert told.unknown[0] == "eu-west-1: nothing was counted: not allowed: cloudwatch:GetMetricData"
    part = amounts(found(lanes(), DIRECT, (PAY, STOCK), counted=traffic((PAY,))))["logs_gb"][1]
    assert part.at_least
    assert part.value == pytest.approx(7 * WEEKS)


def test_of_very_many_log_groups_the_largest_are_counted() -> None:
    many = {f"/aws/lambda/f{n}": b.log_group(f"/aws/lambda/f{n}", stored_bytes=n) for n in range(5_000)}
    snapshot = lanes(PAY, log_groups={PAY.log_group: b.log_group(PAY.log_group), **many}, filters={})
    moving = flows(snapshot, b.answers(), (PAY,), make_plan(snapshot, b.answers(), (PAY,)))
    functions, groups = wanted(moving)
    assert functions == (PAY,)
    assert len(groups) == MOST_BEYOND + 1
    names = {name for _, name in groups}
    assert "/aws/lambda/f4999" in names
    assert "/aws/lambda/f0" not in names
    assert "the largest 2,000" in cost(moving, Traffic(), b.answers()).unknown[0]


def test_nothing_comes_of_nothing() -> None:
    assert wanted(Flows()) == ((), ())
    assert {each.now.value for each in cost(Flows(), Traffic(), b.answers()).quantities} == {0, None}


def test_a_metric_stream_updates_four_metrics_in_each_minute_in_which_a_function_runs() -> None:
    there = b.snapshot(b.lane_snapshot(PAY, metric_streams=()))
    streamed = amounts(found(there, b.answers(metrics="stream")))["metric_updates"]
    assert streamed == (Amount(None), Amount(4 * 420 * WEEKS, at_least=True))
    assert "metric_updates" not in amounts(found(there, b.answers()))
