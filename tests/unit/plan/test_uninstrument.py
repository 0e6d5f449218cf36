"""Taking Datadog out again: what goes, what stays and is named, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.catalog import PYTHON_HANDLER
from ddsetup.model.account import Function, Layer, LogGroup, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan
from ddsetup.model.states import FunctionState, TagsState
from ddsetup.plan.steps import instrument, uninstrument
from tests.applied import carried_out
from tests.builders import (
    REGION,
    answers,
    forwarder,
    function,
    function_arn,
    lane,
    lane_snapshot,
    snapshot,
    subscription_filter,
)

GROUP = "/aws/lambda/orders"
LIBRARY = Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:127")
OWN_LAYER = Layer(f"arn:aws:lambda:{REGION}:111122223333:layer:mine:1")
INSTRUMENTED: dict[str, Any] = {
    "handler": PYTHON_HANDLER,
    "layers": (OWN_LAYER, LIBRARY),
    "env": {"DD_LAMBDA_HANDLER": "app.handler", "DD_FLUSH_TO_LOG": "true", "DB": "x"},
}


def plan_for(f: Function, wanted: Answers | None = None, **lane_over: Any) -> Plan:
    return uninstrument.plan(snapshot(lane_snapshot(f, **lane_over)), wanted or answers(), (f,))


def states(plan: Plan) -> tuple[Change, FunctionState, FunctionState]:
    (change,) = [c for c in plan.changes if c.resource.kind == "function"]
    assert isinstance(change.before, FunctionState)
    assert isinstance(change.after, FunctionState)
    return change, change.before, change.after


def test_layers_handler_and_variables_go_and_the_rest_stays() -> None:
    change, before, after = states(plan_for(function(**INSTRUMENTED)))
    assert after == FunctionState(handler="app.handler", layers=(OWN_LAYER.arn,), env={})
    assert set(before.env) == {"DD_LAMBDA_HANDLER", "DD_FLUSH_TO_LOG"}
    assert change.precondition


@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_it_takes_out_all_that_instrumenting_put_in(via: Any) -> None:
    f = function("orders", env={"DB": "x"}, layers=(OWN_LAYER,))
    first = snapshot(lane_snapshot(f))
    wanted = answers(via=via, env="prod", version="7")
    second = carried_out(first, instrument.plan(first, wanted, (f,)).changes)
    third = carried_out(second, uninstrument.plan(second, wanted, second.functions()).changes)
    (restored,) = third.functions()
    assert (restored.handler, restored.layers, restored.env) == (f.handler, f.layers, f.env)
    held = third.lanes[lane()].tags
    assert not isinstance(held, Unreadable)
    assert "dd_ddsetup" not in held[f.arn]
    assert uninstrument.plan(third, wanted, third.functions()).changes == ()


def test_what_somebody_put_in_again_goes_though_only_tags_are_on_record() -> None:
    f = function("orders", env={"DB": "x"}, layers=(OWN_LAYER,))
    first = snapshot(lane_snapshot(f))
    changes = instrument.plan(first, answers(service="shop"), (f,)).changes
    tags = {c.resource: c for c in changes if c.resource.kind == "function_tags"}
    assert tags
    by_hand = function(**INSTRUMENTED)
    held = replace(snapshot(lane_snapshot(by_hand)), applied=tags)
    _, before, _ = states(uninstrument.plan(held, answers(), (by_hand,)))
    assert set(before.env) == {"DD_LAMBDA_HANDLER", "DD_FLUSH_TO_LOG"}


@pytest.mark.parametrize(("reads", "goes"), [(False, True), (True, False)])
def test_the_right_to_read_the_key_goes_with_the_last_function_of_the_role_that_reads_it(
    reads: bool, goes: bool
) -> None:
    key = {"DD_API_KEY_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:k"}
    first = function("orders", **{**INSTRUMENTED, "env": {**INSTRUMENTED["env"], **key}})
    other = replace(function("stock", env=key if reads else {}), role=first.role)
    held = replace(snapshot(lane_snapshot(first, other)), key_policies={first.role: {"Statement": []}})
    plan = uninstrument.plan(held, answers(via="extension"), (first,))
    deleted = [c.resource.kind for c in plan.changes if c.after is None]
    assert ("role_policy" in deleted) is goes


def test_the_marker_goes_after_the_function() -> None:
    f = function(**INSTRUMENTED)
    plan = plan_for(f, tags={f.arn: {"dd_ddsetup": "v0.1.0", "team": "shop"}})
    (change,) = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert change.before == TagsState(tags={"dd_ddsetup": "v0.1.0"})
    assert change.after == TagsState()
    assert [n.kind for n in change.needs] == ["function"]


def test_a_lost_handler_is_refused_and_its_marker_stays() -> None:
    f = function(**{**INSTRUMENTED, "env": {}})
    plan = plan_for(f, tags={f.arn: {"dd_ddsetup": "v0.1.0"}})
    assert plan.changes == ()
    assert "--handler" in plan.skipped[0].fix


def test_a_stale_variable_does_not_bring_an_old_handler_back() -> None:
    f = function(handler="new.handler", env={"DD_LAMBDA_HANDLER": "old.handler"})
    assert states(plan_for(f))[2].handler == "new.handler"


def test_a_key_in_plain_text_stays_and_is_named_but_never_told() -> None:
    f = function(**{**INSTRUMENTED, "env": {**INSTRUMENTED["env"], "DD_API_KEY": "planted"}})
    plan = plan_for(f)
    assert "DD_API_KEY stays" in states(plan)[0].note
    assert "planted" not in repr(plan)


def test_what_a_person_may_have_set_stays_and_is_named() -> None:
    env = {**INSTRUMENTED["env"], "DD_SERVICE": "shop", "DD_TAGS": "a:b", "DD_ENV": "prod"}
    change, before, _ = states(plan_for(function(**{**INSTRUMENTED, "env": env})))
    assert not {"DD_SERVICE", "DD_TAGS", "DD_ENV"} & set(before.env)
    assert "DD_ENV, DD_SERVICE, DD_TAGS" in change.note


def test_only_datadogs_own_wrapper_and_profiler_go() -> None:
    mine = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap", "CORECLR_PROFILER": "{other}"}
    assert not set(mine) & set(uninstrument.removable(function(env=mine), {}))
    theirs = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper", "CORECLR_ENABLE_PROFILING": "1"}
    assert set(uninstrument.removable(function(env=theirs), {})) == set(theirs)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"package_type": "Image"}, "container image"),
        ({"env": None}, "cannot be read"),
    ],
)
def test_refusals(over: dict[str, Any], said: str) -> None:
    plan = plan_for(function(**over))
    assert plan.changes == ()
    assert said in plan.skipped[0].reason


def test_a_function_without_datadog_is_unchanged() -> None:
    plan = plan_for(function())
    assert plan.changes == ()
    assert [s.status for s in plan.skipped] == ["unchanged"]


def test_own_filters_go_unless_somebody_else_needs_them() -> None:
    f, other = function("orders"), function("other", log_group=GROUP)
    to = function_arn("datadog-forwarder")
    filters = {
        GROUP: (
            subscription_filter(GROUP, "ddsetup-datadog-forwarder", to),
            subscription_filter(GROUP, "theirs", to),
        )
    }
    over: dict[str, Any] = {
        "filters": filters,
        "forwarders": (forwarder(),),
        "log_groups": {GROUP: LogGroup(GROUP)},
    }
    (change,) = plan_for(f, **over).changes
    assert change.resource.id == f"{GROUP}:ddsetup-datadog-forwarder"
    assert change.action == "delete"
    held = snapshot(lane_snapshot(f, other, **over))
    shared = uninstrument.plan(held, answers(), (f,))
    assert shared.changes == ()
    assert any("other functions" in s.reason for s in shared.skipped)
    assert len(uninstrument.plan(held, answers(), (f, other)).changes) == 1


def test_a_filter_that_datadog_puts_back_is_named() -> None:
    found = subscription_filter(
        GROUP, f"DD_LOG_SUBSCRIPTION_FILTER_{GROUP}", function_arn("datadog-forwarder")
    )
    plan = plan_for(function(), filters={GROUP: (found,)})
    assert plan.changes == ()
    assert any("Datadog, which puts a filter" in s.reason for s in plan.skipped)


def test_unread_filters_are_never_taken_for_none() -> None:
    unreadable = Unreadable("logs:DescribeSubscriptionFilters", "denied")
    plan = plan_for(function(), filters={GROUP: unreadable})
    assert any("logs:DescribeSubscriptionFilters" in s.reason for s in plan.skipped)
    held = snapshot(lane_snapshot(function()))
    assert uninstrument.groups_to_read(held, answers(), (function(),)) == {lane(): (GROUP,)}


def test_what_datadog_would_put_back_stays_unless_it_is_insisted_on() -> None:
    extension = Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Extension:99")
    f = function(env={"DD_ORG_UUID": "1b2c", "DD_SITE": "datadoghq.eu"}, layers=(extension,))
    plan = plan_for(f)
    assert not [c for c in plan.changes if c.resource.kind == "function"]
    assert any("would put it back" in s.reason and "rule" in s.fix for s in plan.skipped)
    insisted = uninstrument.plan(snapshot(lane_snapshot(f)), answers(owned="all"), (f,))
    assert [c.resource.kind for c in insisted.changes] == ["function"]


def test_the_marks_of_instrumenters_go_with_what_they_mark_and_those_of_deployments_stay() -> None:
    extension = Layer(f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Extension:99")
    f = function(env={"DD_SITE": "datadoghq.eu"}, layers=(extension,))
    marks = {"dd_sls_ci": "v5", "dd_ddsetup": "v0"}
    plan = plan_for(f, tags={f.arn: {**marks, "dd_sls_plugin": "v6", "team": "shop"}})
    (change,) = [c for c in plan.changes if c.resource.kind == "function_tags"]
    assert change.before == TagsState(tags=marks)
    assert change.after == TagsState()
