"""The gateway against moto's server: logs, stacks, roles, secrets, tags, metrics, and what moto lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ddsetup.gateways.aws import functions, logs, metrics, roles, secrets, stacks, tags
from ddsetup.gateways.aws.errors import AlreadyExists, LimitReached
from ddsetup.gateways.aws.metrics import Series
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane, Role, Secret, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.errors import GatewayError, NotFound
from ddsetup.model.states import FilterState, SecretState
from ddsetup.observe.traffic import traffic
from ddsetup.verify.things import Thing
from ddsetup.verify.watch import cloudwatch_counts
from tests import builders as b
from tests.gateways.aws_stand import ACCOUNT, REGION, connect
from tests.gateways.moto_server import moto_server

LANE = Lane(ACCOUNT, REGION)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::464622532012:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["lambda:List*"], "Resource": "*"}],
}


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def aws(moto_url: str, aws_env: None) -> Aws:
    aws = connect(moto_url)
    aws.client("sts", REGION).get_caller_identity()
    import urllib.request

    request = urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")
    urllib.request.urlopen(request).close()
    return aws


def make_function(aws: Aws, name: str, **over: object) -> str:
    aws.client("iam", REGION)
    if not isinstance(roles.read_role(aws, ACCOUNT, "f"), Role):
        roles.create_role(aws, ACCOUNT, "f", TRUST, {})
    answer = aws.client("lambda", REGION).create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/f",
        Code={"ZipFile": b"PK\x05\x06" + b"\x00" * 18},
        **over,
    )
    return str(answer["FunctionArn"])


def test_more_functions_than_a_page_holds(aws: Aws) -> None:
    for number in range(53):
        make_function(aws, f"f{number:02}")
    found = functions.list_functions(aws, LANE)
    assert not isinstance(found, Unreadable)
    assert len(found) == 53


def test_what_moto_lacks_is_unknown_and_ends_nothing(aws: Aws) -> None:
    for answer in (functions.concurrency_headroom(aws, LANE), logs.account_filter_policies(aws, LANE)):
        assert isinstance(answer, Unreadable)
        assert not answer.denied
    assert roles.simulate(aws, aws.identity(), ["lambda:ListFunctions"]) == {
        "lambda:ListFunctions": "unknown"
    }


def test_tags_are_set_and_removed_in_bulk(aws: Aws) -> None:
    arns = [make_function(aws, name, Tags={"team": "a"}) for name in ("one", "two")]
    assert tags.tag_functions(aws, LANE, arns, {"env": "prod"}) == {}
    found = tags.function_tags(aws, LANE)
    assert not isinstance(found, Unreadable)
    assert {arn: dict(pairs) for arn, pairs in found.items()} == {
        arn: {"team": "a", "env": "prod"} for arn in arns
    }


def test_log_groups_of_all_pages(aws: Aws) -> None:
    assert logs.create_log_group(aws, LANE, "/aws/lambda/one")
    assert not logs.create_log_group(aws, LANE, "/aws/lambda/one")
    for number in range(60):
        logs.create_log_group(aws, LANE, f"/g/{number}")
    aws.client("logs", REGION).put_retention_policy(logGroupName="/g/1", retentionInDays=7)
    groups = logs.list_log_groups(aws, LANE)
    assert not isinstance(groups, Unreadable)
    assert len(groups) == 61
    assert groups["/g/1"].retention_days == 7
    assert groups["/g/2"].retention_days is None


def test_an_empty_log_group_is_told_from_one_that_was_written_to(aws: Aws) -> None:
    logs.create_log_group(aws, LANE, "/g")
    assert logs.log_group_is_empty(aws, LANE, "/g") is True
    aws.client("logs", REGION).create_log_stream(logGroupName="/g", logStreamName="s")
    assert logs.log_group_is_empty(aws, LANE, "/g") is False
    assert logs.delete_log_group(aws, LANE, "/g")
    assert not logs.delete_log_group(aws, LANE, "/g")


def test_a_filter_comes_back_to_the_letter(aws: Aws) -> None:
    destination = make_function(aws, "forwarder")
    logs.create_log_group(aws, LANE, "/g")
    state = FilterState(log_group="/g", name="mine", pattern="ERROR", destination_arn=destination)
    logs.put_filter(aws, LANE, state)
    before = logs.list_filters(aws, LANE, "/g")
    assert not isinstance(before, Unreadable)
    assert logs.delete_filter(aws, LANE, "/g", "mine")
    assert not logs.delete_filter(aws, LANE, "/g", "mine")
    assert logs.list_filters(aws, LANE, "/g") == ()
    live = before[0]
    logs.put_filter(
        aws,
        LANE,
        FilterState(
            log_group=live.log_group,
            name=live.name,
            pattern=live.pattern,
            destination_arn=live.destination_arn,
            role_arn=live.role_arn,
            distribution=live.distribution,
        ),
    )
    after = logs.list_filters(aws, LANE, "/g")
    assert not isinstance(after, Unreadable)
    assert [(f.name, f.pattern, f.destination_arn, f.distribution) for f in after] == [
        (f.name, f.pattern, f.destination_arn, f.distribution) for f in before
    ]


def test_the_third_filter_is_a_limit_not_a_throttle(aws: Aws) -> None:
    destination = make_function(aws, "forwarder")
    logs.create_log_group(aws, LANE, "/g")
    for name in ("one", "two"):
        logs.put_filter(aws, LANE, FilterState(log_group="/g", name=name, destination_arn=destination))
    sent = aws.calls["logs:PutSubscriptionFilter"]
    with pytest.raises(LimitReached, match="two subscription filters"):
        logs.put_filter(aws, LANE, FilterState(log_group="/g", name="x", destination_arn=destination))
    assert aws.calls["logs:PutSubscriptionFilter"] == sent + 1, "trying again cannot help"


def test_filters_of_a_group_that_is_not_there(aws: Aws) -> None:
    assert logs.list_filters(aws, LANE, "/nowhere") == ()


def test_a_role_with_its_policies(aws: Aws) -> None:
    assert roles.read_role(aws, ACCOUNT, "DatadogIntegrationRole") is None
    roles.create_role(aws, ACCOUNT, "DatadogIntegrationRole", TRUST, {"created_by": "ddsetup"})
    with pytest.raises(AlreadyExists):
        roles.create_role(aws, ACCOUNT, "DatadogIntegrationRole", TRUST, {})
    roles.put_role_policy(aws, ACCOUNT, "DatadogIntegrationRole", "inline", DOCUMENT)
    managed = aws.client("iam", REGION).create_policy(
        PolicyName="managed", PolicyDocument=json.dumps(DOCUMENT)
    )["Policy"]["Arn"]
    roles.attach_role_policy(aws, ACCOUNT, "DatadogIntegrationRole", managed)
    role = roles.read_role(aws, ACCOUNT, "DatadogIntegrationRole")
    assert isinstance(role, Role)
    assert role.trust == TRUST
    assert role.inline == {"inline": DOCUMENT}
    assert role.attached == (managed,)
    assert role.tags == {"created_by": "ddsetup"}
    assert roles.detach_role_policy(aws, ACCOUNT, "DatadogIntegrationRole", managed)
    assert roles.delete_role_policy(aws, ACCOUNT, "DatadogIntegrationRole", "inline")
    assert not roles.delete_role_policy(aws, ACCOUNT, "DatadogIntegrationRole", "inline")
    assert roles.delete_role(aws, ACCOUNT, "DatadogIntegrationRole")
    assert not roles.delete_role(aws, ACCOUNT, "DatadogIntegrationRole")


def test_a_role_gets_the_boundary_that_the_account_prescribes(aws: Aws) -> None:
    guard = aws.client("iam", REGION).create_policy(PolicyName="guard", PolicyDocument=json.dumps(DOCUMENT))
    roles.create_role(aws, ACCOUNT, "r", TRUST, {}, boundary=guard["Policy"]["Arn"])
    role = roles.read_role(aws, ACCOUNT, "r")
    assert isinstance(role, Role)
    assert role.boundary == guard["Policy"]["Arn"]


def test_a_trust_policy_is_replaced(aws: Aws) -> None:
    roles.create_role(aws, ACCOUNT, "r", TRUST, {})
    roles.update_trust(aws, ACCOUNT, "r", {**TRUST, "Statement": [{**TRUST["Statement"][0], "Sid": "new"}]})  # type: ignore[dict-item]
    role = roles.read_role(aws, ACCOUNT, "r")
    assert isinstance(role, Role)
    assert role.trust["Statement"][0]["Sid"] == "new"


def test_a_secret_and_its_deletion(aws: Aws) -> None:
    state = SecretState(name="ddsetup/datadog-api-key", description="d", tags={"created_by": "ddsetup"})
    arn = secrets.create_secret(aws, LANE, state, "0" * 32)
    assert secrets.read_secret_value(aws, arn) == "0" * 32
    with pytest.raises(AlreadyExists):
        secrets.create_secret(aws, LANE, state, "1" * 32)
    secrets.put_secret_value(aws, LANE, state.name, "2" * 32)
    assert secrets.read_secret_value(aws, arn) == "2" * 32
    assert secrets.delete_secret(aws, LANE, state.name, force=False)
    deleted = secrets.read_secret(aws, LANE, state.name)
    assert isinstance(deleted, Secret)
    assert deleted.deleted
    with pytest.raises(secrets.StillGoing, match="marked"):
        secrets.read_secret_value(aws, arn)
    assert secrets.restore_secret(aws, LANE, state.name) == arn
    restored = secrets.read_secret(aws, LANE, state.name)
    assert isinstance(restored, Secret)
    assert not restored.deleted
    assert restored.tags == {"created_by": "ddsetup"}
    assert secrets.delete_secret(aws, LANE, state.name, force=True)
    assert secrets.read_secret(aws, LANE, state.name) is None


@pytest.mark.parametrize("wrong", ["my-secret", "arn:aws:lambda:eu-west-1:1:function:f"])
def test_a_secret_is_read_by_its_arn_only(aws: Aws, wrong: str) -> None:
    with pytest.raises(GatewayError, match="not the ARN"):
        secrets.read_secret_value(aws, wrong)


def template() -> str:
    parameter = {"Type": "String", "Default": "x"}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Group"}}}
    return json.dumps(
        {
            "Parameters": {"Group": parameter, "Other": parameter},
            "Resources": {"G": group},
            "Outputs": {"Name": {"Value": "one"}},
        }
    )


def put_template(aws: Aws, body: str) -> str:
    s3 = aws.client("s3", "us-east-1")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="t.json", Body=body.encode())
    return "https://templates.s3.amazonaws.com/t.json"


def test_a_stack_from_creation_to_deletion(aws: Aws) -> None:
    url = put_template(aws, template())
    assert stacks.read_stack(aws, LANE, "s") is None
    stack_id = stacks.create_stack(aws, LANE, "s", url, {"Group": "/made"}, {"created_by": "ddsetup"})
    stack = stacks.read_stack(aws, LANE, "s")
    assert stack is not None
    assert (stack.stack_id, stack.status, stack.outputs) == (stack_id, "CREATE_COMPLETE", {"Name": "one"})
    assert stack.parameters == {"Group": "/made", "Other": "x"}
    assert stack.tags == {"created_by": "ddsetup"}
    with pytest.raises(AlreadyExists):
        stacks.create_stack(aws, LANE, "s", url, {}, {})
    assert stacks.update_stack(aws, LANE, "s", url, {"Group": None, "Other": "y"}, {})
    updated = stacks.read_stack(aws, LANE, "s")
    assert updated is not None
    assert updated.parameters == {"Group": "/made", "Other": "y"}
    listed = stacks.list_stacks(aws, LANE)
    assert not isinstance(listed, Unreadable)
    assert [s.name for s in listed] == ["s"]
    stacks.delete_stack(aws, LANE, "s")
    assert stacks.read_stack(aws, LANE, "s") is None


def test_events_are_in_order_and_only_the_new_ones_on_request(aws: Aws) -> None:
    stacks.create_stack(aws, LANE, "s", put_template(aws, template()), {"Group": "/made"}, {})
    events = stacks.stack_events(aws, LANE, "s")
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert events[-1].status == "CREATE_COMPLETE"
    assert stacks.stack_events(aws, LANE, "s", after=events[-1].event_id) == ()
    assert stacks.stack_events(aws, LANE, "s", after=events[0].event_id) == events[1:]
    with pytest.raises(NotFound):
        stacks.stack_events(aws, LANE, "nowhere")


def test_the_parameters_of_a_template(aws: Aws) -> None:
    assert stacks.template_parameters(aws, LANE, put_template(aws, template())) == ("Group", "Other")


def test_metrics_of_nobody(aws: Aws) -> None:
    assert metrics.invocations(aws, LANE, [f"f{n}" for n in range(501)], 60) == dict.fromkeys(
        (f"f{n}" for n in range(501)), 0.0
    )
    assert aws.calls["cloudwatch:GetMetricData"] == 2
    assert metrics.namespaces_in_use(aws, LANE, ["AWS/SQS"]) == {"AWS/SQS": 0}


def test_invocations_are_summed(aws: Aws) -> None:
    point = {
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": "orders"}],
        "Timestamp": aws.clock.now(),
    }
    client = aws.client("cloudwatch", REGION)
    for value in (2.0, 3.0):
        client.put_metric_data(Namespace="AWS/Lambda", MetricData=[{**point, "Value": value}])
    assert metrics.invocations(aws, LANE, ["orders", "other"], 60) == {"orders": 5.0, "other": 0.0}
    assert metrics.namespaces_in_use(aws, LANE, ["AWS/Lambda"]) == {"AWS/Lambda": 1}


def test_the_traffic_of_many_takes_a_call_for_500_metrics(aws: Aws) -> None:
    functions = [b.function(f"f{n}", account=ACCOUNT, region=REGION) for n in range(250)]
    groups = [(LANE, f.log_group) for f in functions]
    client, now = aws.client("cloudwatch", REGION), aws.clock.now()
    for name, of, metric in (
        ("FunctionName", "f7", "Invocations"),
        ("LogGroupName", functions[7].log_group, "IncomingBytes"),
    ):
        namespace = "AWS/Lambda" if metric == "Invocations" else "AWS/Logs"
        for hours, value in ((0, 2.0), (30, 3.0), (300, 100.0)):
            dimensions = [{"Name": name, "Value": of}]
            at = now - timedelta(hours=hours)
            point = {"Timestamp": at, "MetricName": metric, "Value": value, "Dimensions": dimensions}
            client.put_metric_data(Namespace=namespace, MetricData=[point])
    counted = traffic(aws, functions, groups)
    assert aws.calls["cloudwatch:GetMetricData"] == 2
    assert (counted.invocations[functions[7].arn], counted.hours[functions[7].arn]) == (5.0, 2)
    assert counted.log_bytes[groups[7]] == 5.0
    assert (counted.invocations[functions[8].arn], counted.log_events[groups[7]]) == (0.0, 0.0)
    assert counted.unreadable == {}


def test_what_went_on_in_a_shared_log_group_counts_for_each_that_writes_there(aws: Aws) -> None:
    shared = (("LogGroupName", "/shared"),)
    point = {
        "MetricName": "IncomingLogEvents",
        "Dimensions": [{"Name": name, "Value": value} for name, value in shared],
        "Timestamp": aws.clock.now(),
        "Value": 2.0,
    }
    aws.client("cloudwatch", REGION).put_metric_data(Namespace="AWS/Logs", MetricData=[point])
    wanted = [
        Thing(
            resource=ResourceId("state_machine", name, REGION, ACCOUNT),
            signal="logs",
            idle="log event",
            log_group="/shared",
            counted=Series("AWS/Logs", "IncomingLogEvents", shared),
        )
        for name in ("brew", "stock")
    ]
    counted = cloudwatch_counts(aws, [LANE])([(thing, 60) for thing in wanted])
    assert counted == {(thing, 60): 2.0 for thing in wanted}
    assert aws.calls["cloudwatch:GetMetricData"] == 1


def test_of_a_namespace_the_metrics_of_its_own_account_count(aws: Aws) -> None:
    data = [{"MetricName": "CPUUtilization", "Timestamp": aws.clock.now(), "Value": 2.0}]
    aws.client("cloudwatch", REGION).put_metric_data(Namespace="Own/Pumps", MetricData=data)
    thing = Thing(
        resource=ResourceId("integration", "Own/Pumps", "", ACCOUNT),
        signal="cloudwatch_metrics",
        idle="metric",
        namespace="Own/Pumps",
    )
    count = cloudwatch_counts(aws, [LANE])
    assert count([(thing, 60)]) == {(thing, 60): 1.0}
    theirs = replace(thing, resource=replace(thing.resource, account="999999999999"))
    assert count([(theirs, 60)]) == {(theirs, 60): 0.0}


def test_filters_that_deliver_are_known_by_their_metrics(aws: Aws) -> None:
    for group in ("/a", "/b"):
        dimensions = [{"Name": "LogGroupName", "Value": group}, {"Name": "FilterName", "Value": "f"}]
        data = [{"MetricName": "ForwardedLogEvents", "Dimensions": dimensions, "Value": 1.0}]
        aws.client("cloudwatch", REGION).put_metric_data(Namespace="AWS/Logs", MetricData=data)
    assert logs.filters_at_work(aws, LANE) == {"/a": frozenset({"f"}), "/b": frozenset({"f"})}
    assert logs.filters_at_work(aws, LANE, failing=True) == {}
    assert aws.calls["cloudwatch:ListMetrics"] == 2
