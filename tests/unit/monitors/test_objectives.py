"""Service level objectives of monitors: what is counted, from which threshold on, as Terraform."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ddsetup.gateways.datadog.slos import LiveSlo
from ddsetup.model.errors import UsageError
from ddsetup.model.states import SloState, from_json, to_json
from ddsetup.monitors.objectives import Slo, parse_slo, slos_for, with_objectives
from ddsetup.monitors.plan import plan_removal, plan_slos
from ddsetup.monitors.scope import MonitorScope
from ddsetup.monitors.terraform import quoted, terraform
from ddsetup.monitors.wish import Wish, monitors_for, parse_on_metric

ACCOUNT = "111122223333"
PROD = Wish(scope=MonitorScope(env="prod", functions=("orders",)))


def one(text: str, wish: Wish = PROD) -> SloState:
    return slos_for([parse_slo(text)], wish)[0]


def test_a_target_has_a_timeframe_of_thirty_days_unless_said() -> None:
    assert parse_slo("high_error_rate=99.9") == Slo("high_error_rate", 99.9, "30d")
    assert parse_slo("sqs_old_messages = 99 % / 7d") == Slo("sqs_old_messages", 99, "7d")
    on = parse_on_metric("p95:shop.value{product:tea}>=3")
    assert parse_slo("p95:shop.value{product:tea}>=3=99.5/90d") == Slo(on, 99.5, "90d")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("high_error_rate", "expected a monitor"),
        ("high_error_rate=0", "below 100"),
        ("high_error_rate=100", "below 100"),
        ("high_error_rate=99/8d", "no timeframe"),
        ("high_eror_rate=99", "none of the monitors"),
        ("timeout=99", "has no objective"),
        ("shop.value>x=99", "expected a metric"),
    ],
)
def test_what_is_no_objective_is_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_slo(text)
    assert "high_error_rate" in with_objectives()


def test_good_events_are_counted_among_all_of_the_scope() -> None:
    state = one("high_error_rate=99.9")
    inside = "{env:prod AND functionname:orders}"
    assert (state.type, state.target, state.timeframe) == ("metric", 99.9, "30d")
    assert state.measure == {
        "good": f"sum:aws.lambda.invocations{inside}.as_count() - sum:aws.lambda.errors{inside}.as_count()",
        "total": f"sum:aws.lambda.invocations{inside}.as_count()",
    }
    assert one("step_functions_failed=99").scope == "env:prod"


def test_good_time_is_that_in_which_the_monitor_does_not_alert() -> None:
    state = one("sqs_old_messages=99/7d")
    assert state.type == "time_slice"
    assert (state.measure["comparator"], state.measure["threshold"]) == ("<", 3600)
    assert state.measure["query"].endswith(" AND env:prod}")
    assert one("sqs_dead_letter=99").measure["comparator"] == "<="
    own = one("p95:shop.value{product:tea}>3=99")
    assert own.measure == {
        "query": "p95:shop.value{product:tea AND env:prod AND functionname:orders}",
        "comparator": "<=",
        "threshold": 3,
    }


def test_an_objective_has_the_threshold_that_its_monitor_has() -> None:
    asked = replace(PROD, thresholds={"sqs_old_messages": 60})
    assert one("sqs_old_messages=99", asked).measure["threshold"] == 60
    there = monitors_for(replace(asked, keys=("sqs_old_messages",)))
    assert slos_for([parse_slo("sqs_old_messages=99")], PROD, there)[0].measure["threshold"] == 60
    elsewhere = Wish(scope=MonitorScope(env="dev"))
    assert slos_for([parse_slo("sqs_old_messages=99")], elsewhere, there)[0].measure["threshold"] == 3600


def test_it_is_created_once_changed_where_it_differs_and_removed() -> None:
    state = one("high_error_rate=99.9", Wish(scope=MonitorScope(env="prod")))
    assert [change.why for change in plan_slos([state], [], ACCOUNT).changes] == [
        "99.9 % in 30d: Invocations without an error [env:prod]"
    ]
    there = LiveSlo("a1", replace(state, tags=(*state.tags, "team:shop")))
    assert plan_slos([state], [there], ACCOUNT).changes == ()
    stricter = replace(state, target=99.99)
    (change,) = plan_slos([stricter], [there], ACCOUNT).changes
    assert (change.action, change.why) == ("update", "differs in target")
    assert change.before == state
    assert [c.action for c in plan_removal([there], ACCOUNT).changes] == ["delete"]
    assert from_json("slo", json.loads(json.dumps(to_json(state)))) == state


def test_terraform_has_the_same_objectives() -> None:
    events, time = one("high_error_rate=99.9"), one("sqs_old_messages=99/7d")
    text = terraform([], [events, time])
    assert text.count('resource "datadog_service_level_objective"') == 2
    assert f"numerator   = {quoted(events.measure['good'])}" in text
    assert f"query = {quoted(time.measure['query'])}" in text
    assert 'timeframe = "7d"' in text
    assert "target    = 99.9" in text
    assert text.count("{") == text.count("}")
