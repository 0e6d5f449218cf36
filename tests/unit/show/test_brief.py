"""The plan at a glance: short however long the plan, and no deletion and no cost goes unsaid."""

from __future__ import annotations

from ddsetup.model.account import SubscriptionFilter
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.lines import Look, text_of
from ddsetup.plan.whole import make_plan
from ddsetup.show.plan_at_a_glance import billable, brief_lines
from tests import builders as b


def plan_for(count: int, answers: Answers | None = None) -> Plan:
    functions = tuple(b.function(f"f{n:04}") for n in range(count))
    return make_plan(b.snapshot(b.lane_snapshot(*functions)), answers or b.answers(), functions)


def text(plan: Plan, answers: Answers | None = None) -> str:
    return text_of(brief_lines(plan, answers or b.answers(), Look()))


def test_a_thousand_functions_take_no_more_room_than_ten() -> None:
    few, many = text(plan_for(10)), text(plan_for(1000))
    assert len(few.splitlines()) == len(many.splitlines()) < 70
    assert "1,000 functions to change: f0000, f0001" in many
    assert "and 995 more" in many


def test_one_example_shows_what_happens_to_each() -> None:
    shown = text(plan_for(10))
    assert shown.count("DD_LAMBDA_HANDLER = app.handler") == 1
    assert "app.handler → datadog_lambda.handler.handler" in shown


def test_it_ends_with_a_line_for_each_step() -> None:
    end = text(plan_for(1000)).partition("In short\n")[2].splitlines()
    assert [row.split("  ")[1] for row in end] == [
        "AWS integration",
        "Forwarder",
        "Log collection",
        "Functions",
    ]
    assert end[3].endswith("2,000 to change")


def test_a_filter_that_is_deleted_is_named_with_where_it_leads() -> None:
    function = b.function("pay")
    other = "arn:aws:lambda:eu-west-1:111122223333:function:DatadogLambdaLogForwarder"
    found = SubscriptionFilter(log_group="/aws/lambda/pay", name="old", destination_arn=other)
    lane = b.lane_snapshot(
        function,
        log_groups={"/aws/lambda/pay": b.log_group("/aws/lambda/pay")},
        filters={"/aws/lambda/pay": (found,)},
    )
    answers = b.answers(on_conflict="replace")
    shown = text(make_plan(b.snapshot(lane), answers, (function,)), answers)
    assert "/aws/lambda/pay:old" in shown
    assert other in shown


def test_what_is_left_alone_is_told_with_its_reason() -> None:
    image = b.function("img", package_type="Image", runtime=None, handler=None)
    plan = make_plan(b.snapshot(b.lane_snapshot(image)), b.answers(), (image,))
    assert "function img: it is a container image" in text(plan)


def test_costs_are_told_for_what_is_new_only() -> None:
    costs = billable(plan_for(3), b.answers())
    assert costs[0].startswith("AWS: the Forwarder's invocations and run time")
    assert costs[1].startswith("Datadog, by your organisation's plan: 3 functions")
    assert "spans" in costs[1]
    machine = b.lane_snapshot(state_machines=(b.state_machine("brew"),), forwarders=(b.forwarder(),))
    snapshot = b.snapshot(machine, accounts=[b.account_snapshot(integration=b.integration(), role=b.role())])
    wish = b.answers(state_machines=("brew",))
    assert "vended logs" in billable(make_plan(snapshot, wish, ()), wish)[0]
    assert "logs (of every function that Datadog subscribes)" in costs[1]
    chosen = b.answers(subscribe="direct")
    assert "every function" not in "".join(billable(plan_for(3, chosen), chosen))
    silent = b.answers(traces=False, logs=False)
    assert "spans" not in "".join(billable(plan_for(3, silent), silent))
    assert billable(Plan(), b.answers()) == []
