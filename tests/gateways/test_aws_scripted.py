"""Tags, filters and permissions: answers that real AWS gives and emulators do not."""

from __future__ import annotations

import pytest

from ddsetup.gateways.aws.errors import DestinationRefused
from ddsetup.gateways.aws.logs import list_filters, put_filter
from ddsetup.gateways.aws.permissions import simulate
from ddsetup.gateways.aws.stacks import update_stack
from ddsetup.gateways.aws.tags import function_tags, tag_functions
from ddsetup.journal.in_s3 import InS3, Place
from ddsetup.model.account import Identity, Lane, Unreadable
from ddsetup.model.errors import DdsetupError, GatewayError
from ddsetup.model.states import FilterState
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, Reply, ScriptedAws, connect, fault

LANE = Lane(ACCOUNT, REGION)
ARNS = [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" for name in ("a", "b", "c")]
XML = {"content-type": "text/xml"}


def tagged(token: str, *arns: str) -> Reply:
    items = [{"ResourceARN": arn, "Tags": [{"Key": "k", "Value": arn[-1]}]} for arn in arns]
    return Reply({"ResourceTagMappingList": items, "PaginationToken": token})


def test_short_and_empty_pages_of_tags_are_no_end(script: ScriptedAws) -> None:
    script.script(tagged("t1", ARNS[0]), tagged("t2"), tagged("", ARNS[1], ARNS[2]))
    assert function_tags(connect(script.url), LANE) == {arn: {"k": arn[-1]} for arn in ARNS}
    assert script.sent()["PaginationToken"] == "t2"
    assert script.sent()["ResourcesPerPage"] == 100


def test_a_token_that_ended_starts_the_list_anew(script: ScriptedAws) -> None:
    ended = fault("PaginationTokenExpiredException", "expired")
    script.script(tagged("t1", ARNS[0]), ended, tagged("", *ARNS))
    tags = function_tags(connect(script.url), LANE)
    assert not isinstance(tags, Unreadable)
    assert len(tags) == 3


def test_functions_that_were_tagged_once_only_are_absent(script: ScriptedAws) -> None:
    script.script(
        Reply({"ResourceTagMappingList": [{"ResourceARN": ARNS[0], "Tags": []}], "PaginationToken": ""})
    )
    assert function_tags(connect(script.url), LANE) == {}


def test_single_throttled_functions_are_tagged_again(script: ScriptedAws) -> None:
    busy = {"StatusCode": 429, "ErrorCode": "InternalServiceException", "ErrorMessage": "Rate exceeded"}
    denied = {"StatusCode": 403, "ErrorCode": "InvalidParameterException", "ErrorMessage": "AccessDenied"}
    script.script(Reply({"FailedResourcesMap": {ARNS[0]: busy, ARNS[1]: denied}}), Reply({}))
    failed = tag_functions(connect(script.url, FakeTime()), LANE, ARNS, {"k": "v"})
    assert failed == {ARNS[1]: "InvalidParameterException: AccessDenied"}
    assert script.sent() == {"ResourceARNList": [ARNS[0]], "Tags": {"k": "v"}}


@pytest.mark.parametrize("text", ["ThrottlingException: slow down", "Throttled", "TooManyRequestsException"])
def test_throttling_is_known_by_its_text_where_the_status_is_another(script: ScriptedAws, text: str) -> None:
    busy = {"StatusCode": 400, "ErrorCode": "InternalServiceException", "ErrorMessage": text}
    script.script(Reply({"FailedResourcesMap": {ARNS[0]: busy}}), Reply({}))
    assert tag_functions(connect(script.url, FakeTime()), LANE, ARNS, {"k": "v"}) == {}
    assert script.sent()["ResourceARNList"] == [ARNS[0]]


def test_functions_that_stay_throttled_are_reported(script: ScriptedAws) -> None:
    busy = {"StatusCode": 429, "ErrorCode": "InternalServiceException", "ErrorMessage": "Rate exceeded"}
    script.script(Reply({"FailedResourcesMap": {ARNS[0]: busy}}))
    failed = tag_functions(connect(script.url), LANE, ARNS, {"k": "v"})
    assert failed == {ARNS[0]: "InternalServiceException: Rate exceeded"}


def test_every_field_of_a_filter_is_read_and_put_back(script: ScriptedAws) -> None:
    answer = {
        "logGroupName": "/g",
        "filterName": "f",
        "filterPattern": "{ $.x = 1 }",
        "destinationArn": "arn:aws:kinesis:eu-west-1:1:stream/s",
        "roleArn": "arn:aws:iam::1:role/r",
        "distribution": "Random",
        "applyOnTransformedLogs": False,
        "emitSystemFields": ["@aws.account"],
        "fieldSelectionCriteria": "c",
        "creationTime": 7,
    }
    script.script(Reply({"subscriptionFilters": [answer]}), Reply({}))
    aws = connect(script.url)
    filters = list_filters(aws, LANE, "/g")
    assert not isinstance(filters, Unreadable)
    (live,) = filters
    assert live.created_ms == 7
    state = FilterState(
        log_group=live.log_group,
        name=live.name,
        pattern=live.pattern,
        destination_arn=live.destination_arn,
        role_arn=live.role_arn,
        distribution=live.distribution,
        apply_on_transformed_logs=live.apply_on_transformed_logs,
        emit_system_fields=live.emit_system_fields,
        field_selection_criteria=live.field_selection_criteria,
    )
    put_filter(aws, LANE, state)
    assert script.sent() == {key: value for key, value in answer.items() if key != "creationTime"}


def test_a_plain_filter_sends_nothing_optional(script: ScriptedAws) -> None:
    script.script(Reply({}))
    put_filter(connect(script.url), LANE, FilterState(log_group="/g", name="f", destination_arn=ARNS[0]))
    assert script.sent() == {
        "logGroupName": "/g",
        "filterName": "f",
        "filterPattern": "",
        "destinationArn": ARNS[0],
    }


def test_a_destination_that_logs_may_not_invoke_has_its_own_error(script: ScriptedAws) -> None:
    text = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to"
    script.script(fault("InvalidParameterException", text))
    with pytest.raises(DestinationRefused, match="may not invoke"):
        put_filter(connect(script.url), LANE, FilterState(log_group="/g", name="f", destination_arn=ARNS[0]))


def test_two_writers_on_one_log_group_take_turns(script: ScriptedAws) -> None:
    script.script(fault("OperationAbortedException", "a conflicting operation"), Reply({}))
    put_filter(connect(script.url), LANE, FilterState(log_group="/g", name="f", destination_arn=ARNS[0]))
    assert len(script.requests) == 2


def stack_fault(message: str) -> Reply:
    error = f"<Error><Code>ValidationError</Code><Message>{message}</Message></Error>"
    return Reply(f"<ErrorResponse>{error}</ErrorResponse>", 400, XML)


def test_nothing_to_update_is_no_error(script: ScriptedAws) -> None:
    script.script(stack_fault("No updates are to be performed."))
    assert update_stack(connect(script.url), LANE, "s", "", {"A": None}, {}) is False
    body = script.requests[0][2].decode()
    assert "UsePreviousTemplate=true" in body
    assert "UsePreviousValue=true" in body


def test_any_other_refusal_of_an_update_is(script: ScriptedAws) -> None:
    script.script(stack_fault("Parameters: [DdUseTcp] do not exist in the template"))
    with pytest.raises(GatewayError, match="DdUseTcp"):
        update_stack(connect(script.url), LANE, "s", "", {}, {})


def simulated(*members: str) -> Reply:
    body = (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>"
        f"{''.join(f'<member>{member}</member>' for member in members)}"
        "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )
    return Reply(body, headers=XML)


def decision(action: str, verdict: str, more: str = "") -> str:
    return f"<EvalActionName>{action}</EvalActionName><EvalDecision>{verdict}</EvalDecision>{more}"


MISSING = "<MissingContextValues><member>aws:MultiFactorAuthAge</member></MissingContextValues>"
ONE_OF_TWO = (
    "<ResourceSpecificResults><member><EvalResourceName>x</EvalResourceName><EvalResourceDecision>allowed"
    "</EvalResourceDecision></member><member><EvalResourceName>y</EvalResourceName><EvalResourceDecision>"
    "implicitDeny</EvalResourceDecision></member></ResourceSpecificResults>"
)
USER = Identity(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/ops/me")


@pytest.mark.parametrize(
    ("result", "resources", "verdict"),
    [
        (decision("iam:CreateRole", "allowed"), None, "allowed"),
        (decision("iam:CreateRole", "explicitDeny"), None, "denied"),
        # A policy for one role only denies "*" implicitly, and allows what is needed.
        (decision("iam:CreateRole", "implicitDeny"), None, "unknown"),
        (decision("iam:CreateRole", "implicitDeny"), ("arn:aws:iam::1:role/x",), "denied"),
        (decision("iam:CreateRole", "implicitDeny", MISSING), ("arn:aws:iam::1:role/x",), "unknown"),
        (decision("iam:CreateRole", "allowed", ONE_OF_TWO), ("x", "y"), "denied"),
        (decision("lambda:ListFunctions", "implicitDeny"), None, "denied"),
    ],
)
def test_denied_is_said_only_where_it_is_sure(
    script: ScriptedAws, result: str, resources: tuple[str, ...] | None, verdict: str
) -> None:
    action = "lambda:ListFunctions" if "ListFunctions" in result else "iam:CreateRole"
    script.script(simulated(result))
    named = {action: resources} if resources else None
    assert simulate(connect(script.url), USER, [action], named) == {action: verdict}


def test_a_simulation_that_is_refused_is_unknown(script: ScriptedAws) -> None:
    script.script(Reply("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", 403, XML))
    actions = [f"lambda:Action{number}" for number in range(150)]
    assert simulate(connect(script.url), USER, actions) == dict.fromkeys(actions, "unknown")
    assert len(script.requests) == 2, "at most a hundred actions a call"


def test_a_session_is_simulated_as_its_role_with_its_path(script: ScriptedAws) -> None:
    path = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_admin_1"
    role = (
        '<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>'
        f"<Path>/x/</Path><RoleName>r</RoleName><RoleId>i</RoleId><Arn>{path}</Arn>"
        "<CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>"
    )
    script.script(Reply(role, headers=XML), simulated(decision("lambda:ListFunctions", "allowed")))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_admin_1/me@example.com"
    identity = Identity(account=ACCOUNT, arn=session)
    assert simulate(connect(script.url), identity, ["lambda:ListFunctions"]) == {
        "lambda:ListFunctions": "allowed"
    }
    assert b"aws-reserved%2Fsso.amazonaws.com" in script.requests[1][2]


def test_root_is_not_simulated(script: ScriptedAws) -> None:
    root = Identity(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root")
    assert simulate(connect(script.url), root, ["iam:GetRole"]) == {"iam:GetRole": "unknown"}
    assert script.requests == []


def test_a_run_that_cannot_be_forgotten_is_told_as_that(script: ScriptedAws) -> None:
    script.script(Reply("<Error><Code>AccessDenied</Code><Message>no</Message></Error>", 403, XML))
    aws = connect(script.url)
    with pytest.raises(DdsetupError) as refused:
        InS3(Place("shared", "shop/"), lambda: aws, aws.clock.now).forget("r1")
    assert refused.value.what.startswith("cannot forget run r1 in s3://shared/shop/: ")
