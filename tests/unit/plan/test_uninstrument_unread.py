"""Taking Datadog out of many functions reads the filters only of groups that may have one of ddsetup's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.filters import filter_resource
from ddsetup.model.account import LogGroup, Unreadable
from ddsetup.model.change import Change
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState
from ddsetup.plan.steps import uninstrument
from tests import builders as b

GROUP, OWN = "/aws/lambda/orders", "ddsetup-datadog-forwarder"
HANDLER = "datadog_lambda.handler.handler"
ORDERS = b.function("orders", handler=HANDLER, env={"DD_LAMBDA_HANDLER": "a.b"})
STATE = FilterState(log_group=GROUP, name=OWN, destination_arn=b.forwarder().arn)


def world(delivered: Any, *, recorded: bool = False, integration: Any = None) -> Snapshot:
    groups = {GROUP: LogGroup(GROUP)}
    lane = b.lane_snapshot(ORDERS, log_groups=groups, filters={}, delivered=delivered)
    account = b.account_snapshot(integration=integration or b.integration(), role=b.role())
    put = Change(
        step="subscriptions", resource=filter_resource(GROUP, OWN, b.lane()), before=None, after=STATE, why=""
    )
    return replace(b.snapshot(lane, accounts=[account]), applied={put.resource: put} if recorded else None)


@pytest.mark.parametrize(
    ("delivered", "recorded", "is_read"),
    [
        ({}, False, False),
        ({GROUP: frozenset({"audit"})}, False, False),
        ({}, True, False),
        # One of ddsetup's is at work there, or elsewhere while this one is idle; or CloudWatch is silent.
        ({GROUP: frozenset({OWN})}, False, True),
        ({"/aws/lambda/pay": frozenset({OWN})}, False, True),
        ({"/aws/lambda/pay": frozenset({OWN}), GROUP: frozenset({"audit"})}, False, False),
        (None, True, True),
        (Unreadable("cloudwatch:ListMetrics", "denied"), True, True),
    ],
)
def test_which_groups_are_read(delivered: Any, recorded: bool, is_read: bool) -> None:
    found = uninstrument.groups_to_read(world(delivered, recorded=recorded), b.answers(), (ORDERS,))
    assert bool(found) is is_read
    assert uninstrument.groups_to_read(world({}), b.answers(thorough=True), (ORDERS,))


def test_what_the_record_has_goes_and_is_compared_as_it_goes() -> None:
    plan = uninstrument.plan(world({}, recorded=True), b.answers(), (ORDERS,))
    (gone,) = [c for c in plan.changes if c.resource.kind == "subscription_filter"]
    assert (gone.before, gone.after) == (STATE, None)


def test_that_datadog_goes_on_subscribing_is_said_without_a_look() -> None:
    other = b.function("pay", handler=HANDLER)
    forwarder = b.forwarder().arn
    registered = b.integration(lambdas=(forwarder,), sources=("lambda",))
    held = world({}, integration=registered)
    lane = replace(held.lanes[b.lane()], functions=(ORDERS, other))
    plan = uninstrument.plan(replace(held, lanes={b.lane(): lane}), b.answers(), (ORDERS,))
    (said,) = [s for s in plan.skipped if s.resource.kind == "log_group"]
    assert "its logs still go to Datadog" in said.reason
