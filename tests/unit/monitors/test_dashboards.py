"""The overview dashboard: what is on it, and what has to change for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ddsetup.gateways.datadog.dashboards import MARK, LiveDashboard
from ddsetup.model.states import DashboardState, from_json, to_json
from ddsetup.monitors.dashboards import DYNAMODB, NEIGHBOURS, SQS, TITLE, overview, plan_dashboard
from ddsetup.monitors.scope import MonitorScope

ACCOUNT = "111122223333"
EVERYTHING = MonitorScope()


def live(state: DashboardState) -> LiveDashboard:
    return LiveDashboard("abc-def-ghi", "/dashboard/abc-def-ghi", state, {})


def graphs(state: DashboardState) -> dict[str, Any]:
    groups = [group["definition"] for group in state.widgets]
    return {w["definition"]["title"]: w["definition"] for group in groups for w in group["widgets"]}


def test_it_shows_cold_starts_errors_durations_cost_and_throttles() -> None:
    titles = " ".join(graphs(overview(TITLE, EVERYTHING))).lower()
    for word in ("cold starts by function", "errors", "duration", "cost", "throttles"):
        assert word in titles


def test_functions_on_managed_instances_have_no_estimated_cost() -> None:
    managed = graphs(overview(TITLE, MonitorScope(functions=("batch",), priced=False)))
    assert set(graphs(overview(TITLE, EVERYTHING))) - set(managed) == {"Estimated cost by function (USD)"}
    assert not any("estimated_cost" in str(graph) for graph in managed.values())


def test_dynamodb_and_sqs_stand_beside_only_where_they_are_used() -> None:
    def groups(*in_use: str) -> list[str]:
        return [w["definition"]["title"] for w in overview(TITLE, EVERYTHING, in_use).widgets]

    assert groups() == ["Invocations and errors", "Time and cost"]
    assert groups(DYNAMODB)[2:] == ["DynamoDB"]
    assert groups(*NEIGHBOURS)[2:] == ["DynamoDB", "SQS"]
    assert SQS in json.dumps(overview(TITLE, EVERYTHING, [SQS]).widgets)


def test_every_formula_uses_the_queries_beside_it() -> None:
    drawn = graphs(overview(TITLE, EVERYTHING, NEIGHBOURS))
    assert len(drawn) > 5
    for definition in drawn.values():
        request = definition["requests"][0]
        names = {query["name"] for query in request["queries"]}
        formula = request["formulas"][0]["formula"]
        assert names == {letter for letter in formula if letter.isalpha()}


def test_a_scope_is_in_every_query_about_functions() -> None:
    scope = MonitorScope(env="prod", functions=("orders", "stock"))
    state = overview(TITLE, scope)
    for definition in graphs(state).values():
        for query in definition["requests"][0]["queries"]:
            assert "env:prod AND functionname IN (orders,stock) AND $env" in query["query"]
    assert "env:prod" in state.description
    plain = graphs(overview(TITLE, MonitorScope(env="prod")))["Cold starts by function"]
    assert "{cold_start:true,env:prod,$env,$service,$function}" in plain["requests"][0]["queries"][0]["query"]


def test_it_is_created_once_and_then_left_alone_whatever_datadog_adds() -> None:
    wanted = overview(TITLE, EVERYTHING)
    assert [c.action for c in plan_dashboard(wanted, None, ACCOUNT).changes] == ["create"]
    widgets = json.loads(json.dumps(wanted.widgets))
    widgets[0]["definition"]["background_color"] = "white"
    widgets[0]["definition"]["widgets"][0]["definition"]["show_legend"] = True
    found = live(replace(wanted, widgets=widgets))
    plan = plan_dashboard(wanted, found, ACCOUNT)
    assert plan.changes == ()
    assert plan.skipped[0].status == "unchanged"


def test_a_removed_widget_and_another_scope_are_differences() -> None:
    wanted = overview(TITLE, EVERYTHING)
    fewer = replace(wanted, widgets=wanted.widgets[:1])
    change = plan_dashboard(wanted, live(fewer), ACCOUNT).changes[0]
    assert (change.action, change.why) == ("update", "differs in widgets")
    assert change.before == fewer
    scoped = overview(TITLE, MonitorScope(env="prod"))
    assert plan_dashboard(scoped, live(wanted), ACCOUNT).changes[0].why == "differs in description, widgets"


def test_the_mark_is_in_the_description_and_the_state_can_be_journalled() -> None:
    state = overview(TITLE, EVERYTHING)
    assert MARK in state.description
    assert from_json("dashboard", json.loads(json.dumps(to_json(state)))) == state
