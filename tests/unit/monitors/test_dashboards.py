"""The overview dashboard: what is on it, and what has to change for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ddsetup.gateways.datadog.dashboards import MARK, LiveDashboard
from ddsetup.model.states import DashboardState, from_json, to_json
from ddsetup.monitors.dashboards import (
    OF_METRICS,
    TITLE,
    ShownMetric,
    clone_of,
    of_metrics,
    overview,
    plan_clone,
    plan_dashboard,
)
from ddsetup.monitors.edits import stamped
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.service_graphs import SEEN, SERVICES
from ddsetup.monitors.terraform import dashboard_terraform

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


def test_services_stand_beside_only_where_they_are_used() -> None:
    def groups(*in_use: str) -> list[str]:
        return [w["definition"]["title"] for w in overview(TITLE, EVERYTHING, in_use).widgets]

    assert groups() == ["Invocations and errors", "Time and cost"]
    assert groups("aws.dynamodb.successful_request_latency")[2:] == ["DynamoDB"]
    assert groups(*SEEN)[2:] == [service.name for service in SERVICES]
    assert {"API Gateway", "Step Functions", "RDS and Aurora", "S3", "SNS", "Kinesis"} <= set(groups(*SEEN))
    for service in SERVICES:
        assert all(service.seen.split(".")[1] in query for g in service.graphs for query in g.queries)


def test_every_formula_uses_the_queries_beside_it() -> None:
    drawn = graphs(overview(TITLE, EVERYTHING, SEEN))
    assert len(drawn) > 5
    for definition in drawn.values():
        request = definition["requests"][0]
        names = {query["name"] for query in request["queries"]}
        formulas = "".join(formula["formula"] for formula in request["formulas"])
        assert names == {letter for letter in formulas if letter.isalpha()}


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
    found = live(replace(stamped(wanted), widgets=widgets))
    plan = plan_dashboard(wanted, found, ACCOUNT)
    assert plan.changes == ()
    assert plan.skipped[0].status == "unchanged"


def test_another_scope_is_a_difference() -> None:
    there = live(stamped(overview(TITLE, EVERYTHING)))
    (change,) = plan_dashboard(overview(TITLE, MonitorScope(env="prod")), there, ACCOUNT).changes
    assert (change.action, change.why, change.note) == ("update", "differs in description, widgets", "")
    assert change.before == there.state


def test_what_was_edited_by_hand_stays_and_the_rest_is_brought_up_to_date() -> None:
    there = stamped(overview(TITLE, EVERYTHING, SEEN[:2]))
    mine = {"definition": {"type": "note", "content": "call me"}}
    edited = json.loads(json.dumps(there.widgets[1]))
    edited["definition"]["widgets"][0]["definition"]["requests"][0]["queries"][0]["query"] = "avg:a.b{*}"
    variables = [*there.template_variables, {"name": "team", "prefix": "team", "default": "*"}]
    # Written upon: a note, another query, a variable more, and API Gateway is gone.
    by_hand = replace(
        there, widgets=[mine, there.widgets[0], edited, there.widgets[3]], template_variables=variables
    )
    wanted = overview(TITLE, EVERYTHING, (*SEEN[:2], SEEN[5]))
    (change,) = plan_dashboard(wanted, live(by_hand), ACCOUNT).changes
    after = change.after
    assert isinstance(after, DashboardState)
    titles = [w["definition"].get("title") for w in after.widgets]
    assert titles == [None, "Invocations and errors", "Time and cost", "Step Functions", "SQS"]
    assert after.widgets[2] == edited
    assert after.template_variables == variables
    assert change.note == ("kept, as edited by hand: note, Time and cost, API Gateway (deleted), variables")
    again = plan_dashboard(wanted, live(after), ACCOUNT)
    assert again.changes == ()
    assert "kept as edited by hand: note" in again.skipped[0].reason
    (replaced,) = plan_dashboard(wanted, live(after), ACCOUNT, keep=False).changes
    assert replaced.after == stamped(wanted)
    assert replaced.note.startswith("replaced, as edited by hand: note")


def test_a_part_that_was_copied_by_hand_stays_twice() -> None:
    there = stamped(overview(TITLE, EVERYTHING, SEEN[:1]))
    first, second, third = there.widgets
    edited = json.loads(json.dumps(first))
    edited["definition"]["widgets"].pop()
    for widgets in ([first, second, third, second], [edited, first, second, third]):
        plan = plan_dashboard(
            overview(TITLE, EVERYTHING, SEEN[:1]), live(replace(there, widgets=widgets)), ACCOUNT
        )
        assert plan.changes == ()
        assert "kept as edited by hand: " in plan.skipped[0].reason


def test_a_dashboard_from_before_there_were_fingerprints_is_taken_as_it_is() -> None:
    wanted = overview(TITLE, EVERYTHING)
    (change,) = plan_dashboard(wanted, live(wanted), ACCOUNT).changes
    assert (change.why, change.after, change.note) == ("differs in description", stamped(wanted), "")
    own = replace(wanted, widgets=[*wanted.widgets, {"definition": {"type": "note", "content": "x"}}])
    (change,) = plan_dashboard(wanted, live(own), ACCOUNT).changes
    assert isinstance(change.after, DashboardState)
    assert change.after.widgets == own.widgets


def test_a_new_dashboard_tells_what_it_is_for_whatever_a_metric_is_called() -> None:
    shown = of_metrics(TITLE, EVERYTHING, [ShownMetric(name="shop.lambda_calls")])
    (change,) = plan_dashboard(shown, None, ACCOUNT, OF_METRICS).changes
    assert change.why == "one page for these metrics"
    (change,) = plan_dashboard(overview(TITLE, EVERYTHING), None, ACCOUNT).changes
    assert "cold starts" in change.why


def test_a_custom_metric_is_shown_as_far_as_it_can_be_asked_for() -> None:
    scope = MonitorScope(env="prod")
    plain = graphs(of_metrics("x", scope, [ShownMetric(name="a.b")]))
    assert set(plain) == {"Smallest, mean and largest", "Sum"}
    full = graphs(
        of_metrics("x", scope, [ShownMetric(name="a.b", distribution=True, percentiles=True)], "product")
    )
    assert set(full) == {
        "Smallest, mean and largest",
        "Sum by product",
        "Mean by product",
        "Count by product",
        "p50, p95, p99",
    }
    queries = [q["query"] for q in full["p50, p95, p99"]["requests"][0]["queries"]]
    assert queries == [f"{p}:a.b{{env:prod,$env,$service,$function}}" for p in ("p50", "p95", "p99")]
    assert full["Sum by product"]["requests"][0]["queries"][0]["query"].endswith("} by {product}")


def test_a_clone_is_its_owners() -> None:
    source = replace(stamped(overview(TITLE, EVERYTHING)), reflow_type="auto")
    mine = clone_of(source, "Mine")
    assert mine.widgets == source.widgets
    assert MARK not in mine.description
    assert "parts:" not in mine.description
    assert [c.action for c in plan_clone(mine, None, ACCOUNT).changes] == ["create"]
    there = replace(mine, widgets=[])
    assert plan_clone(mine, live(there), ACCOUNT).changes == ()


def test_terraform_holds_the_dashboard_as_json_and_begins_no_template() -> None:
    state = replace(overview(TITLE, EVERYTHING), title="Shop ${x} %{y}")
    text = dashboard_terraform(stamped(state))
    assert 'resource "datadog_dashboard_json" "ddsetup_shop_x_y_"' in text
    assert "$${x} %%{y}" in text
    inner = text.split("<<-JSON", 1)[1].rsplit("JSON", 1)[0].replace("$${", "${").replace("%%{", "%{")
    document = json.loads(inner)
    assert document["widgets"] == state.widgets
    assert document["description"] == state.description


def test_the_mark_is_in_the_description_and_the_state_can_be_journalled() -> None:
    state = overview(TITLE, EVERYTHING)
    assert MARK in state.description
    assert from_json("dashboard", json.loads(json.dumps(to_json(state)))) == state
