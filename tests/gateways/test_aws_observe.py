"""Observation against the sandbox's emulated AWS, which enforces IAM and keeps revisions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ddsetup.gateways.aws.functions import (
    FunctionUpdate,
    LayerCache,
    add_logs_permission,
    invoke,
    layer_version_exists,
    newest_layer,
    remove_permission,
    resource_policy,
    update_function,
    wait_updated,
)
from ddsetup.gateways.aws.permissions import simulate
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import ChangedSince, Interrupted
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.observe.chosen import look_closer, observe_filters
from ddsetup.observe.in_bulk import AT_A_GLANCE, FOR_DRIFT, WAYS, Progress, observe
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.sandbox.control import start
from ddsetup.sandbox.model import SandboxOptions

REGIONS = ("us-east-1", "eu-west-1")
_OF_SERVICES = {"states", "apigateway", "apigatewayv2"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["cloudwatch:ListMetrics", "iam:GetRolePolicy"], "Resource": "*"},
    ],
}


@dataclass(frozen=True)
class Place:
    aws: Aws
    dd: Datadog
    lane: Lane
    other: Lane

    def look(self) -> Snapshot:
        identity = self.aws.identity()
        lanes = (self.lane, self.other)
        return observe(self.aws, lambda: self.dd, (identity,), lanes, role_name="DatadogIntegrationRole")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    options = SandboxOptions(operator_policy=POLICY, scenarios=("healthy", "messy"), regions=REGIONS)
    with start(options) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.env().items():
            patch.setenv(name, value)
        keys = DatadogKeys(os.environ["DD_API_KEY"], os.environ["DD_APP_KEY"])
        aws = Aws.connect(AwsOptions(), rate_scale=20)
        account = aws.identity().account
        dd = Datadog.connect(os.environ["DD_SITE"], keys, os.environ["DDSETUP_DATADOG_URL"])
        yield Place(aws, dd, Lane(account, REGIONS[0]), Lane(account, REGIONS[1]))


@pytest.fixture(scope="module")
def snapshot(place: Place) -> Snapshot:
    return place.look()


def functions_of(lane: LaneSnapshot) -> dict[str, Function]:
    assert not isinstance(lane.functions, Unreadable)
    return {function.name: function for function in lane.functions}


def test_every_lane_is_read_in_bulk(place: Place, snapshot: Snapshot) -> None:
    lane = snapshot.lanes[place.lane]
    functions = functions_of(lane)
    assert len(functions) > 20
    assert {f.package_type for f in functions.values()} == {"Zip", "Image"}
    assert any(f.env is None and f.env_error for f in functions.values())
    assert any(f.log_group != f"/aws/lambda/{name}" for name, f in functions.items())
    assert not isinstance(lane.tags, Unreadable)
    assert set(lane.tags) <= {f.arn for f in functions.values()}
    assert not isinstance(lane.log_groups, Unreadable)
    assert lane.log_groups
    assert isinstance(lane.unreserved_concurrency, int)
    assert set(snapshot.lanes) == {place.lane, place.other}
    for name, function in functions_of(snapshot.lanes[place.other]).items():
        assert function.region == REGIONS[1], name


def test_reads_are_bulk_calls_whatever_the_number_of_functions(place: Place) -> None:
    before = place.aws.calls.copy()
    place.look()
    spent = place.aws.calls - before
    assert spent["lambda:ListFunctions"] == 2
    assert spent["tag:GetResources"] == 2
    assert spent["lambda:GetFunction"] == 0
    assert spent["logs:DescribeSubscriptionFilters"] == 0
    assert sum(spent.values()) < 60


@pytest.mark.parametrize(
    ("fields", "idle"),
    [
        (AT_A_GLANCE, {"lambda"} | _OF_SERVICES),
        (AT_A_GLANCE | WAYS, {"lambda"} | _OF_SERVICES),
        (FOR_DRIFT, {"lambda", "cloudformation"}),
        (None, {"lambda", "cloudformation", "logs", "secretsmanager", "cloudwatch"} | _OF_SERVICES),
    ],
)
def test_where_no_function_is_no_client_is_made_for_what_is_about_functions(
    place: Place, fields: frozenset[str] | None, idle: set[str]
) -> None:
    aws = Aws.connect(AwsOptions(), rate_scale=20)
    unused = Lane(place.lane.account, "ap-south-1")
    lanes = (place.lane, unused)
    seen = observe(aws, lambda: place.dd, (aws.identity(),), lanes, role_name="DatadogRole", fields=fields)
    assert seen.lanes[unused].functions == seen.lanes[unused].stacks == ()
    assert seen.lanes[unused].tags == {}
    assert {service for service, region in aws.clients if region == unused.region} == idle
    used = {service for service, region in aws.clients if region == place.lane.region}
    assert {"tag", "cloudformation"} <= used
    aws.close()


def test_what_is_refused_is_unreadable_and_the_rest_is_there(place: Place, snapshot: Snapshot) -> None:
    assert snapshot.lanes[place.lane].resources == {}
    account = snapshot.accounts[place.lane.account]
    assert account.role is None
    assert account.integration is None
    assert len(account.permissions) > 50
    assert account.permissions_source == "live"
    assert snapshot.datadog.fallbacks == ()


def test_a_forwarder_is_found_among_many_functions(place: Place, snapshot: Snapshot) -> None:
    forwarders = snapshot.lanes[place.lane].forwarders
    assert not isinstance(forwarders, Unreadable)
    assert len(forwarders) == 1
    assert "function" in forwarders[0].found_by
    assert "orwarder" in forwarders[0].name


def test_filters_are_read_once_and_only_where_a_group_is(place: Place, snapshot: Snapshot) -> None:
    groups = [function.log_group for function in functions_of(snapshot.lanes[place.lane]).values()]
    before = place.aws.calls.copy()
    seen = observe_filters(place.aws, snapshot, {place.lane: groups})
    spent = (place.aws.calls - before)["logs:DescribeSubscriptionFilters"]
    log_groups = snapshot.lanes[place.lane].log_groups
    assert not isinstance(log_groups, Unreadable)
    assert spent == len({group for group in groups if group in log_groups})
    found = seen.lanes[place.lane].filters
    assert set(found) == set(groups)
    assert max(len(f) for f in found.values() if not isinstance(f, Unreadable)) == 2
    observe_filters(place.aws, seen, {place.lane: groups})
    assert (place.aws.calls - before)["logs:DescribeSubscriptionFilters"] == spent
    assert snapshot.lanes[place.lane].filters == {}, "the first snapshot stays as it was"


def test_a_closer_look_adds_what_has_no_bulk_call(place: Place, snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))
        patch.setenv("HOME", str(tmp_path))
        selected = tuple(functions_of(snapshot.lanes[place.lane]).values())
        answers = Answers(
            site="datadoghq.com",
            regions=REGIONS,
            layer_version="latest",
            template_url=os.environ["DDSETUP_FORWARDER_TEMPLATE_URL"],
        )
        seen = look_closer(
            place.aws, snapshot, answers, selected, groups_to_read(snapshot, answers, selected)
        )
    lane = seen.lanes[place.lane]
    assert lane.filters
    assert any(aliases for aliases in lane.aliases.values())
    assert lane.newest_layers["Datadog-Python312"] == 130
    assert not isinstance(lane.template_parameters, Unreadable)
    assert "DdApiKeySecretArn" in lane.template_parameters
    simulated = seen.accounts[place.lane.account].simulated
    assert simulated["cloudwatch:ListMetrics"] == "denied"
    assert simulated["lambda:ListFunctions"] == "allowed"


def told_of(aws: Aws, lane: Lane, on_progress: Progress) -> None:
    observe(
        aws,
        lambda: None,
        (aws.identity(),),
        (lane,),
        role_name="DatadogIntegrationRole",
        on_progress=on_progress,
    )


def test_progress_is_told_for_each_kind(place: Place) -> None:
    told: list[tuple[Lane, str]] = []
    told_of(place.aws, place.other, lambda lane, what: told.append((lane, what)))
    assert {lane for lane, _ in told} == {place.other}
    assert {"functions", "tags", "stacks", "log_groups", "secrets"} <= {what for _, what in told}


def test_a_bug_in_one_read_is_not_swallowed(place: Place) -> None:
    def broken(lane: Lane, what: str) -> None:
        raise ZeroDivisionError(what)

    with pytest.raises(ZeroDivisionError):
        told_of(place.aws, place.lane, broken)


def test_ctrl_c_ends_the_reading_threads(place: Place) -> None:
    aws = Aws.connect(AwsOptions(), rate_scale=20)

    def interrupt(lane: Lane, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told_of(aws, place.lane, interrupt)
    with pytest.raises(Interrupted):
        aws.call("lambda:ListFunctions", place.lane)


def test_a_write_on_an_old_revision_is_refused(place: Place, snapshot: Snapshot) -> None:
    function = functions_of(snapshot.lanes[place.lane])["coffee-orders"]
    first = FunctionUpdate(revision_id=function.revision_id, env={**(function.env or {}), "A": "1"})
    update_function(place.aws, place.lane, function.name, first)
    wait_updated(place.aws, place.lane, function.name)
    with pytest.raises(ChangedSince):
        update_function(place.aws, place.lane, function.name, first)


def test_one_permission_covers_all_log_groups(place: Place) -> None:
    name = "coffee-kitchen"
    assert resource_policy(place.aws, place.lane, name) is None
    assert add_logs_permission(place.aws, place.lane, name)
    assert not add_logs_permission(place.aws, place.lane, name)
    policy = resource_policy(place.aws, place.lane, name)
    assert not isinstance(policy, Unreadable)
    source = f"arn:aws:logs:{place.lane.region}:{place.lane.account}:log-group:*:*"
    assert source in str(policy)
    assert remove_permission(place.aws, place.lane, name)
    assert not remove_permission(place.aws, place.lane, name)


def test_layers_of_another_account(place: Place, tmp_path: Path) -> None:
    arn = f"arn:aws:lambda:{place.lane.region}:464622532012:layer:Datadog-Forwarder"
    assert layer_version_exists(place.aws, place.lane, f"{arn}:110") is True
    assert layer_version_exists(place.aws, place.lane, f"{arn}:9999") is False
    cache = LayerCache(tmp_path / "layers.json")
    assert newest_layer(place.aws, place.lane, "Datadog-Python312", "464622532012", 129, cache) == 130


def test_an_invocation_that_fails_is_told_apart(place: Place) -> None:
    good = invoke(place.aws, place.lane, "coffee-orders")
    assert (good.status, good.error) == (200, "")
    assert good.request_id


@pytest.mark.parametrize(
    ("action", "resources", "verdict"),
    [
        ("lambda:ListFunctions", (), "allowed"),
        ("cloudwatch:ListMetrics", (), "denied"),
        ("iam:GetRolePolicy", ("arn:aws:iam::123456789012:role/x",), "denied"),
    ],
)
def test_permissions_are_simulated(
    place: Place, action: str, resources: tuple[str, ...], verdict: str
) -> None:
    answer = simulate(place.aws, place.aws.identity(), [action], {action: resources} if resources else None)
    assert answer == {action: verdict}
