"""Deploys a function as a pipeline does that knows nothing of Datadog: the way in which Datadog gets lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ddsetup.sandbox import aws
from ddsetup.sandbox.bootstrap import FUNCTION_ROLE
from ddsetup.sandbox.model import Keys, Sandbox
from ddsetup.sandbox.roles import allow
from ddsetup.sandbox.scenarios.functions import SAMPLE_TAG, package

ROLE = "coffee-pipeline"
SESSION = "deploy-4711"
_OWN = "DD_LAMBDA_HANDLER"
"""Where Datadog's libraries keep the handler that the function's template has."""


def deploy(sandbox: Sandbox, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Deploy these functions in the first region, in the name of a session of the pipeline's role.

    One that is there gets the layers, handler and variables back that it has without Datadog, one that is not
    is made. Returns each name with what was done: "updated" or "created".
    """
    region = sandbox.regions[0]
    client = aws.client("lambda", sandbox.aws_endpoint_url, region, _pipeline(sandbox, region))
    pages = client.get_paginator("list_functions").paginate()
    there = {function["FunctionName"]: function for page in pages for function in page["Functions"]}
    done: list[tuple[str, str]] = []
    for name in names:
        if name in there:
            _update(client, there[name])
        else:
            _create(client, name, f"arn:aws:iam::{sandbox.account}:role/{FUNCTION_ROLE}")
        done.append((name, "updated" if name in there else "created"))
    return tuple(done)


def _update(client: Any, function: dict[str, Any]) -> None:
    variables = function.get("Environment", {}).get("Variables", {})
    client.update_function_configuration(
        FunctionName=function["FunctionName"],
        Handler=variables.get(_OWN, function.get("Handler", "")),
        Layers=[],
        Environment={"Variables": {k: v for k, v in variables.items() if not k.startswith("DD_")}},
    )


def _create(client: Any, name: str, role: str) -> None:
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="coffee.handler",
        Role=role,
        Code={"ZipFile": package("coffee")},
        MemorySize=256,
        Timeout=60,
        Tags={SAMPLE_TAG: "orders"},
    )


def _pipeline(sandbox: Sandbox, region: str) -> Keys:
    """The credentials of a session of the pipeline's role, which is made when it is first needed."""
    iam, sts = (aws.client(name, sandbox.aws_endpoint_url, region, sandbox.root) for name in ("iam", "sts"))
    trusted = {"AWS": f"arn:aws:iam::{sandbox.account}:root"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=allow(Action="sts:AssumeRole", Principal=trusted)
        )
        rights = allow(Action=["lambda:*", "iam:PassRole"], Resource="*")
        iam.put_role_policy(RoleName=ROLE, PolicyName="deploy", PolicyDocument=rights)
    arn = f"arn:aws:iam::{sandbox.account}:role/{ROLE}"
    found = sts.assume_role(RoleArn=arn, RoleSessionName=SESSION)["Credentials"]
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
