"""The secret with the API key: whose it is, and how it is deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsetup.gateways.aws.secrets import delete_secret
from ddsetup.model.errors import GatewayError
from ddsetup.model.states import SecretState
from tests.gateways.aws_stand import Reply, ScriptedAws, connect
from tests.gateways.bench import LANE, Bench, answer, aws, bench, change, moto_url

__all__ = ["aws", "bench", "moto_url"]

STATE = SecretState(name="ddsetup/datadog-api-key", tags={"created_by": "ddsetup", "team": "monitoring"})
FORWARD = change("secret", STATE.name, None, STATE)


def make(bench: Bench, **tags: str) -> None:
    tagged = [{"Key": key, "Value": value} for key, value in tags.items()]
    bench.client("secretsmanager").create_secret(Name=STATE.name, SecretString="theirs", Tags=tagged)


def value(bench: Bench) -> str:
    return str(bench.client("secretsmanager").get_secret_value(SecretId=STATE.name)["SecretString"])


@pytest.mark.parametrize(
    "tags",
    [
        {"created_by": "ddsetup"},
        {"team": "monitoring"},
        {"created_by": "terraform", "team": "monitoring"},
        {"created_by": "ddsetup", "team": "billing"},
        {},
    ],
)
def test_a_secret_that_carries_only_some_of_our_tags_is_not_ours(bench: Bench, tags: dict[str, str]) -> None:
    make(bench, **tags)
    outcome = bench.one(FORWARD.inverse())
    assert outcome.status == "changed_since"
    assert "does not carry the tags" in outcome.reason
    assert value(bench) == "theirs"
    bench.client("secretsmanager").delete_secret(SecretId=STATE.name)
    assert bench.one(FORWARD).status == "changed_since"
    listed = bench.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert ["DeletedDate" in secret for secret in listed] == [True]


def test_a_state_without_tags_makes_no_secret_ours(bench: Bench) -> None:
    make(bench)
    bare = change("secret", STATE.name, replace(STATE, tags={}), None)
    assert bench.one(bare).status == "changed_since"
    assert value(bench) == "theirs"


def test_a_secret_of_ours_with_more_tags_is_ours(bench: Bench) -> None:
    make(bench, **STATE.tags, cost="1")
    assert bench.one(FORWARD.inverse()).status == "applied"
    assert bench.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_a_secret_that_is_there_keeps_its_key(bench: Bench) -> None:
    make(bench)
    outcome = bench.one(FORWARD)
    assert (outcome.status, outcome.reason) == ("unchanged", "it exists; the key in it is used as it is")
    assert value(bench) == "theirs"


def test_one_whose_creation_got_no_answer_is_ours_by_its_tags(bench: Bench) -> None:
    bench.lose_answer("secretsmanager:CreateSecret")
    assert bench.one(FORWARD).status == "applied"
    assert bench.lost == ["secretsmanager:CreateSecret"]
    assert value(bench) == "a" * 32


def test_one_that_somebody_else_makes_in_between_is_not(bench: Bench) -> None:
    make(bench, created_by="ddsetup")
    unseen = answer(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    bench.refuse("secretsmanager:DescribeSecret", [unseen])
    with pytest.raises(GatewayError, match="already exists"):
        bench.one(FORWARD)
    assert value(bench) == "theirs"


def test_the_key_of_another_site_is_kept_for_an_undo_and_never_replaced_by_this_ones(bench: Bench) -> None:
    elsewhere = change("secret", STATE.name, replace(STATE, site="us5.datadoghq.com"), None)
    make(bench, **STATE.tags)
    assert bench.one(elsewhere).status == "applied"
    assert bench.one(elsewhere.inverse()).status == "applied"
    assert value(bench) == "theirs"
    delete_secret(bench.aws, LANE, STATE.name, force=True)
    outcome = bench.one(elsewhere.inverse())
    assert (outcome.status, "us5.datadoghq.com" in outcome.fix) == ("failed", True)


@pytest.mark.parametrize("force", [True, False])
def test_a_deletion_says_whether_it_is_at_once(script: ScriptedAws, force: bool) -> None:
    """`ForceDeleteWithoutRecovery` and `RecoveryWindowInDays` exclude each other (Secrets Manager API)."""
    arn = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{STATE.name}-a1B2c3"
    script.script(Reply({"Name": STATE.name, "ARN": arn}))
    delete_secret(connect(script.url), LANE, STATE.name, force=force)
    sent = script.sent()
    assert sent.get("ForceDeleteWithoutRecovery", False) is force
    assert not (force and "RecoveryWindowInDays" in sent)
