"""Furnishes a fresh emulated account: its IAM user, the functions' role, and what the scenarios ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ddsetup.sandbox.model import OPERATOR, Keys
from ddsetup.sandbox.roles import create_role

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION_ROLE = "ddsetup-sandbox-function"
_LONGEST = 6_144
"""Characters of a managed policy (IAM quotas page)."""
_WRITE_LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def create_operator(iam: Any, policy: Mapping[str, Any]) -> Keys:
    """The IAM user that ddsetup runs as, with exactly that policy; in parts where it is too long for one."""
    iam.create_user(UserName=OPERATOR)
    for number, part in enumerate(_parts(policy)):
        name = f"{OPERATOR}-{number}" if number else OPERATOR
        arn = iam.create_policy(PolicyName=name, PolicyDocument=part)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=OPERATOR, PolicyArn=arn)
    key = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


def create_trail(cloudtrail: Any) -> None:
    """The trail of all regions that most accounts have, by which EventBridge hears of what is changed."""
    cloudtrail.create_trail(Name="account", S3BucketName="account-trail", IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="account")


def _parts(policy: Mapping[str, Any]) -> list[str]:
    """The policy as documents that IAM takes."""
    parts: list[list[Any]] = [[]]
    for statement in policy["Statement"]:
        if len(_document([*parts[-1], statement])) > _LONGEST and parts[-1]:
            parts.append([])
        parts[-1].append(statement)
    return [_document(statements) for statements in parts]


def _document(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def create_function_role(iam: Any) -> str:
    """The execution role that the sample functions share; returns its ARN."""
    role = create_role(iam, FUNCTION_ROLE, "lambda.amazonaws.com")
    iam.attach_role_policy(RoleName=FUNCTION_ROLE, PolicyArn=_WRITE_LOGS)
    return role
