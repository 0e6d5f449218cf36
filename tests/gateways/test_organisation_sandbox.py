"""The scenario `organisation`, with everything that runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ddsetup.sandbox import aws
from ddsetup.sandbox.accounts import accounts
from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import Keys, Sandbox, SandboxOptions, member_account
from ddsetup.sandbox.scenarios.organisation import ACCOUNTS, CONTROL_TOWER_ROLE, PARTNER, TOWER, number_of

REGION = "us-east-1"
ROLE = "OrganizationAccountAccessRole"
_ENTER = {"Sid": "Enter", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [_ENTER]}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(POLICY, scenarios=("organisation",))) as running:
        yield running


def inside(sandbox: Sandbox, name: str, service: str, role: str = ROLE) -> Any:
    """A client in the account of that name, as the operator who assumes the role there."""
    account = member_account(sandbox.account, number_of(name))
    sts = aws.client("sts", sandbox.aws_endpoint_url, REGION, sandbox.operator)
    arn = f"arn:aws:iam::{account}:role/{role}"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return aws.client(service, sandbox.aws_endpoint_url, REGION, keys)


def functions(sandbox: Sandbox, name: str, role: str = ROLE) -> list[str]:
    listed = inside(sandbox, name, "lambda", role).list_functions()["Functions"]
    return [each["FunctionArn"] for each in listed]


def test_every_account_has_its_own_functions_and_says_who_gets_in(sandbox: Sandbox) -> None:
    refused = set()
    for sample in ACCOUNTS:
        try:
            found = functions(sandbox, sample.name)
        except ClientError as error:
            refused.add((sample.name, error.response["Error"]["Code"]))
            continue
        account = member_account(sandbox.account, number_of(sample.name))
        assert len(found) == sample.functions
        assert all(f":{account}:function:{sample.name}-" in arn for arn in found)
    closed = {PARTNER, TOWER} | {each.name for each in ACCOUNTS if each.state}
    assert refused == {(name, "AccessDenied") for name in closed}
    assert len(functions(sandbox, TOWER, CONTROL_TOWER_ROLE)) == 2
    assert len(accounts(sandbox)) == len(ACCOUNTS)
