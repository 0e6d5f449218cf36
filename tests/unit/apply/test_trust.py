"""Reading and writing the trust policy of the integration role."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.apply.writers.trust import external_id_of, trusts
from ddsetup.facts.iam_documents import trust_policy

ACCOUNT, EXTERNAL_ID = "464622532012", "e" * 32


def policy(**over: Any) -> dict[str, Any]:
    made = trust_policy("aws", ACCOUNT, EXTERNAL_ID)
    made["Statement"][0].update(over)
    return dict(made)


def test_what_is_written_is_recognised() -> None:
    made = trust_policy("aws-us-gov", ACCOUNT, EXTERNAL_ID)
    assert made["Statement"][0]["Principal"] == {"AWS": f"arn:aws-us-gov:iam::{ACCOUNT}:root"}
    assert trusts(made, ACCOUNT, EXTERNAL_ID)
    assert external_id_of(made) == EXTERNAL_ID


@pytest.mark.parametrize(
    "over",
    [
        {"Principal": {"AWS": ACCOUNT}},
        {"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}},
        {"Condition": {"StringEquals": {"sts:externalid": [EXTERNAL_ID]}}},
    ],
)
def test_other_spellings_mean_the_same(over: dict[str, Any]) -> None:
    assert trusts(policy(**over), ACCOUNT, EXTERNAL_ID)


@pytest.mark.parametrize(
    "over",
    [
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::111122223333:root"]}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/someone"}},
        {"Principal": "*"},
        {"Condition": {}},
        {"Condition": {"StringLike": {"sts:ExternalId": EXTERNAL_ID}}},
        {"Condition": {"StringEquals": {"sts:ExternalId": [EXTERNAL_ID, "another"]}}},
        {"Effect": "Deny"},
    ],
)
def test_anything_else_is_not_our_trust(over: dict[str, Any]) -> None:
    assert not trusts(policy(**over), ACCOUNT, EXTERNAL_ID)


@pytest.mark.parametrize("trust", [None, {}, [], "x", {"Statement": None}, {"Statement": [1]}])
def test_nonsense_trusts_nobody(trust: Any) -> None:
    assert external_id_of(trust) is None
    assert not trusts(trust, ACCOUNT, EXTERNAL_ID)
