"""What AWS says when it refuses, in its own words: what it means, and what is done about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.session import get_session

from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.roles import RoleWriter
from ddsetup.apply.writers.secrets import SecretWriter
from ddsetup.facts.catalog import partition_of
from ddsetup.gateways.aws.errors import Refused, RegionOff
from ddsetup.gateways.aws.functions import list_functions
from ddsetup.gateways.aws.regions import check_regions
from ddsetup.gateways.aws.secrets import create_secret
from ddsetup.gateways.aws.session import AwsOptions
from ddsetup.gateways.aws.stacks import read_stack
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.errors import Denied, NotFound, UsageError
from ddsetup.model.states import RoleState, SecretState
from tests import builders as b
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, Reply, ScriptedAws, connect, fault
from tests.gateways.aws_stand import aws_env as aws_env  # noqa: PLC0414 - a fixture
from tests.gateways.aws_stand import script as script  # noqa: PLC0414 - a fixture
from tests.gateways.bench import KEYS, change

LANE = Lane(ACCOUNT, REGION)
ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ddsetup/datadog-api-key-AbCdEf"
OURS = SecretState(name="ddsetup/datadog-api-key", tags={"created_by": "ddsetup"})


@pytest.mark.parametrize(
    ("words", "named", "advice"),
    [
        ("with an explicit deny in a service control policy", "service control policy", "organisation"),
        ("because no service control policy allows the x:Y action", "service control policy", "organisation"),
        ("with an explicit deny in a resource control policy", "resource control policy", "organisation"),
        ("because no permissions boundary allows the x:Y action", "permissions boundary", "boundary"),
        ("because no session policy allows the x:Y action", "session", "session"),
        ("because no VPC endpoint policy allows the x:Y action", "VPC endpoint", "endpoint"),
        ("with an explicit deny in an identity-based policy", "explicit deny", "take out"),
        ("with an explicit deny in a resource-based policy", "resource's own policy", "exempt"),
    ],
)
def test_a_denial_names_its_cause_and_no_policy_that_cannot_help(
    script: ScriptedAws, words: str, named: str, advice: str
) -> None:
    text = f"User: arn:aws:iam::1:user/x is not authorized to perform: lambda:ListFunctions {words}"
    script.script(fault("AccessDeniedException", text, 403))
    with pytest.raises(Denied) as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert named in caught.value.what
    assert advice in caught.value.fix
    assert "ddsetup policy" not in caught.value.fix


def test_words_that_nobody_knows_are_kept(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "The moon is in the wrong house.", 403))
    with pytest.raises(Denied, match="The moon is in the wrong house"):
        connect(script.url).call("lambda:ListFunctions", LANE)


def test_a_key_that_may_not_be_used_is_told_as_one(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "Access to KMS is not allowed", 400))
    with pytest.raises(Denied) as caught:
        connect(script.url).call("secretsmanager:GetSecretValue", LANE, SecretId=ARN)
    assert caught.value.action == "kms:Decrypt"
    assert "Access to KMS is not allowed" in caught.value.what


def test_a_region_that_is_not_enabled_is_no_missing_permission(script: ScriptedAws) -> None:
    said = "The security token included in the request is invalid."
    script.script(fault("UnrecognizedClientException", said, 403))
    with pytest.raises(RegionOff, match=f"{REGION} is not enabled") as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert "grant" not in caught.value.fix
    seen = list_functions(connect(script.url), LANE)
    assert isinstance(seen, Unreadable)
    assert seen.region_off


def test_only_what_the_call_is_about_can_be_gone(script: ScriptedAws) -> None:
    layer = "Layer version arn:aws:lambda:eu-west-1:1:layer:mine:7 does not exist."
    script.script(fault("ResourceNotFoundException", layer, 404))
    with pytest.raises(Refused, match="Layer version"):
        connect(script.url).call("lambda:UpdateFunctionConfiguration", LANE, FunctionName="f")
    script.script(fault("ResourceNotFoundException", "Function not found: arn:f", 404))
    with pytest.raises(NotFound):
        connect(script.url).call("lambda:UpdateFunctionConfiguration", LANE, FunctionName="f")


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("Stack with id datadog-forwarder does not exist", True),
        ("S3 error: The specified key does not exist.", False),
    ],
)
def test_a_template_that_is_gone_is_no_stack_that_is_gone(
    script: ScriptedAws, message: str, gone: bool
) -> None:
    error = f"<Error><Type>Sender</Type><Code>ValidationError</Code><Message>{message}</Message></Error>"
    script.script(Reply(f"<ErrorResponse>{error}</ErrorResponse>", 400, {"content-type": "text/xml"}))
    if gone:
        assert read_stack(connect(script.url), LANE, "datadog-forwarder") is None
    else:
        with pytest.raises(Refused):
            read_stack(connect(script.url), LANE, "datadog-forwarder")


@pytest.mark.parametrize("action", ["apigateway:PATCH", "states:UpdateStateMachine"])
def test_a_conflict_is_tried_again_and_explained(script: ScriptedAws, action: str) -> None:
    conflict = fault("ConflictException", "Unable to complete operation due to concurrent modification.", 409)
    parameters = {"restApiId": "a", "stageName": "s", "patchOperations": []}
    call = (
        {"operation": "UpdateStage", **parameters}
        if action == "apigateway:PATCH"
        else {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m"}
    )
    script.script(conflict, conflict, Reply({"updateDate": 1}))
    connect(script.url).call(action, LANE, **call)
    script.script(conflict)
    with pytest.raises(Refused) as caught:
        connect(script.url).call(action, LANE, **call)
    assert "run this again" in caught.value.fix


def test_the_name_of_a_secret_deleted_at_once_is_waited_for_and_it_is_never_restored(
    script: ScriptedAws,
) -> None:
    time = FakeTime()
    aws = connect(script.url, time)
    now = (aws.clock.now() - timedelta(seconds=20)).timestamp()
    tags = [{"Key": "created_by", "Value": "ddsetup"}]
    going = fault("InvalidRequestException", "a secret with this name is already scheduled for deletion.")
    script.script(
        Reply({"ARN": ARN, "Name": OURS.name, "DeletedDate": now, "Tags": tags}),
        going,
        going,
        Reply({"ARN": ARN}),
    )
    issued = Issued(aws, b.snapshot(), lambda: "")
    [outcome] = SecretWriter(aws, issued, KEYS).write([change("secret", OURS.name, None, OURS)])
    assert outcome.status == "applied"
    assert sum(time.slept) > 5
    assert not any(b"RestoreSecret" in body or "Restore" in path for _, path, body in script.requests)


def test_a_secret_whose_name_stays_taken_says_what_to_do(script: ScriptedAws) -> None:
    script.script(
        fault("ResourceNotFoundException", "not there"),
        fault("InvalidRequestException", "a secret with this name is already scheduled for deletion."),
    )
    aws = connect(script.url)
    writer = SecretWriter(aws, Issued(aws, b.snapshot(), lambda: ""), KEYS)
    [outcome] = writer.write([change("secret", OURS.name, None, OURS)])
    assert outcome.status == "failed"
    assert "run this again" in outcome.fix


def test_another_invalid_request_is_not_waited_for(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(fault("InvalidRequestException", "You can't do that."))
    with pytest.raises(Refused):
        create_secret(connect(script.url, time), LANE, OURS, "0" * 32)
    assert time.slept == []


def iam_error(code: str, message: str, status: int = 404) -> Reply:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Reply(body, status, {"content-type": "text/xml"})


def test_a_role_that_iam_does_not_know_yet_is_waited_for(script: ScriptedAws) -> None:
    unseen = iam_error("NoSuchEntity", "The role with name DatadogIntegrationRole cannot be found.")
    fine = Reply("<R><ResponseMetadata/></R>", 200, {"content-type": "text/xml"})
    role = Reply(
        "<CreateRoleResponse><CreateRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROAX</RoleId>"
        "<Arn>arn:aws:iam::1:role/r</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></CreateRoleResult>"
        "</CreateRoleResponse>",
        200,
        {"content-type": "text/xml"},
    )
    who = Reply(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn>"
        "<UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        200,
        {"content-type": "text/xml"},
    )
    time = FakeTime()
    aws = connect(script.url, time)
    script.script(who, unseen, role, unseen, unseen, fine)
    after = RoleState(
        name="DatadogIntegrationRole", trust_account="464622532012", external_id="e", policies={"p": {}}
    )
    writer = RoleWriter(aws, Issued(aws, b.snapshot(), lambda: ""))
    [outcome] = writer.write([change("iam_role", after.name, None, after)])
    assert (outcome.status, outcome.reason) == ("applied", "")
    assert sum(time.slept) >= 3


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("us-east-16", "did you mean us-east-1"),
        ("eu-wset-1", "did you mean eu-west-1"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
    ],
)
def test_regions_that_cannot_be_used_are_told_offline(script: ScriptedAws, name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_regions([name], connect(script.url).regions)
    assert hint in f"{caught.value.what} {caught.value.fix}"


def test_regions_that_can_be_used_pass_and_partitions_do_not_mix(script: ScriptedAws) -> None:
    known = connect(script.url).regions
    for name in ("us-east-1", "us-gov-west-1", "cn-north-1", "mx-central-1"):
        check_regions([name], known)
    with pytest.raises(UsageError, match="several partitions"):
        check_regions(["us-east-1", "us-gov-west-1"], known)


def test_partitions_are_those_of_botocore() -> None:
    session = get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("lambda", partition_name=partition):
            assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("meant", "asked"),
    [("us-gov-west-1", "us-gov-west-1"), ("cn-north-1", "cn-north-1"), ("us-west-2", REGION)],
)
def test_sts_and_iam_are_asked_in_the_partition_of_the_region(aws_env: None, meant: str, asked: str) -> None:
    from ddsetup.gateways.aws.session import Aws

    assert Aws.connect(AwsOptions(region=meant)).home_region == asked


@pytest.mark.parametrize(
    ("meant", "asked"), [(None, "us-east-1"), ("eu-west-1", "us-east-1"), ("cn-north-1", "cn-north-1")]
)
def test_without_a_region_of_ones_own_it_is_the_first_of_aws(
    aws_env: None, monkeypatch: pytest.MonkeyPatch, meant: str | None, asked: str
) -> None:
    from ddsetup.gateways.aws.session import Aws

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert Aws.connect(AwsOptions(region=meant)).home_region == asked


def test_the_addresses_of_every_partition_are_awss_own(
    aws_env: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ddsetup.gateways.aws.session import Aws

    told = {}
    for partition in get_session().get_available_partitions():
        region = get_session().get_available_regions("lambda", partition_name=partition)[0]
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        told[partition] = Aws.connect(AwsOptions(region=region)).address
    assert {"aws", "aws-iso-b"} <= set(told)
    assert set(told.values()) == {""}
    assert (
        Aws.connect(AwsOptions(), endpoint_url="http://proxy.example:1").address == "http://proxy.example:1"
    )
