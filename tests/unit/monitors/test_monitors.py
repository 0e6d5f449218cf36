"""Which monitors are wanted, what has to change for them, and the same as Terraform."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsetup.gateways.datadog.monitors import LiveMonitor, owned_part
from ddsetup.model.errors import UsageError
from ddsetup.model.states import MonitorState, from_json, to_json
from ddsetup.monitors.on_logs import OnLogs, parse_on_logs
from ddsetup.monitors.plan import plan_monitors, plan_removal
from ddsetup.monitors.recommended import OF_SERVICES, RECOMMENDED
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.terraform import identifier, quoted, terraform
from ddsetup.monitors.wish import (
    OnMetric,
    Wish,
    chosen_keys,
    in_use,
    monitors_for,
    parse_handles,
    parse_on_metric,
    parse_threshold,
    without_data,
)

ACCOUNT = "111122223333"
PROD = MonitorScope(env="prod")


def live(state: MonitorState, number: int = 1) -> LiveMonitor:
    return LiveMonitor(number, state, dict(state.options))


def of(states: tuple[MonitorState, ...], key: str) -> MonitorState:
    return next(state for state in states if state.key == key)


# What is wanted


def test_the_seven_recommended_monitors_are_wanted_with_their_thresholds() -> None:
    wanted = {state.key: state.options["thresholds"]["critical"] for state in monitors_for(Wish())}
    assert wanted == {
        "high_error_rate": 0.1,
        "timeout": 1,
        "out_of_memory": 0,
        "high_iterator_age": 86_400_000,
        "high_cold_start_rate": 0.2,
        "high_throttles": 0.2,
        "increased_cost": 20,
    }


def test_a_query_ends_with_its_threshold_and_has_the_scope_in_every_part() -> None:
    scope = MonitorScope(env="prod", service="shop", functions=("orders", "stock"))
    inside = "env:prod AND service:shop AND functionname IN (orders,stock)"
    for state in monitors_for(Wish(scope=scope, thresholds={"high_error_rate": 0.05})):
        scopes = re.findall(r"(?<!by )\{([^}]*)\}", state.query)
        assert scopes
        assert {each.removeprefix("cold_start:true AND ") for each in scopes} == {inside}
        critical = state.options["thresholds"]["critical"]
        assert float(re.split(r"[<>]=?", state.query)[-1]) == critical
    assert (
        ">= 0.05"
        in of(monitors_for(Wish(scope=scope, thresholds={"high_error_rate": 0.05})), "high_error_rate").query
    )


def test_functions_on_managed_instances_get_no_monitor_that_could_never_alert() -> None:
    managed = Wish(scope=MonitorScope(functions=("batch",), priced=False))
    assert "increased_cost" not in {state.key for state in monitors_for(managed)}
    assert without_data(managed) == ("increased_cost",)
    assert len(monitors_for(managed)) == len(monitors_for(Wish())) - 1


def test_large_thresholds_are_written_without_an_exponent() -> None:
    assert of(monitors_for(Wish()), "high_iterator_age").query.endswith(">= 86400000")


def test_what_comes_from_cloudwatch_is_judged_when_it_is_complete() -> None:
    delayed = {s.key for s in monitors_for(Wish()) if s.options.get("evaluation_delay") == 900}
    assert delayed == {each.key for each in RECOMMENDED if each.cloudwatch}


def test_globs_stay_globs_so_that_later_functions_are_found() -> None:
    scope = MonitorScope(functions=("checkout-*", "orders"))
    assert scope.query() == "(functionname:checkout-* OR functionname:orders)"
    assert MonitorScope(functions=("checkout-*",)).query("a:b") == "a:b AND functionname:checkout-*"
    assert MonitorScope().query() == "*"


@given(
    st.builds(
        MonitorScope,
        env=st.sampled_from(["", "prod", "Prod!", "p" * 190]),
        service=st.sampled_from(["", "shop"]),
        functions=st.lists(st.sampled_from(["a", "a*", "b", "c" * 64, "c" * 63 + "d"]), unique=True).map(
            tuple
        ),
    )
)
def test_scopes_are_told_apart_by_a_tag_that_datadog_takes(scope: MonitorScope) -> None:
    assert len(scope.label) <= 180
    assert re.fullmatch(r"[a-z0-9_:./,-]+", scope.label)
    other = replace(scope, functions=(*scope.functions, "one-more"))
    assert other.label != scope.label


def test_who_is_told_stands_at_the_end_of_the_message() -> None:
    state = of(monitors_for(Wish(notify=("@slack-shop", "@me@example.com"))), "timeout")
    assert state.message.endswith("\n\n@slack-shop @me@example.com")
    assert "{{#is_alert}}" in state.message


def test_thresholds_and_handles_that_are_not_given_stay_as_they_are() -> None:
    before = monitors_for(Wish(scope=PROD, thresholds={"timeout": 0.9}, notify=("@slack-shop",)))
    again = monitors_for(Wish(scope=PROD), before)
    assert again == before
    elsewhere = monitors_for(Wish(), before)
    assert of(elsewhere, "timeout").options["thresholds"] == {"critical": 1}
    silent = monitors_for(Wish(scope=PROD, notify=()), before)
    assert "@slack-shop" not in of(silent, "timeout").message


def test_a_monitor_on_a_custom_metric_alerts_in_its_direction() -> None:
    below = parse_on_metric("coffee_house.order_value<1")
    assert below == OnMetric("coffee_house.order_value", "<", 1.0)
    above = parse_on_metric(" max:queue.length >= 100.5 ")
    assert (above.how, above.than, above.threshold) == ("max", ">=", 100.5)
    states = monitors_for(Wish(keys=(), scope=PROD, on_metrics=(below, above)))
    assert states[0].query == "avg(last_15m):avg:coffee_house.order_value{env:prod} < 1"
    assert states[1].query == "max(last_15m):max:queue.length{env:prod} >= 100.5"
    assert {state.key for state in states} == {
        "custom_metric:coffee_house.order_value:below",
        "custom_metric:queue.length:above",
    }


def test_a_monitor_on_a_percentile_is_narrowed_down_and_told_apart_by_tags() -> None:
    wanted = parse_on_metric("p95:coffee_house.order_value{product:tea,!env:dev} by {region,product} > 3")
    (state,) = monitors_for(Wish(keys=(), scope=PROD, on_metrics=(wanted,)))
    assert state.query == (
        "percentile(last_15m):p95:coffee_house.order_value{product:tea AND !env:dev AND env:prod} "
        "by {region,product} > 3"
    )
    assert "{{region.name}}" in state.message
    assert "percentile(last_15m):p95" in terraform([state])
    plain = parse_on_metric("coffee_house.order_value > 3")
    assert wanted.key != plain.key == "custom_metric:coffee_house.order_value:above"
    assert parse_on_metric("x{*}<1").tags == ()


@pytest.mark.parametrize("text", ["x{tea}<1", "x{a:b c}<1", "x by {a:b}<1"])
def test_what_cannot_stand_in_braces_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in braces"):
        parse_on_metric(text)


@pytest.mark.parametrize("text", ["", "x", "x=1", "x<", "<1", "x<abc", "p98:x<1", "x{a:b<1", "x<1;y"])
def test_what_is_no_condition_on_a_metric_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_on_metric(text)
    assert "coffee_house.order_value<1" in caught.value.fix


def test_monitors_of_services_watch_each_resource_and_know_no_functions() -> None:
    keys = tuple(each.key for each in OF_SERVICES)
    scope = MonitorScope(env="prod", functions=("orders",))
    states = monitors_for(Wish(keys=keys, scope=scope))
    assert {state.scope for state in states} == {"env:prod"}
    assert all("functionname" not in state.query and "env:prod" in state.query for state in states)
    assert all(state.options["evaluation_delay"] == 900 for state in states)
    for each, state in zip(OF_SERVICES, states, strict=True):
        assert f" by {each.by}" in state.query
        told = each.subject.strip("{}").removesuffix(".name")
        assert told in each.by
        assert each.subject in state.name
        assert each.subject in state.message
    assert of(states, "step_functions_failed").query == (
        "sum(last_15m):sum:aws.states.executions_failed{env:prod} "
        "by {aws_account,statemachinearn,region}.as_count() > 0"
    )
    dead, old = (of(states, key).query for key in ("sqs_dead_letter", "sqs_old_messages"))
    assert "{(queuename:*dlq* OR " in dead
    assert "{NOT (queuename:*dlq* OR " in old
    again = monitors_for(Wish(keys=keys, scope=replace(scope, functions=("stock",))), states)
    assert again == states


def test_services_are_watched_where_their_metrics_are_seen() -> None:
    assert in_use([]) == ()
    assert in_use(["aws.sqs.number_of_messages_sent"]) == ("sqs_dead_letter", "sqs_old_messages")
    assert not set(Wish().keys) & {each.key for each in OF_SERVICES}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("status:error>10", OnLogs("status:error", 10, ("functionname",))),
        ('"Task timed out"', OnLogs('"Task timed out"', 0, ("functionname",))),
        ("@duration:>100", OnLogs("@duration:>100", 0, ("functionname",))),
        ("a OR b by {env, region} > 2.5", OnLogs("a OR b", 2.5, ("env", "region"))),
        ("source:stepfunction ERROR", OnLogs("source:stepfunction ERROR", 0, ())),
        ("x by {}", OnLogs("x", 0, ())),
    ],
)
def test_a_monitor_on_logs_is_a_search_with_a_number(text: str, wanted: OnLogs) -> None:
    assert parse_on_logs(text) == wanted


def test_a_monitor_on_logs_asks_in_datadogs_words_for_what_is_meant() -> None:
    wanted = parse_on_logs('"say \\"no\\"" status:error > 5')
    scope = MonitorScope(env="prod", functions=("orders", "stock"))
    (state,) = monitors_for(Wish(keys=(), scope=scope, on_logs=(wanted,)))
    assert state.type == "log alert"
    assert state.query == (
        'logs("source:lambda env:prod functionname:(orders OR stock) '
        '(\\"say \\\\\\"no\\\\\\"\\" status:error)")'
        '.index("*").rollup("count").by("functionname").last("15m") > 5'
    )
    assert state.options["thresholds"] == {"critical": 5}
    assert "evaluation_delay" not in state.options
    assert "require_full_window" not in state.options
    assert "{{functionname.name}}" in state.message
    text = terraform([state])
    assert 'type    = "log alert"' in text
    assert "enable_logs_sample  = true" in text
    other = replace(wanted, by=("env",))
    (state,) = monitors_for(Wish(keys=(), on_logs=(parse_on_logs("@duration:>100"),)))
    assert "@" not in state.message
    assert len({wanted.key, other.key, parse_on_logs("x").key}) == 3
    assert replace(wanted, threshold=6).key == wanted.key


@pytest.mark.parametrize("text", ["", ">5", '"open', "(a OR b", "a by {b:c}>1"])
def test_what_is_no_search_of_logs_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--on-logs"):
        parse_on_logs(text)


@pytest.mark.parametrize("text", ["timeout", "timeout=", "timeout=x", "timeout=nan", "timeout=inf"])
def test_a_threshold_has_to_be_a_number(text: str) -> None:
    with pytest.raises(UsageError, match="expected a number"):
        parse_threshold(text)


def test_names_of_monitors_are_checked_and_the_nearest_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        parse_threshold("high_eror_rate=1")
    assert "did you mean high_error_rate?" in caught.value.fix
    with pytest.raises(UsageError):
        chosen_keys(["timeout", "tmeout"])
    assert chosen_keys(["timeout,high_throttles"]) == ("timeout", "high_throttles")
    assert chosen_keys(["none"]) == ()
    assert len(chosen_keys([])) == 7


def test_handles_begin_with_an_at_sign() -> None:
    assert parse_handles([]) is None
    assert parse_handles(["none"]) == ()
    assert parse_handles(["@slack-a,@me@example.com", "@slack-a"]) == ("@slack-a", "@me@example.com")
    with pytest.raises(UsageError, match="begins with @"):
        parse_handles(["slack-a"])


# The plan


def test_a_plan_creates_what_is_missing_and_changes_what_differs() -> None:
    wanted = monitors_for(Wish(scope=PROD))
    differs = replace(wanted[1], query="something else", message="mine")
    plan = plan_monitors(wanted, [live(wanted[0]), live(differs, 2)], ACCOUNT)
    assert [change.action for change in plan.changes] == [
        "update",
        "create",
        "create",
        "create",
        "create",
        "create",
    ]
    assert plan.changes[0].why == "differs in query, message"
    assert [skipped.resource.id for skipped in plan.skipped] == ["high_error_rate [env:prod]"]


def test_a_second_plan_after_the_first_is_empty_whatever_datadog_adds() -> None:
    wanted = monitors_for(Wish(notify=("@a",)))
    there = [
        live(
            replace(
                state,
                query=state.query.replace(" / ", "/"),
                message=state.message + "\n",
                tags=(*state.tags[::-1], "team:shop"),
                options={**state.options, "silenced": {}, "new_host_delay": 300},
            )
        )
        for state in wanted
    ]
    assert plan_monitors(wanted, there, ACCOUNT).changes == ()


def test_monitors_of_another_scope_are_left_alone() -> None:
    there = [live(state) for state in monitors_for(Wish(scope=PROD))]
    plan = plan_monitors(monitors_for(Wish()), there, ACCOUNT)
    assert {change.action for change in plan.changes} == {"create"}


def test_before_holds_the_owned_part_only_and_can_be_journalled() -> None:
    wanted = monitors_for(Wish())
    held = replace(
        wanted[0], options={**wanted[0].options, "silenced": {"*": 1}, "thresholds": {"critical": 5}}
    )
    change = plan_monitors(wanted, [live(held)], ACCOUNT).changes[0]
    assert isinstance(change.before, MonitorState)
    assert set(change.before.options) == set(wanted[0].options)
    assert from_json("monitor", to_json(change.before)) == change.before


def test_of_what_is_there_only_what_is_wanted_counts_as_far_as_it_is_there() -> None:
    wanted = replace(
        monitors_for(Wish())[0], tags=("a:b", "c:d"), options={"thresholds": {}, "renotify_interval": 5}
    )
    held = replace(wanted, tags=("x:y", "c:d"), options={"thresholds": {}, "silenced": {}})
    part = owned_part(live(held), wanted)
    assert (part.tags, part.options) == (("c:d",), {"thresholds": {}})
    (change,) = plan_monitors((wanted,), [live(held)], ACCOUNT).changes
    assert (change.before, change.after) == (part, wanted)


def test_removing_deletes_what_is_given() -> None:
    there = [live(state) for state in monitors_for(Wish())]
    plan = plan_removal(there, ACCOUNT)
    assert {change.action for change in plan.changes} == {"delete"}
    assert len(plan.changes) == 7


# Terraform


def test_terraform_has_a_resource_for_each_monitor_with_the_same_definition() -> None:
    states = monitors_for(Wish(scope=PROD, notify=("@slack-shop",), on_metrics=(OnMetric("a.b", "<", 1.5),)))
    text = terraform(states)
    assert text.count('resource "datadog_monitor"') == 8
    for state in states:
        assert quoted(state.query) in text
        assert quoted(state.message) in text
        assert f'"{identifier(state)}"' in text
    assert 'critical = "1.5"' in text
    assert text.count("{") == text.count("}")
    assert len({identifier(state) for state in states}) == len(states)


def test_hcl_strings_hold_no_template_and_no_line_end() -> None:
    assert quoted('a "b" ${c} %{d} \\ \n') == '"a \\"b\\" $${c} %%{d} \\\\ \\n"'


@given(st.text())
def test_any_text_is_one_hcl_string(text: str) -> None:
    inner = quoted(text)[1:-1]
    assert "\n" not in inner
    assert re.search(r'(?<!\\)(?:\\\\)*"', inner) is None
