"""What many accounts take: the policy of whoever runs it, and the role by which each account is entered."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.model.answers import Answers
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps.api_key import OWN_TAGS

LOOK_AT_ORGANISATION = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
)
STACK_SETS = (
    "cloudformation:ActivateOrganizationsAccess",
    "cloudformation:CreateStackInstances",
    "cloudformation:CreateStackSet",
    "cloudformation:DeleteStackInstances",
    "cloudformation:DeleteStackSet",
    "cloudformation:DescribeOrganizationsAccess",
    "cloudformation:DescribeStackSet",
    "cloudformation:DescribeStackSetOperation",
    "cloudformation:ImportStacksToStackSet",
    "cloudformation:ListStackInstances",
    "cloudformation:ListStackSetOperations",
    "cloudformation:TagResource",
    "cloudformation:UpdateStackSet",
    "organizations:EnableAWSServiceAccess",
    "organizations:ListDelegatedAdministrators",
)
"""What a rollout takes; the last is what a delegated administrator needs besides (hashicorp's documentation
of `aws_cloudformation_stack_set`)."""
FOR = ("setup", "verify", "undo", "status")
"""The commands whose rights it takes in an account."""
ROLE = "ddsetup"
"""The name of the role that the template makes in each account."""


def organisation_statements(partition: str, roles: Sequence[str]) -> list[Json]:
    """What it takes beside the rights of one account: to read the organisation, to enter its accounts by
    `roles` (names or ARNs), and to have StackSets work in them."""
    arns = tuple(role if role.startswith("arn:") else f"arn:{partition}:iam::*:role/{role}" for role in roles)
    return [
        statement("Organisation", LOOK_AT_ORGANISATION, ("*",)),
        statement("EnterAccounts", ("sts:AssumeRole",), arns),
        statement("StackSets", STACK_SETS, ("*",)),
    ]


def role_document(answers: Answers, partition: str, regions: Sequence[str], principal: str) -> Json:
    """The template of the role with the least rights that it takes in an account, as `org policy --template`
    prints it and `org rollout role` rolls it out."""
    return member_template(least_policy(answers, partition, ("*",), regions, FOR), principal)


def member_template(policy: Json, principal: str) -> Json:
    """A CloudFormation template of the role with these rights, which `principal` (an ARN, or the number of an
    account) may assume. Its policy is inline: such a one may have 10,240 characters (IAM quotas page)."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}],
    }
    role = {
        "RoleName": ROLE,
        "Description": "Lets ddsetup set up and prove Datadog's monitoring of Lambda functions",
        "AssumeRolePolicyDocument": trust,
        "Policies": [{"PolicyName": ROLE, "PolicyDocument": policy}],
        "Tags": [{"Key": key, "Value": value} for key, value in OWN_TAGS.items()],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role by which ddsetup enters this account, with exactly the rights that it needs",
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}},
    }
