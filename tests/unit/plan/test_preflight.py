"""Missing permissions are told before a write, and only those that are surely missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Unreadable
from ddsetup.model.answers import Selection
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.errors import CredentialsError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import RoleState, TagsState
from ddsetup.plan.preflight import check_permissions, check_readable, permission_warnings, questions
from ddsetup.plan.whole import make_plan
from tests import builders as b

FUNCTION = b.function()


def world(simulated: Mapping[str, str]) -> Snapshot:
    account = b.account_snapshot(simulated=simulated)
    return b.snapshot(b.lane_snapshot(FUNCTION), accounts=[account])


def changes(snapshot: Snapshot) -> tuple[Change, ...]:
    return make_plan(snapshot, b.answers(), (FUNCTION,)).changes


def asked(snapshot: Snapshot) -> Mapping[str, tuple[str, ...]]:
    return questions(snapshot.accounts[b.ACCOUNT], snapshot, b.answers())


def role_change(before: RoleState | None, after: RoleState) -> Change:
    resource = ResourceId("iam_role", after.name, "", b.ACCOUNT)
    return Change(step="integration", resource=resource, before=before, after=after, why="")


def test_denied_actions_are_named_with_their_steps() -> None:
    snapshot = world({"iam:CreateRole": "denied", "cloudformation:CreateStack": "denied"})
    with pytest.raises(CredentialsError) as raised:
        check_permissions(snapshot, changes(snapshot))
    assert "iam:CreateRole (for integration)" in raised.value.what
    assert "cloudformation:CreateStack (for forwarder)" in raised.value.what
    assert "ddsetup policy" in raised.value.fix
    assert raised.value.exit_code == 4


def test_unknown_is_never_taken_for_denied() -> None:
    snapshot = world({"iam:CreateRole": "unknown", "lambda:UpdateFunctionConfiguration": "unknown"})
    check_permissions(snapshot, changes(snapshot))


def test_a_denied_action_that_no_change_needs_stops_nothing() -> None:
    snapshot = world({"logs:PutSubscriptionFilter": "denied", "secretsmanager:RestoreSecret": "denied"})
    check_permissions(snapshot, changes(snapshot))
    check_permissions(world({"iam:CreateRole": "denied"}), ())


NOT_READ = {
    "integration": Unreadable("aws_configuration_read", "403"),
    "role": Unreadable("iam:GetRole", "AccessDenied"),
    "secrets": Unreadable("secretsmanager:DescribeSecret", "AccessDenied"),
    "stacks": Unreadable("cloudformation:DescribeStacks", "AccessDenied"),
}


def unreadable_world(*fields: str, denied: bool = True) -> Snapshot:
    hidden = {name: replace(NOT_READ[name], denied=denied) for name in fields}
    account: dict[str, Any] = {n: each for n, each in hidden.items() if n in ("integration", "role")}
    lane = {name: each for name, each in hidden.items() if name not in account}
    if "stacks" in lane:
        lane["forwarders"] = lane["stacks"]
    return b.snapshot(b.lane_snapshot(FUNCTION, **lane), accounts=[b.account_snapshot(**account)])


@pytest.mark.parametrize("hidden", NOT_READ)
def test_a_foundation_that_may_not_be_looked_at_stops_the_run(hidden: str) -> None:
    plan = make_plan(unreadable_world(hidden), b.answers(), (FUNCTION,))
    with pytest.raises(CredentialsError, match=NOT_READ[hidden].action):
        check_readable(plan)


def test_all_that_may_not_be_looked_at_is_named_at_once() -> None:
    plan = make_plan(unreadable_world("role", "secrets"), b.answers(), (FUNCTION,))
    with pytest.raises(CredentialsError) as raised:
        check_readable(plan)
    assert "iam:GetRole" in raised.value.what
    assert "secretsmanager:DescribeSecret" in raised.value.what


@pytest.mark.parametrize("hidden", NOT_READ)
def test_a_read_that_failed_without_being_denied_is_no_question_of_rights(hidden: str) -> None:
    plan = make_plan(unreadable_world(hidden, denied=False), b.answers(), (FUNCTION,))
    check_readable(plan)
    assert any(s.status == "skipped" for s in plan.skipped)


def test_another_accounts_denial_is_not_this_ones() -> None:
    snapshot = world({"iam:CreateRole": "denied"})
    elsewhere = [
        Change(
            step=c.step,
            resource=ResourceId(c.resource.kind, c.resource.id, c.resource.region, b.OTHER_ACCOUNT),
            before=c.before,
            after=c.after,
            why=c.why,
        )
        for c in changes(snapshot)
    ]
    check_permissions(snapshot, elsewhere)


def test_only_what_a_change_of_a_role_really_does_is_needed() -> None:
    state = RoleState(name="R", trust_account="1", external_id="x")
    more = RoleState(name="R", trust_account="1", external_id="x", policies={"P": b.policy("s3:Get*")})
    check_permissions(world({"iam:UpdateAssumeRolePolicy": "denied"}), [role_change(state, more)])
    with pytest.raises(CredentialsError, match="iam:PutRolePolicy"):
        check_permissions(world({"iam:PutRolePolicy": "denied"}), [role_change(state, more)])
    with pytest.raises(CredentialsError, match="iam:DeleteRolePolicy"):
        check_permissions(world({"iam:DeleteRolePolicy": "denied"}), [role_change(more, state)])


def test_adding_tags_needs_no_right_to_take_tags_away() -> None:
    change = Change(
        step="instrument",
        resource=ResourceId("function_tags", FUNCTION.arn, b.REGION, b.ACCOUNT),
        before=TagsState(tags={"env": "old"}),
        after=TagsState(tags={"env": "prod"}),
        why="",
    )
    check_permissions(world({"tag:UntagResources": "denied"}), [change])
    with pytest.raises(CredentialsError, match="tag:TagResources"):
        check_permissions(world({"tag:TagResources": "denied"}), [change])


def test_what_is_only_nice_to_see_is_a_warning() -> None:
    snapshot = world({"cloudwatch:ListMetrics": "denied", "iam:CreateRole": "denied"})
    (warning,) = permission_warnings(snapshot)
    assert "cloudwatch:ListMetrics" in warning


def test_the_simulator_is_asked_about_the_very_role_secret_and_stack() -> None:
    found = asked(world({}))
    assert found["iam:UpdateAssumeRolePolicy"] == (f"arn:aws:iam::{b.ACCOUNT}:role/DatadogIntegrationRole",)
    (secret,) = found["secretsmanager:CreateSecret"]
    assert secret.startswith(f"arn:aws:secretsmanager:{b.REGION}:{b.ACCOUNT}:secret:ddsetup/datadog-api-key-")
    (stack,) = found["cloudformation:CreateStack"]
    assert ":stack/datadog-forwarder/" in stack


def test_it_is_not_asked_about_all_functions_at_once() -> None:
    assert asked(world({}))["lambda:UpdateFunctionConfiguration"] == ()


def test_what_cloudformation_does_for_us_is_not_asked() -> None:
    found = asked(world({}))
    assert "s3:CreateBucket" not in found
    assert found["iam:CreateRole"] == (f"arn:aws:iam::{b.ACCOUNT}:role/DatadogIntegrationRole",)


def test_a_role_that_exists_is_asked_about_by_its_own_arn() -> None:
    role = b.role(arn=f"arn:aws:iam::{b.ACCOUNT}:role/teams/DatadogIntegrationRole")
    account = b.account_snapshot(role=role, integration=b.integration())
    snapshot = b.snapshot(b.lane_snapshot(FUNCTION), accounts=[account])
    assert asked(snapshot)["iam:UpdateAssumeRolePolicy"] == (role.arn,)


def test_roles_of_functions_are_asked_about_by_name_and_a_denial_stops_before_the_first_write() -> None:
    answers = b.answers(via="extension", selection=Selection(all=True))
    snapshot = world({"iam:PutRolePolicy@role_policy": "denied", "iam:PutRolePolicy": "allowed"})
    wanted = questions(snapshot.accounts[b.ACCOUNT], snapshot, answers)
    assert wanted["iam:PutRolePolicy@role_policy"] == (FUNCTION.role,)
    planned = make_plan(snapshot, answers, (FUNCTION,)).changes
    assert any(c.resource.kind == "role_policy" for c in planned)
    with pytest.raises(CredentialsError, match="iam:PutRolePolicy \\(for instrument\\)"):
        check_permissions(snapshot, planned)


def test_the_stack_that_is_asked_about_is_the_one_that_would_be_made() -> None:
    snapshot = world({})
    (account,) = snapshot.accounts.values()
    for over, name in (
        ({"via": "forwarder"}, "datadog-forwarder"),
        ({"via": "extension", "durable_events": True}, "datadog-durable-function-event-forwarder"),
        ({"via": "extension", "metrics": "stream"}, "datadog-metric-stream"),
    ):
        asked = questions(account, snapshot, b.answers(**over))["cloudformation:CreateStack"]
        assert asked
        assert all(f":stack/{name}/" in arn for arn in asked)
