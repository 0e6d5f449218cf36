"""Functions of Lambda@Edge are told by what their listing does not say, and left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Function, Layer, LogGroup, Unreadable
from ddsetup.model.states import FunctionState
from ddsetup.plan.steps import instrument, subscriptions, uninstrument
from tests.builders import answers, forwarder, function, lane, lane_snapshot, snapshot

EAST = "us-east-1"
ROLE = "arn:aws:iam::111122223333:role/front"
EXTENSION = Layer(f"arn:aws:lambda:{EAST}:464622532012:layer:Datadog-Extension:99")


def at_edge(**over: Any) -> Function:
    return function("front", **{"region": EAST, "role": ROLE, **over})


def lane_of(f: Function, **over: Any) -> Any:
    groups = {f.log_group: LogGroup(f.log_group)}
    held: dict[str, Any] = {"lane": lane(region=f.region), "log_groups": groups}
    return lane_snapshot(f, **{**held, "forwarders": (forwarder(region=f.region),), **over})


def planned(f: Function, **over: Any) -> Any:
    return instrument.plan(snapshot(lane_of(f, **over)), answers(regions=(f.region,)), (f,))


@pytest.mark.parametrize(
    "over", [{"edge_roles": frozenset({ROLE})}, {"replicated": frozenset({at_edge().arn})}]
)
def test_a_master_is_told_by_its_role_or_its_policy(over: dict[str, Any]) -> None:
    (kept,) = planned(at_edge(), **over).skipped
    assert "Lambda@Edge" in kept.reason
    assert "amazonaws.com" in kept.reason
    held = snapshot(lane_of(at_edge(), **over))
    logs = subscriptions.plan(held, answers(regions=(EAST,), subscribe="direct"), (at_edge(),))
    assert not logs.changes


@pytest.mark.parametrize(
    "over",
    [
        {"region": "eu-west-1"},
        {"env": {"TABLE": "orders"}},
        {"layers": (Layer(f"arn:aws:lambda:{EAST}:111122223333:layer:own:1"),)},
        {"vpc": True},
        {"architecture": "arm64"},
        {"timeout": 60},
        {"role": "arn:aws:iam::111122223333:role/other"},
    ],
)
def test_what_the_edge_would_not_take_is_an_ordinary_function(over: dict[str, Any]) -> None:
    """A service's functions often share one role with the one at the edge."""
    plan = planned(at_edge(**over), edge_roles=frozenset({ROLE}))
    assert [c.resource.kind for c in plan.changes] == ["function", "function_tags"]


def test_a_master_that_was_instrumented_by_mistake_is_told_how_to_get_out() -> None:
    env = {"DD_SITE": "datadoghq.eu", "DD_API_KEY_SECRET_ARN": "arn:x"}
    f = at_edge(layers=(EXTENSION,), env=env)
    (kept,) = [s for s in planned(f, edge_roles=frozenset({ROLE})).skipped if s.resource.kind == "function"]
    assert "ddsetup uninstrument" in kept.fix
    taken = uninstrument.plan(snapshot(lane_of(f, edge_roles=frozenset({ROLE}))), answers(), (f,))
    (change,) = [c for c in taken.changes if c.resource.kind == "function"]
    assert isinstance(change.after, FunctionState)
    assert change.after.layers == ()


def test_roles_that_cannot_be_read_are_said_where_it_matters() -> None:
    denied = Unreadable("iam:ListRoles", "denied")
    assert "iam:ListRoles" in planned(at_edge(), edge_roles=denied).changes[0].note
    assert "iam:ListRoles" not in planned(at_edge(env={"A": "b"}), edge_roles=denied).changes[0].note


def test_a_function_named_as_forwarder_is_never_instrumented() -> None:
    shipper = function("log-shipper")
    others = function("orders")
    for arn in (shipper.arn, f"{shipper.arn}:live"):
        wanted = answers(forwarder_arns=(arn,), subscribe="direct")
        held = snapshot(
            lane_snapshot(
                shipper, others, log_groups={g: LogGroup(g) for g in (shipper.log_group, others.log_group)}
            )
        )
        plan = instrument.plan(held, wanted, (shipper, others))
        assert {c.resource.name for c in plan.changes} == {"orders"}
        (kept,) = [s for s in plan.skipped if s.resource.kind == "function"]
        assert "Forwarder" in kept.reason
        logs = subscriptions.plan(held, wanted, (shipper, others))
        assert not [c for c in logs.changes if shipper.log_group in c.resource.id]
        assert not uninstrument.plan(held, wanted, (replace(shipper, layers=(EXTENSION,)),)).changes
