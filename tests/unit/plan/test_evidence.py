"""Which log groups need not be read: only where a wrong conclusion would change and lose nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.filters import filter_resource, is_new_name
from ddsetup.model.account import SubscriptionFilter, Unreadable
from ddsetup.model.change import Change, Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState
from ddsetup.plan.steps import subscriptions
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.plan.steps.subscriptions.evidence import TABLE, UNTOUCHED
from tests import builders as b

ORDERS = b.function("orders")
GROUP = "/aws/lambda/orders"
FORWARDER = b.forwarder()
OWN, DATADOGS = "ddsetup-datadog-forwarder", f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}"
REGISTERED = b.integration(lambdas=(FORWARDER.arn,), sources=("lambda",))
NOT_REGISTERED = b.integration()


def world(lately: tuple[str, ...], ever: tuple[str, ...] = (), **over: Any) -> Snapshot:
    integration = over.pop("integration", REGISTERED)
    group = b.log_group(GROUP)
    held: dict[str, Any] = {
        "forwarders": (FORWARDER,),
        "log_groups": {GROUP: group},
        "filters": {},
        "delivering": {GROUP: frozenset(lately)} if lately else {},
        "delivered": {GROUP: frozenset((*lately, *ever))} if lately or ever else {},
    }
    lane = b.lane_snapshot(ORDERS, b.function("datadog-forwarder"), **{**held, **over})
    return b.snapshot(lane, accounts=[b.account_snapshot(integration=integration, role=b.role())])


def read(snapshot: Snapshot, **answers: Any) -> bool:
    return bool(groups_to_read(snapshot, b.answers(**answers), (ORDERS,)))


def planned(snapshot: Snapshot, **answers: Any) -> Plan:
    return subscriptions.plan(snapshot, b.answers(**answers), (ORDERS,))


@pytest.mark.parametrize(
    ("lately", "ever", "subscribe", "is_read"),
    [
        ((DATADOGS,), (), "automatic", False),
        ((DATADOGS, "audit"), (), "automatic", False),
        ((), (), "automatic", False),
        ((), ("audit",), "automatic", False),
        ((), (DATADOGS,), "automatic", False),
        # Two of others: Datadog's may find no room. One that leads to Datadog: twice. Ours: handed over.
        ((), ("audit", "archive"), "automatic", True),
        ((), ("datadog-ci-filter",), "automatic", True),
        ((DATADOGS,), ("datadog-ci-filter",), "automatic", True),
        ((OWN,), (), "automatic", True),
    ],
)
def test_where_datadog_subscribes(
    lately: tuple[str, ...], ever: tuple[str, ...], subscribe: str, is_read: bool
) -> None:
    assert read(world(lately, ever), subscribe=subscribe) is is_read


@pytest.mark.parametrize(
    ("lately", "ever", "is_read"),
    [
        ((OWN,), (), False),
        ((f"{OWN}-0a1b2c",), (), False),
        ((OWN, "audit"), (), False),
        # Nothing of ddsetup's or Datadog's anywhere: a filter is put under a new name, AWS refuses a third.
        ((), (), False),
        (("audit",), (), False),
        # One of ddsetup's that is idle, another that leads to Datadog, two of others of which one is idle.
        ((), (OWN,), True),
        ((), ("datadog-ci-filter",), True),
        (("audit",), ("archive",), True),
    ],
)
def test_where_ddsetup_puts_the_filters(
    lately: tuple[str, ...], ever: tuple[str, ...], is_read: bool
) -> None:
    assert read(world(lately, ever, integration=NOT_REGISTERED), subscribe="direct") is is_read


def put_before(snapshot: Snapshot, leads_to: str = FORWARDER.arn) -> Snapshot:
    """The record of an earlier run that put a filter of ours."""
    after = FilterState(log_group=GROUP, name=OWN, destination_arn=leads_to)
    put = Change(
        step="subscriptions",
        resource=filter_resource(GROUP, OWN, b.lane()),
        before=None,
        after=after,
        why="",
    )
    return replace(snapshot, applied={put.resource: put})


@pytest.mark.parametrize(
    ("receiving", "leads_to", "is_read"),
    [
        (frozenset(), FORWARDER.arn, False),
        # Something was written and no filter of ours delivered; it leads elsewhere; CloudWatch was not asked.
        (frozenset({GROUP}), FORWARDER.arn, True),
        (frozenset(), b.function_arn("other"), True),
        (None, FORWARDER.arn, True),
    ],
)
def test_the_record_of_an_earlier_run_is_believed_while_nothing_runs(
    receiving: frozenset[str] | None, leads_to: str, is_read: bool
) -> None:
    idle = world((), integration=NOT_REGISTERED, receiving=receiving)
    assert read(put_before(idle, leads_to), subscribe="direct") is is_read


@pytest.mark.parametrize(
    "over",
    [
        {"on_conflict": "replace"},
        {"conflicts": {f"{GROUP}:audit": "skip"}},
    ],
)
def test_nothing_is_put_unseen_where_filters_in_the_way_may_go(over: dict[str, Any]) -> None:
    assert read(world((), integration=NOT_REGISTERED), subscribe="direct", **over)


def test_no_filter_is_put_unseen_beside_what_datadog_reads_already() -> None:
    instrumented = b.function("orders", handler="datadog_lambda.handler.handler")
    snapshot = world((), integration=NOT_REGISTERED)
    assert groups_to_read(snapshot, b.answers(subscribe="direct"), (instrumented,))


def test_a_filter_that_is_put_unseen_has_a_name_that_no_filter_has() -> None:
    (change,) = planned(world((), integration=NOT_REGISTERED), subscribe="direct").changes
    assert is_new_name(change.resource.name.rpartition(":")[2], FORWARDER.arn)
    assert UNTOUCHED.conclusion in change.note


def test_a_full_group_is_read_only_where_somebody_decides() -> None:
    full = world(("audit", "archive"))
    assert not read(full)
    assert read(full, on_conflict="replace")
    assert groups_to_read(full, b.answers(), (ORDERS,), asked=True)
    (skipped,) = [s for s in planned(full).skipped if s.resource.kind == "log_group"]
    assert (skipped.status, "it is full" in skipped.reason) == ("skipped", True)


@pytest.mark.parametrize(
    "over",
    [
        {"delivered": None},
        {"delivering": Unreadable("cloudwatch:ListMetrics", "denied")},
        {"forwarders": (FORWARDER, b.forwarder("other"))},
        {"integration": b.integration(lambdas=(FORWARDER.arn, b.function_arn("other")), sources=("lambda",))},
    ],
)
def test_nothing_is_concluded_from_less(over: dict[str, Any]) -> None:
    assert read(world((DATADOGS,), **over))


def test_thorough_reads_all() -> None:
    assert read(world((DATADOGS,)), thorough=True)


def test_what_is_not_read_is_said_and_changes_nothing() -> None:
    plan = planned(world((DATADOGS,)))
    (skipped,) = [s for s in plan.skipped if s.resource.kind == "log_group"]
    assert plan.changes == ()
    assert (skipped.status, "--thorough" in skipped.reason) == ("unchanged", True)
    assert TABLE[0].conclusion in skipped.reason


@pytest.mark.parametrize("lately", [(DATADOGS,), ()])
def test_the_plan_is_empty_as_it_would_be_had_the_group_been_read(lately: tuple[str, ...]) -> None:
    """What evidence concludes is what reading finds, where nothing has made it wrong."""
    there = tuple(
        SubscriptionFilter(log_group=GROUP, name=name, pattern="", destination_arn=FORWARDER.arn)
        for name in lately
    )
    for snapshot in (world(lately), world(lately, filters={GROUP: there}, delivered=None)):
        assert planned(snapshot).changes == ()
