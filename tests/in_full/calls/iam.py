"""Calls about roles and what they may."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from ddsetup.gateways.aws import permissions, roles
from ddsetup.gateways.aws.session import Aws
from tests.gateways.aws_stand import ACCOUNT
from tests.in_full.calls.world import POLICY, ROLE, VERDICTS, WHO, Call


def simulated_for(arn: str) -> Callable[[Aws], object]:
    return lambda aws: permissions.simulate(aws, replace(WHO, arn=arn), ["iam:CreateRole"], {})


ROLES: Mapping[str, Call] = {
    "simulate": (
        lambda aws: permissions.simulate(
            aws, WHO, [v["EvalActionName"] for v in VERDICTS], {"iam:CreateRole": (ROLE,)}
        ),
        {"SimulatePrincipalPolicy": [{"EvaluationResults": VERDICTS}]},
    ),
    **{
        f"simulate for {who}": (
            simulated_for(f"arn:aws:{who}"),
            {
                "SimulatePrincipalPolicy": [{"EvaluationResults": VERDICTS}],
                "GetRole": [{"Role": {"Arn": ROLE, "RoleName": "r", "Path": "/service/"}}],
            },
        )
        for who in (
            f"iam::{ACCOUNT}:user/x/u",
            f"sts::{ACCOUNT}:assumed-role/r/me",
            f"sts::{ACCOUNT}:federated-user/u",
            f"iam::{ACCOUNT}:root",
            f"iam::{ACCOUNT}:assumed-role/r",
        )
    },
    "role may": (
        lambda aws: permissions.role_may(aws, ROLE, ("iam:TagRole", "lambda:ListFunctions")),
        {"SimulatePrincipalPolicy": [{"EvaluationResults": VERDICTS}]},
    ),
    "role": (
        lambda aws: roles.read_role(aws, ACCOUNT, "r"),
        {
            "GetRole": [
                {
                    "Role": {
                        "RoleName": "r",
                        "Arn": ROLE,
                        "Path": "/service/",
                        "AssumeRolePolicyDocument": json.dumps(POLICY),
                        "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:b"},
                        "Tags": [{"Key": "k", "Value": "v"}],
                    }
                }
            ],
            "ListRolePolicies": [{"PolicyNames": ["p"], "Marker": "m"}, {"PolicyNames": ["q"]}],
            "GetRolePolicy": [{"PolicyDocument": '{"Statement": []}'}],
            "ListAttachedRolePolicies": [{"AttachedPolicies": [{"PolicyArn": "arn:p"}]}],
        },
    ),
    "role by a policy": (
        lambda aws: roles.read_role(aws, ACCOUNT, "r", "p"),
        {
            "GetRole": [{"Role": {"RoleName": "r", "Arn": ROLE}}],
            "GetRolePolicy": [{"PolicyDocument": '{"Statement": []}'}],
        },
    ),
    "role without that policy": (
        lambda aws: roles.read_role(aws, ACCOUNT, "r", "p"),
        {
            "GetRole": [{"Role": {"RoleName": "r", "Arn": ROLE}}],
            "GetRolePolicy": [{"refused": ("NoSuchEntity", "not there", 404)}],
        },
    ),
    "create role": (
        lambda aws: roles.create_role(aws, ACCOUNT, "r", POLICY, {"k": "v"}),
        {"CreateRole": [{"Role": {"Arn": ROLE}}]},
    ),
    "trust": (lambda aws: roles.update_trust(aws, ACCOUNT, "r", POLICY), {"UpdateAssumeRolePolicy": [{}]}),
    "put policy": (
        lambda aws: roles.put_role_policy(aws, ACCOUNT, "r", "p", POLICY),
        {"PutRolePolicy": [{}]},
    ),
    "delete policy": (
        lambda aws: roles.delete_role_policy(aws, ACCOUNT, "r", "p"),
        {"DeleteRolePolicy": [{}]},
    ),
    "attach": (lambda aws: roles.attach_role_policy(aws, ACCOUNT, "r", "arn:p"), {"AttachRolePolicy": [{}]}),
    "detach": (lambda aws: roles.detach_role_policy(aws, ACCOUNT, "r", "arn:p"), {"DetachRolePolicy": [{}]}),
    "delete role": (lambda aws: roles.delete_role(aws, ACCOUNT, "r"), {"DeleteRole": [{}]}),
}
