"""Writers of secrets, tags, log groups and filters, and the bucket of shared runs, against moto's server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ddsetup.gateways.aws.objects import make_bucket
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import GatewayError
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import (
    REF_SECRET,
    FilterState,
    LogGroupState,
    RolePolicyState,
    SecretState,
    StackState,
    TagsState,
)
from tests.gateways.bench import (
    LANE,
    REGION,
    Bench,
    answer,
    aws,
    bench,
    change,
    moto_url,
    role_of_a_function,
    there_and_back,
    zipped,
)

__all__ = ["aws", "bench", "moto_url"]

SECRET = SecretState(name="ddsetup/datadog-api-key", tags={"created_by": "ddsetup"})


# --- secrets


def test_a_secret_is_made_with_the_key_and_given_back(bench: Bench) -> None:
    forward = change("secret", SECRET.name, None, SECRET)
    assert bench.one(forward).status == "applied"
    secrets = bench.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=SECRET.name)["SecretString"] == "a" * 32
    assert bench.one(forward).status == "unchanged"
    assert bench.one(forward.inverse()).status == "applied"
    assert bench.one(forward.inverse()).status == "unchanged"
    assert bench.one(forward).status == "applied", "the name is free again at once"


def test_a_secret_waiting_for_its_deletion_is_restored(bench: Bench) -> None:
    secrets = bench.client("secretsmanager")
    tags = [{"Key": "created_by", "Value": "ddsetup"}]
    secrets.create_secret(Name=SECRET.name, SecretString="old", Tags=tags)
    secrets.delete_secret(SecretId=SECRET.name)
    assert bench.one(change("secret", SECRET.name, None, SECRET)).status == "applied"
    assert secrets.get_secret_value(SecretId=SECRET.name)["SecretString"] == "a" * 32


def test_a_foreign_secret_is_neither_restored_nor_deleted(bench: Bench) -> None:
    secrets = bench.client("secretsmanager")
    secrets.create_secret(Name=SECRET.name, SecretString="theirs")
    forward = change("secret", SECRET.name, None, SECRET)
    assert bench.one(forward.inverse()).status == "changed_since"
    secrets.delete_secret(SecretId=SECRET.name)
    assert bench.one(forward).status == "changed_since"


def test_no_key_shows_in_writers_or_outcomes(bench: Bench) -> None:
    writer = bench.writers()["secret"]
    outcome = bench.one(change("secret", SECRET.name, None, SECRET))
    assert "a" * 32 not in repr(writer) + repr(outcome) + repr(bench.events)


def test_a_reference_becomes_the_arn_of_the_secret_just_made(bench: Bench) -> None:
    writers = bench.writers()
    forward = change("secret", SECRET.name, None, SECRET)
    reference = f"{REF_SECRET}{SECRET.name}"
    document = {"Statement": [{"Resource": [reference]}]}
    state = RolePolicyState(role_name="orders-role", policy_name="p", document=document)
    waiting = change("role_policy", "orders-role/p", None, state)
    parameters = {"K": reference, "L": "x"}
    waiting_stack = change("stack", "s", None, StackState(name="s", parameters=parameters))
    with pytest.raises(GatewayError, match="is not in eu-west-1"):
        writers["stack"].resolve(
            change("stack", "s", None, StackState(name="s", parameters={"K": reference}))
        )
    writers["secret"].write([forward])
    arn = bench.client("secretsmanager").describe_secret(SecretId=SECRET.name)["ARN"]
    resolved = writers["stack"].resolve(waiting_stack).after
    assert isinstance(resolved, StackState)
    assert resolved.parameters == {"K": arn, "L": "x"}
    regional = replace(waiting, resource=replace(waiting.resource, region=REGION))
    policy = writers["role_policy"].resolve(regional).after
    assert isinstance(policy, RolePolicyState)
    assert policy.document == {"Statement": [{"Resource": [arn]}]}


# --- tags


def functions(bench: Bench, *names: str) -> list[str]:
    role = role_of_a_function(bench)
    made = [
        bench.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": zipped()},
            Tags={"team": "a"},
        )
        for name in names
    ]
    return [item["FunctionArn"] for item in made]


def tags_of(bench: Bench, arn: str) -> dict[str, str]:
    return dict(bench.client("lambda").list_tags(Resource=arn)["Tags"])


def test_tags_go_twenty_at_a_time_and_come_back(bench: Bench) -> None:
    arns = functions(bench, "a", "b", "c")
    after = TagsState(tags={"env": "prod", "team": "b"})
    forward = [change("function_tags", arn, TagsState(tags={"team": "a"}), after) for arn in arns]
    bench.seen = LaneSnapshot(lane=LANE, tags={arn: {"team": "a"} for arn in arns})
    assert {o.status for o in bench.write(*forward)} == {"applied"}
    assert bench.calls("tag:TagResources") == 1
    assert tags_of(bench, arns[2]) == {"env": "prod", "team": "b"}
    bench.seen = LaneSnapshot(lane=LANE, tags={arn: {"env": "prod", "team": "b"} for arn in arns})
    assert {o.status for o in bench.write(*forward)} == {"unchanged"}
    assert {o.status for o in bench.write(*(c.inverse() for c in forward))} == {"applied"}
    assert tags_of(bench, arns[0]) == {"team": "a"}


def test_tags_that_the_look_could_not_read_are_read_before_anything_is_set(bench: Bench) -> None:
    arns = functions(bench, "a", "b")
    bench.seen = LaneSnapshot(lane=LANE, tags=Unreadable("tag:GetResources", "refused"))
    after = TagsState(tags={"team": "a", "env": "prod"})
    there = [change("function_tags", arn, TagsState(tags={"team": "a"}), after) for arn in arns]
    assert [o.status for o in bench.write(*there)] == ["applied", "applied"]
    assert tags_of(bench, arns[0]) == {"env": "prod", "team": "a"}
    assert bench.calls("tag:GetResources") == 1


def test_where_the_index_of_tags_lags_the_function_itself_is_asked(bench: Bench) -> None:
    [arn] = functions(bench, "a")
    tags = bench.client("lambda")
    tags.tag_resource(Resource=arn, Tags={"env": "prod"})
    bench.seen = LaneSnapshot(lane=LANE, tags={})
    back = change("function_tags", arn, TagsState(tags={"env": "prod"}), TagsState())
    assert [o.status for o in bench.write(back)] == ["applied"]
    assert "env" not in tags.list_tags(Resource=arn)["Tags"]
    assert bench.calls("lambda:ListTags") >= 1


def test_each_function_has_its_own_outcome(bench: Bench) -> None:
    arns = functions(bench, "a", "b")
    gone = arns[0].replace(":a", ":gone")
    bench.client("lambda").tag_resource(Resource=arns[1], Tags={"env": "theirs"})
    bench.seen = LaneSnapshot(lane=LANE, tags={arns[1]: {"env": "theirs"}})
    forward = [
        change("function_tags", arn, TagsState(), TagsState(tags={"env": "prod"})) for arn in (*arns, gone)
    ]
    first, second, _ = bench.write(*forward)
    assert (first.status, second.status) == ("applied", "changed_since")
    assert second.reason == "changed since: tag env"
    assert tags_of(bench, arns[1]) == {"team": "a", "env": "theirs"}


def test_partial_failures_are_told_by_function(bench: Bench) -> None:
    arns = functions(bench, "a", "b")
    bench.seen = LaneSnapshot(lane=LANE, tags={})
    body = {
        "FailedResourcesMap": {
            arns[0]: {"StatusCode": 400, "ErrorCode": "AccessDenied", "ErrorMessage": "no"}
        }
    }
    refused = answer(200, "")
    response = refused()
    response.raw.seek(0)
    response.raw.truncate()
    response.raw.write(json.dumps(body).encode())
    response.raw.seek(0)
    bench.refuse("tag:TagResources", [lambda: response])
    forward = [change("function_tags", arn, TagsState(), TagsState(tags={"env": "prod"})) for arn in arns]
    first, second = bench.write(*forward)
    assert (first.status, first.reason) == ("failed", "AccessDenied: no")
    assert second.status == "applied"


# --- log groups and filters


def test_a_log_group_is_made_and_given_back(bench: Bench) -> None:
    there_and_back(bench, change("log_group", "/aws/lambda/a", None, LogGroupState(name="/aws/lambda/a")))


def test_a_log_group_gets_the_tags_that_were_asked_for(bench: Bench) -> None:
    wanted = LogGroupState(name="/aws/lambda/a", tags={"cost-center": "42"})
    bench.one(change("log_group", wanted.name, None, wanted))
    assert bench.client("logs").list_tags_log_group(logGroupName=wanted.name)["tags"] == wanted.tags


def test_a_log_group_of_which_no_answer_told_is_given_back(bench: Bench) -> None:
    bench.lose_answer("logs:CreateLogGroup")
    there_and_back(bench, change("log_group", "/aws/lambda/a", None, LogGroupState(name="/aws/lambda/a")))
    assert bench.lost == ["logs:CreateLogGroup"]


def test_a_log_group_that_holds_logs_is_kept(bench: Bench) -> None:
    forward = change("log_group", "/aws/lambda/a", None, LogGroupState(name="/aws/lambda/a"))
    bench.one(forward)
    bench.client("logs").create_log_stream(logGroupName="/aws/lambda/a", logStreamName="s")
    outcome = bench.one(forward.inverse())
    assert (outcome.status, outcome.reason) == ("unchanged", "it holds logs now, so it is kept")
    assert len(bench.client("logs").describe_log_groups()["logGroups"]) == 1


@pytest.fixture
def destination(bench: Bench) -> str:
    arn = functions(bench, "forwarder")[0]
    for name in ("g", "h"):
        bench.client("logs").create_log_group(logGroupName=name)
    return arn


def test_a_filter_is_put_and_given_back(bench: Bench, destination: str) -> None:
    state = FilterState(log_group="g", name="ddsetup-f", destination_arn=destination)
    there_and_back(bench, change("subscription_filter", "g:ddsetup-f", None, state))
    assert bench.client("logs").describe_subscription_filters(logGroupName="g")["subscriptionFilters"] == []


def test_a_deleted_filter_comes_back_to_the_letter(bench: Bench, destination: str) -> None:
    logs = bench.client("logs")
    logs.put_subscription_filter(
        logGroupName="g", filterName="theirs", filterPattern="[a, b]", destinationArn=destination
    )
    original = logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"][0]
    state = FilterState(
        log_group="g",
        name="theirs",
        pattern="[a, b]",
        destination_arn=destination,
        distribution=original.get("distribution"),
    )
    there_and_back(bench, change("subscription_filter", "g:theirs", state, None))
    fresh = logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"][0]
    assert {**fresh, "creationTime": 0} == {**original, "creationTime": 0}


@pytest.mark.parametrize("field", ["pattern", "name"])
def test_a_filter_that_somebody_changed_is_left_alone(bench: Bench, destination: str, field: str) -> None:
    logs = bench.client("logs")
    state = FilterState(log_group="g", name="theirs", pattern="x", destination_arn=destination)
    if field != "name":
        logs.put_subscription_filter(
            logGroupName="g",
            filterName="theirs",
            filterPattern="y",
            destinationArn=destination,
        )
    update = change("subscription_filter", "g:theirs", state, replace(state, pattern="z"))
    outcome = bench.one(update)
    assert outcome.status == "changed_since"
    delete = change("subscription_filter", "g:theirs", state, None)
    assert bench.one(delete).status == ("unchanged" if field == "name" else "changed_since")


def test_a_third_filter_is_explained(bench: Bench, destination: str) -> None:
    for name in ("one", "two"):
        state = FilterState(log_group="g", name=name, destination_arn=destination)
        bench.one(change("subscription_filter", f"g:{name}", None, state))
    state = FilterState(log_group="g", name="three", destination_arn=destination)
    with pytest.raises(GatewayError, match="two subscription filters already"):
        bench.one(change("subscription_filter", "g:three", None, state))


def test_a_filter_that_comes_back_takes_its_place_from_datadogs_own(bench: Bench, destination: str) -> None:
    logs = bench.client("logs")
    for name in ("DD_LOG_SUBSCRIPTION_FILTER_g", "others"):
        logs.put_subscription_filter(
            logGroupName="g", filterName=name, filterPattern="", destinationArn=destination
        )
    state = FilterState(log_group="g", name="theirs", destination_arn=destination)
    assert bench.one(change("subscription_filter", "g:theirs", None, state)).status == "applied"
    filters = logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"]
    assert {f["filterName"] for f in filters} == {"theirs", "others"}


def test_a_forwarder_that_cannot_be_invoked_yet_is_waited_for(bench: Bench, destination: str) -> None:
    refusal = answer(
        400,
        "InvalidParameterException",
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
        "execute your function.",
    )
    state = FilterState(log_group="g", name="f", destination_arn=destination)
    begun = bench.clock.monotonic()
    bench.refuse("logs:PutSubscriptionFilter", [refusal, refusal])
    assert bench.one(change("subscription_filter", "g:f", None, state)).status == "applied"
    assert 9 <= bench.clock.monotonic() - begun < 12
    bench.refuse("logs:PutSubscriptionFilter", [refusal] * 4)
    with pytest.raises(GatewayError, match="may not invoke"):
        bench.one(change("subscription_filter", "h:f", None, replace(state, log_group="h")))


# --- buckets


def test_a_bucket_for_shared_runs_is_asked_for_in_its_own_region(bench: Bench) -> None:
    region, sent = "eu-central-1", []
    there = bench.aws.client("s3", region)
    there.meta.events.register("before-send.s3", lambda request, **_: sent.append(request.method))
    assert make_bucket(bench.aws, "shared-by-machines", region)
    assert sent == ["PUT", "PUT", "PUT"]
    assert there.get_bucket_location(Bucket="shared-by-machines")["LocationConstraint"] == region
