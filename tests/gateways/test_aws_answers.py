"""Answers that are none of AWS's, from proxies, portals and broken services: words, never "not there"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ddsetup.gateways.aws.answers import NEEDED
from ddsetup.gateways.aws.errors import Misread
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Lane
from ddsetup.model.errors import GatewayError, NotFound
from tests.gateways.aws_stand import (
    ACCOUNT,
    REGION,
    FakeTime,
    Reply,
    ScriptedAws,
    connect,
    nobody,
    scripted_aws,
)

LANE = Lane(ACCOUNT, REGION)
HTML = "<html><body>please log in</body></html>"
PAGE = {"content-type": "text/html"}

ODD = {
    "no content": Reply(""),
    "a page": Reply(HTML, headers=PAGE),
    "a page with 502": Reply(HTML, 502, PAGE),
    "a page with 403": Reply(HTML, 403, PAGE),
    "a page with 404": Reply(HTML, 404, PAGE),
    "a text": Reply("hello", headers={"content-type": "text/plain"}),
    "a text with 503": Reply("Service busy", 503, {"content-type": "text/plain"}),
    "null": Reply("null"),
    "a list": Reply("[]"),
    "an empty object": Reply({}),
    "NaN": Reply('{"Functions": NaN, "logGroups": NaN}'),
    "a bottomless list": Reply("[" * 100_000),
    "a bottomless object": Reply('{"Functions": ' + "[" * 100_000),
    "no reason": Reply("", 400),
    "an empty reason": Reply({}, 400),
    "a code that is a number": Reply({"message": 7, "__type": 7}, 400),
    "a message that is null": Reply({"message": None, "__type": None}, 400),
    "a redirect": Reply("", 302, {"location": "http://login.example.com/"}),
    "304": Reply("", 304),
    "members of other kinds": Reply({"Functions": "x", "logGroups": 3, "Configuration": []}),
    "another document": Reply("<a><b/></a>", headers={"content-type": "text/xml"}),
}
FILTER: dict[str, Any] = {
    "logGroupName": "g",
    "filterName": "f",
    "filterPattern": "",
    "destinationArn": "arn:aws:x",
}
CALLS: dict[str, dict[str, Any]] = {
    "lambda:ListFunctions": {},
    "lambda:GetFunction": {"FunctionName": "f"},
    "lambda:GetPolicy": {"FunctionName": "f"},
    "lambda:UpdateFunctionConfiguration": {"FunctionName": "f"},
    "logs:DescribeLogGroups": {},
    "logs:DescribeSubscriptionFilters": {"logGroupName": "g"},
    "logs:DescribeLogStreams": {"logGroupName": "g"},
    "iam:GetRole": {"RoleName": "r"},
    "iam:CreateRole": {"RoleName": "r", "AssumeRolePolicyDocument": "{}"},
    "cloudformation:DescribeStacks": {},
    "secretsmanager:DescribeSecret": {"SecretId": "s"},
    "tag:GetResources": {},
    "cloudwatch:GetMetricData": {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
    "states:ListStateMachines": {},
    "sts:GetCallerIdentity": {},
}


@dataclass(frozen=True)
class Stand:
    """An AWS by script, and one connection to it: clients take longer to make than calls."""

    script: ScriptedAws
    aws: Aws


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with pytest.MonkeyPatch.context() as patch, scripted_aws() as script:
        nobody(patch, tmp_path_factory.mktemp("home"))
        yield Stand(script, connect(script.url, FakeTime()))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_is_refused_in_words(stand: Stand, odd: str) -> None:
    stand.script.script(ODD[odd])
    for action, parameters in CALLS.items():
        with pytest.raises(GatewayError) as caught:
            stand.aws.call(action, LANE, **parameters)
        assert not isinstance(caught.value, NotFound), action
        assert len(caught.value.what) > len(f"{action}: "), "a reason that is empty"
        assert caught.value.what.startswith(action)


@pytest.mark.parametrize("odd", [odd for odd in ODD if "page" in odd or "text" in odd or "redirect" in odd])
def test_a_write_that_answers_nothing_is_not_done_because_of_a_page(stand: Stand, odd: str) -> None:
    stand.script.script(ODD[odd])
    with pytest.raises(GatewayError):
        stand.aws.call("logs:PutSubscriptionFilter", LANE, **FILTER)


def test_a_write_that_answers_nothing_is_done(stand: Stand) -> None:
    stand.script.script(Reply(""))
    stand.aws.call("logs:PutSubscriptionFilter", LANE, **FILTER)


def test_a_page_of_a_load_balancer_is_tried_again(stand: Stand) -> None:
    stand.script.script(ODD["a page with 502"], Reply({"Functions": []}))
    assert stand.aws.call("lambda:ListFunctions", LANE)["Functions"] == []


def test_a_page_says_where_to_look(stand: Stand) -> None:
    stand.script.script(ODD["a page with 403"])
    with pytest.raises(Misread, match="answered 403 with something else than JSON") as caught:
        stand.aws.call("lambda:ListFunctions", LANE)
    assert caught.value.fix == "check the proxy and AWS_ENDPOINT_URL"


def test_the_members_that_are_asked_for_exist(stand: Stand) -> None:
    """Each is a member of the operation's answer, by botocore's own models."""
    services = {"states": "stepfunctions", "tag": "resourcegroupstaggingapi"}
    for name, member in NEEDED.items():
        prefix, operation = name.split(":")
        model = stand.aws.client(services.get(prefix, prefix), REGION).meta.service_model.operation_model(
            operation
        )
        assert member in model.output_shape.members, name
