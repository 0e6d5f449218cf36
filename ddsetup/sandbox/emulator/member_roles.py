"""Roles by which somebody of another account may do everything in a member of the organisation."""

from __future__ import annotations

from ddsetup.sandbox.roles import allow

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def trust(principal: str) -> str:
    """The document of a role that lets that principal in, and nobody else."""
    return allow(Principal={"AWS": principal}, Action="sts:AssumeRole")


def create(name: str, principal: str) -> None:
    """Make it in the account at hand."""
    from ministack.services import iam

    iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [trust(principal)]})
    iam._attach_role_policy({"RoleName": [name], "PolicyArn": [ADMINISTRATOR]})
