"""A metric stream in place of polling: made once in a region, kept as wanted, never beside another."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.facts.metric_streams import PERCENTILES, STACK
from ddsetup.model.account import Unreadable
from ddsetup.model.answers import KeySource
from ddsetup.model.change import Change, Plan
from ddsetup.model.metric_stream import MetricStream
from ddsetup.model.states import REF_SECRET, StackState
from ddsetup.plan.metric_stream_template import template
from ddsetup.plan.policy import least_policy
from ddsetup.plan.steps import metric_stream, teardown, unwanted
from ddsetup.plan.steps.api_key import OWN_TAGS, SECRET_NAME
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.whole import make_plan
from tests import builders as b

ORDERS = b.function("orders")
LAMBDA = ("AWS/Lambda",)
HELD = template(LAMBDA)
KEY = b.secret(tags={**OWN_TAGS, "datadog_site": "datadoghq.eu"})
PARAMETERS = {"DdSite": "datadoghq.eu", "DdApiKeySecretArn": KEY.arn}
OURS = b.stack(STACK, status="CREATE_COMPLETE", tags=OWN_TAGS, parameters=PARAMETERS, outputs={})
RUNNING = MetricStream(
    name=STACK,
    delivery=STACK,
    running=True,
    output_format="opentelemetry1.0",
    include=(("AWS/Lambda", ()),),
)
THEIRS = replace(RUNNING, name="datadog-metrics-stream", delivery="datadog-metrics-stream")


def planned(*streams: MetricStream, lane: dict[str, Any] | None = None, **over: Any) -> Plan:
    seen: dict[str, Any] = {"metric_streams": streams, "secrets": {SECRET_NAME: KEY}, **(lane or {})}
    wanted = b.answers(**{"site": "datadoghq.eu", "metrics": "stream", **over})
    return metric_stream.plan(b.snapshot(b.lane_snapshot(ORDERS, **seen)), wanted, (ORDERS,))


def there(**over: Any) -> dict[str, Any]:
    return {"stacks": (OURS,), "metric_stream_template": HELD, **over}


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def after(plan: Plan) -> StackState:
    state = only(plan).after
    assert isinstance(state, StackState)
    return state


def why_not(plan: Plan) -> str:
    assert plan.changes == ()
    (skipped,) = plan.skipped
    return f"{skipped.status}: {skipped.reason}"


def test_it_is_made_with_the_key_where_it_is_kept_and_with_what_the_run_switches_on() -> None:
    plan = planned(state_machines=("all",), integration_namespaces=("sqs",))
    state = after(plan)
    assert dict(state.parameters) == PARAMETERS
    assert dict(state.tags) == OWN_TAGS
    properties = state.template["Resources"]["MetricStream"]["Properties"]
    included = [each["Namespace"] for each in properties["IncludeFilters"]]
    assert included == ["AWS/Lambda", "AWS/SQS", "AWS/States"]
    assert "AWS bills each update" in only(plan).note
    assert KEY.arn not in json.dumps(state.template)


def test_percentiles_are_those_that_polling_gives() -> None:
    asked = template(("AWS/Lambda", "AWS/SQS"))["Resources"]["MetricStream"]["Properties"]
    found = {
        each["MetricName"]: tuple(configuration["AdditionalStatistics"])
        for configuration in asked["StatisticsConfigurations"]
        for each in configuration["IncludeMetrics"]
    }
    assert found == PERCENTILES["AWS/Lambda"]


def test_the_secret_that_is_missing_is_made_before_it() -> None:
    secret, stack = planned(lane={"secrets": {}}, forwarder_arns=(b.function_arn("named"),)).changes
    assert (secret.resource.kind, secret.action) == ("secret", "create")
    assert secret.resource in stack.needs
    assert isinstance(stack.after, StackState)
    assert stack.after.parameters["DdApiKeySecretArn"] == f"{REF_SECRET}{secret.resource.id}"


def test_a_secret_is_made_once_whichever_step_needs_it() -> None:
    for via in ("forwarder", "extension"):
        wanted = b.answers(metrics="stream", via=via)
        lane = b.lane_snapshot(ORDERS, metric_streams=())
        plan = make_plan(b.snapshot(lane), wanted, (ORDERS,))
        assert [c.resource.id for c in plan.changes if c.resource.kind == "secret"] == [SECRET_NAME]
        (stack,) = [c for c in plan.changes if c.resource.id == STACK]
        assert [need.id for need in stack.needs] == [SECRET_NAME]
        assert isinstance(stack.after, StackState)
        assert stack.after.parameters["DdApiKeySecretArn"] == f"{REF_SECRET}{SECRET_NAME}"


def test_one_that_is_as_wanted_is_kept_and_one_with_less_gets_more() -> None:
    assert why_not(planned(RUNNING, lane=there())) == "unchanged: streams AWS/Lambda to Datadog already"
    more = planned(RUNNING, lane=there(), api_stages=("all",))
    assert only(more).why == "streams AWS/ApiGateway besides"
    assert after(more).template == template(("AWS/Lambda", "AWS/ApiGateway"))
    before = only(more).before
    assert isinstance(before, StackState)
    assert before.template == HELD


def test_what_is_streamed_and_no_longer_wanted_goes_with_prune() -> None:
    held = there(metric_stream_template=template(("AWS/Lambda", "AWS/SQS")))
    left = planned(RUNNING, lane=held)
    assert left.changes == ()
    assert "AWS/SQS" in left.warnings[0]
    assert after(planned(RUNNING, lane=held, prune=True)).template == HELD
    kept = after(planned(RUNNING, lane=held, api_stages=("all",)))
    assert kept.template == template(("AWS/Lambda", "AWS/ApiGateway", "AWS/SQS"))


def test_it_is_led_to_another_site() -> None:
    moved = planned(RUNNING, lane=there(secrets={}), site="us5.datadoghq.com")
    state = next(c.after for c in moved.changes if c.resource.id == STACK)
    assert isinstance(state, StackState)
    assert state.parameters["DdSite"] == "us5.datadoghq.com"


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (THEIRS, "unchanged: metric stream datadog-metrics-stream leads to Datadog already"),
        (replace(THEIRS, include=()), "unchanged: metric stream datadog-metrics-stream leads"),
        (replace(THEIRS, include=(("AWS/EC2", ()),)), "skipped: metric stream datadog-metrics-stream, which"),
        (
            replace(THEIRS, running=False),
            "skipped: metric stream datadog-metrics-stream leads to Datadog, and",
        ),
        (replace(THEIRS, name="metrics"), "unchanged: metric stream metrics leads to Datadog already"),
    ],
)
def test_beside_somebody_elses_nothing_is_made(stream: MetricStream, told: str) -> None:
    assert why_not(planned(stream)).startswith(told)


@pytest.mark.parametrize(
    ("lane", "over", "told"),
    [
        ({}, {"site": "datadoghq.example"}, "has no intake for metric streams"),
        ({}, {"key_source": KeySource(kind="kms", value="AQ")}, "takes the API key from a secret only"),
        (
            {"metric_streams": Unreadable("cloudwatch:ListMetricStreams", "denied")},
            {},
            "which metric streams",
        ),
        ({"metric_streams": None}, {}, "cannot see which metric streams there are"),
        ({"stacks": Unreadable("cloudformation:DescribeStacks", "denied")}, {}, "which stacks exist"),
        (there(stacks=(replace(OURS, tags={}),)), {}, "that ddsetup did not make"),
        (there(stacks=(replace(OURS, status="UPDATE_IN_PROGRESS"),)), {}, "is being changed right now"),
        (there(metric_streams=(replace(RUNNING, running=False),)), {}, "its metric stream is stopped"),
        (there(metric_stream_template=Unreadable("cloudformation:GetTemplate", "no")), {}, "what the stack"),
    ],
)
def test_where_it_cannot_be_the_reason_is_told(lane: dict[str, Any], over: dict[str, Any], told: str) -> None:
    found = why_not(planned(lane=lane, **over))
    assert found.startswith("skipped: ")
    assert told in found


def test_a_partition_that_datadogs_site_does_not_monitor_is_refused() -> None:
    there = b.function("orders", region="cn-north-1")
    lane = b.lane_snapshot(there, lane=b.lane(region="cn-north-1"), metric_streams=())
    plan = metric_stream.plan(b.snapshot(lane), b.answers(metrics="stream"), (there,))
    assert "does not monitor accounts of the partition aws-cn" in why_not(plan)


def test_the_remains_of_a_failed_creation_are_removed_first() -> None:
    failed = replace(OURS, status="ROLLBACK_COMPLETE")
    assert only(planned(lane={"stacks": (failed,)})).precondition == "ROLLBACK_COMPLETE"


def test_what_is_left_of_one_is_not_taken_for_a_forwarder() -> None:
    left = replace(OURS, status="DELETE_FAILED", description=HELD["Description"])
    lane = b.lane_snapshot(stacks=(left,), secrets={})
    assert only(teardown.plan(b.snapshot(lane), b.answers())).why == (
        "ddsetup made it, and nothing needs it any more"
    )


def test_it_goes_with_prune_where_the_record_tells_that_it_is_ours() -> None:
    lane = b.lane_snapshot(ORDERS, **there())
    resource = stack_id(lane.lane, STACK)
    made = StackState(name=STACK, parameters=PARAMETERS, tags=OWN_TAGS, template=HELD)
    record = Change(step="metric_stream", resource=resource, before=None, after=made, why="")
    seen = b.snapshot(lane)
    assert unwanted.plan(seen, b.answers(prune=True), (ORDERS,)).changes == ()
    known = replace(seen, applied={resource: record})
    (said,) = unwanted.plan(known, b.answers(), (ORDERS,)).warnings
    assert said.startswith("- remove metric stream: datadog-metric-stream in")
    gone = only(unwanted.plan(known, b.answers(prune=True), (ORDERS,)))
    assert (gone.before, gone.after) == (made, None)


def test_the_policy_has_what_the_stack_takes_only_where_one_is_wanted() -> None:
    def sids(*commands: str, **over: Any) -> set[str]:
        wanted = b.answers(**over)
        document = least_policy(wanted, "aws", (b.ACCOUNT,), (b.REGION,), commands)
        return {s["Sid"] for s in document["Statement"]}

    assert "MetricStreamMetricStream" in sids("setup", metrics="stream")
    assert "MetricStreamKey" not in sids("undo", metrics="stream")
    assert not any(sid.startswith("MetricStreamM") for sid in sids("setup", "undo"))
