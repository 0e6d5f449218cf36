"""Functions without an API key: what is planned so that Datadog gives the Extension one by the role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Function, Unreadable, WorkloadIdentity
from ddsetup.model.answers import KeySource
from ddsetup.model.change import Change, Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import REF_SECRET, FunctionState, IntakeMappingState, StackState
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import instrument, uninstrument
from ddsetup.plan.steps.instrument.workload_identity import covered
from ddsetup.plan.whole import make_plan
from tests import builders as b
from tests.applied import carried_out

ORG = "1b2c3d4e-0000-4000-8000-0123456789ab"
PATTERN = f"arn:aws:sts::{b.ACCOUNT}:assumed-role/orders-role/*"
WANTED = b.answers(via="extension", key_source=KeySource(kind="wif"))
BY_SECRET = b.answers(via="extension")


def world(*functions: Function, seen: Any = None, **over: Any) -> Snapshot:
    identity = seen or WorkloadIdentity(org_uuid=ORG)
    lane = b.lane_snapshot(*(functions or (b.function(),)), secrets={b.secret().name: b.secret()})
    return replace(b.snapshot(lane, datadog=b.datadog_snapshot(workload_identity=identity)), **over)


def planned(snapshot: Snapshot, answers: Any = WANTED) -> Plan:
    return make_plan(snapshot, answers, snapshot.functions())


def of(plan: Plan, kind: str) -> Change:
    (change,) = (change for change in plan.changes if change.resource.kind == kind)
    return change


def env_of(change: Change) -> dict[str, str]:
    assert isinstance(change.after, FunctionState)
    return dict(change.after.env)


def set_up() -> Snapshot:
    """As the first run leaves it, with the record of what it did."""
    snapshot = world()
    changes = planned(snapshot).changes
    after = carried_out(snapshot, changes)
    seen = WorkloadIdentity(org_uuid=ORG, patterns=(PATTERN,))
    datadog = replace(after.datadog, workload_identity=seen)
    return replace(after, datadog=datadog, applied={change.resource: change for change in changes})


def test_the_role_is_mapped_before_its_functions_change_and_nothing_holds_a_key() -> None:
    plan = planned(world(b.function("orders"), b.function("two", role=b.function("orders").role)))
    mapping = of(plan, "intake_mapping")
    assert mapping.after == IntakeMappingState(arn_pattern=PATTERN)
    assert mapping.resource.name == "orders-role"
    functions = [change for change in plan.changes if change.resource.kind == "function"]
    assert [mapping.resource in change.needs for change in functions] == [True, True]
    assert all(env_of(change)["DD_ORG_UUID"] == ORG for change in functions)
    assert not [name for change in functions for name in env_of(change) if "API_KEY" in name]
    assert not {"secret", "role_policy"} & {change.resource.kind for change in plan.changes}


@pytest.mark.parametrize(
    "beside", [{"metrics": "stream"}, {"subscribe": "account"}, {"durable_events": True}], ids=str
)
def test_what_sends_by_firehose_finds_a_key_and_functions_do_without(beside: dict[str, Any]) -> None:
    snapshot = world(b.function("orders", durable=True))
    (lane,) = snapshot.lanes.values()
    empty = replace(lane, secrets={}, metric_streams=(), forwarders=())
    plan = planned(replace(snapshot, lanes={lane.lane: empty}), replace(WANTED, **beside))
    secret, stack = of(plan, "secret"), of(plan, "stack")
    assert isinstance(stack.after, StackState)
    assert stack.after.parameters["DdApiKeySecretArn"] == f"{REF_SECRET}{secret.resource.id}"
    assert secret.resource in stack.needs
    function = of(plan, "function")
    assert secret.resource not in function.needs
    assert not [name for name in env_of(function) if "API_KEY" in name]
    policy = least_policy(replace(WANTED, **beside), "aws", (b.ACCOUNT,), (b.REGION,))
    allowed = {action for each in policy["Statement"] for action in each["Action"]}
    assert {"secretsmanager:CreateSecret", "secretsmanager:GetSecretValue"} <= allowed


def test_a_mapping_that_is_there_stays() -> None:
    plan = planned(world(seen=WorkloadIdentity(org_uuid=ORG, patterns=(PATTERN,))))
    assert [s.reason for s in plan.skipped if s.resource.kind == "intake_mapping"] == [
        "Datadog takes data from this role already"
    ]


@pytest.mark.parametrize(
    ("pattern", "enough"),
    [
        (PATTERN, True),
        (PATTERN[:-1] + "one-session", True),
        (PATTERN.replace("orders-role", "orders-role-2"), False),
        (PATTERN.replace("orders-role", "orders"), False),
        (PATTERN.replace(b.ACCOUNT, "2" * 12), False),
    ],
)
def test_a_role_that_is_called_much_the_same_is_another(pattern: str, enough: bool) -> None:
    seen = WorkloadIdentity(org_uuid=ORG, patterns=("arn:aws:sts::1:assumed-role/x/*", pattern))
    assert covered(b.function("orders"), seen) is enough
    made = "intake_mapping" in {change.resource.kind for change in planned(world(seen=seen)).changes}
    assert made is (pattern != PATTERN)


def test_once_it_is_set_up_nothing_is_left_to_do_but_a_mapping_that_somebody_took_away() -> None:
    done = set_up()
    assert not {"function", "intake_mapping"} & {change.resource.kind for change in planned(done).changes}
    lost = replace(done, datadog=replace(done.datadog, workload_identity=WorkloadIdentity(org_uuid=ORG)))
    changes = [c for c in planned(lost).changes if c.resource.kind in ("function", "intake_mapping")]
    assert [change.resource.kind for change in changes] == ["intake_mapping"]


def test_from_a_secret_to_no_key_and_back() -> None:
    first = world()
    by_secret = carried_out(first, planned(first, BY_SECRET).changes)
    to_role = of(planned(by_secret), "function")
    assert isinstance(to_role.before, FunctionState)
    assert "DD_API_KEY_SECRET_ARN" in to_role.before.env
    assert "DD_API_KEY_SECRET_ARN" not in env_of(to_role)
    done = set_up()
    back = planned(done, BY_SECRET)
    assert "DD_ORG_UUID" not in env_of(of(back, "function"))
    assert "DD_API_KEY_SECRET_ARN" in env_of(of(back, "function"))
    gone = of(back, "intake_mapping")
    assert gone.after is None
    assert of(back, "function").resource in gone.needs


def test_a_mapping_goes_with_its_last_function_and_only_if_ddsetup_made_it() -> None:
    done = set_up()
    taken_out = uninstrument.plan(done, WANTED, done.functions())
    assert of(taken_out, "intake_mapping").action == "delete"
    (lane,) = done.lanes.values()
    other = replace(done.functions()[0], name="two", arn=b.function_arn("two"))
    shared = replace(done, lanes={lane.lane: replace(lane, functions=(*done.functions(), other))})
    left = uninstrument.plan(shared, WANTED, done.functions())
    assert not [change for change in left.changes if change.resource.kind == "intake_mapping"]
    foreign = uninstrument.plan(replace(done, applied={}), WANTED, done.functions())
    assert not [change for change in foreign.changes if change.resource.kind == "intake_mapping"]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"via": "forwarder"}, "only the Extension"),
        ({"site": "ddog-gov.com"}, "takes no data without an API key"),
        ({"extension_version": "95"}, "version 95 of the Extension"),
    ],
)
def test_where_it_cannot_be_that_is_said(over: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        instrument.plan(world(), replace(WANTED, **over), ())
    assert raised.value.fix


def test_it_is_of_the_commercial_regions_only() -> None:
    region = "cn-north-1"
    snapshot = b.snapshot(b.lane_snapshot(lane=b.lane(region=region)))
    with pytest.raises(UsageError, match=f"not possible in {region}"):
        instrument.plan(snapshot, WANTED, ())


def test_functions_stay_as_they_are_where_the_mappings_cannot_be_seen() -> None:
    denied = Unreadable("workload_identity_federation_config_read", "Datadog denied it")
    plan = planned(world(seen=denied))
    assert "function" not in {change.resource.kind for change in plan.changes}
    (left,) = (s for s in plan.skipped if s.resource.kind == "function")
    assert "workload_identity_federation_config_read" in left.reason
    assert "--key-source secret" in left.fix
