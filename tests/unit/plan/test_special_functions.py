"""Managed instances, durable executions, tenants, and states that are not the moment to write."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.gateways.aws.function_reads import parse_function
from ddsetup.model.account import Function
from ddsetup.model.change import Change
from ddsetup.model.states import FunctionState, from_json, to_json
from ddsetup.plan.steps import instrument
from tests.builders import answers, function, lane, lane_snapshot, secret, snapshot, stack


def change_of(f: Function, stacks: Any = (), **over: Any) -> Change:
    held = lane_snapshot(f, stacks=stacks, secrets={secret().name: secret()})
    plan = instrument.plan(snapshot(held), answers(**over), (f,))
    (change,) = [c for c in plan.changes if c.resource.kind == "function"]
    return change


def test_aws_tells_these_kinds_by_parts_of_the_configuration() -> None:
    item = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
        "CapacityProviderConfig": {
            "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn"}
        },
        "DurableConfig": {"ExecutionTimeout": 3600},
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
    }
    f = parse_function(lane(), item)
    assert (f.managed_instances, f.durable, f.tenant_isolation) == (True, True, True)
    plain = parse_function(lane(), {k: v for k, v in item.items() if "Config" not in k})
    assert (plain.managed_instances, plain.durable, plain.tenant_isolation) == (False, False, False)


def test_on_managed_instances_nothing_runs_until_it_is_published() -> None:
    f = function(managed_instances=True)
    told = change_of(f)
    assert "$LATEST.PUBLISHED" in told.note
    assert "--publish" in told.note
    change = change_of(f, publish=True)
    for state in (change.after, change.inverse().after):
        assert isinstance(state, FunctionState)
        assert state.publish_to == "LATEST_PUBLISHED"
        assert from_json("function", to_json(state)) == state
    ordinary = change_of(function(), publish=True)
    assert isinstance(ordinary.after, FunctionState)
    assert ordinary.after.publish_to == ""


@pytest.mark.parametrize(
    ("kind", "versions", "old"),
    [
        ("managed_instances", {"extension_version": "89"}, "Datadog-Extension:89 does not know managed"),
        ("managed_instances", {"extension_version": "90"}, ""),
        ("durable", {"extension_version": "98"}, "Datadog-Extension:98 does not know durable"),
        ("durable", {"extension_version": "99"}, ""),
        ("durable", {"layer_version": "126"}, "Datadog-Python312:126 does not know durable"),
        ("durable", {"layer_version": "127"}, ""),
    ],
)
def test_older_layers_that_do_not_know_the_kind_are_told(
    kind: str, versions: dict[str, str], old: str
) -> None:
    made: dict[str, Any] = {kind: True}
    note = change_of(function(**made), via="extension", **versions).note
    assert old in note
    assert ("does not know" in note) is bool(old)


def test_durable_executions_appear_through_the_extension_with_lines_kept_back() -> None:
    f = function(durable=True)
    change = change_of(f, via="extension")
    assert isinstance(change.after, FunctionState)
    assert change.after.env["DD_LAMBDA_DURABLE_FUNCTION_LOG_BUFFER_SIZE"] == "5"
    assert "datadog-durable-function-event-forwarder" in change.note
    held = (stack("datadog-durable-function-event-forwarder"),)
    assert "event-forwarder" not in change_of(f, held, via="extension").note
    assert "does not know durable" in change_of(f, via="extension", layer_version="120").note
    through_forwarder = change_of(f)
    assert "only through the Extension" in through_forwarder.note
    assert isinstance(through_forwarder.after, FunctionState)
    assert "DD_LAMBDA_DURABLE_FUNCTION_LOG_BUFFER_SIZE" not in through_forwarder.after.env


def test_tenants_are_told() -> None:
    assert "tenants" in change_of(function(tenant_isolation=True)).note


@pytest.mark.parametrize(
    "state", ["Failed", "Deleting", "Deactivated", "ActiveNonInvocable", "SomethingOfNextYear"]
)
def test_a_state_that_is_not_the_moment_is_no_error(state: str) -> None:
    f = function(state=state)
    plan = instrument.plan(snapshot(lane_snapshot(f)), answers(), (f,))
    assert not [c for c in plan.changes if c.resource.kind == "function"]
    assert any(state in s.reason and s.fix for s in plan.skipped)


@pytest.mark.parametrize("state", [None, "Active", "Inactive", "Pending"])
def test_a_function_at_rest_is_ready(state: str | None) -> None:
    assert change_of(function(state=state))
