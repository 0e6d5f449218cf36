"""Datadog's stack for durable executions: made where it is wanted, once, with the key where it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.model.account import Unreadable
from ddsetup.model.answers import KeySource
from ddsetup.model.change import Plan
from ddsetup.model.states import REF_SECRET, StackState
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import durable
from ddsetup.plan.steps.api_key import OWN_TAGS, SECRET_NAME
from ddsetup.plan.whole import make_plan
from tests import builders as b

ROASTING = b.function("roasting", durable=True)
OUTPUTS = {"DeliveryStreamArn": "arn:x", "EventRuleArn": "arn:y"}


def planned(*stacks: Any, function: Any = ROASTING, **over: Any) -> Plan:
    unreadable = stacks[0] if stacks and isinstance(stacks[0], Unreadable) else stacks
    snapshot = b.snapshot(b.lane_snapshot(function, stacks=unreadable))
    answers = b.answers(**{"durable_events": True, "via": "extension", **over})
    return durable.plan(snapshot, answers, (function,))


def made(plan: Plan) -> StackState:
    (change,) = plan.changes
    assert isinstance(change.after, StackState)
    return change.after


def test_it_is_made_once_for_a_region_with_the_key_by_its_arn() -> None:
    other = b.function("steeping", durable=True)
    answers = b.answers(durable_events=True, via="extension")
    plan = make_plan(b.snapshot(b.lane_snapshot(ROASTING, other)), answers, (ROASTING, other))
    (change,) = [c for c in plan.changes if c.resource.id == durable.STACK]
    assert isinstance(change.after, StackState)
    assert dict(change.after.parameters) == {
        "DdSite": answers.site,
        "DdApiKeySecretArn": f"{REF_SECRET}{SECRET_NAME}",
    }
    assert change.after.template_url == durable.TEMPLATE
    assert dict(change.after.tags) == OWN_TAGS
    assert [need.id for need in change.needs] == [SECRET_NAME]
    assert "AWS bills" in change.note


def test_a_parameter_is_given_by_its_name() -> None:
    arn = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/team/dd"
    state = made(planned(key_source=KeySource(kind="ssm", value=arn)))
    assert state.parameters["DdApiKeySsmParameterName"] == "/team/dd"
    assert planned(key_source=KeySource(kind="ssm", value=arn)).changes[0].needs == ()


def test_one_of_ours_moves_to_another_site_and_is_named_where_nobody_asks_for_it() -> None:
    told = {"DdSite": "datadoghq.com", "DdApiKeySsmParameterName": "/team/dd"}
    ours = b.stack(durable.STACK, outputs=OUTPUTS, tags=OWN_TAGS, parameters=told)
    plan = planned(ours)
    assert made(plan).parameters == {
        "DdSite": b.SITE,
        "DdApiKeySecretArn": f"{REF_SECRET}{SECRET_NAME}",
        "DdApiKeySsmParameterName": "",
    }
    assert [need.id for need in plan.changes[0].needs] == [SECRET_NAME]
    (said,) = planned(ours, durable_events=False).warnings
    assert "datadoghq.com" in said
    theirs = b.stack(durable.STACK, outputs=OUTPUTS, parameters=told)
    assert (planned(theirs).changes, planned(theirs, durable_events=False)) == ((), Plan())


@pytest.mark.parametrize(
    "over",
    [{"durable_events": False}, {"via": "forwarder"}, {"function": b.function("orders")}],
)
def test_nothing_is_made_where_it_is_not_wanted_or_of_no_use(over: dict[str, Any]) -> None:
    assert planned(**over) == Plan()


@pytest.mark.parametrize("name", [durable.STACK, "theirs"])
def test_one_that_is_there_is_left_as_it_is(name: str) -> None:
    (skipped,) = planned(b.stack(name, outputs=OUTPUTS)).skipped
    assert (skipped.status, name in skipped.reason) == ("unchanged", True)


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (b.stack(durable.STACK, status="CREATE_IN_PROGRESS"), "being changed right now"),
        (b.stack(durable.STACK, status="DELETE_FAILED"), "leftovers"),
        (Unreadable("cloudformation:DescribeStacks", "denied"), "cannot see which stacks exist"),
    ],
)
def test_what_is_in_the_way_is_said(stack: Any, said: str) -> None:
    (skipped,) = planned(stack).skipped
    assert skipped.status == "skipped"
    assert said in skipped.reason


def test_what_is_left_of_ours_goes_first() -> None:
    left = b.stack(durable.STACK, status="DELETE_FAILED", tags=OWN_TAGS)
    assert planned(left).changes[0].precondition == "DELETE_FAILED"


def test_a_ciphertext_is_no_place_that_its_template_knows() -> None:
    (skipped,) = planned(key_source=KeySource(kind="kms", value="AQIC")).skipped
    assert "--api-key-secret" in skipped.fix


def test_its_bucket_holds_only_what_datadog_did_not_take() -> None:
    assert durable.failed_events(StackState(name="x", parameters={"FunctionName": "f"})) == "failed_events/"
    assert durable.failed_events(made(planned())) == ""


def test_the_policy_may_make_it_only_when_it_is_wanted() -> None:
    def actions(**over: Any) -> set[str]:
        document = least_policy(b.answers(via="extension", **over), "aws", [b.ACCOUNT], [b.REGION])
        return {action for s in document["Statement"] for action in s["Action"]}

    wanted = {"firehose:CreateDeliveryStream", "events:PutRule", "logs:CreateLogStream", "s3:DeleteBucket"}
    assert wanted <= actions(durable_events=True)
    assert not wanted & actions()
