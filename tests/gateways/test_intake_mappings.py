"""Intake mappings against the stand-in: which roles may send without an API key."""

from __future__ import annotations

import pytest

from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.workload_identity import read_workload_identity
from ddsetup.model.account import Unreadable, WorkloadIdentity
from ddsetup.model.states import IntakeMappingState
from ddsetup.sandbox.datadog.auth_api import ORG_ID
from tests.gateways.bench import (
    ACCOUNT,
    Bench,
    aws,
    bench,
    change,
    moto_url,
    role_of_a_function,
    zipped,
)
from tests.gateways.integrated import both, fault, set_up

__all__ = ["aws", "bench", "both", "moto_url"]

PATTERN = f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-role/*"
CREATE = change("intake_mapping", "orders-role", None, IntakeMappingState(arn_pattern=PATTERN))


def seen(bench: Bench) -> WorkloadIdentity:
    assert bench.dd is not None
    found = read_workload_identity(bench.dd)
    assert isinstance(found, WorkloadIdentity)
    return found


def fail(bench: Bench, **described: object) -> None:
    fault(bench, path="/api/v2/cloud_auth/aws/intake_mapping", **described)


def test_made_found_again_and_taken_away(both: Bench) -> None:
    set_up(both)
    assert seen(both) == WorkloadIdentity(org_uuid=ORG_ID)
    assert [both.one(CREATE).status, both.one(CREATE).status] == ["applied", "unchanged"]
    assert seen(both).patterns == (PATTERN,)
    assert [both.one(CREATE.inverse()).status, both.one(CREATE.inverse()).status] == ["applied", "unchanged"]
    assert seen(both).patterns == ()


def test_an_account_that_datadog_does_not_know_yet_is_waited_for_and_then_told(both: Bench) -> None:
    before = both.clock.monotonic()
    with pytest.raises(Rejected, match="not integrated"):
        both.one(CREATE)
    assert both.clock.monotonic() - before == pytest.approx(90)


def test_a_pattern_that_overlaps_with_another_is_refused(both: Bench) -> None:
    set_up(both)
    session = IntakeMappingState(arn_pattern=PATTERN.replace("*", "one-session"))
    assert both.one(change("intake_mapping", "one", None, session)).status == "applied"
    with pytest.raises(Rejected, match="conflicts"):
        both.one(CREATE)
    assert seen(both).patterns == (session.arn_pattern,)


def test_an_answer_that_is_lost_makes_no_second_one(both: Bench) -> None:
    set_up(both)
    fail(both, method="POST", status=0, times=1, after_effect=True)
    assert both.one(CREATE).status == "applied"
    assert seen(both).patterns == (PATTERN,)


def test_a_mapping_stays_while_a_function_relies_on_it(both: Bench) -> None:
    set_up(both)
    both.one(CREATE)
    both.client("lambda").create_function(
        FunctionName="other",
        Role=role_of_a_function(both),
        Runtime="python3.12",
        Handler="app.handler",
        Code={"ZipFile": zipped()},
        Environment={"Variables": {"DD_ORG_UUID": ORG_ID}},
    )
    outcome = both.one(CREATE.inverse())
    assert (outcome.status, "other" in outcome.reason) == ("unchanged", True)
    assert seen(both).patterns == (PATTERN,)


def test_functions_are_listed_once_for_many_mappings_that_go(both: Bench) -> None:
    set_up(both)
    writer = both.writers()["intake_mapping"]
    patterns = [PATTERN.replace("orders", name) for name in ("one", "two", "three")]
    made = [change("intake_mapping", p, None, IntakeMappingState(arn_pattern=p)) for p in patterns]
    assert [outcome.status for outcome in writer.write(made)] == ["applied"] * 3
    before = both.calls("lambda:ListFunctions")
    gone = writer.write([each.inverse() for each in made])
    assert [outcome.status for outcome in gone] == ["applied"] * 3
    assert both.calls("lambda:ListFunctions") - before == 1


def test_what_cannot_be_read_is_unknown_and_not_nothing(both: Bench) -> None:
    fail(both, method="GET", status=403, times=1)
    assert both.dd is not None
    found = read_workload_identity(both.dd)
    assert isinstance(found, Unreadable)
    assert found.action == "workload_identity_federation_config_read"
