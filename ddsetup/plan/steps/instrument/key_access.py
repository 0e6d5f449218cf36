"""The right of functions' execution roles to read the API key, one inline policy for each role.

It is planned only for functions that are about to be told where the key is, or not any more; only their roles
are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ddsetup.facts import catalog
from ddsetup.facts.variables import KEY_SECRET_ARN, KEY_SSM_ARN, SITE
from ddsetup.model.account import Function, Json, Secret, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, ResourceId, Step
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import RolePolicyState
from ddsetup.plan.steps.api_key import SECRET_NAME
from ddsetup.plan.steps.instrument.subject import STEP, function_resource
from ddsetup.plan.steps.wording import listed

_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
POLICY_NAME = "ddsetup-read-datadog-api-key"
BY_ROLE = (KEY_SECRET_ARN, KEY_SSM_ARN)
"""Variables that tell a function where the key is, for its role to read it."""
_NO_RIGHT = ("kms", "wif")
"""Sources for which no policy is put on a role."""


def role_name(function: Function) -> str:
    """The execution role's name, which is the last part of its ARN's path."""
    return function.role.rsplit("/", 1)[-1]


def policy_resource(function: Function) -> ResourceId:
    """The policy on the function's role; roles belong to the account, not to a region."""
    return ResourceId("role_policy", f"{role_name(function)}/{POLICY_NAME}", "", function.account)


def grants(
    functions: Iterable[Function],
    answers: Answers,
    secret: Secret | None = None,
    seen: Mapping[str, Json | Unreadable] | None = None,
) -> tuple[Change, ...]:
    """The policies to put on the functions' roles, once for each; none if not wanted or not possible.

    `secret` is the user's own, where it could be looked at; `seen` are the policies that roles have.

    A KMS ciphertext does not tell which key made it, so nothing can be granted for one; without a key there
    is nothing to read.
    """
    changes: dict[ResourceId, Change] = {}
    for function in functions:
        document = policy_document(function, answers, secret)
        resource = policy_resource(function)
        if document is None or not function.role or not answers.grant_key_access:
            continue
        found = (seen or {}).get(function.role)
        if found == document:
            continue
        changes[resource] = Change(
            step=STEP,
            resource=resource,
            before=None if isinstance(found, Unreadable) else _policy(function, found),
            after=_policy(function, document),
            why="the Extension reads the Datadog API key with the function's own role",
        )
    return tuple(changes.values())


def _policy(function: Function, document: Json) -> RolePolicyState | None:
    if document is None:
        return None
    return RolePolicyState(role_name=role_name(function), policy_name=POLICY_NAME, document=document)


def reads_by_role(answers: Answers) -> bool:
    """Whether functions are to read the key by a right of their role."""
    return answers.via == "extension" and answers.key_source.kind != "wif"


def told_where(function: Function) -> bool:
    """Whether the function reads the key by its role."""
    return any((function.env or {}).get(name) for name in BY_ROLE)


def revocations(
    functions: Iterable[Function], snapshot: Snapshot, step: Step = STEP
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The policies that these functions need no longer, and nobody else who has the role; they go after the
    functions have changed. And what is to be said of those that could not be looked at."""
    leaving = list(functions)
    gone = {function.arn for function in leaving}
    others = {f.role for f in snapshot.functions() if f.arn not in gone and told_where(f)}
    by_role: dict[str, list[Function]] = {}
    for function in leaving:
        if function.role and function.role not in others:
            by_role.setdefault(function.role, []).append(function)
    changes, unread = [], []
    for role, held in by_role.items():
        found = snapshot.key_policies.get(role)
        if isinstance(found, Unreadable):
            unread.append(role_name(held[0]))
        elif found is not None:
            change = Change(
                step=step,
                resource=policy_resource(held[0]),
                before=_policy(held[0], found),
                after=None,
                why="no function with this role reads the API key any more",
                needs=tuple(function_resource(f) for f in held),
            )
            changes.append(change)
    said = f"whether these roles keep the policy {POLICY_NAME} could not be seen: {listed(unread)}"
    return tuple(changes), (said,) if unread else ()


def roles_to_read(functions: Iterable[Function], answers: Answers | None = None) -> tuple[str, ...]:
    """The roles whose policy matters: of functions that are about to be told where the key is, or that will
    no longer be told (all who are, without `answers`)."""
    reading = answers is not None and reads_by_role(answers)
    site = answers.site if answers is not None and reading else ""
    return tuple(
        sorted({f.role for f in functions if f.role and (told_where(f) != reading or _moves(f, site))})
    )


def _moves(function: Function, site: str) -> bool:
    """Whether the function reads a key and is about to send to this site, and sends to another one now."""
    return bool(site) and (function.env or {}).get(SITE, site) != site


def key_warnings(answers: Answers, seen: Secret | Unreadable | None) -> tuple[str, ...]:
    """What may keep functions from reading a key of the user's own, and cannot be granted from here."""
    if answers.via != "extension" or not answers.key_source.value or answers.key_source.kind in _NO_RIGHT:
        return ()
    if isinstance(seen, Secret) and not seen.kms_key:
        return ()
    if isinstance(seen, Secret) and _key_arn(seen):
        return (
            f"the API key's secret is encrypted with {seen.kms_key}: the policy of that key must let the "
            "functions' roles use it, too",
        )
    what = "parameter" if answers.key_source.kind == "ssm" else "secret"
    return (
        f"if the API key's {what} is encrypted with a KMS key of your own, every function's role needs "
        "kms:Decrypt on it, which is not granted here",
    )


def policy_document(function: Function, answers: Answers, secret: Secret | None = None) -> Json:
    """The least policy that lets the function read the key; None where that cannot be said.

    For ddsetup's own it names the secrets of all sites in any region: a role may serve functions in several,
    and while they move to another site some read the one and some the other. AWS
    ends a secret's ARN with six characters of its own, which an ARN that is given may lack; a secret that
    could be looked at tells all of them, and the key that encrypts it.
    """
    source = answers.key_source
    if source.kind in _NO_RIGHT:
        return None
    partition = catalog.partition_of(function.region)
    action = "secretsmanager:GetSecretValue" if source.kind == "secret" else "ssm:GetParameter"
    own = f"arn:{partition}:secretsmanager:*:{function.account}:secret:{SECRET_NAME}"
    resource = source.value or [f"{own}-??????", f"{own}/*"]
    statements: list[Json] = [{"Effect": "Allow", "Action": action, "Resource": resource}]
    if source.kind == "secret" and source.value:
        whole = secret.arn if secret else source.value
        bare = not secret and not _SUFFIX.search(whole)
        statements[0]["Resource"] = [whole, f"{whole}-??????"] if bare else whole
        key = _key_arn(secret) if secret else ""
        statements += [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}] if key else []
    return {"Version": "2012-10-17", "Statement": statements}


def _key_arn(secret: Secret) -> str:
    """The ARN of the customer's key that encrypts the secret, empty for AWS's own and for an alias, which
    policies cannot name."""
    key = secret.kms_key
    if not key or "alias/" in key:
        return ""
    _, partition, _, region, account, *_ = secret.arn.split(":")
    return key if key.startswith("arn:") else f"arn:{partition}:kms:{region}:{account}:key/{key}"
