"""Accounts with guard rails: boundary, path and tags of their own for what is made in them."""

from __future__ import annotations

import json

from ddsetup.facts.permissions import actions_for
from ddsetup.model.states import LogGroupState, RoleState, SecretState, StackState
from ddsetup.plan.policy import least_policy
from ddsetup.plan.whole import make_plan
from tests import builders as b

BOUNDARY = f"arn:aws:iam::{b.ACCOUNT}:policy/guard"
TAGS = (("cost-center", "42"), ("owner", "platform"))


def test_all_that_is_made_has_them() -> None:
    orders = b.function("orders")
    answers = b.answers(role_boundary=BOUNDARY, role_path="/monitoring/", resource_tags=TAGS)
    plan = make_plan(b.snapshot(b.lane_snapshot(orders)), answers, (orders,))
    made = {c.resource.kind: c.after for c in plan.changes if c.action == "create"}
    role, secret, stack = made["iam_role"], made["secret"], made["stack"]
    assert isinstance(role, RoleState)
    assert (role.boundary, dict(role.tags)) == (BOUNDARY, dict(TAGS))
    assert isinstance(secret, SecretState)
    assert isinstance(stack, StackState)
    assert dict(stack.tags) == {**dict(TAGS), "created_by": "ddsetup"}
    assert dict(secret.tags) == {**stack.tags, "datadog_site": b.SITE}
    assert stack.parameters["PermissionsBoundaryArn"] == BOUNDARY
    assert stack.parameters["IamRolePath"] == "/monitoring/"


def test_log_groups_that_are_made_have_them_and_the_right_to_tag_them_is_asked_for() -> None:
    orders = b.function("orders")
    answers = b.answers(resource_tags=TAGS)
    lane = b.lane_snapshot(orders, log_groups={})
    plan = make_plan(b.snapshot(lane), answers, (orders,))
    (made,) = [c for c in plan.changes if c.resource.kind == "log_group"]
    assert isinstance(made.after, LogGroupState)
    assert dict(made.after.tags) == dict(TAGS)
    assert actions_for(made) == ("logs:CreateLogGroup", "logs:TagResource")
    for wanted, may in ((answers, True), (b.answers(), False)):
        document = least_policy(wanted, "aws", [b.ACCOUNT], [b.REGION], ("setup",))
        (groups,) = [s for s in document["Statement"] if s["Sid"] == "Subscriptions"]
        assert ("logs:TagResource" in groups["Action"]) is may


def test_nobody_else_can_take_the_mark_by_which_ours_are_known() -> None:
    assert b.answers(resource_tags=(("created_by", "me"),)).tags_of_ours({"created_by": "ddsetup"}) == {
        "created_by": "ddsetup"
    }


def test_the_policy_is_for_roles_of_that_path() -> None:
    document = least_policy(b.answers(role_path="/monitoring/"), "aws", [b.ACCOUNT], [b.REGION])
    assert f"arn:aws:iam::{b.ACCOUNT}:role/monitoring/datadog-forwarder-ForwarderRole-*" in json.dumps(
        document
    )
