"""`--subscribe account`: one policy for all log groups, beside their filters, and nothing sent twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.account_policies import policy_of, wanted_policy
from ddsetup.model.account import Json, LogGroup, Unreadable
from ddsetup.model.change import Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import AccountPolicyState
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import collection, subscriptions, teardown, uninstrument
from tests import builders as b

ORDERS = b.function("orders")
GROUP, VPC, PAY = "/aws/lambda/orders", "/aws/vpc/flow", "/aws/lambda/pay"
FORWARDER = b.forwarder()
OWN_GROUP = "/aws/lambda/datadog-forwarder"
HANDLER = "datadog_lambda.handler.handler"
INSTRUMENTED = b.function("orders", handler=HANDLER, env={"DD_LAMBDA_HANDLER": "a.b"})


def item(name: str, destination: str, *excluded: str, **document: str) -> Json:
    """A policy as `DescribeAccountPolicies` tells of it."""
    state = wanted_policy(destination, excluded)
    text = json.dumps({**json.loads(state.document), **document})
    return {"policyName": name, "policyDocument": text, "selectionCriteria": state.selection}


OURS = item("ddsetup-datadog-forwarder", FORWARDER.arn, OWN_GROUP)
THEIRS = item("to-splunk", b.function_arn("splunk"))


def world(*policies: Json, **over: Any) -> Snapshot:
    held: dict[str, Any] = {
        "forwarders": (FORWARDER,),
        "log_groups": {name: LogGroup(name) for name in (GROUP, VPC, PAY, OWN_GROUP)},
        "filters": {GROUP: ()},
        "account_filter_policies": policies,
    }
    integration = over.pop("integration", b.integration())
    functions = over.pop("chosen", (ORDERS,))
    lane = b.lane_snapshot(*functions, b.function("datadog-forwarder"), **{**held, **over})
    return b.snapshot(lane, accounts=[b.account_snapshot(integration=integration, role=b.role())])


def planned(snapshot: Snapshot, **answers: Any) -> Plan:
    given = b.answers(**{"subscribe": "account", **answers})
    return subscriptions.plan(snapshot, given, (ORDERS,))


def test_one_policy_takes_in_all_but_the_forwarders_own_group_and_says_so() -> None:
    plan = planned(world())
    (change,) = plan.changes
    assert (change.resource.kind, change.action) == ("account_policy", "create")
    assert isinstance(change.after, AccountPolicyState)
    found = policy_of({"policyDocument": change.after.document, "selectionCriteria": change.after.selection})
    assert (found.destination_arn, found.excluded) == (FORWARDER.arn, (OWN_GROUP,))
    assert f"1 log group beyond Lambda's ({VPC})" in change.note
    assert "1 log group of functions that were not chosen" in change.note
    (group,) = [s for s in plan.skipped if s.resource.kind == "log_group"]
    assert (group.status, "account's policy" in group.reason) == ("unchanged", True)
    assert collection.plan(world(), b.answers(subscribe="account"), (ORDERS,)).changes == ()


def test_two_filters_of_others_are_not_in_its_way() -> None:
    full = tuple(b.subscription_filter(GROUP, name, b.function_arn(name)) for name in ("one", "two"))
    plan = planned(world(filters={GROUP: full}))
    assert [c.resource.kind for c in plan.changes] == ["account_policy"]
    assert all(s.status == "unchanged" for s in plan.skipped)


def test_filters_of_ddsetup_go_once_the_policy_stands() -> None:
    own = b.subscription_filter(GROUP, "ddsetup-datadog-forwarder", FORWARDER.arn)
    put, gone = planned(world(filters={GROUP: (own,)})).changes
    assert (gone.resource.kind, gone.action, gone.needs) == ("subscription_filter", "delete", (put.resource,))


def test_planned_again_there_is_nothing_to_do_and_what_somebody_excluded_stays_out() -> None:
    assert planned(world(OURS)).changes == ()
    more = item("ddsetup-datadog-forwarder", FORWARDER.arn, VPC)
    (change,) = planned(world(more)).changes
    assert isinstance(change.after, AccountPolicyState)
    assert change.after.selection == f'LogGroupName NOT IN ["{OWN_GROUP}", "{VPC}"]'


def test_somebody_elses_policy_stays_unless_it_was_given_away() -> None:
    plan = planned(world(THEIRS))
    assert plan.changes == ()
    (skipped,) = [s for s in plan.skipped if s.resource.kind == "account_policy"]
    assert (skipped.status, "to-splunk" in skipped.reason, "splunk" in skipped.reason) == (
        "skipped",
        True,
        True,
    )
    gone, put = planned(world(THEIRS), on_conflict="replace").changes
    assert (gone.resource.id, gone.action, put.needs) == ("to-splunk", "delete", (gone.resource,))
    assert b.function_arn("splunk") in gone.note


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"integration": b.integration(lambdas=(FORWARDER.arn,), sources=("lambda",))}, "unchanged"),
        ({"account_filter_policies": Unreadable("logs:DescribeAccountPolicies", "denied")}, "skipped"),
    ],
)
def test_no_policy_where_it_would_double_or_cannot_be_seen(over: dict[str, Any], status: str) -> None:
    plan = planned(world(**over))
    assert plan.changes == ()
    assert [s.status for s in plan.skipped if s.resource.kind == "account_policy"] == [status]


def test_it_goes_when_datadog_or_the_extension_takes_over_and_with_the_last_function() -> None:
    registered = b.integration(lambdas=(FORWARDER.arn,), sources=("lambda",))
    (gone,) = planned(world(OURS, integration=registered), subscribe="automatic").changes
    assert (gone.resource.kind, gone.action) == ("account_policy", "delete")
    (gone,) = planned(world(OURS), via="extension", subscribe="automatic").changes
    assert gone.resource.kind == "account_policy"
    assert planned(world(OURS), subscribe="direct").changes == ()
    last = world(OURS, chosen=(INSTRUMENTED,))
    for plan in (
        uninstrument.plan(last, b.answers(), (INSTRUMENTED,)),
        teardown.plan(last, b.answers()),
    ):
        (policy,) = [c for c in plan.changes if c.resource.kind == "account_policy"]
        assert (policy.action, bool(policy.needs)) == ("delete", True)
    other = replace(INSTRUMENTED, name="pay", arn=b.function_arn("pay"))
    two = world(OURS, chosen=(INSTRUMENTED, other))
    kinds = {c.resource.kind for c in uninstrument.plan(two, b.answers(), (INSTRUMENTED,)).changes}
    assert "account_policy" not in kinds


def test_the_rights_that_it_takes_are_named() -> None:
    def actions(**answers: Any) -> set[str]:
        document = least_policy(b.answers(**answers), "aws", (b.ACCOUNT,), (b.REGION,))
        return {a for s in document["Statement"] for a in s["Action"]}

    more = actions(subscribe="account") - actions(subscribe="automatic")
    assert {"logs:PutAccountPolicy", "logs:DeleteAccountPolicy", "logs:PutSubscriptionFilter"} <= more
