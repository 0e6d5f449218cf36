"""Which log groups need not be read: only where a wrong conclusion would change and lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddsetup.model.account import SubscriptionFilter, Unreadable
from ddsetup.model.change import Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.steps import subscriptions
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.plan.steps.subscriptions.evidence import TABLE
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
        ((OWN, "audit"), (), False),
        ((), (OWN,), True),
        ((), (), True),
        (("audit",), (), True),
    ],
)
def test_where_ddsetup_does_an_idle_group_is_read(
    lately: tuple[str, ...], ever: tuple[str, ...], is_read: bool
) -> None:
    assert read(world(lately, ever, integration=NOT_REGISTERED), subscribe="direct") is is_read


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


def test_every_row_of_the_table_is_in_the_documentation() -> None:
    page = " ".join((Path(__file__).parents[3] / "docs/performance.md").read_text("utf-8").split())
    for row in TABLE:
        for text in (row.seen, row.conclusion, row.wrong, row.notices):
            assert text in page, text
