"""`--via extension --subscribe account`: other log groups by Firehose, and nothing sent twice or lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.account_policies import policy_of
from ddsetup.facts.catalog import sites
from ddsetup.facts.firehose import STACK, logs_url
from ddsetup.model.account import Function, Json, LogGroup, Stack, Unreadable
from ddsetup.model.answers import KeySource
from ddsetup.model.change import Change, Plan
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import AccountPolicyState, StackState
from ddsetup.plan.log_stream_template import template
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import subscriptions, teardown, uninstrument, unwanted
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.subscriptions.conflicts import STEP
from tests import builders as b

ORDERS, PAY = b.function("orders"), b.function("pay")
IMAGE = replace(b.function("image"), package_type="Image", runtime="", handler="")
GROUP, VPC, DELIVERY = "/aws/lambda/orders", "/aws/vpc/flow", f"/aws/kinesisfirehose/{STACK}"
STREAM = f"arn:aws:firehose:{b.REGION}:{b.ACCOUNT}:deliverystream/{STACK}"
NAME = f"ddsetup-{STACK}"
MADE = Stack(
    name=STACK,
    status="CREATE_COMPLETE",
    tags={"created_by": "ddsetup"},
    parameters={"DdSite": b.answers().site, "DdApiKeySecretArn": "arn"},
)


def item(name: str, destination: str, *excluded: str) -> Json:
    document = {"DestinationArn": destination, "RoleArn": "role", "FilterPattern": ""}
    selection = f"LogGroupName NOT IN {json.dumps(excluded)}" if excluded else ""
    return {"policyName": name, "policyDocument": json.dumps(document), "selectionCriteria": selection}


def world(*policies: Json, functions: tuple[Function, ...] = (ORDERS, PAY), **over: Any) -> Snapshot:
    held: dict[str, Any] = {
        "log_groups": {name: LogGroup(name) for name in (GROUP, VPC, "/aws/lambda/pay")},
        "account_filter_policies": policies,
        "secrets": {},
    }
    lane = b.lane_snapshot(*functions, **{**held, **over})
    return b.snapshot(lane, accounts=[b.account_snapshot(integration=b.integration(), role=b.role())])


def planned(snapshot: Snapshot, *chosen: Function, **answers: Any) -> Plan:
    given = b.answers(**{"via": "extension", "subscribe": "account", **answers})
    return subscriptions.plan(snapshot, given, chosen or (ORDERS,))


def selected_out(plan: Plan) -> tuple[str, ...] | None:
    (state,) = [c.after for c in plan.changes if isinstance(c.after, AccountPolicyState)]
    document = {"policyDocument": state.document, "selectionCriteria": state.selection}
    return policy_of(document).excluded


def kinds(plan: Plan) -> list[tuple[str, str]]:
    return [(change.resource.kind, change.action) for change in plan.changes]


def why(plan: Plan, kind: str = "account_policy") -> str:
    (skipped,) = [s for s in plan.skipped if s.resource.kind == kind]
    return f"{skipped.status}: {skipped.reason}"


def test_a_stream_is_made_and_all_log_groups_lead_to_it_but_those_that_the_extension_sends() -> None:
    plan = planned(world())
    assert kinds(plan) == [("stack", "create"), ("account_policy", "create")]
    stack, policy = plan.changes
    assert stack.precondition == ""
    assert isinstance(stack.after, StackState)
    assert set(stack.after.parameters) == {"DdApiKeySecretArn", "DdSite"}
    assert policy.needs == (stack.resource,)
    assert isinstance(policy.after, AccountPolicyState)
    document = json.loads(policy.after.document)
    role = f"arn:aws:iam::{b.ACCOUNT}:role/{STACK}-{b.REGION}"
    assert (document["DestinationArn"], document["RoleArn"]) == (STREAM, role)
    assert selected_out(plan) == (DELIVERY, GROUP)
    assert f"1 log group beyond Lambda's ({VPC})" in policy.note
    assert "1 log group of functions that were not chosen" in policy.note


def test_lines_that_no_extension_sends_are_not_left_out() -> None:
    shared = replace(PAY, log_group=GROUP)
    assert selected_out(planned(world(functions=(ORDERS, shared)))) == (DELIVERY,)
    assert selected_out(planned(world(functions=(ORDERS, IMAGE)), ORDERS, IMAGE)) == (DELIVERY, GROUP)


def test_a_function_that_gets_the_extension_goes_out_of_the_selection_once_it_has_it() -> None:
    there = world(item(NAME, STREAM, DELIVERY, VPC), stacks=(MADE,))
    plan = planned(there)
    assert kinds(plan) == [("account_policy", "update")]
    assert selected_out(plan) == (DELIVERY, GROUP, VPC), "what somebody left out stays so"
    assert [need.kind for need in plan.changes[0].needs] == ["function"]
    whole = planned(world(item(NAME, STREAM, DELIVERY, GROUP), stacks=(MADE,)))
    assert (kinds(whole), why(whole)) == ([], "unchanged: leads to Datadog by Firehose already")


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"account_filter_policies": Unreadable("logs:DescribeAccountPolicies", "denied")}, "cannot see"),
        ({"stacks": Unreadable("cloudformation:DescribeStacks", "denied")}, "no delivery stream"),
        ({"stacks": (replace(MADE, status="UPDATE_IN_PROGRESS"),)}, "being changed right now"),
        ({"stacks": (replace(MADE, tags={}),)}, f"a stack {STACK} is there that ddsetup did not make"),
        ({"account_filter_policies": (item("x", b.function_arn("splunk")),)}, "AWS allows one policy"),
        ({"account_filter_policies": (item("x", f"{STREAM}-2"),)}, "leads all log groups to Datadog already"),
    ],
)
def test_nothing_is_put_where_it_cannot_or_must_not_be(over: dict[str, Any], said: str) -> None:
    plan = planned(world(**over))
    assert kinds(plan) == []
    assert said in why(plan)


def test_a_key_that_is_in_no_secret_cannot_be_given_to_a_stream() -> None:
    plan = planned(world(), key_source=KeySource(kind="ssm", value="arn:aws:ssm:us-east-1:1:parameter/key"))
    assert kinds(plan) == []
    assert "takes the API key from a secret only" in why(plan)


def test_somebody_elses_policy_gives_way_where_it_was_given_away() -> None:
    plan = planned(world(item("x", b.function_arn("splunk"))), on_conflict="replace")
    assert kinds(plan) == [("stack", "create"), ("account_policy", "delete"), ("account_policy", "create")]
    stack, gone, put = plan.changes
    assert [need.kind for need in gone.needs] == ["stack", "function"], "it delivers until the Extension does"
    assert {stack.resource, gone.resource} <= set(put.needs)


def test_more_names_than_aws_takes_are_refused_with_the_numbers() -> None:
    many = tuple(b.function(f"{'f' * 50}{number}") for number in range(400))
    plan = planned(world(functions=many), *many)
    assert kinds(plan) == []
    assert "leave out 400 log groups" in why(plan)
    assert "25,000 bytes" in why(plan)


def test_a_stack_that_sends_to_another_site_is_led_to_this_one() -> None:
    elsewhere = replace(MADE, parameters={**MADE.parameters, "DdSite": "us3.datadoghq.com"})
    plan = planned(world(item(NAME, STREAM, DELIVERY, GROUP), stacks=(elsewhere,)))
    assert kinds(plan) == [("stack", "update")]
    led = plan.changes[0].after
    assert isinstance(led, StackState)
    assert (led.template, led.tags) == (template(), MADE.tags), (
        "by which it can be made again once it is gone"
    )


def test_it_stays_with_the_extension_and_goes_without_logs_and_with_the_last_function() -> None:
    there = world(item(NAME, STREAM, DELIVERY, GROUP), stacks=(MADE,))
    assert kinds(planned(there, subscribe="automatic")) == []
    assert kinds(planned(there, logs=False)) == [("account_policy", "delete")]
    arn = b.forwarder().arn
    registered = b.integration(lambdas=(arn,), sources=("lambda",))
    account = b.account_snapshot(integration=registered, role=b.role())
    forwarded = replace(
        world(item(NAME, STREAM, DELIVERY), forwarders=(b.forwarder(),), filters={GROUP: ()}),
        accounts={b.ACCOUNT: account},
    )
    assert ("account_policy", "delete") in kinds(planned(forwarded, via="forwarder", subscribe="automatic"))
    handler = "datadog_lambda.handler.handler"
    last = b.function("orders", handler=handler, env={"DD_LAMBDA_HANDLER": "a.b"})
    only = world(item(NAME, STREAM, DELIVERY, GROUP), stacks=(MADE,), functions=(last,))
    for plan in (uninstrument.plan(only, b.answers(), (last,)), teardown.plan(only, b.answers())):
        assert ("account_policy", "delete") in kinds(plan)
    gone = teardown.plan(only, b.answers())
    (stack,) = [change for change in gone.changes if change.resource.kind == "stack"]
    (policy,) = [change for change in gone.changes if change.resource.kind == "account_policy"]
    assert policy.resource in stack.needs


def test_the_stack_goes_with_prune_and_before_it_the_policy_that_leads_to_it() -> None:
    resource = stack_id(b.lane(), STACK)
    made = StackState(name=STACK, parameters=MADE.parameters, tags=MADE.tags, template=template())
    record = Change(step=STEP, resource=resource, before=None, after=made, why="")
    forwarder = b.forwarder()

    def pruned(*policies: Json, recorded: bool = True, lane: Any = None, **answers: Any) -> Plan:
        seen = world(*policies, stacks=(MADE,), forwarders=(forwarder,), filters={GROUP: ()}, **(lane or {}))
        seen = replace(seen, applied={resource: record} if recorded else {})
        wanted: dict[str, Any] = {"via": "extension", "logs": False, "prune": True} | answers
        return unwanted.plan(seen, b.answers(**wanted), (ORDERS,))

    (gone,) = pruned().changes
    assert (gone.before, gone.after, gone.step, gone.needs) == (made, None, "prune", ())
    assert pruned(item("theirs", STREAM)).changes == ()
    assert pruned(lane={"account_filter_policies": Unreadable("x", "denied")}).changes == ()
    assert pruned(recorded=False).changes == ()
    ours = item(NAME, STREAM, DELIVERY, GROUP)
    for back in ("direct", "none"):
        policy, stack = pruned(ours, via="forwarder", logs=True, subscribe=back).changes
        assert (policy.resource.kind, policy.after) == ("account_policy", None)
        assert (stack.resource, stack.needs) == (resource, (policy.resource,))
    policy, stack = pruned(ours, logs=True, subscribe="automatic").changes
    assert stack.needs == (policy.resource,), "the Extension alone"
    for back in ("account", "automatic"):
        (stack,) = pruned(ours, via="forwarder", logs=True, subscribe=back).changes
        assert stack.needs == (policy.resource,), "it goes by the step of the subscriptions"
    for policies, via in (((), "extension"), ((ours,), "forwarder")):
        (said,) = pruned(*policies, via=via, subscribe="direct", prune=False).warnings
        assert said.startswith(f"- remove log stream: {STACK} in {b.REGION}")


def test_the_template_has_the_intake_of_every_site() -> None:
    """The addresses are those that Datadog's own template lists."""
    intakes = template()["Mappings"]["Sites"]
    assert set(intakes) == {site.site for site in sites()}
    host = "https://aws-kinesis-http-intake.logs."
    assert logs_url("datadoghq.eu") == f"{host}datadoghq.eu/v1/input"
    newer = f"{host}us5.datadoghq.com/api/v2/logs?dd-protocol=aws-kinesis-firehose"
    assert intakes["us5.datadoghq.com"]["Url"] == newer


def test_the_rights_that_it_takes_are_named() -> None:
    def actions(**answers: Any) -> set[str]:
        given = b.answers(via="extension", **answers)
        document = least_policy(given, "aws", (b.ACCOUNT,), (b.REGION,))
        return {a for s in document["Statement"] for a in s["Action"]}

    more = actions(subscribe="account") - actions()
    assert {"logs:PutAccountPolicy", "firehose:CreateDeliveryStream", "iam:PassRole"} <= more
    assert "secretsmanager:GetSecretValue" in more


def test_the_remains_of_a_failed_creation_are_expected_as_they_are() -> None:
    stack = planned(world(stacks=(replace(MADE, status="ROLLBACK_COMPLETE"),))).changes[0]
    assert (stack.resource.kind, stack.action, stack.precondition) == ("stack", "create", "ROLLBACK_COMPLETE")
