"""The writers of state machines and API stages: there and back, and with somebody else at work in between."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from ddsetup.gateways.aws import apis, states
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change
from ddsetup.model.errors import GatewayError
from ddsetup.model.services import ApiStage, ApiStageState, StateMachineSettings, StateMachineState
from tests.gateways.bench import LANE, Bench, answer, aws, bench, change, moto_url
from tests.gateways.sources_world import group_arn, rest_api, state_machine

__all__ = ["aws", "bench", "moto_url"]

WANTED = StateMachineState(
    level="ALL",
    include_execution_data=True,
    destinations=(group_arn("/aws/vendedlogs/states/brew-Logs"),),
    tags={"DD_TRACE_ENABLED": "true", "env": "prod"},
)
BEFORE = StateMachineState(tags={"env": "test"})


def logs_everything(arn: str) -> Change:
    return change("state_machine", arn, BEFORE, WANTED)


def tags(bench: Bench, arn: str) -> dict[str, str]:
    return dict(states.read_tags(bench.aws, LANE, arn))


def settings(bench: Bench, arn: str) -> StateMachineSettings:
    found = states.read_settings(bench.aws, LANE, arn)
    assert isinstance(found, StateMachineSettings)
    return found


def test_a_state_machine_there_and_back(bench: Bench) -> None:
    arn = state_machine(bench, "brew", {"env": "test", "team": "kitchen"})
    first = settings(bench, arn)
    forward = logs_everything(arn)
    assert bench.one(forward).status == "applied"
    assert settings(bench, arn).level == "ALL"
    assert tags(bench, arn) == {"env": "prod", "team": "kitchen", "DD_TRACE_ENABLED": "true"}
    again = bench.calls("states:UpdateStateMachine")
    assert bench.one(forward).status == "unchanged"
    assert bench.calls("states:UpdateStateMachine") == again
    assert bench.one(forward.inverse()).status == "applied"
    assert settings(bench, arn) == first
    assert tags(bench, arn) == {"env": "test", "team": "kitchen"}
    assert bench.one(forward.inverse()).status == "unchanged"


def test_what_an_interrupted_write_left_is_finished(bench: Bench) -> None:
    arn = state_machine(bench, "brew", {"env": "test"})
    bench.refuse("states:TagResource", [answer(400, "ValidationException", "no")])
    forward = logs_everything(arn)
    with pytest.raises(GatewayError, match="TagResource"):
        bench.one(forward)
    assert tags(bench, arn) == {"env": "test"}
    assert bench.one(forward).status == "applied"
    assert tags(bench, arn)["env"] == "prod"


def test_a_state_machine_that_somebody_changed_is_left_alone(bench: Bench) -> None:
    arn = state_machine(bench, "brew", {"env": "test"})
    theirs = StateMachineSettings(level="FATAL", destinations=(group_arn("theirs"),))
    states.set_logging(bench.aws, LANE, arn, theirs)
    outcome = bench.one(logs_everything(arn))
    assert (outcome.status, outcome.reason) == ("changed_since", "changed since: its logging")
    assert replace(settings(bench, arn), role="") == theirs
    states.set_logging(bench.aws, LANE, arn, StateMachineSettings())
    states.tag_state_machine(bench.aws, LANE, arn, {"env": "stage"})
    assert bench.one(logs_everything(arn)).reason == "changed since: tag env"
    bench.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    assert bench.one(logs_everything(arn)).status == "changed_since"


def test_a_role_that_may_not_log_fails_with_the_command_that_lets_it(bench: Bench) -> None:
    arn = state_machine(bench, "brew", {"env": "test"})
    said = "The state machine IAM Role is not authorized to access the Log Destination"
    bench.refuse("states:UpdateStateMachine", [answer(400, "AccessDeniedException", said)])
    outcome = bench.one(logs_everything(arn))
    assert outcome.status == "failed"
    assert said in outcome.reason
    assert "put-role-policy --role-name brew-role" in outcome.fix
    assert tags(bench, arn) == {"env": "test"}


def stage(bench: Bench) -> ApiStage:
    found = apis.list_api_stages(bench.aws, LANE)
    assert not isinstance(found, Unreadable)
    (only,) = found
    return only


def test_access_logs_of_a_stage_there_and_back(bench: Bench) -> None:
    rest_api(bench, "shop")
    first = stage(bench)
    nothing = ApiStageState(api="shop", protocol="REST")
    wanted = replace(nothing, destination="arn:aws:logs:x", format='{"requestId":"$context.requestId"}')
    forward = change("api_stage", first.id, nothing, wanted)
    assert bench.one(forward).status == "applied"
    assert stage(bench) == replace(first, destination=wanted.destination, format=wanted.format)
    assert bench.one(forward).status == "unchanged"
    apis.set_access_log(bench.aws, first, "arn:aws:logs:theirs", "$context.requestId")
    assert bench.one(forward.inverse()).status == "changed_since"
    apis.set_access_log(bench.aws, first, wanted.destination, wanted.format)
    assert bench.one(forward.inverse()).status == "applied"
    assert stage(bench) == first
    bench.client("apigateway").delete_rest_api(restApiId=first.api_id)
    assert bench.one(forward).status == "changed_since"


def test_stages_of_one_api_are_changed_one_after_another_and_those_of_several_at_once(bench: Bench) -> None:
    """API Gateway refuses changes of one API at the same time (`ConflictException`)."""
    shop = rest_api(bench, "shop")
    deployment = bench.client("apigateway").get_deployments(restApiId=shop)["items"][0]["id"]
    bench.client("apigateway").create_stage(restApiId=shop, stageName="test", deploymentId=deployment)
    rest_api(bench, "bar")
    found = apis.list_api_stages(bench.aws, LANE)
    assert not isinstance(found, Unreadable)
    lock, under_way, together = threading.Lock(), list[str](), list[tuple[str, ...]]()

    def slow(request: Any, **_: Any) -> None:
        if request.method == "PATCH":
            api = request.url.split("/restapis/")[1].split("/")[0]
            with lock:
                under_way.append(api)
                together.append(tuple(under_way))
            time.sleep(0.2)
            with lock:
                under_way.remove(api)

    nothing = ApiStageState(api="x", protocol="REST")
    wanted = replace(nothing, destination="arn:aws:logs:x", format="$context.requestId")
    changes = [change("api_stage", each.id, nothing, wanted) for each in found]
    writer = bench.writers()["api_stage"]
    events = bench.client("apigateway").meta.events
    events.register_first("before-send.*.UpdateStage", slow)
    bench.refusals.append(lambda: events.unregister("before-send.*.UpdateStage", slow))
    with ThreadPoolExecutor(len(changes)) as pool:
        outcomes = [o for each in pool.map(lambda one: writer.write([one]), changes) for o in each]
    assert [o.status for o in outcomes] == ["applied"] * 3
    assert all(len(set(at_once)) == len(at_once) for at_once in together), together
    assert max(len(at_once) for at_once in together) == 2
