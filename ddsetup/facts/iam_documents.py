"""Reading and writing IAM policy documents, as far as Datadog's role needs it.

Whatever cannot be judged here (conditions, NotAction, NotPrincipal) counts as not allowing: adding a right
that is already there does no harm, relying on one that is not does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from ddsetup.model.account import Json

INLINE_LIMIT = 10_240
"""Characters of all inline policies of a role together, white space not counted (IAM quotas page)."""
MANAGED_LIMIT = 6_144
"""Characters of a managed policy, white space not counted (IAM quotas page)."""
COLLECTION_POLICY = "datadog-aws-integration-resource-collection-permissions"
"""How the policies for the collection of resources begin; Datadog's quick start went on to `-v2-ROLE-NUMBER`
with its release 4.14."""


def collection_policy(role: str, number: int) -> str:
    """The name of one of a role's policies for resource collection, as Datadog's quick start has it."""
    return f"{COLLECTION_POLICY}-v2-{role}-{number}"


def allow(actions: Iterable[str], resource: str = "*") -> Json:
    """A policy document that allows the actions, sorted, on the resource."""
    statement = {"Effect": "Allow", "Action": sorted(set(actions)), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust_policy(partition: str, account: str, external_id: str) -> Json:
    """The trust policy with which `account`, Datadog's, may assume the role if it knows the external ID
    (Datadog's manual AWS setup)."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def size(document: Json) -> int:
    """Characters that count towards IAM's limits."""
    return len(json.dumps(document, separators=(",", ":")))


def fitting(actions: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Actions in as many groups as it takes that each fits into a managed policy."""
    groups: list[tuple[str, ...]] = []
    held: list[str] = []
    room = MANAGED_LIMIT - size(allow(()))
    for action in actions:
        if len(action) + 3 > room:
            groups.append(tuple(held))
            held, room = [], MANAGED_LIMIT - size(allow(()))
        held.append(action)
        room -= len(action) + 3
    return (*groups, tuple(held)) if held else tuple(groups)


def allowed_actions(document: Json) -> tuple[str, ...]:
    """The action patterns that a document allows on everything, without condition."""
    found: list[str] = []
    for statement in statements(document):
        if statement.get("Effect") == "Allow" and "*" in strings(statement.get("Resource")):
            found += [] if statement.get("Condition") else strings(statement.get("Action"))
    return tuple(found)


def missing_actions(wanted: Iterable[str], documents: Iterable[Json]) -> tuple[str, ...]:
    """Those of `wanted` that no document allows; an action may be a pattern, to be allowed as a whole."""
    patterns = {p.lower() for document in documents for p in allowed_actions(document)}
    wild = [p for p in patterns if set(p) & set("*?[")]

    def allowed(action: str) -> bool:
        return action in patterns or any(fnmatchcase(action, p) for p in wild)

    return tuple(a for a in wanted if not allowed(a.lower()))


def trust_problem(trust: Json, principals: Iterable[str], external_id: str | None) -> str:
    """Why Datadog cannot assume a role with this trust policy; empty if it can.

    `principals`: any of these counts as Datadog's. `external_id` None: not known, so not compared.
    """
    accepted, problem = set(principals), "it does not trust Datadog's account"
    for statement in statements(trust):
        if not _lets_assume(statement) or not accepted & set(_aws_principals(statement)):
            continue
        ids = external_ids(statement)
        if external_id is None or (ids is not None and any(fnmatchcase(external_id, i) for i in ids)):
            return ""
        problem = "it asks for no external id" if ids is None else "it asks for another external id"
    return problem


def trusted(trust: Json) -> tuple[str, ...]:
    """The AWS principals that a trust policy lets assume the role."""
    found = [p for s in statements(trust) if _lets_assume(s) for p in _aws_principals(s)]
    return tuple(found)


def external_ids(statement: Mapping[str, Json]) -> tuple[str, ...] | None:
    """The external ids that a trust statement accepts, None if it does not look at them."""
    for operator, keys in (statement.get("Condition") or {}).items():
        if operator in ("StringEquals", "StringLike") and isinstance(keys, Mapping):
            for key, value in keys.items():
                if key.lower() == "sts:externalid":
                    return tuple(strings(value))
    return None


def statements(document: Json) -> tuple[Mapping[str, Json], ...]:
    """The statements of a policy document; IAM allows a single one without a list."""
    if not isinstance(document, Mapping):
        return ()
    held = document.get("Statement") or ()
    held = [held] if isinstance(held, Mapping) else held
    return tuple(s for s in held if isinstance(s, Mapping))


def strings(value: Json) -> list[str]:
    """A policy element that may be a string or a list of them."""
    if isinstance(value, str):
        return [value]
    return [v for v in value or () if isinstance(v, str)]


def _lets_assume(statement: Mapping[str, Json]) -> bool:
    actions = [a.lower() for a in strings(statement.get("Action"))]
    return statement.get("Effect") == "Allow" and any(fnmatchcase("sts:assumerole", a) for a in actions)


def _aws_principals(statement: Mapping[str, Json]) -> list[str]:
    principal = statement.get("Principal")
    return strings(principal.get("AWS")) if isinstance(principal, Mapping) else strings(principal)
