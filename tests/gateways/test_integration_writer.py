"""The writers of Datadog's side: the AWS integration and its log collection, against the stand-in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ddsetup.gateways.datadog.integration import (
    set_log_collection,
    update_integration,
)
from ddsetup.model.account import Integration
from ddsetup.model.errors import ChangedSince, GatewayError
from ddsetup.model.states import LogCollectionState
from tests.gateways.bench import ACCOUNT, KEYS, REGION, Bench, aws, bench, change, moto_url
from tests.gateways.integrated import CREATE, FORWARDER, ROLE, STATE, THEIRS, both, dd, record, set_up

__all__ = ["aws", "bench", "both", "moto_url"]


def test_role_and_integration_share_the_external_id_that_datadog_issued(both: Bench) -> None:
    set_up(both)
    trust = both.client("iam").get_role(RoleName=ROLE.name)["Role"]["AssumeRolePolicyDocument"]
    issued = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
    live = record(both)
    assert live is not None
    assert (live.external_id, live.role_name, live.regions) == (issued, ROLE.name, (REGION,))
    assert len(issued) == 32


def test_an_integration_comes_and_goes(both: Bench) -> None:
    set_up(both)
    assert both.one(CREATE).status == "unchanged"
    assert both.one(CREATE.inverse()).status == "applied"
    assert record(both) is None
    assert both.one(CREATE.inverse()).status == "unchanged"


def test_a_later_run_takes_the_external_id_from_the_role(both: Bench) -> None:
    set_up(both)
    both.one(CREATE.inverse())
    assert both.one(CREATE).status == "applied"
    trust = both.client("iam").get_role(RoleName=ROLE.name)["Role"]["AssumeRolePolicyDocument"]
    live = record(both)
    assert live is not None
    assert live.external_id == trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]


def test_without_a_role_nothing_is_registered(both: Bench) -> None:
    with pytest.raises(GatewayError, match="is not there, or trusts no external ID"):
        both.one(CREATE)
    assert record(both) is None


def test_an_account_registered_otherwise_is_left_alone(both: Bench) -> None:
    set_up(both)
    other = change("integration", ACCOUNT, None, replace(STATE, role_name="Another"))
    outcome = both.one(other)
    assert (outcome.status, "role_name" in outcome.reason) == ("changed_since", True)
    assert both.one(other.inverse()).status == "changed_since"
    assert record(both) is not None


def test_an_update_goes_there_and_back_and_keeps_the_rest(both: Bench) -> None:
    set_up(both)
    before = record(both)
    wanted = replace(STATE, namespaces=(), regions=(REGION, "us-east-1"))
    forward = change("integration", ACCOUNT, STATE, wanted)
    assert both.one(forward).status == "applied"
    changed = record(both)
    assert changed is not None
    assert changed.regions == (REGION, "us-east-1")
    assert both.one(forward).status == "unchanged"
    assert both.one(forward.inverse()).status == "applied"
    after = record(both)
    assert before is not None
    assert after is not None
    assert _stable(after) == _stable(before)


def test_what_somebody_else_changed_in_between_stays(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    theirs = replace(STATE, regions=("us-west-2",))
    update_integration(dd(both), live.config_id, STATE, theirs, live)
    update = change("integration", ACCOUNT, STATE, replace(STATE, regions=(REGION, "us-east-1")))
    with pytest.raises(ChangedSince, match="regions"):
        both.one(update)
    assert both.one(CREATE.inverse()).status == "changed_since"
    left = record(both)
    assert left is not None
    assert left.regions == ("us-west-2",)


def test_an_integration_that_others_send_logs_through_is_not_deleted(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    set_log_collection(dd(both), live, [THEIRS], ["s3"])
    outcome = both.one(CREATE.inverse())
    assert (outcome.status, "log forwarders" in outcome.reason) == ("changed_since", True)


def test_log_collection_adds_and_takes_out_its_own(both: Bench) -> None:
    set_up(both)
    live = record(both)
    assert live is not None
    set_log_collection(dd(both), live, [THEIRS], ["s3"])
    after = LogCollectionState(lambdas=(FORWARDER,), sources=("lambda",))
    forward = change("log_collection", ACCOUNT, LogCollectionState(), after)
    assert both.one(forward).status == "applied"
    changed = record(both)
    assert changed is not None
    assert (changed.lambdas, set(changed.sources)) == ((THEIRS, FORWARDER), {"s3", "lambda"})
    assert both.one(forward).status == "unchanged"
    assert both.one(forward.inverse()).status == "applied"
    restored = record(both)
    assert restored is not None
    assert (restored.lambdas, restored.sources) == ((THEIRS,), ("s3",))


def test_log_collection_that_moved_is_left_alone(both: Bench) -> None:
    set_up(both)
    before = LogCollectionState(sources=("s3",))
    after = LogCollectionState(lambdas=(FORWARDER,), sources=())
    outcome = both.one(change("log_collection", ACCOUNT, before, after))
    assert (outcome.status, outcome.reason) == (
        "changed_since",
        "changed since: log source s3 is not registered",
    )
    live = record(both)
    assert live is not None
    assert live.lambdas == ()


def test_no_key_is_in_what_writers_say(both: Bench) -> None:
    set_up(both)
    said = repr(both.writers()) + repr(both.one(CREATE)) + repr(both.events)
    assert KEYS.api_key not in said
    assert KEYS.app_key not in said


def _stable(live: Integration) -> str:
    return json.dumps({k: v for k, v in live.raw.items() if k != "modified_at"}, sort_keys=True)
