"""Roles by which somebody of another account may do everything in a member of the organisation."""

from __future__ import annotations

import json

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def trust(principal: str) -> str:
    """The document of a role that lets that principal in, and nobody else."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(name: str, principal: str) -> None:
    """Make it in the account at hand."""
    from ministack.services import iam

    iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [trust(principal)]})
    iam._attach_role_policy({"RoleName": [name], "PolicyArn": [ADMINISTRATOR]})
