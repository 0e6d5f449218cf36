"""IAM roles and their policies, and what this identity may do (see `permissions`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from ddsetup.facts.iam_documents import COLLECTION_POLICY
from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.permissions import simulate
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Json, Lane, Role
from ddsetup.model.errors import Denied, NotFound

__all__ = [
    "attach_role_policy",
    "create_policy",
    "create_role",
    "delete_policy",
    "delete_role",
    "delete_role_policy",
    "detach_role_policy",
    "put_role_policy",
    "read_policy",
    "read_role",
    "read_role_policy",
    "roles_trusting",
    "simulate",
    "update_trust",
]

_TOKEN = ("Marker", "Marker")


@readable_or_none
def read_role(aws: Aws, account: str, name: str, policy: str = "") -> Role:
    """A role with its policies, None if there is none; with the inline `policy` alone where that is named.

    Needs iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy and iam:ListAttachedRolePolicies; for the
    policies of resource collection iam:GetPolicy and iam:GetPolicyVersion, without which they stay unread.
    """
    at = Lane(account)
    item = aws.call("iam:GetRole", at, RoleName=name)["Role"]
    if policy:
        return _role(item, _one_policy(aws, account, name, policy))
    inline = aws.pages("iam:ListRolePolicies", at, "PolicyNames", token=_TOKEN, RoleName=name)
    listed = aws.pages("iam:ListAttachedRolePolicies", at, "AttachedPolicies", token=_TOKEN, RoleName=name)
    attached = tuple(each["PolicyArn"] for each in listed)
    role = _role(item, {each: _policy(aws, account, name, each) for each in inline})
    managed = {
        arn.rpartition("/")[2]: _if_allowed(aws, arn)
        for arn in attached
        if arn.rpartition("/")[2].startswith(COLLECTION_POLICY)
    }
    return replace(role, attached=attached, managed=managed)


def _role(item: Mapping[str, Json], inline: Mapping[str, Json]) -> Role:
    boundary = item.get("PermissionsBoundary") or {}
    return Role(
        name=item["RoleName"],
        arn=item["Arn"],
        path=item.get("Path") or "/",
        trust=_document(item.get("AssumeRolePolicyDocument")),
        inline=inline,
        boundary=boundary.get("PermissionsBoundaryArn"),
        tags={tag["Key"]: tag.get("Value") or "" for tag in item.get("Tags") or ()},
    )


def _one_policy(aws: Aws, account: str, role: str, policy: str) -> Mapping[str, Json]:
    try:
        return {policy: _policy(aws, account, role, policy)}
    except NotFound:
        return {}


@readable
def roles_trusting(aws: Aws, account: str, service: str) -> frozenset[str]:
    """The ARNs of all roles that a service may assume. Needs iam:ListRoles; 1,000 a page."""
    at = Lane(account)
    items = aws.each("iam:ListRoles", at, "Roles", token=_TOKEN, patience=OPTIONAL, MaxItems=1000)
    return frozenset(
        item["Arn"]
        for item in items
        if service in json.dumps(_document(item.get("AssumeRolePolicyDocument")))
    )


@readable_or_none
def read_role_policy(aws: Aws, account: str, role: str, policy: str) -> Json:
    """An inline policy's document, None if there is none. Needs iam:GetRolePolicy."""
    return _policy(aws, account, role, policy)


def create_role(
    aws: Aws, account: str, name: str, trust: Json, tags: Mapping[str, str], boundary: str = ""
) -> str:
    """Create a role, perhaps with a permissions boundary (an ARN), and return its ARN.

    Raises AlreadyExists, Denied or GatewayError.
    """
    parameters: dict[str, Json] = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps(trust),
        "Description": "Lets Datadog read this account",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    if boundary:
        parameters["PermissionsBoundary"] = boundary
    return str(aws.call("iam:CreateRole", Lane(account), **parameters)["Role"]["Arn"])


def update_trust(aws: Aws, account: str, name: str, trust: Json) -> None:
    """Replace who may assume a role."""
    aws.call("iam:UpdateAssumeRolePolicy", Lane(account), RoleName=name, PolicyDocument=json.dumps(trust))


def put_role_policy(aws: Aws, account: str, role: str, policy: str, document: Json) -> None:
    """Create or replace an inline policy."""
    text = json.dumps(document, separators=(",", ":"))
    aws.call("iam:PutRolePolicy", Lane(account), RoleName=role, PolicyName=policy, PolicyDocument=text)


def delete_role_policy(aws: Aws, account: str, role: str, policy: str) -> bool:
    """Delete an inline policy; False if it is not there."""
    return _gone(aws, account, "iam:DeleteRolePolicy", RoleName=role, PolicyName=policy)


def read_policy(aws: Aws, arn: str) -> Json:
    """A managed policy's document, as its default version has it. Raises NotFound."""
    at = Lane(arn.split(":")[4])
    version = aws.call("iam:GetPolicy", at, PolicyArn=arn)["Policy"]["DefaultVersionId"]
    answer = aws.call("iam:GetPolicyVersion", at, PolicyArn=arn, VersionId=version)
    return _document(answer["PolicyVersion"]["Document"])


def _if_allowed(aws: Aws, arn: str) -> Json | None:
    try:
        return read_policy(aws, arn)
    except Denied:
        return None


def create_policy(aws: Aws, arn: str, document: Json, tags: Mapping[str, str], description: str) -> None:
    """Create a managed policy, which then has this ARN. Raises AlreadyExists, Denied or GatewayError."""
    aws.call(
        "iam:CreatePolicy",
        Lane(arn.split(":")[4]),
        PolicyName=arn.rpartition("/")[2],
        PolicyDocument=json.dumps(document, separators=(",", ":")),
        Description=description,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


def delete_policy(aws: Aws, arn: str) -> bool:
    """Delete a managed policy that has one version and is attached nowhere; False if it is not there."""
    return _gone(aws, arn.split(":")[4], "iam:DeletePolicy", PolicyArn=arn)


def attach_role_policy(aws: Aws, account: str, role: str, arn: str) -> None:
    """Attach a managed policy; attaching it twice changes nothing."""
    aws.call("iam:AttachRolePolicy", Lane(account), RoleName=role, PolicyArn=arn)


def detach_role_policy(aws: Aws, account: str, role: str, arn: str) -> bool:
    """Detach a managed policy; False if it is not attached."""
    return _gone(aws, account, "iam:DetachRolePolicy", RoleName=role, PolicyArn=arn)


def delete_role(aws: Aws, account: str, name: str) -> bool:
    """Delete a role that has no policies any more; False if it is not there."""
    return _gone(aws, account, "iam:DeleteRole", RoleName=name)


def _gone(aws: Aws, account: str, action: str, **parameters: Json) -> bool:
    try:
        aws.call(action, Lane(account), **parameters)
    except NotFound:
        return False
    return True


def _policy(aws: Aws, account: str, role: str, policy: str) -> Json:
    answer = aws.call("iam:GetRolePolicy", Lane(account), RoleName=role, PolicyName=policy)
    return _document(answer.get("PolicyDocument"))


def _document(value: Json) -> Json:
    """botocore decodes the documents that it knows; the rest stays text."""
    return json.loads(value) if isinstance(value, str) else value
