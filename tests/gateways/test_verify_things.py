"""What was switched on beside functions is proven like them, and what did not arrive is explained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.report import Signal
from ddsetup.sandbox.datadog.spans import spans_from_json
from ddsetup.sandbox.datadog.tags import all_normalised
from ddsetup.verify.progress import Watch
from ddsetup.verify.things import Thing, forwarders_of, switched_on
from ddsetup.verify.watch import observe_signals, watch
from tests.builders import (
    ACCOUNT,
    REGION,
    account_snapshot,
    answers,
    api_stage,
    function,
    integration,
    lane,
    lane_snapshot,
    snapshot,
    state_machine,
)
from tests.gateways.datadog_world import World, datadog, log, metric

GROUP, ACCESS = "/aws/vendedlogs/states/brew-Logs", "api-gateway/id-of-shop/prod"
FORWARDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:datadog-forwarder"
CHOSEN = {"state_machines": ("all",), "api_stages": ("all",), "integration_namespaces": ("sqs", "sns")}


@pytest.fixture
def world() -> Iterator[World]:
    with datadog() as started:
        yield started


def things(**over: Any) -> tuple[Thing, ...]:
    said: Answers = answers(**{**CHOSEN, **over})
    live = account_snapshot(integration=integration(lambdas=(FORWARDER,)))
    here = lane_snapshot(
        function(), state_machines=(state_machine(), state_machine("stock")), api_stages=(api_stage(),)
    )
    seen = snapshot(here, accounts=[live])
    return switched_on(seen, said, forwarders_of(seen, Plan(), [lane()]))


def look(
    world: World, wanted: Sequence[Thing], counts: Mapping[str, float] | None = None, ago: float = 60
) -> dict[tuple[str, str], Signal]:
    """The signals by subject. `counts`: how much went on of each, by the last words of its id."""

    def count(asked: Sequence[tuple[Thing, int]]) -> dict[tuple[Thing, int], float]:
        known = counts or {}
        return {
            (thing, minutes): known[word]
            for thing, minutes in asked
            for word in known
            if thing.resource.id.endswith(word)
        }

    since = world.now() - timedelta(seconds=ago)
    watch = Watch(functions=(), answers=answers(), since=since, things=tuple(wanted), count=count)
    found = observe_signals(world.connect(), lambda *_: {}, watch, clock=world.clock)
    return {(signal.subject, signal.signal): signal for signal in found}


def send_log(world: World, group: str, message: Any, region: str = REGION) -> None:
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:datadog-forwarder"
    body = {
        "ddsource": "stepfunction",
        "message": json.dumps(message),
        "timestamp": int(world.standin.clock.now * 1000),
        "aws": {"awslogs": {"logGroup": group, "owner": ACCOUNT}, "invoked_function_arn": arn},
    }
    status, answer, _ = world.standin.call("POST", "/api/v2/logs", [body])
    assert status == 202, answer


def count_in_cloudwatch(world: World, name: str, *tags: str) -> None:
    minute = int(world.standin.clock.now) // 60 * 60
    held = all_normalised([*tags, f"aws_account:{ACCOUNT}", f"region:{REGION}"])
    world.standin.server.world.telemetry.add_points(name, "count", held, [(minute, [1.0])])


def test_everything_that_is_switched_on_has_a_signal_and_is_seen(world: World) -> None:
    execution = {"execution_arn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:brew:1"}
    send_log(world, GROUP, execution)
    send_log(world, ACCESS, {"status": 200})
    machine = state_machine().arn
    count_in_cloudwatch(world, "aws.states.executions_started", f"statemachinearn:{machine}")
    count_in_cloudwatch(world, "aws.sqs.number_of_messages_sent", "queuename:orders")
    metric(world, "aws.dd_forwarder.incoming_events", 1, ["forwardername:datadog-forwarder"])
    found = look(world, things())
    assert {key: signal.status for key, signal in found.items() if signal.status == "arrived"} == {
        ("state machine brew", "logs"): "arrived",
        ("state machine brew", "cloudwatch_metrics"): "arrived",
        ("API stage id-of-shop/prod", "logs"): "arrived",
        ("namespace AWS/SQS", "cloudwatch_metrics"): "arrived",
        ("Forwarder datadog-forwarder", "forwarder_metrics"): "arrived",
    }
    assert {key for key, signal in found.items() if signal.status != "arrived"} == {
        ("state machine brew", "traces"),
        ("state machine stock", "logs"),
        ("state machine stock", "cloudwatch_metrics"),
        ("state machine stock", "traces"),
        ("namespace AWS/SNS", "cloudwatch_metrics"),
    }
    stage = found["API stage id-of-shop/prod", "logs"]
    assert stage.resource is not None
    assert (stage.function, stage.resource.kind, stage.path) == ("", "api_stage", "forwarder")


def test_logs_of_another_machine_or_region_are_no_proof(world: World) -> None:
    shared = (state_machine(group="/shared"), state_machine("stock", group="/shared"))
    here = lane_snapshot(function(), state_machines=shared)
    wanted = switched_on(snapshot(here), answers(state_machines=("all",)))
    send_log(world, "/shared", {"execution_arn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:brew:1"})
    found = look(world, wanted)
    assert found["state machine brew", "logs"].status == "arrived"
    assert found["state machine stock", "logs"].status != "arrived"
    send_log(world, ACCESS, {"status": 200}, region="us-west-2")
    assert look(world, things())["API stage id-of-shop/prod", "logs"].status != "arrived"


def test_nothing_went_on_is_not_missing_and_what_did_is(world: World) -> None:
    hours = 3 * 3600.0
    counts = {":brew": 0.0, ":stock": 3.0, "/prod": 2.0, "AWS/SNS": 4.0, "AWS/SQS": 0.0, "forwarder": 0.0}
    early = look(world, things(), counts)
    late = look(world, things(), {**counts, ":stock": 3.0}, ago=hours)
    assert early["state machine stock", "logs"].status == "waiting"
    assert early["state machine brew", "logs"].status == "no_traffic"
    assert "no log event" in early["state machine brew", "logs"].reason
    assert late["namespace AWS/SNS", "cloudwatch_metrics"].status == "missing"
    assert late["namespace AWS/SQS", "cloudwatch_metrics"].status == "no_traffic"
    assert late["Forwarder datadog-forwarder", "forwarder_metrics"].status == "no_traffic"


def test_a_log_source_is_seen_by_its_source_and_is_unproven_without_a_log(world: World) -> None:
    wanted = things(state_machines=(), api_stages=(), integration_namespaces=(), log_sources=("lambda", "s3"))
    assert [thing.resource.kind for thing in wanted] == ["log_source", "forwarder"]
    (signal, _) = look(world, wanted, ago=3 * 3600.0).values()
    assert signal.status == "no_traffic"
    status, _, _ = world.standin.call("POST", "/api/v2/logs", [{"ddsource": "s3", "message": "GET"}])
    assert status == 202
    (signal, _) = look(world, wanted).values()
    assert signal.status == "arrived"


def test_nobody_waits_for_logs_that_cloudwatch_cannot_tell_of(world: World) -> None:
    wanted = things(state_machines=(), api_stages=(), integration_namespaces=(), log_sources=("s3",))
    sources = tuple(thing for thing in wanted if thing.source)
    wish = Watch(functions=(), answers=answers(), since=world.now(), things=sources, awaited=True)
    (found,) = watch(world.connect(), lambda *_: {}, wish, wait_seconds=600, clock=world.clock)
    assert (found.status, world.slept) == ("no_traffic", [])


@pytest.mark.parametrize(("kind", "waited"), [("state_machine", False), ("forwarder", True)])
def test_traffic_of_functions_is_awaited_of_nothing_that_they_do_not_drive(
    world: World, kind: str, waited: bool
) -> None:
    def none_yet(asked: Sequence[tuple[Thing, int]]) -> dict[tuple[Thing, int], float]:
        return dict.fromkeys(asked, 0.0)

    wanted = tuple(thing for thing in things() if thing.resource.kind == kind)
    assert wanted
    wish = Watch(
        functions=(), answers=answers(), since=world.now(), things=wanted, awaited=True, count=none_yet
    )
    found = watch(world.connect(), lambda *_: {}, wish, wait_seconds=600, clock=world.clock)
    assert {each.status for each in found} == {"no_traffic"}
    assert bool(world.slept) == waited


def test_a_missing_permission_is_named(world: World) -> None:
    world.fault("/api/v1/metrics", status=403, body={"errors": ["Forbidden"]})
    signal = look(world, things())["namespace AWS/SQS", "cloudwatch_metrics"]
    assert (signal.status, "metrics_read" in signal.reason) == ("unreadable", True)


def test_what_may_not_be_asked_keeps_nothing_else_back(world: World) -> None:
    world.fault("/api/v1/metrics", status=403, body={"errors": ["Forbidden"]})
    found = look(world, things())
    assert {key for key, signal in found.items() if signal.status == "unreadable"} == {
        ("namespace AWS/SQS", "cloudwatch_metrics"),
        ("namespace AWS/SNS", "cloudwatch_metrics"),
    }


def test_however_many_there_are_a_look_takes_a_handful_of_calls(world: World) -> None:
    machines = tuple(state_machine(f"m{n}") for n in range(300))
    wanted = switched_on(
        snapshot(lane_snapshot(function(), state_machines=machines)), answers(state_machines=("all",))
    )
    look(world, wanted)
    assert len(wanted) == 900
    assert len(world.calls("/api/v2/")) <= 4


def execution_span(service: str, name: str = "aws.stepfunctions") -> dict[str, Any]:
    at = {"trace_id": 7, "span_id": 7, "parent_id": 0, "start": 0, "duration": 1}
    return {**at, "service": service, "name": name, "resource": "x"}


def test_traces_of_a_state_machine_are_those_of_its_service(world: World) -> None:
    spans = [execution_span("brew"), execution_span("stock", "aws.lambda"), execution_span("cellar")]
    for span in spans:
        span["start"] = int(world.standin.clock.now * 1e9)
    world.standin.server.world.telemetry.add_spans(spans_from_json({"traces": [spans]}))
    found = look(world, things())
    assert found["state machine brew", "traces"].status == "arrived"
    assert found["state machine stock", "traces"].status != "arrived"

    def proven(*machines: Any, **over: Any) -> list[str]:
        here = snapshot(lane_snapshot(function(), state_machines=machines))
        wanted = switched_on(here, answers(state_machines=("all",), **over))
        return [s.status for s in look(world, wanted).values() if s.signal == "traces"]

    named = state_machine("Stock", tags={"service": "Cellar"})
    assert proven(named) == ["arrived"]
    assert proven(named, service="brew") == ["arrived"]
    assert proven(named, service="other") == ["waiting"]
    assert proven(named, traces=False) == []
    # Of two with one service nothing tells whose the spans are.
    assert proven(named, state_machine(tags={"service": "cellar"})) == []


def test_forwarders_of_one_name_are_known_by_what_was_sent_through_them(world: World) -> None:
    """Their own metrics do not tell an account or a region."""
    functions = [function(region=region) for region in (REGION, "us-east-1")]
    arns = [FORWARDER, FORWARDER.replace(REGION, "us-east-1")]
    wanted = switched_on(snapshot(), answers(), arns)
    metric(world, "aws.dd_forwarder.incoming_events", 1, ["forwardername:datadog-forwarder"])
    log(world, functions[1])
    since = world.now() - timedelta(seconds=60)
    watched = Watch(functions=tuple(functions), answers=answers(), since=since, things=wanted)
    found = observe_signals(world.connect(), lambda *_: {}, watched, clock=world.clock)
    of_forwarders = {s.region: s.status for s in found if s.signal == "forwarder_metrics"}
    assert (of_forwarders["us-east-1"], of_forwarders[REGION] != "arrived") == ("arrived", True)


def test_a_log_that_tells_its_account_is_no_proof_of_another(world: World) -> None:
    wanted = [t for t in things(log_sources=("s3",), state_machines=(), api_stages=()) if t.source]
    sent = {"ddsource": "s3", "message": "GET", "ddtags": "aws_account:999999999999"}
    status, _, _ = world.standin.call("POST", "/api/v2/logs", [sent])
    assert status == 202
    assert {signal.status for signal in look(world, wanted).values()} == {"no_traffic"}
