"""What a command's own policy allows, and what only another command's does."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.plan.policy import required_actions
from tests import builders as b
from tests.unit.plan.test_policy import GROUP, ORDERS, ROLE, SECRET, STACK, actions, allows, made

FUNCTION_WRITES = {"lambda:UpdateFunctionConfiguration"}
TAGS = {"tag:TagResources", "lambda:TagResource", "tag:UntagResources", "lambda:UntagResource"}
PUT, DELETE = "logs:PutSubscriptionFilter", "logs:DeleteSubscriptionFilter"


def test_uninstrumenting_takes_away_and_makes_nothing() -> None:
    document = made("uninstrument")
    assert FUNCTION_WRITES | TAGS | {DELETE} <= actions(document)
    assert allows(document, DELETE, GROUP)
    assert PUT not in actions(document)
    for none in ("iam:CreateRole", "iam:PutRolePolicy", "cloudformation:CreateStack", "logs:CreateLogGroup"):
        assert none not in actions(document)
    assert not any(action.startswith("secretsmanager:Create") for action in actions(document))


def test_with_undo_what_was_taken_away_may_be_given_back() -> None:
    both = made("uninstrument", "undo")
    assert allows(both, PUT, GROUP)
    assert allows(both, DELETE, GROUP)
    assert actions(made("uninstrument")) < actions(both)
    assert PUT not in actions(made("undo"))


def test_pruning_may_delete_the_secret_of_another_site() -> None:
    delete = "secretsmanager:DeleteSecret"
    assert allows(made("setup", prune=True), delete, SECRET)
    assert delete not in actions(made("setup"))


@pytest.mark.parametrize("commands", [("uninstrument",), ("undo",), ("uninstrument", "undo")])
def test_functions_may_be_written_and_tagged_by_whatever_changes_them(commands: tuple[str, ...]) -> None:
    document = made(*commands)
    for action in FUNCTION_WRITES | {"lambda:TagResource", "lambda:UntagResource"}:
        assert allows(document, action, ORDERS), action


def test_undo_may_delete_what_a_setup_made_and_nothing_more_is_made() -> None:
    document = made("undo")
    for action, resource in {
        "iam:DeleteRole": ROLE,
        "iam:DeleteRolePolicy": ROLE,
        "cloudformation:DeleteStack": STACK,
        "cloudformation:UpdateStack": STACK,
        "secretsmanager:DeleteSecret": SECRET,
        "logs:DeleteLogGroup": GROUP,
        "logs:DescribeLogStreams": GROUP,
        DELETE: GROUP,
    }.items():
        assert allows(document, action, resource), action
    made_by_setup = {
        *("iam:CreateRole", "cloudformation:CreateStack", "secretsmanager:CreateSecret"),
        *("logs:CreateLogGroup", "lambda:CreateFunction", "s3:CreateBucket"),
    }
    assert not made_by_setup & actions(document)


@pytest.mark.parametrize(
    ("over", "put", "deleted"),
    [
        ({}, False, False),
        ({"subscribe": "direct"}, True, False),
        ({"subscribe": "direct", "via": "extension"}, False, False),
        ({"on_conflict": "replace"}, False, True),
        ({"on_conflict": "ask"}, False, True),
        ({"on_conflict": "skip"}, False, False),
        ({"conflicts": {"/aws/lambda/a:b": "replace"}}, False, True),
    ],
)
def test_filters_may_be_changed_as_far_as_the_answers_go(
    over: dict[str, Any], put: bool, deleted: bool
) -> None:
    given = {"on_conflict": "skip", **over}
    document = made("setup", **given)
    assert (PUT in actions(document), DELETE in actions(document)) == (put, deleted)


def test_an_undo_of_an_automatic_setup_may_clear_datadogs_filters() -> None:
    assert allows(made("undo", on_conflict="skip"), DELETE, GROUP)
    ways: tuple[dict[str, Any], ...] = ({"subscribe": "direct"}, {"subscribe": "none"}, {"via": "extension"})
    for over in ways:
        document = made("undo", on_conflict="skip", **over)
        assert (DELETE in actions(document)) is (over == {"subscribe": "direct"}), over


def test_who_proves_looks_as_status_does_and_may_run_functions_only_if_asked_to() -> None:
    assert actions(made("verify")) == actions(made("status")) == actions(made("plan"))
    assert actions(made("invoke")) == {"lambda:InvokeFunction"}
    assert allows(made("invoke"), "lambda:InvokeFunction", ORDERS)


def test_the_doctor_reads_more_than_others_and_writes_nothing() -> None:
    more = actions(made("doctor")) - actions(made("status"))
    assert more == {
        *("lambda:GetFunctionConcurrency", "lambda:ListVersionsByFunction"),
        *("firehose:DescribeDeliveryStream", "logs:FilterLogEvents", "secretsmanager:GetSecretValue"),
    }
    role = f"arn:aws:iam::{b.ACCOUNT}:role/orders-role"
    assert allows(made("doctor", roles=(role,)), "iam:GetRolePolicy", role)
    assert not allows(made("status", roles=(role,)), "iam:GetRolePolicy", role)


def test_required_actions_depend_on_what_is_asked_for() -> None:
    plain = set(required_actions(b.answers()))
    assert {"cloudformation:CreateStack", "secretsmanager:CreateSecret", "iam:PutRolePolicy"} <= plain
    reused = set(required_actions(b.answers(forwarder_arns=(b.function_arn("mine"),))))
    assert "cloudformation:CreateStack" not in reused
    upgraded = b.answers(forwarder_arns=(b.function_arn("mine"),), forwarder_upgrade=True)
    assert {"cloudformation:UpdateStack", "lambda:UpdateFunctionCode"} <= set(required_actions(upgraded))
    assert "lambda:UpdateFunctionCode" not in plain
