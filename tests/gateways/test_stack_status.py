"""Right after a request CloudFormation may still tell the status of before: that is not the end of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.apply.writers.stacks import LONGEST_SECONDS, STARTS_WITHIN_SECONDS
from ddsetup.model.change import Change
from ddsetup.model.states import StackState
from tests.gateways.bench import Bench, aws, bench, change, moto_url
from tests.gateways.stack_script import Script, scripted

__all__ = ["aws", "bench", "moto_url"]

TAGS = {"created_by": "ddsetup"}
BEFORE = StackState(name="datadog-forwarder", parameters={"Colour": "red"}, tags=TAGS)
AFTER = replace(BEFORE, parameters={"Colour": "blue"})
UPDATE = change("stack", BEFORE.name, BEFORE, AFTER)
DELETE = change("stack", BEFORE.name, BEFORE, None)


@pytest.fixture
def script(bench: Bench) -> Iterator[Script]:
    with scripted(bench.client("cloudformation")) as made:
        yield made


def outcome(bench: Bench, script: Script, planned: Change, *looks: Any) -> tuple[str, str, float]:
    """How it ends when each look after the request finds this status, and these events so far."""
    script.tell(("CREATE_COMPLETE", 1), *looks)
    begun = bench.clock.monotonic()
    told = bench.one(planned)
    return told.status, told.reason, bench.clock.monotonic() - begun


def test_the_status_of_before_is_not_taken_for_the_end(bench: Bench, script: Script) -> None:
    looks = [("UPDATE_COMPLETE", 1), ("UPDATE_COMPLETE", 1), ("UPDATE_IN_PROGRESS", 2)]
    status, _, waited = outcome(bench, script, UPDATE, *looks, ("UPDATE_ROLLBACK_COMPLETE", 4))
    assert status == "failed"
    assert waited >= 9


def test_an_update_that_ended_before_it_was_looked_at_is_known_by_its_events(
    bench: Bench, script: Script
) -> None:
    assert outcome(bench, script, UPDATE, ("UPDATE_COMPLETE", 3))[:2] == ("applied", "")


def test_a_status_that_does_not_move_is_believed_after_a_while(bench: Bench, script: Script) -> None:
    status, _, waited = outcome(bench, script, UPDATE, ("UPDATE_COMPLETE", 1))
    assert status == "applied"
    assert STARTS_WITHIN_SECONDS <= waited <= STARTS_WITHIN_SECONDS + 3


def test_a_deletion_is_not_over_while_the_old_status_stands(bench: Bench, script: Script) -> None:
    looks = [("CREATE_COMPLETE", 1), ("DELETE_IN_PROGRESS", 2), ("DELETE_COMPLETE", 3)]
    assert outcome(bench, script, DELETE, *looks)[0] == "applied"
    status, reason, _ = outcome(
        bench, script, DELETE, ("CREATE_COMPLETE", 1), ("DELETE_IN_PROGRESS", 2), ("DELETE_FAILED", 3)
    )
    assert (status, "DELETE_FAILED" in reason) == ("failed", True)


def test_a_stack_that_is_gone_at_the_first_look_is_deleted(bench: Bench, script: Script) -> None:
    status, _, waited = outcome(bench, script, DELETE, ("", 0))
    assert (status, waited) == ("applied", 0)


def test_cloudformation_gets_an_hour(bench: Bench, script: Script) -> None:
    status, reason, waited = outcome(bench, script, UPDATE, ("UPDATE_IN_PROGRESS", 2))
    assert (status, reason) == ("failed", "CloudFormation is still at it after an hour (UPDATE_IN_PROGRESS)")
    assert LONGEST_SECONDS <= waited <= LONGEST_SECONDS + 3


def test_each_event_is_told_once(bench: Bench, script: Script) -> None:
    outcome(
        bench, script, UPDATE, ("UPDATE_IN_PROGRESS", 2), ("UPDATE_IN_PROGRESS", 3), ("UPDATE_COMPLETE", 4)
    )
    told = [event for event in bench.events if event.kind == "stack"]
    assert [event.text for event in told] == [f"R{n} UPDATE_IN_PROGRESS: because" for n in (2, 3, 4)]
    assert told[0].resource == UPDATE.resource
    assert dict(told[0].details) == {
        "logical_id": "R2",
        "resource_type": "AWS::Lambda::Function",
        "status": "UPDATE_IN_PROGRESS",
        "reason": "because",
    }
