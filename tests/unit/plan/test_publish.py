"""Aliases serve what was instrumented, if that is all that is new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.model.account import Alias, Function, Layer, Unreadable
from ddsetup.model.change import Change, Plan
from ddsetup.model.states import REF_VERSION, AliasState
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import instrument
from tests.applied import carried_out
from tests.builders import answers, function, lane_snapshot, snapshot

FUNCTION = function("till", env={"TABLE": "orders"}, code_sha256="abc")
LIVE = Alias("live", "3")


def planned(f: Function = FUNCTION, alias: Alias = LIVE, served: Any = FUNCTION, **over: Any) -> Plan:
    versions = {} if served is None else {f"{f.arn}:{alias.version}": served}
    lane = lane_snapshot(f, aliases={f.arn: (alias,)}, versions=versions)
    return instrument.plan(snapshot(lane), answers(**{"publish": True, **over}), (f,))


def moves(plan: Plan) -> list[Change]:
    return [c for c in plan.changes if c.resource.kind == "alias"]


def test_the_alias_waits_for_the_function_and_serves_the_new_version() -> None:
    plan = planned()
    (move,) = moves(plan)
    assert move.resource.name == "till:live"
    assert move.before == AliasState(function="till", alias="live", version="3")
    assert move.after == AliasState(function="till", alias="live", version=REF_VERSION)
    (change,) = [c for c in plan.changes if c.resource.kind == "function"]
    assert move.needs == (change.resource,)
    assert "at once" in move.note
    assert "only $LATEST" not in change.note


def test_nothing_is_published_unless_it_is_wanted_but_how_is_said() -> None:
    plan = planned(publish=False)
    assert not moves(plan)
    assert "--publish" in plan.changes[0].note


def test_an_alias_that_was_left_behind_is_moved_though_the_function_needs_nothing() -> None:
    held = snapshot(lane_snapshot(FUNCTION))
    done = carried_out(held, instrument.plan(held, answers(), (FUNCTION,)).changes)
    (now,) = done.functions()
    (move,) = moves(planned(now, served=FUNCTION))
    assert move.needs == ()
    assert not moves(planned(now, served=now))


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ({"code_sha256": "older"}, "code"),
        ({"memory": 512}, "memory"),
        ({"env": {"TABLE": "orders-v1"}}, "variables"),
        ({"layers": (Layer("arn:aws:lambda:eu-west-1:111122223333:layer:own:1"),)}, "layers"),
        ({"handler": "old.handler"}, "handler"),
    ],
)
def test_what_nobody_has_released_yet_is_not_released(served: dict[str, Any], said: str) -> None:
    plan = planned(served=replace(FUNCTION, **served))
    assert not moves(plan)
    (kept,) = [s for s in plan.skipped if s.resource.kind == "alias"]
    assert said in kept.reason
    assert "orders-v1" not in kept.reason


@pytest.mark.parametrize(
    ("alias", "served"),
    [
        (Alias("live", "3", weighted=True), FUNCTION),
        (LIVE, None),
        (LIVE, Unreadable("lambda:GetFunction", "denied")),
    ],
)
def test_an_alias_in_doubt_stays(alias: Alias, served: Any) -> None:
    plan = planned(alias=alias, served=served)
    assert not moves(plan)
    assert [s.resource.kind for s in plan.skipped] == ["alias"]


def test_an_alias_of_latest_and_a_function_that_is_refused_are_no_matter() -> None:
    assert not moves(planned(alias=Alias("dev", "$LATEST")))
    refused = replace(FUNCTION, handler="newrelic_lambda_wrapper.handler")
    assert not moves(planned(refused, served=refused))


def test_the_policy_has_the_rights_only_if_it_is_wanted() -> None:
    for publish in (True, False):
        document = least_policy(answers(publish=publish), "aws", ("111122223333",), ("eu-west-1",))
        actions = {a for s in document["Statement"] for a in s["Action"]}
        assert ({"lambda:PublishVersion", "lambda:UpdateAlias", "lambda:GetAlias"} <= actions) is publish


@pytest.mark.parametrize(
    ("kept", "said", "not_said"),
    [
        (None, "if any", "taken from"),
        ({}, "at once", "provisioned"),
        ({"live": 5}, "concurrency of 5 is taken from version 3 and allocated to the new one", "if any"),
        ({"3": 2}, "version 3 keeps its own provisioned concurrency of 2", "is taken from"),
    ],
)
def test_what_becomes_of_provisioned_concurrency_is_said(
    kept: dict[str, int] | None, said: str, not_said: str
) -> None:
    lane = lane_snapshot(
        FUNCTION,
        aliases={FUNCTION.arn: (LIVE,)},
        versions={f"{FUNCTION.arn}:3": FUNCTION},
        provisioned={} if kept is None else {FUNCTION.arn: kept},
    )
    (move,) = moves(instrument.plan(snapshot(lane), answers(publish=True), (FUNCTION,)))
    assert said in move.note
    assert not_said not in move.note


@pytest.mark.parametrize("publish", [True, False])
def test_versions_that_are_called_by_their_number_are_named(publish: bool) -> None:
    lane = lane_snapshot(FUNCTION, qualifiers={"till": ("2", "7", "live"), "other": ("1",)})
    plan = instrument.plan(snapshot(lane), answers(publish=publish), (FUNCTION,))
    assert "versions 2 and 7 were called by their number" in plan.changes[0].note
    one = lane_snapshot(FUNCTION, qualifiers={"till": ("2",)})
    plan = instrument.plan(snapshot(one), answers(publish=publish), (FUNCTION,))
    assert "version 2 was called by its number" in plan.changes[0].note
    unknown = lane_snapshot(FUNCTION, qualifiers=Unreadable("cloudwatch:ListMetrics", "denied"))
    plan = instrument.plan(snapshot(unknown), answers(publish=publish), (FUNCTION,))
    assert "number" not in plan.changes[0].note


def test_the_policy_for_publishing_may_look_at_provisioned_concurrency() -> None:
    for publish in (True, False):
        document = least_policy(answers(publish=publish), "aws", ["1"], ["eu-west-1"])
        allowed = {action for s in document["Statement"] for action in s["Action"]}
        assert ("lambda:ListProvisionedConcurrencyConfigs" in allowed) is publish
