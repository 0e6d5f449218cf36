"""Reading the trust policy that lets Datadog assume the role (Datadog's manual AWS setup)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ddsetup.model.account import Json


def external_id_of(trust: Json) -> str | None:
    """The external ID that a trust policy asks for; None unless it is exactly one, compared to the letter."""
    found = {value for statement in _statements(trust) for value in _external_ids(statement)}
    return found.pop() if len(found) == 1 else None


def trusts(trust: Json, account: str, external_id: str) -> bool:
    """Whether the policy is one statement of the form of `trust_policy`, for this account and external ID."""
    statements = list(_statements(trust))
    if len(statements) != 1 or external_id_of(trust) != external_id:
        return False
    principal = statements[0].get("Principal")
    arns = _texts(principal.get("AWS")) if isinstance(principal, Mapping) else ()
    return [_account_of(arn) for arn in arns] == [account]


def _account_of(principal: str) -> str:
    """AWS takes and answers an account's number and the ARN of its root for the same principal."""
    is_root = principal.startswith("arn:") and principal.endswith(":root")
    return principal.split(":")[4] if is_root else principal


def _statements(trust: Json) -> Iterable[Mapping[str, Json]]:
    found = trust.get("Statement") if isinstance(trust, Mapping) else None
    statements = found if isinstance(found, list) else [found]
    for statement in statements:
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow":
            yield statement


def _external_ids(statement: Mapping[str, Json]) -> Iterable[str]:
    condition = statement.get("Condition")
    equals = condition.get("StringEquals") if isinstance(condition, Mapping) else None
    if isinstance(equals, Mapping):
        for key, value in equals.items():
            if key.lower() == "sts:externalid":
                yield from _texts(value)


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
