"""The right of functions' execution roles to read the API key, one inline policy for each role.

Execution roles are not read beforehand, so the policy is planned only for functions that are about to be
told where the key is; the writer compares with what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts import catalog
from ddsetup.model.account import Function, Json
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.states import RolePolicyState
from ddsetup.plan.steps.api_key import SECRET_NAME
from ddsetup.plan.steps.instrument.subject import STEP

POLICY_NAME = "ddsetup-read-datadog-api-key"


def role_name(function: Function) -> str:
    """The execution role's name, which is the last part of its ARN's path."""
    return function.role.rsplit("/", 1)[-1]


def policy_resource(function: Function) -> ResourceId:
    """The policy on the function's role; roles belong to the account, not to a region."""
    return ResourceId("role_policy", f"{role_name(function)}/{POLICY_NAME}", "", function.account)


def grants(functions: Iterable[Function], answers: Answers) -> tuple[Change, ...]:
    """The policies to put on the functions' roles, once for each; none if not wanted or not possible.

    A KMS ciphertext does not tell which key made it, so nothing can be granted for one.
    """
    changes: dict[ResourceId, Change] = {}
    for function in functions:
        document = policy_document(function, answers)
        resource = policy_resource(function)
        if document is None or not function.role or not answers.grant_key_access:
            continue
        changes[resource] = Change(
            step=STEP,
            resource=resource,
            before=None,
            after=RolePolicyState(role_name=role_name(function), policy_name=POLICY_NAME, document=document),
            why="the Extension reads the Datadog API key with the function's own role",
        )
    return tuple(changes.values())


def policy_document(function: Function, answers: Answers) -> Json:
    """The least policy that lets the function read the key; None where that cannot be said.

    For ddsetup's own secret it names the secret in any region: a role may serve functions in several. AWS
    ends a secret's ARN with six characters of its own.
    """
    source = answers.key_source
    if source.kind == "kms":
        return None
    partition = catalog.partition_of(function.region)
    action = "secretsmanager:GetSecretValue" if source.kind == "secret" else "ssm:GetParameter"
    own = f"arn:{partition}:secretsmanager:*:{function.account}:secret:{SECRET_NAME}-??????"
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": source.value or own}],
    }
