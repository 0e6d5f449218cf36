"""State machines and stages of APIs, read and written, against moto's server."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from ddsetup.gateways.aws import apis, states
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import UsageError
from ddsetup.model.services import ApiStage, StateMachine, StateMachineSettings
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.observe.services_read import look_at_sources
from tests.builders import answers
from tests.gateways.aws_stand import Reply, connect, scripted_aws
from tests.gateways.bench import ACCOUNT, LANE, REGION, Bench, answer, aws, bench, moto_url
from tests.gateways.sources_world import group_arn, http_api, rest_api, state_machine

__all__ = ["aws", "bench", "moto_url"]

FORMAT = '{"requestId":"$context.requestId"}'


def machines(bench: Bench) -> dict[str, StateMachine]:
    found = states.list_state_machines(bench.aws, LANE)
    assert not isinstance(found, Unreadable)
    return {machine.name: machine for machine in found}


def stages(bench: Bench) -> dict[str, ApiStage]:
    found = apis.list_api_stages(bench.aws, LANE)
    assert not isinstance(found, Unreadable)
    return {stage.api_name: stage for stage in found}


def test_state_machines_come_with_their_logging_and_tags(bench: Bench) -> None:
    group = group_arn("/aws/vendedlogs/states/brew-Logs")
    state_machine(
        bench,
        "brew",
        {"team": "kitchen"},
        level="ERROR",
        includeExecutionData=False,
        destinations=[{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
    )
    state_machine(bench, "plain")
    found = machines(bench)
    brew = found["brew"].settings
    assert isinstance(brew, StateMachineSettings)
    assert (brew.level, brew.include_execution_data) == ("ERROR", False)
    assert (brew.destinations, brew.log_group) == ((group,), "/aws/vendedlogs/states/brew-Logs")
    assert brew.role.endswith(":role/brew-role")
    assert found["brew"].tags == {"team": "kitchen"}
    plain = found["plain"].settings
    assert isinstance(plain, StateMachineSettings)
    assert (plain.level, plain.log_group, found["plain"].tags) == ("OFF", "", {})


def test_an_account_without_state_machines_costs_one_call(bench: Bench) -> None:
    assert machines(bench) == {}
    assert bench.calls("states:ListStateMachines") == 1
    assert bench.calls("tag:GetResources") == 0


def test_what_may_not_be_described_is_unreadable_and_not_off(bench: Bench) -> None:
    state_machine(bench, "brew")
    bench.refuse("states:DescribeStateMachine", [answer(400, "AccessDeniedException", "no")])
    settings = machines(bench)["brew"].settings
    assert isinstance(settings, Unreadable)
    assert settings.action == "states:DescribeStateMachine"
    bench.refuse("states:ListStateMachines", [answer(400, "AccessDeniedException", "no")])
    denied = states.list_state_machines(bench.aws, LANE)
    assert isinstance(denied, Unreadable)
    assert (denied.action, denied.denied) == ("states:ListStateMachines", True)


def test_logging_and_tags_of_a_state_machine_are_set_and_all_else_stays(bench: Bench) -> None:
    arn = state_machine(bench, "brew", {"team": "kitchen"})
    before = machines(bench)["brew"].settings
    assert isinstance(before, StateMachineSettings)
    wanted = replace(
        before,
        level="ALL",
        include_execution_data=True,
        destinations=(group_arn("/aws/vendedlogs/states/b"),),
    )
    states.set_logging(bench.aws, LANE, arn, wanted)
    states.tag_state_machine(bench.aws, LANE, arn, {"DD_TRACE_ENABLED": "true"})
    assert states.read_settings(bench.aws, LANE, arn) == wanted
    assert states.read_tags(bench.aws, LANE, arn) == {"team": "kitchen", "DD_TRACE_ENABLED": "true"}
    states.set_logging(bench.aws, LANE, arn, before)
    states.untag_state_machine(bench.aws, LANE, arn, ["DD_TRACE_ENABLED"])
    assert machines(bench)["brew"].settings == before
    assert states.read_tags(bench.aws, LANE, arn) == {"team": "kitchen"}


def test_a_state_machine_that_is_gone_is_none(bench: Bench) -> None:
    arn = state_machine(bench, "brew")
    bench.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    assert states.read_settings(bench.aws, LANE, arn) is None


def test_a_closer_look_is_taken_at_what_is_chosen_only(bench: Bench) -> None:
    group = "/aws/vendedlogs/states/brew-Logs"
    bench.client("logs").create_log_group(logGroupName=group)
    destination = [{"cloudWatchLogsLogGroup": {"logGroupArn": group_arn(group)}}]
    state_machine(bench, "brew", level="ERROR", destinations=destination)
    state_machine(bench, "plain")
    rest_api(bench, "shop")
    listed = tuple(replace(machine, settings=None) for machine in machines(bench).values())
    bench.seen = LaneSnapshot(
        lane=LANE, services={"state_machine": listed, "api_stage": tuple(stages(bench).values())}
    )
    bench.aws.calls.clear()
    wish = answers(state_machines=("b*",), api_stages=("shop/prod",), subscribe="direct")
    held = look_at_sources(bench.aws, bench.snapshot(), wish).lanes[LANE]
    seen = held.listed(StateMachine)
    assert not isinstance(seen, Unreadable)
    levels = {m.name: m.settings and getattr(m.settings, "level", "") for m in seen}
    assert levels == {"brew": "ERROR", "plain": None}
    # What logs already has shown that its role may; and moto has no policy simulator to ask.
    assert (held.log_delivery, held.filters, held.api_log_role) == ({}, {group: ()}, "")
    bench.aws.calls.clear()
    untouched = bench.snapshot()
    assert look_at_sources(bench.aws, untouched, answers()) == untouched
    assert bench.aws.calls == {}


def test_stages_of_rest_and_http_apis_come_with_where_their_logs_go(bench: Bench) -> None:
    rest = rest_api(bench, "shop", tags={"team": "web"})
    destination = group_arn("shop-access").removesuffix(":*")
    http_api(bench, "menu", AccessLogSettings={"DestinationArn": destination, "Format": FORMAT})
    found = stages(bench)
    assert (found["shop"].id, found["shop"].protocol) == (f"{rest}/prod", "REST")
    assert (found["shop"].destination, found["shop"].execution_level) == ("", "OFF")
    assert found["shop"].tags == {"team": "web"}
    assert (found["menu"].stage, found["menu"].protocol) == ("$default", "HTTP")
    assert (found["menu"].log_group, found["menu"].format) == ("shop-access", FORMAT)


def test_stages_of_apis_beyond_the_first_are_read_when_they_are_chosen(bench: Bench) -> None:
    api = rest_api(bench, "shop")
    other = rest_api(bench, "menu")
    (shop,) = [stage for stage in stages(bench).values() if stage.api_id == api]
    bare = tuple(replace(stage, stage="") for stage in stages(bench).values())
    bench.seen = LaneSnapshot(lane=LANE, services={"api_stage": bare})
    wish = answers(api_stages=("shop/prod",), state_machines=())
    held = look_at_sources(bench.aws, bench.snapshot(), wish).lanes[LANE].listed(ApiStage)
    assert not isinstance(held, Unreadable)
    assert {(stage.api_id, stage.stage) for stage in held} == {(other, ""), (api, "prod")}
    assert shop in held
    with pytest.raises(UsageError, match="shop/test matches no stage"):
        look_at_sources(bench.aws, bench.snapshot(), answers(api_stages=("shop/test",)))


def test_access_logs_of_a_rest_api_are_set_and_taken_away(bench: Bench) -> None:
    rest_api(bench, "shop")
    before = stages(bench)["shop"]
    destination = group_arn("api-gateway/shop").removesuffix(":*")
    apis.set_access_log(bench.aws, before, destination, FORMAT)
    after = apis.read_api_stage(bench.aws, before)
    assert after == replace(before, destination=destination, format=FORMAT)
    apis.set_access_log(bench.aws, before, "", "")
    assert apis.read_api_stage(bench.aws, before) == before


def test_access_logs_of_an_http_api_are_set_and_taken_away(aws_env: None) -> None:
    """moto cannot change such a stage: what is sent is all that can be seen here."""
    stage = ApiStage(
        api_id="a1", api_name="menu", protocol="HTTP", stage="$default", region=REGION, account=ACCOUNT
    )
    with scripted_aws() as script:
        script.script(Reply())
        connected = connect(script.url)
        apis.set_access_log(connected, stage, "arn:aws:logs:x", FORMAT)
        apis.set_access_log(connected, stage, "", "")
        (set_, path, body), (removed, other, _) = script.requests
    assert (set_, unquote(path)) == ("PATCH", "/v2/apis/a1/stages/$default")
    assert json.loads(body) == {"accessLogSettings": {"destinationArn": "arn:aws:logs:x", "format": FORMAT}}
    assert (removed, unquote(other)) == ("DELETE", "/v2/apis/a1/stages/$default/accesslogsettings")


def test_the_role_that_writes_api_logs_is_told_from_none(bench: Bench) -> None:
    assert apis.api_log_role(bench.aws, LANE) == ""
    denied = answer(403, "AccessDeniedException", "no")
    bench.refuse("apigateway:GetRestApis", [denied])
    found = apis.list_api_stages(bench.aws, LANE)
    assert isinstance(found, Unreadable)
    assert found.action == "apigateway:GET"
