"""Every policy that can be printed, held against the Service Authorization Reference (policy_sentry)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from ddsetup.model.account import Json
from ddsetup.model.answers import KeySource, Selection
from ddsetup.plan.policy import COMMANDS, least_policy
from tests import builders as b

SECRET = f"arn:aws:secretsmanager:{b.REGION}:{b.ACCOUNT}:secret:mine-AbCdEf"
PARAMETER = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/dd"
VIAS: tuple[dict[str, Any], ...] = ({"via": "forwarder"}, {"via": "extension"})
SUBSCRIPTIONS: tuple[dict[str, Any], ...] = tuple(
    {"subscribe": how, "on_conflict": then}
    for how, then in (("automatic", "skip"), ("direct", "replace"), ("none", "skip"))
)
FORWARDERS: tuple[dict[str, Any], ...] = (
    {},
    {"forwarder_upgrade": True},
    {"forwarder_params": {"InstallAsLayer": "false"}, "forwarder_upgrade": True},
    {"forwarder_params": {"DdStoreFailedEvents": "true", "DdScheduleRetryFailedEvents": "true"}},
    {"forwarder_params": {"DdForwarderExistingBucketName": "mine"}, "role_path": "/x/"},
    {"forwarder_params": {"DdForwarderBucketsAccessLogsTarget": "logs"}},
)
KEYS: tuple[dict[str, Any], ...] = (
    {},
    {"key_source": KeySource(kind="secret", value=SECRET)},
    {"key_source": KeySource(kind="ssm", value=PARAMETER)},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {},
    {"resource_collection": True, "state_machines": ("all",), "api_stages": ("all",)},
    {"selection": Selection(names=("orders", "pay-*"))},
)
WANTED = (("setup", "undo"), COMMANDS, ("doctor",), ("setup",), ("undo",))


def policies() -> Iterator[tuple[str, Json]]:
    """Every combination, by what it is."""
    for parts in product(VIAS, SUBSCRIPTIONS, FORWARDERS, KEYS, OTHERS):
        over = {key: value for part in parts for key, value in part.items()}
        for commands in WANTED:
            yield (
                f"{over} {commands}",
                least_policy(b.answers(**over), "aws", [b.ACCOUNT], [b.REGION], commands),
            )


@pytest.fixture(scope="module")
def every_policy() -> list[tuple[str, Json]]:
    return list(policies())


def test_every_action_is_one_of_aws(every_policy: list[tuple[str, Json]]) -> None:
    printed = {a for _, document in every_policy for s in document["Statement"] for a in s["Action"]}
    known = {action.lower() for action in get_all_actions()}
    assert sorted(a for a in printed if a.lower() not in known) == []


def test_every_action_is_on_resources_that_it_knows(every_policy: list[tuple[str, Json]]) -> None:
    """An action on an ARN of a type that it does not know is never allowed, however the policy reads."""
    pairs = {
        (action, arn.split(":")[2])
        for _, document in every_policy
        for s in document["Statement"]
        for action in s["Action"]
        for arn in ([s["Resource"]] if isinstance(s["Resource"], str) else s["Resource"])
        if arn != "*"
    }
    assert len(pairs) > 50
    wrong = [(action, service) for action, service in sorted(pairs) if not _knows(action, service)]
    assert wrong == []


def _knows(action: str, service: str) -> bool:
    prefix, _, name = action.partition(":")
    rows = (get_action_data(prefix, name) or {}).get(prefix, [])
    arns = [row["resource_arn_format"] for row in rows]
    return any(arn != "*" and arn.split(":")[2] == service for arn in arns)


def test_statements_have_names_of_their_own(every_policy: list[tuple[str, Json]]) -> None:
    for what, document in every_policy:
        names = [s["Sid"] for s in document["Statement"]]
        assert len(names) == len(set(names)), what
        assert all(name.isalnum() for name in names), what
