"""The least policy: what is asked for and nothing else, on the resources meant, within AWS's limits."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import pytest

import ddsetup
from ddsetup.facts import permissions
from ddsetup.gateways.aws.permissions import WITHOUT_RESOURCES
from ddsetup.model.account import Json
from ddsetup.model.answers import KeySource, Selection
from ddsetup.model.errors import UsageError
from ddsetup.plan.policy import COMMANDS, INSTALL, least_policy, required_actions
from ddsetup.plan.policy_organisation import organisation_statements
from tests import builders as b

MANAGED_LIMIT = 6_144
"""Characters of a managed policy, white space not counted (IAM quotas page)."""


def made(
    *commands: str, regions: tuple[str, ...] = (b.REGION,), roles: tuple[str, ...] = (), **over: Any
) -> Json:
    answers = b.answers(regions=regions, **over)
    return least_policy(answers, "aws", [b.ACCOUNT], regions, commands or ("setup", "undo"), roles)


def allows(document: Json, action: str, resource: str = "*") -> bool:
    """Whether a statement allows the action on the resource, as IAM matches patterns."""
    for statement in document["Statement"]:
        resources = statement["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        if action in statement["Action"] and any(fnmatchcase(resource, r) for r in resources):
            return True
    return False


def actions(document: Json) -> set[str]:
    return {action for s in document["Statement"] for action in s["Action"]}


ROLE = f"arn:aws:iam::{b.ACCOUNT}:role/DatadogIntegrationRole"
ORDERS = b.function_arn("orders")
DELIVERY = ("LogDelivery", "LogDeliveries", "ResourcePolicy", "ResourcePolicies")
STACK = f"arn:aws:cloudformation:{b.REGION}:{b.ACCOUNT}:stack/datadog-forwarder/0a1b"
SECRET = b.secret().arn
GROUP = f"arn:aws:logs:{b.REGION}:{b.ACCOUNT}:log-group:/custom/orders"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:ListFunctions", "*"),
        ("iam:CreateRole", ROLE),
        ("iam:UpdateAssumeRolePolicy", ROLE),
        ("cloudformation:CreateStack", STACK),
        ("secretsmanager:CreateSecret", SECRET),
        ("lambda:UpdateFunctionConfiguration", ORDERS),
        ("lambda:GetLayerVersion", "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python312:127"),
        ("tag:TagResources", "*"),
        ("lambda:TagResource", ORDERS),
        ("logs:DescribeSubscriptionFilters", GROUP),
        ("states:DescribeStateMachine", f"arn:aws:states:{b.REGION}:{b.ACCOUNT}:stateMachine:brew"),
        ("apigateway:GET", f"arn:aws:apigateway:{b.REGION}::/apis/a1/stages/$default"),
        ("logs:CreateLogGroup", GROUP),
        ("iam:PassRole", f"arn:aws:iam::{b.ACCOUNT}:role/datadog-forwarder-ForwarderRole-1X2Y"),
        ("s3:GetObject", "arn:aws:s3:::datadog-cloudformation-template/aws/forwarder/latest.yaml"),
        ("s3:CreateBucket", "arn:aws:s3:::datadog-forwarder-forwarderbucket-1x2y"),
        ("iam:DeleteRole", ROLE),
        ("cloudformation:DeleteStack", STACK),
        ("secretsmanager:DeleteSecret", SECRET),
        ("logs:DeleteSubscriptionFilter", GROUP),
    ],
)
def test_a_default_setup_and_its_undo_may(action: str, resource: str) -> None:
    assert allows(made(), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", f"arn:aws:iam::{b.ACCOUNT}:role/Admin"),
        ("iam:PassRole", ROLE),
        ("cloudformation:DeleteStack", STACK.replace("datadog-forwarder", "shop")),
        ("secretsmanager:PutSecretValue", SECRET.replace("ddsetup/", "shop/")),
        ("secretsmanager:GetSecretValue", SECRET),
        ("lambda:DeleteFunction", ORDERS),
        ("lambda:UpdateFunctionCode", ORDERS),
        ("lambda:UpdateFunctionConfiguration", ORDERS.replace(b.REGION, "us-east-1")),
        ("lambda:UpdateFunctionConfiguration", ORDERS.replace(b.ACCOUNT, b.OTHER_ACCOUNT)),
        ("lambda:InvokeFunction", ORDERS),
        ("logs:PutSubscriptionFilter", GROUP),
        ("iam:AttachRolePolicy", ROLE),
        ("apigateway:GET", f"arn:aws:apigateway:{b.REGION}::/apikeys/k1"),
        ("states:UpdateStateMachine", f"arn:aws:states:{b.REGION}:{b.ACCOUNT}:stateMachine:brew"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{b.ACCOUNT}:role/orders-role"),
    ],
)
def test_a_default_setup_and_its_undo_may_not(action: str, resource: str) -> None:
    assert not allows(made(), action, resource)


def test_without_undo_nothing_that_is_in_use_can_be_deleted() -> None:
    only_setup = made("setup")
    assert not allows(only_setup, "iam:DeleteRole", ROLE)
    assert not allows(only_setup, "secretsmanager:DeleteSecret", SECRET)
    assert not allows(only_setup, "logs:DeleteLogGroup", GROUP)
    assert not allows(only_setup, "logs:DeleteSubscriptionFilter", GROUP)


@pytest.mark.parametrize("command", ["plan", "status", "doctor", "verify"])
def test_commands_that_only_look_get_no_right_to_write(command: str) -> None:
    reads = re.compile(r"^\w+:(Get|GET$|List|Describe|Simulate|Lookup|FilterLogEvents$)")
    assert [a for a in actions(made(command)) if not reads.match(a)] == []


def test_invoking_is_allowed_only_when_asked_for() -> None:
    assert not allows(made("verify"), "lambda:InvokeFunction", ORDERS)
    assert allows(made("verify", "invoke"), "lambda:InvokeFunction", ORDERS)


def test_functions_named_are_the_only_ones_that_may_be_changed() -> None:
    document = made(selection=Selection(names=("orders", "pay-*", b.function_arn("users"), "log[12]")))
    for name, may in {"orders": True, "pay-in": True, "users": True, "log1": True, "stock": False}.items():
        assert allows(document, "lambda:UpdateFunctionConfiguration", b.function_arn(name)) is may, name


def test_names_of_role_stack_and_function_are_those_of_the_answers() -> None:
    document = made(role_name="Mine", forwarder_stack="Fwd", forwarder_params={"FunctionName": "fwd-fn"})
    assert allows(document, "iam:CreateRole", ROLE.replace("DatadogIntegrationRole", "Mine"))
    assert not allows(document, "iam:CreateRole", ROLE)
    assert allows(document, "lambda:CreateFunction", b.function_arn("fwd-fn"))
    assert allows(document, "s3:CreateBucket", "arn:aws:s3:::fwd-forwarderbucket-1x2y")


@pytest.mark.parametrize("over", [{"create_log_groups": False}, {"subscribe": "none"}, {"via": "extension"}])
def test_log_groups_are_made_only_where_something_subscribes_to_them(over: dict[str, Any]) -> None:
    assert not allows(made(**over), "logs:CreateLogGroup", GROUP)


def test_direct_filters_and_replacing_need_rights_on_filters() -> None:
    direct = made("setup", subscribe="direct")
    assert allows(direct, "logs:PutSubscriptionFilter", GROUP)
    assert not allows(direct, "logs:DeleteSubscriptionFilter", GROUP)
    replacing = made("setup", "undo", on_conflict="replace")
    assert allows(replacing, "logs:DeleteSubscriptionFilter", GROUP)
    assert allows(replacing, "logs:PutSubscriptionFilter", GROUP)
    assert "SubscriptionRoles" not in str(direct) + str(made("plan", on_conflict="replace"))
    (passing,) = [s for s in replacing["Statement"] if s["Sid"] == "SubscriptionRoles"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "logs.amazonaws.com"}}


def test_resource_collection_may_attach_policies_to_the_integrations_role() -> None:
    assert allows(made(resource_collection=True), "iam:AttachRolePolicy", ROLE)
    assert not allows(made("plan", resource_collection=True), "iam:AttachRolePolicy", ROLE)


def test_extension_mode_deploys_nothing_but_lets_functions_read_the_key() -> None:
    roles = (f"arn:aws:iam::{b.ACCOUNT}:role/orders-role",)
    document = made(via="extension", roles=roles)
    assert not any(a.startswith(("cloudformation:Create", "s3:")) for a in actions(document))
    assert allows(document, "iam:PutRolePolicy", roles[0])
    assert not allows(document, "iam:PutRolePolicy", f"arn:aws:iam::{b.ACCOUNT}:role/other")
    assert "KeyAccess" not in str(made(via="extension", grant_key_access=False))


def test_a_forwarder_that_is_named_needs_no_right_to_deploy() -> None:
    assert "cloudformation:CreateStack" not in actions(made(forwarder_arns=(b.function_arn("mine"),)))


def test_a_key_of_the_users_own_is_read_and_not_made() -> None:
    document = made(key_source=KeySource(kind="secret", value=SECRET))
    assert allows(document, "secretsmanager:GetSecretValue", SECRET)
    assert "secretsmanager:CreateSecret" not in actions(document)
    parameter = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/datadog"
    assert allows(made(key_source=KeySource(kind="ssm", value=parameter)), "ssm:GetParameter", parameter)
    for service, source in {"secretsmanager": SECRET, "ssm": parameter}.items():
        kind: Literal["secret", "ssm"] = "ssm" if service == "ssm" else "secret"
        document = made(key_source=KeySource(kind=kind, value=source))
        (decrypt,) = [s for s in document["Statement"] if "kms:Decrypt" in s["Action"]]
        assert decrypt["Condition"] == {"StringLike": {"kms:ViaService": f"{service}.*.amazonaws.com"}}
        assert decrypt["Resource"] == f"arn:aws:kms:{b.REGION}:{b.ACCOUNT}:key/*"
    assert "kms:Decrypt" not in actions(made())
    for elsewhere in (KeySource(kind="ssm", value="/datadog"), KeySource(kind="kms", value="AQIC")):
        assert not {"ssm:GetParameter", "secretsmanager:GetSecretValue"} & actions(made(key_source=elsewhere))


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        ("https://my-mirror.s3.eu-west-1.amazonaws.com/a/f.yaml", "arn:aws:s3:::my-mirror/a/f.yaml"),
        ("http://127.0.0.1:4566/bucket/f.yaml", "arn:aws:s3:::bucket/f.yaml"),
    ],
)
def test_the_template_may_be_read_where_it_is(url: str, arn: str) -> None:
    assert allows(made(template_url=url), "s3:GetObject", arn)


def test_a_template_that_is_not_on_s3_needs_no_right_to_be_read() -> None:
    document = made(template_url="https://example.com/f.yaml")
    assert "ForwarderTemplate" not in {statement["Sid"] for statement in document["Statement"]}
    assert all(statement["Resource"] for statement in document["Statement"])
    assert "ForwarderTemplate" in {statement["Sid"] for statement in made()["Statement"]}
    assert "ForwarderTemplate" not in {statement["Sid"] for statement in made("undo")["Statement"]}


@pytest.mark.parametrize(
    "regions",
    [("eu-west-1",), ("eu-west-1", "us-east-1"), ("eu-west-1", "us-east-1", "eu-north-1"), tuple("abcdefgh")],
)
@pytest.mark.parametrize(
    "over",
    [
        {},
        {"via": "extension"},
        {"subscribe": "direct", "on_conflict": "replace", "resource_collection": True},
    ],
)
def test_it_fits_into_a_managed_policy(regions: tuple[str, ...], over: dict[str, Any]) -> None:
    document = made(*COMMANDS, regions=regions, **over)
    assert len(json.dumps(document, separators=(",", ":"))) < MANAGED_LIMIT
    for region in regions:
        assert allows(document, "lambda:GetFunction", b.function_arn("orders", region=region))


@pytest.mark.parametrize("regions", [("eu-west-1",), ("eu-west-1", "us-east-1"), tuple("abcdefgh")])
def test_state_machines_and_stages_that_are_chosen_fit_in_as_well(regions: tuple[str, ...]) -> None:
    document = made(regions=regions, state_machines=("order-*", "all"), api_stages=("shop/prod",))
    assert len(json.dumps(document, separators=(",", ":"))) < MANAGED_LIMIT


def test_only_the_state_machines_that_are_chosen_may_be_changed() -> None:
    machine = f"arn:aws:states:{b.REGION}:{b.ACCOUNT}:stateMachine:"
    document = made(state_machines=("order-*", f"{machine}brew"), api_stages=("shop/prod",))
    for name, may in {"order-in": True, "brew": True, "bake": False}.items():
        assert allows(document, "states:UpdateStateMachine", machine + name) is may, name
    assert allows(document, "apigateway:PATCH", f"arn:aws:apigateway:{b.REGION}::/restapis/a1/stages/prod")
    assert not allows(document, "apigateway:PATCH", f"arn:aws:apigateway:{b.REGION}::/restapis/a1")
    assert allows(document, "logs:CreateLogGroup", GROUP)
    extension = made(state_machines=("brew",), via="extension", forwarder_arns=(b.function_arn("fwd"),))
    for action in ("logs:CreateLogGroup", "logs:PutSubscriptionFilter"):
        assert allows(extension, action, GROUP)


def test_statement_ids_are_unique_and_as_iam_wants_them() -> None:
    ids = [s["Sid"] for s in made(*COMMANDS, on_conflict="replace", resource_collection=True)["Statement"]]
    assert len(set(ids)) == len(ids)
    assert all(sid.isalnum() for sid in ids)


def test_a_command_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="sing"):
        made("sing")


def test_every_aws_action_that_the_gateways_call_is_in_some_policy() -> None:
    source = "\n".join(p.read_text() for p in (Path(ddsetup.__file__).parent / "gateways/aws").glob("*.py"))
    called = set(
        re.findall(
            r'"((?:apigateway|cloudformation|cloudwatch|iam|lambda|logs|secretsmanager|states|tag):[A-Z]\w+)"',
            source,
        )
    )
    granted = (
        actions(made(*COMMANDS, on_conflict="replace", resource_collection=True, subscribe="direct"))
        | actions(made(via="extension"))
        | actions(made(key_source=KeySource(kind="secret", value=SECRET)))
        | actions(made(*COMMANDS, state_machines=("brew",), api_stages=("shop/prod",)))
        | actions(made(publish=True))
        | actions(made(subscribe="account"))
        | actions(made(INSTALL))
    )
    # Invoke is the name of the call, InvokeFunction that of the right; permissions of a Forwarder that no
    # stack made are not changed by any command.
    others = {"lambda:Invoke", "lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"}
    # What is asked about the roles of state machines, which deliver their logs themselves.
    others |= {action for action in WITHOUT_RESOURCES if action.endswith(DELIVERY)}
    others |= {action for each in organisation_statements("aws", ("r",)) for action in each["Action"]}
    assert called - others <= granted
    assert len(called) > 30


def test_required_actions_are_those_of_a_setup() -> None:
    required = required_actions(b.answers())
    assert "iam:CreateRole" in required
    assert "iam:DeleteRole" in required  # the Forwarder's, when its creation is rolled back
    assert "secretsmanager:DeleteSecret" not in required
    assert set(permissions.LOOK) <= set(required)
