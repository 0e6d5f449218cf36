"""Taking everything down: what goes, after what, and what is named and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.catalog import PYTHON_HANDLER
from ddsetup.facts.iam_documents import collection_policy
from ddsetup.facts.permissions import actions_for
from ddsetup.model.account import Function, Layer, LogGroup, Stack, Unreadable
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import (
    FilterState,
    IntegrationState,
    LogCollectionState,
    LogGroupState,
    RoleState,
    StackState,
)
from ddsetup.plan.steps import teardown
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.integration import integration_id
from ddsetup.plan.steps.integration_role import ADDED_POLICY
from tests.builders import (
    ACCOUNT,
    EXTERNAL_ID,
    REGION,
    account_snapshot,
    answers,
    forwarder,
    function,
    function_arn,
    integration,
    lane_snapshot,
    policy,
    role,
    secret,
    snapshot,
    stack,
    subscription_filter,
)

GROUP = "/aws/lambda/orders"
OURS = {"created_by": "ddsetup"}
ARN = function_arn("datadog-forwarder")
LIBRARY = Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127")
INSTRUMENTED: dict[str, Any] = {
    "handler": PYTHON_HANDLER,
    "layers": (LIBRARY,),
    "env": {"DD_LAMBDA_HANDLER": "app.handler", "DD_FLUSH_TO_LOG": "true"},
}


def forwarder_stack(**over: Any) -> Stack:
    over.setdefault("tags", OURS)
    outputs = {"DatadogForwarderArn": ARN}
    return stack(outputs=outputs, parameters={"DdSite": "datadoghq.com", "DdApiKey": "****"}, **over)


def account(*functions: Function, **over: Any) -> Snapshot:
    """An account as a setup leaves it."""
    every = functions or (function("orders", **INSTRUMENTED),)
    lane = {
        "stacks": (forwarder_stack(),),
        "forwarders": (forwarder(),),
        "secrets": {"ddsetup/datadog-api-key": secret(tags=OURS)},
        "log_groups": {GROUP: LogGroup(GROUP)},
        "filters": {GROUP: (subscription_filter(GROUP, "ddsetup-datadog-forwarder", ARN),)},
        **over.pop("lane", {}),
    }
    raw = {"account_tags": [f"aws_account:{ACCOUNT}"]}
    live = integration(lambdas=(ARN,), sources=("lambda",), raw=raw, external_id=EXTERNAL_ID)
    held = account_snapshot(integration=over.pop("integration", live), role=over.pop("role", role(tags=OURS)))
    return replace(snapshot(lane_snapshot(*every, **lane), accounts=[held]), **over)


def planned(held: Snapshot, *keep: Any) -> Plan:
    return teardown.plan(held, answers(), keep)


def order(plan: Plan) -> list[str]:
    return [change.resource.kind for change in plan.changes]


def needs_of(plan: Plan, kind: str) -> set[str]:
    (change,) = [c for c in plan.changes if c.resource.kind == kind]
    return {need.kind for need in change.needs}


def test_everything_goes_after_what_relies_on_it() -> None:
    plan = planned(account())
    assert sorted(order(plan)) == sorted(
        ["function", "subscription_filter", "log_collection", "stack", "secret", "integration", "iam_role"]
    )
    assert needs_of(plan, "subscription_filter") == {"function"}
    assert needs_of(plan, "stack") == {"function", "subscription_filter", "log_collection"}
    assert "stack" in needs_of(plan, "secret")
    assert "log_collection" in needs_of(plan, "integration")
    assert needs_of(plan, "iam_role") == {"integration"}
    (gone,) = [c for c in plan.changes if c.resource.kind == "stack"]
    assert isinstance(gone.before, StackState)
    assert gone.before.parameters == {"DdSite": "datadoghq.com"}, (
        "what is masked is no parameter to make it with"
    )
    assert {change.step for change in plan.changes} == {"teardown"}


def test_what_goes_waits_for_nothing_of_another_account() -> None:
    other = "2" * 12
    there = function("till", account=other, **INSTRUMENTED)
    held = account()
    lanes, accounts = {there.lane: lane_snapshot(there)}, {other: account_snapshot(other)}
    plan = planned(replace(held, lanes={**held.lanes, **lanes}, accounts={**held.accounts, **accounts}))
    functions = {c.resource.account for c in plan.changes if c.resource.kind == "function"}
    assert functions == {ACCOUNT, other}
    ours = [c for c in plan.changes if c.resource.kind == "integration"]
    assert {need.account for change in ours for need in change.needs} == {ACCOUNT}


def test_what_ddsetup_did_not_make_is_named_and_left() -> None:
    foreign = account(
        lane={"stacks": (forwarder_stack(tags={}),), "secrets": {"ddsetup/datadog-api-key": secret(tags={})}},
        role=role(tags={}),
    )
    plan = planned(foreign)
    assert sorted(order(plan)) == ["function", "subscription_filter"]
    named = {s.resource.kind for s in plan.skipped if s.status == "unchanged" and "it stays" in s.reason}
    assert {"stack", "secret", "integration", "iam_role"} <= named


def test_a_secret_that_a_stack_of_somebody_else_reads_stays() -> None:
    ours = secret(tags=OURS)
    for arn in (ours.arn, ours.arn[:-7]):
        theirs = stack("theirs", parameters={"DdApiKeySecretArn": arn})
        plan = planned(account(lane={"stacks": (forwarder_stack(), theirs)}))
        assert "secret" not in order(plan)
        (kept,) = [s for s in plan.skipped if s.resource.kind == "secret"]
        assert kept.reason == "it stays, as stack theirs reads it"


def test_policies_made_for_resource_collection_go_with_the_role() -> None:
    name = "datadog-aws-integration-resource-collection-permissions-v2-DatadogIntegrationRole"
    managed = {f"{name}-1": policy("ec2:GetA"), f"{name}-2": None, f"{name}x-1": policy("s3:GetC")}
    audit = "arn:aws:iam::aws:policy/SecurityAudit"
    made, unread, theirs = (f"arn:aws:iam::{ACCOUNT}:policy/{each}" for each in managed)
    attached = (audit, made, unread, theirs)
    plan = planned(account(role=role(tags=OURS, managed=managed, attached=attached)))
    (gone,) = [c.before for c in plan.changes if c.resource.kind == "iam_role"]
    assert isinstance(gone, RoleState)
    assert gone.managed == {f"{name}-1": policy("ec2:GetA")}
    assert gone.attached == (audit, unread, theirs), "of these nobody knows whether they are ddsetup's"


def test_a_part_that_is_kept_keeps_what_it_stands_on() -> None:
    assert teardown.kept_parts(["functions"]) >= {"functions", "filters", "forwarder", "secret"}
    assert order(planned(account(), "functions")) == ["log_collection", "integration", "iam_role"]
    assert order(planned(account(), "integration")) == [
        "function",
        "subscription_filter",
        "log_collection",
        "stack",
        "secret",
    ]
    assert order(planned(account(), *teardown.PARTS)) == []


def test_a_record_that_others_use_is_left() -> None:
    other = function_arn("datadog-forwarder", region="us-west-2")
    raw = {"account_tags": [f"aws_account:{ACCOUNT}"]}
    live = integration(lambdas=(ARN, other), sources=("lambda", "s3"), raw=raw)
    plan = planned(account(integration=live))
    assert "integration" not in order(plan)
    assert "iam_role" not in order(plan)
    (change,) = [c for c in plan.changes if c.resource.kind == "log_collection"]
    assert change.before == LogCollectionState(lambdas=(ARN,)), "sources are the account's"


def test_of_log_collection_goes_what_the_record_says_or_logs_of_functions() -> None:
    raw = {"account_tags": [f"aws_account:{ACCOUNT}"]}
    named = function_arn("named")
    live = integration(lambdas=(ARN, named), sources=("lambda", "s3", "vpc"), raw=raw)
    added = LogCollectionState(lambdas=(ARN, named), sources=("s3", "vpc"))
    earlier = Change(
        step="collection",
        resource=collection_id(ACCOUNT),
        before=LogCollectionState(sources=("vpc",)),
        after=added,
        why="",
    )
    held = account(integration=live, lane={"forwarders": (forwarder(), forwarder("named", stack=None))})
    for applied, before in (
        ({}, LogCollectionState(lambdas=(ARN,))),
        (record(earlier), LogCollectionState(lambdas=(ARN, named), sources=("s3",))),
    ):
        plan = planned(replace(held, applied=applied))
        (change,) = [c for c in plan.changes if c.resource.kind == "log_collection"]
        assert (change.before, change.after) == (before, LogCollectionState())


def test_of_stacks_only_forwarders_that_are_there_are_looked_at() -> None:
    gone = forwarder_stack(name="gone", tags={}, status="DELETE_COMPLETE")
    other = stack("shop", tags={}, description="", outputs={}, parameters={}, status="CREATE_COMPLETE")
    plan = planned(account(lane={"stacks": (forwarder_stack(), gone, other)}))
    assert [c.resource.id for c in plan.changes if c.resource.kind == "stack"] == ["datadog-forwarder"]
    assert [s for s in plan.skipped if s.resource.kind == "stack"] == []


def test_what_cannot_be_seen_is_never_taken_for_nothing() -> None:
    blind = Unreadable("cloudformation:DescribeStacks", "denied")
    plan = planned(account(lane={"stacks": blind}))
    (said,) = [s for s in plan.skipped if s.resource.kind == "stack"]
    assert (said.status, "cloudformation:DescribeStacks" in said.reason) == ("skipped", True)


def record(change: Change) -> dict[Any, Change]:
    return {change.resource: change}


def test_the_record_brings_back_what_was_there_before() -> None:
    from ddsetup.facts.filters import filter_resource, group_resource
    from tests.builders import lane

    audit = FilterState(log_group=GROUP, name="audit", destination_arn=function_arn("audit"))
    gone = Change(
        step="subscriptions",
        resource=filter_resource(GROUP, "audit", lane()),
        before=audit,
        after=None,
        why="",
    )
    made = Change(
        step="subscriptions",
        resource=group_resource("/aws/lambda/new", lane()),
        before=None,
        after=LogGroupState(name="/aws/lambda/new"),
        why="",
    )
    plan = planned(account(applied=record(gone) | record(made)))
    (back,) = [c for c in plan.changes if c.resource == gone.resource]
    assert (back.before, back.after) == (None, audit)
    assert [need.id for need in back.needs] == [f"{GROUP}:ddsetup-datadog-forwarder"]
    assert [c.action for c in plan.changes if c.resource == made.resource] == ["delete"]
    there = subscription_filter(GROUP, "audit", function_arn("audit"))
    later = replace(
        gone, resource=filter_resource(GROUP, "later", lane()), before=replace(audit, name="later")
    )
    again = planned(account(applied=record(gone) | record(later), lane={"filters": {GROUP: (there,)}}))
    assert all(c.resource != gone.resource for c in again.changes), "somebody put it back already"
    assert [c.after for c in again.changes if c.resource == later.resource] == [later.before]
    elsewhere = replace(made, resource=group_resource("/a", lane("us-west-2")))
    both = planned(account(applied=record(elsewhere) | record(made)))
    assert [c.resource for c in both.changes if c.resource.kind == "log_group"] == [made.resource]
    kept = planned(account(applied=record(gone) | record(made)), "filters")
    assert not {gone.resource, made.resource} & {c.resource for c in kept.changes}


def test_an_integration_that_was_there_before_is_as_it_was() -> None:
    before = IntegrationState(aws_account_id=ACCOUNT, partition="aws", role_name="Theirs")
    after = replace(before, resource_collection=True)
    change = Change(
        step="integration", resource=integration_id(ACCOUNT), before=before, after=after, why="adopted"
    )
    live = integration(role_name="Theirs", resource_collection=True, lambdas=(), sources=())
    plan = planned(account(applied=record(change), integration=live, role=role("Theirs", tags={})))
    (restored,) = [c for c in plan.changes if c.resource.kind == "integration"]
    assert restored.after == before
    moved = replace(live, metrics_enabled=False)
    plan = planned(account(applied=record(change), integration=moved, role=role("Theirs", tags={})))
    assert "integration" not in order(plan), "somebody changed it since"


def test_functions_that_keep_datadog_are_named() -> None:
    image = function("image", package_type="Image", layers=(), handler=PYTHON_HANDLER)
    plan = planned(account(function("orders", **INSTRUMENTED), image))
    assert any("image" in warning and "nothing to send to" in warning for warning in plan.warnings)


def test_all_that_ddsetup_added_to_the_role_of_others_goes() -> None:
    """Of the policies of AWS that are attached, only the record tells which ones it attached."""
    audit, own = "arn:aws:iam::aws:policy/SecurityAudit", "arn:aws:iam::aws:policy/Own"
    name = collection_policy("Theirs", 1)
    theirs = role(
        "Theirs",
        tags={},
        inline={ADDED_POLICY: policy("lambda:List*")},
        managed={name: policy("s3:Get*")},
        attached=(audit, own, f"arn:aws:iam::{ACCOUNT}:policy/{name}"),
    )
    held = account(role=theirs)
    bare = RoleState(name="Theirs", trust_account="1", external_id=EXTERNAL_ID)
    role_resource = next(s.resource for s in planned(held).skipped if s.resource.kind == "iam_role")
    made = Change(
        step="x", resource=role_resource, before=bare, after=replace(bare, attached=(audit,)), why=""
    )
    (change,) = [
        c
        for c in planned(replace(held, applied={role_resource: made})).changes
        if c.resource == role_resource
    ]
    assert isinstance(change.before, RoleState)
    assert isinstance(change.after, RoleState)
    assert (set(change.before.managed), change.before.attached) == ({name}, (audit,))
    assert (change.after.managed, change.after.attached, change.after.policies) == ({}, (), {})
    assert {"iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeletePolicy"} <= set(actions_for(change))


@pytest.mark.parametrize(
    ("over", "goes"),
    [
        ({}, False),
        ({"inline": {"Other": policy("lambda:List*")}}, False),
        ({"inline": {ADDED_POLICY: policy("lambda:List*")}}, True),
        ({"managed": {collection_policy("Theirs", 1): policy("s3:Get*")}}, True),
        ({"managed": {collection_policy("Theirs", 1): None}}, False),
        ({"managed": {"Other": policy("s3:Get*")}}, False),
        ({"attached": ("arn:aws:iam::aws:policy/SecurityAudit",)}, False),
    ],
)
def test_each_of_what_was_added_to_a_role_of_others_goes_by_itself(over: dict[str, Any], goes: bool) -> None:
    plan = planned(account(role=role("Theirs", tags={}, **{"inline": {}, **over})))
    assert ("iam_role" in order(plan)) is goes


def test_what_deleting_a_role_takes_is_told_by_what_hangs_on_it() -> None:
    bare = RoleState(name="r", trust_account="1", external_id=EXTERNAL_ID)
    full = replace(bare, policies={"p": policy("x:y")}, attached=("arn",), managed={"m": policy("x:y")})
    gone = Change(step="x", resource=ResourceId("iam_role", "r"), before=bare, after=None, why="")
    assert actions_for(gone) == ("iam:DeleteRole",)
    assert set(actions_for(replace(gone, before=full))) == {
        *("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeletePolicy")
    }
