"""Roles, and the documents that say who takes them on and what they may do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def allow(**statement: Any) -> str:
    """A document of one statement, which allows that."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def trust(services: str | Sequence[str]) -> str:
    """The document of a role that these services of AWS take on."""
    return allow(Principal={"Service": services}, Action="sts:AssumeRole")


def create_role(
    iam: Any, name: str, services: str | Sequence[str], may: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Its ARN. `may`: policies of its own by name, each with what it allows to be done to anything."""
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(services))["Role"]["Arn"]
    for policy, actions in (may or {}).items():
        document = allow(Action=actions, Resource="*")
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    return str(arn)
