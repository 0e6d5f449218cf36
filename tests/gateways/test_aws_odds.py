"""What AWS answers now and then: a race for an object, an update that goes on, no template."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from ddsetup.gateways.aws import buckets, function_writes, health, metrics, objects
from ddsetup.gateways.aws.errors import Refused
from ddsetup.gateways.aws.firehose import deliveries
from ddsetup.gateways.aws.function_writes import UpdatePace
from ddsetup.gateways.aws.objects import Held, Overtaken
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.stacks import template_version
from ddsetup.model.account import Unreadable
from ddsetup.model.errors import GatewayError
from tests.gateways.aws_stand import REGION, FakeTime, Reply, scripted_aws
from tests.in_full.aws_script import Script, aws, scripted, time
from tests.in_full.calls.world import FUNCTION, LANE, Answer

__all__ = ["aws", "time"]


@pytest.fixture
def script(aws: Aws, time: FakeTime) -> Iterator[Script]:
    time.slept.clear()
    with scripted(aws) as made:
        yield made


def refused(code: str, status: int = 409) -> Answer:
    return {"refused": (code, "why", status)}


def held(data: bytes, etag: str = '"new"') -> Answer:
    return {"Body": io.BytesIO(data), "ETag": etag}


# Objects


@pytest.mark.parametrize(
    ("etag", "condition"),
    [(None, ""), ("", "'IfNoneMatch': '*', "), ('"old"', "'IfMatch': '\"old\"', ")],
)
def test_an_object_is_written_on_what_is_known_of_it(
    aws: Aws, script: Script, etag: str | None, condition: str
) -> None:
    script.answers = {"PutObject": [{"ETag": '"new"'}]}
    assert objects.put(aws, "b", "k", b"x", etag=etag) == '"new"'
    assert script.asked == [f"  s3:PutObject {{'Body': b'x', 'Bucket': 'b', {condition}'Key': 'k'}}"]


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_a_write_whose_answer_was_lost_is_ours_where_it_is_found(aws: Aws, script: Script, code: str) -> None:
    script.answers = {"PutObject": [refused(code)], "GetObject": [held(b"x")]}
    assert objects.put(aws, "b", "k", b"x", etag='"old"') == '"new"'


@pytest.mark.parametrize("there", [held(b"y"), refused("NoSuchKey", 404)])
def test_whoever_was_first_has_written(aws: Aws, script: Script, there: Answer) -> None:
    script.answers = {"PutObject": [refused("PreconditionFailed", 412)], "GetObject": [there]}
    with pytest.raises(Overtaken, match="s3://b/k was written by somebody else") as caught:
        objects.put(aws, "b", "k", b"x", etag="")
    assert caught.value.action == "s3:PutObject"


def test_another_refusal_is_no_race(aws: Aws, script: Script) -> None:
    script.answers = {"PutObject": [refused("InvalidRequest", 400)]}
    with pytest.raises(Refused, match="InvalidRequest"):
        objects.put(aws, "b", "k", b"x")


def test_an_object_is_read_as_it_is_or_not_at_all(aws: Aws, script: Script) -> None:
    script.answers = {"GetObject": [held(b"x"), refused("NoSuchKey", 404)]}
    assert [objects.get(aws, "b", "k") for _ in range(2)] == [Held(b"x", '"new"'), None]


def test_the_keys_of_all_pages_are_listed_and_deleted_a_thousand_at_a_time(aws: Aws, script: Script) -> None:
    pages: list[Answer] = [
        {"Contents": [{"Key": "p/a", "ETag": "1"}], "NextContinuationToken": "t"},
        {"Contents": [{"Key": "p/b", "ETag": "2"}]},
    ]
    script.answers = {"ListObjectsV2": pages, "DeleteObjects": [{}]}
    assert objects.listed(aws, "b", "p/") == {"p/a": "1", "p/b": "2"}
    assert "'ContinuationToken': 't', 'Prefix': 'p/'" in script.asked[1]
    script.asked.clear()
    objects.delete(aws, "b", (f"k{n}" for n in range(1001)))
    assert [line.count("'Key'") for line in script.asked] == [1000, 1]
    assert all("'Quiet': True" in line for line in script.asked)


def test_a_bucket_is_made_private_and_keeps_versions(aws: Aws, script: Script) -> None:
    script.answers = {
        "CreateBucket": [{}, refused("BucketAlreadyOwnedByYou"), refused("InvalidRequest", 400)],
        "PutPublicAccessBlock": [{}],
        "PutBucketVersioning": [{}],
    }
    assert objects.make_bucket(aws, "b", REGION) is True
    assert script.asked == [
        "  s3:CreateBucket {'Bucket': 'b', "
        f"'CreateBucketConfiguration': {{'LocationConstraint': '{REGION}'}}}}",
        "  s3:PutPublicAccessBlock {'Bucket': 'b', 'PublicAccessBlockConfiguration': {"
        "'BlockPublicAcls': True, 'IgnorePublicAcls': True, 'BlockPublicPolicy': True, "
        "'RestrictPublicBuckets': True}}",
        "  s3:PutBucketVersioning {'Bucket': 'b', 'VersioningConfiguration': {'Status': 'Enabled'}}",
    ]
    script.asked.clear()
    assert objects.make_bucket(aws, "b", REGION) is False
    assert len(script.asked) == 3, "one that is ours is made private as well"
    with pytest.raises(GatewayError, match="InvalidRequest"):
        objects.make_bucket(aws, "b", REGION)


def test_in_the_first_region_a_bucket_has_no_constraint(aws: Aws, script: Script) -> None:
    events = aws.client("s3", "us-east-1").meta.events
    events.register_first("provide-client-params", script.note)
    events.register_first("before-call", script.reply)
    script.answers = {name: [{}] for name in ("CreateBucket", "PutPublicAccessBlock", "PutBucketVersioning")}
    assert objects.make_bucket(aws, "b", "us-east-1") is True
    assert script.asked[0] == "  s3:CreateBucket {'Bucket': 'b'}"


def test_a_bucket_that_is_gone_is_deleted(aws: Aws, script: Script) -> None:
    script.answers = {"DeleteBucket": [{}, refused("NoSuchBucket", 404), refused("BucketNotEmpty")]}
    buckets.delete_bucket(aws, LANE, "b")
    buckets.delete_bucket(aws, LANE, "b")
    assert script.asked == ["  s3:DeleteBucket {'Bucket': 'b'}"] * 2
    with pytest.raises(Refused, match="BucketNotEmpty"):
        buckets.delete_bucket(aws, LANE, "b")


# Updates


def test_how_long_updates_take_is_learned() -> None:
    pace = UpdatePace()
    seen = [pace.seconds]
    for after in (0.1, 1.0, 0.5, 100.0):
        pace.still_busy(after)
        seen.append(pace.seconds)
    assert seen == [0.25, 0.25, 1.5, 1.5, 10.0]
    pace.over()
    assert pace.seconds == pytest.approx(9.99)
    quick = UpdatePace()
    quick.over()
    assert quick.seconds == 0.25


def now(status: str, state: str = "Active") -> Answer:
    return {"Configuration": {**FUNCTION, "LastUpdateStatus": status, "State": state}}


def waited(aws: Aws, time: FakeTime, pace: UpdatePace | None = None) -> list[float]:
    time.slept.clear()
    assert function_writes.wait_updated(aws, LANE, "orders", time.clock, pace).name == "orders"
    return list(time.slept)


def test_an_update_is_looked_at_when_it_is_probably_over(aws: Aws, time: FakeTime, script: Script) -> None:
    pace = UpdatePace(2.0)
    busy = [now("InProgress"), now("Successful", "Pending"), now("InProgress"), now("InProgress")]
    script.answers = {"GetFunction": [now("Successful"), *busy, now("Successful")]}
    assert waited(aws, time, pace) == [2.0]
    assert pace.seconds == pytest.approx(1.998), "it was over at the first look"
    assert waited(aws, time, pace) == [pytest.approx(1.998), 0.25, 0.5, 1.0, 1.0]
    assert pace.seconds == pytest.approx(1.5 * (1.998 + 1.75))


def test_an_update_without_end_is_given_up(aws: Aws, time: FakeTime, script: Script) -> None:
    script.answers = {"GetFunction": [now("InProgress")]}
    with pytest.raises(GatewayError, match="the update has not ended after 5 minutes"):
        function_writes.wait_updated(aws, LANE, "orders", time.clock)
    assert 300 <= sum(time.slept) < 302


# What else is asked


def test_namespaces_that_are_used_now_are_told_from_those_of_two_weeks(aws: Aws, script: Script) -> None:
    script.answers = {"ListMetrics": [{"Metrics": [{"Namespace": "AWS/SQS"}] * 2}]}
    assert metrics.active_namespaces(aws, LANE, ("AWS/SQS",)) == {"AWS/SQS": 2}
    assert metrics.namespaces_in_use(aws, LANE, ("AWS/SQS",)) == {"AWS/SQS": 2}
    assert ["'RecentlyActive': 'PT3H'" in line for line in script.asked] == [True, False]


def test_what_cloudwatch_did_not_tell_is_not_taken_for_nothing(aws: Aws, script: Script) -> None:
    endpoint = {"EndpointConfiguration": {"Url": "https://logs.example.com"}}
    stream = {
        "DeliveryStreamStatus": "ACTIVE",
        "Destinations": [{"DestinationId": "d", "HttpEndpointDestinationDescription": endpoint}],
    }
    results = [{"Id": "m0", "StatusCode": "InternalError"}, {"Id": "m1"}, {"Id": "m2"}]
    script.answers = {
        "DescribeDeliveryStream": [{"DeliveryStreamDescription": stream}],
        "GetMetricData": [{"MetricDataResults": results}],
    }
    shares = deliveries(aws, LANE, "logs", 60).shares
    assert isinstance(shares, Unreadable)
    assert shares.reason == "CloudWatch did not tell DeliveryToHttpEndpoint.Success"
    assert (shares.action, shares.denied) == ("cloudwatch:GetMetricData", False)


def test_the_time_of_aws_is_that_of_its_answer(aws: Aws, script: Script) -> None:
    headers = {"HTTPStatusCode": 200, "HTTPHeaders": {"date": "Sun, 22 Nov 2026 09:00:00 GMT"}}
    usual = {"Account": "1", "Arn": "arn", "UserId": "u"}
    script.answers = {"GetCallerIdentity": [{**usual, "ResponseMetadata": headers}, usual]}
    assert health.server_date(aws) == "Sun, 22 Nov 2026 09:00:00 GMT"
    assert health.server_date(aws) == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('  DdForwarder:\n      LayerVersion: "60"\n      Version: 3.122.0\n', "3.122.0"),
        ("  DdForwarder:\n      Version: '4.1.2'\n", "4.1.2"),
        ('  DdForwarder:\n      Version: "5.0.10"\n', "5.0.10"),
        ("  Other:\n      Version: 1.0.0\n", ""),
    ],
)
def test_a_template_tells_the_version_that_it_deploys(text: str, version: str) -> None:
    with scripted_aws() as there:
        there.script(Reply(text))
        assert template_version(f"{there.url}/t.yaml") == version


def test_a_template_that_cannot_be_read_tells_why() -> None:
    assert template_version("s3://b/t.yaml") == ""
    assert template_version("file:///etc/hosts") == ""
    with scripted_aws() as there:
        there.script(Reply("no", 404))
        found: Any = template_version(f"{there.url}/t.yaml")
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(f"{there.url}/t.yaml cannot be read: HTTP Error 404")
    assert found.action == ""
