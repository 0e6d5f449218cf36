"""Delivery streams to Datadog as the doctor sees them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ddsetup.doctor.checks.case import make_case
from ddsetup.doctor.checks.check import Blind, Problem, Result
from ddsetup.doctor.checks.deliveries import log_stream_delivers
from ddsetup.facts.firehose import stream_arn
from ddsetup.model.account import Unreadable
from ddsetup.model.delivery import Deliveries, DeliveryStream
from ddsetup.model.evidence import Evidence
from ddsetup.model.points import Points
from tests import builders as b

ARN = stream_arn(b.lane(), "all-logs")
STREAM = DeliveryStream(
    name="all-logs",
    status="ACTIVE",
    url=f"https://aws-kinesis-http-intake.logs.{b.SITE}/v1/input",
    endpoint="Datadog",
    bucket="kept",
    log_group="/aws/kinesisfirehose/all-logs",
    version="4",
    destination="destinationId-000000000001",
)
POLICY = {"policyName": "logs", "policyDocument": json.dumps({"DestinationArn": ARN})}
NOW = b.AT


def shares(*values: float) -> Points:
    """One a minute, the newest a minute ago."""
    return tuple((NOW - timedelta(minutes=len(values) - n), value) for n, value in enumerate(values))


def said(stream: Any = STREAM, **over: Any) -> list[Result]:
    lane = b.lane_snapshot(b.function("orders"), account_filter_policies=(POLICY,))
    found = Evidence(deliveries={ARN: Deliveries(stream=stream, **over)})
    return list(log_stream_delivers.run(make_case(b.snapshot(lane), found, b.answers())))


def problem(stream: Any = STREAM, **over: Any) -> Problem:
    (found,) = said(stream, **over)
    assert isinstance(found, Problem)
    return found


def test_one_that_delivers_or_is_not_datadogs_is_well() -> None:
    assert said() == said(shares=shares(1.0, 1.0)) == []
    assert said(replace(STREAM, url="https://logs.example.com/x"), shares=shares(0.0)) == []
    assert said(replace(STREAM, url=""), shares=shares(0.0)) == []


def test_a_refused_key_is_told_with_the_command_that_sets_another() -> None:
    found = problem(
        shares=shares(1.0, 0.0),
        waited=((NOW, 130.0),),
        said=("HttpEndpoint.DestinationException 403", "HttpEndpoint.ConnectionFailed"),
    )
    assert found.what == (
        "Datadog refuses its API key with 403; none of its requests to Datadog does well; its oldest record "
        "waits for 130 s"
    )
    assert found.fix == (
        "give it a valid API key of that site; what failed is kept in the bucket kept, and does not come by "
        "itself"
    )
    assert found.command == (
        "aws firehose update-destination --delivery-stream-name all-logs "
        "--current-delivery-stream-version-id 4 --destination-id destinationId-000000000001 "
        "--http-endpoint-destination-update "
        f"'EndpointConfiguration={{Url={STREAM.url},Name=Datadog,AccessKey='\"$DD_API_KEY\"'}}' "
        f"--region {b.REGION}"
    )
    with_secret = problem(
        replace(STREAM, secret="arn:s"), shares=shares(0.0), said=("HttpEndpoint.DestinationException 401",)
    )
    assert (with_secret.fix.split(";")[0], with_secret.command) == (
        "put a valid key into its secret arn:s",
        "",
    )


@pytest.mark.parametrize(
    ("code", "told", "fix"),
    [
        ("HttpEndpoint.DestinationException 503", "Datadog answers with 503", "wait: it tries again"),
        ("HttpEndpoint.DestinationException 429", "Datadog answers with 429", "wait: it tries again"),
        ("HttpEndpoint.DestinationException 413", "Datadog answers with 413", "read what it was answered"),
        (
            "HttpEndpoint.ConnectionFailed",
            "it does not reach aws-kinesis-http-intake",
            "see that its address",
        ),
        ("HttpEndpoint.InvalidResponseFromDestination", "answers something else", "see that its address"),
        ("S3.AccessDenied", "its log tells of S3.AccessDenied", "see that its address"),
        ("", "its log does not tell why", "read what it was answered"),
    ],
)
def test_why_it_fails_decides_what_is_to_do(code: str, told: str, fix: str) -> None:
    found = problem(shares=shares(0.0), said=(code,) if code else ())
    assert told in found.what
    assert found.fix.startswith(fix)


def test_one_to_another_site_is_told_as_such() -> None:
    other = replace(STREAM, url="https://aws-kinesis-http-intake.logs.us5.datadoghq.com/api/v2/logs")
    found = problem(other, shares=shares(0.0), said=("HttpEndpoint.DestinationException 403",))
    assert f"(it sends to us5.datadoghq.com, and this run is for {b.SITE})" in found.what


def test_a_few_failures_weigh_less_and_past_ones_least() -> None:
    part = problem(shares=shares(0.75), said=())
    assert (part.severity, "25% of its requests fail" in part.what) == ("warning", True)
    past = problem(shares=shares(0.0, 1.0))
    assert (past.severity, past.over) == ("info", True)
    last = NOW - timedelta(minutes=2)
    assert past.what == f"requests to Datadog failed, the last at {last:%H:%M} UTC; they go well since"


def test_what_was_put_to_it_and_is_not_brought_on() -> None:
    came = tuple((NOW - timedelta(minutes=n), 3.0) for n in (30, 21, 1))
    stuck = problem(came=came)
    assert "nothing to Datadog of what was put to it since" in stuck.what
    assert stuck.command.startswith("aws firehose update-destination ")
    assert said(came=came[1:], shares=((NOW - timedelta(minutes=20), 1.0),)) == []
    assert said(came=came[2:]) == []


def test_a_stream_that_is_gone_or_was_never_made() -> None:
    assert problem(None).what == "there is no such delivery stream: what leads to it is lost"
    assert problem(replace(STREAM, status="CREATING_FAILED")).what.startswith("its status is CREATING_FAILED")


def test_where_it_may_not_look_it_says_so() -> None:
    for over in ({"stream": Unreadable("x:Y", "denied")}, {"shares": Unreadable("x:Y", "denied")}):
        (blind,) = said(**over)
        assert isinstance(blind, Blind)
    unknown = problem(shares=shares(0.0), said=Unreadable("logs:FilterLogEvents", "denied"))
    assert "its log does not tell why" in unknown.what


def test_no_command_is_made_of_an_address_that_a_shell_or_the_cli_would_read_otherwise() -> None:
    odd = replace(STREAM, url=STREAM.url + "?a={b,c}")
    assert problem(odd, shares=shares(0.0), said=("HttpEndpoint.DestinationException 403",)).command == ""
