"""How a call is made: retries, pace, counting, errors, and who we are."""

from __future__ import annotations

import gzip
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.credentials import Credentials

from ddsetup.gateways.aws.credentials import open_session
from ddsetup.gateways.aws.errors import NotShared, Refused, Throttled
from ddsetup.gateways.aws.members import Together
from ddsetup.gateways.aws.service_models import model_loader
from ddsetup.gateways.aws.session import Aws, AwsOptions, Patience, default_region
from ddsetup.model.account import Identity, Lane
from ddsetup.model.errors import ChangedSince, CredentialsError, Denied, GatewayError, Interrupted, NotFound
from tests.gateways.aws_stand import ACCOUNT, DROPPED, REGION, FakeTime, Reply, ScriptedAws, connect, fault

LANE = Lane(ACCOUNT, REGION)
IDENTITY = Reply(
    f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
    <Arn>arn:aws-us-gov:iam::{ACCOUNT}:user/me</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>
    </GetCallerIdentityResult></GetCallerIdentityResponse>""",
    headers={"content-type": "text/xml"},
)


def sts_fault(code: str, message: str, status: int = 403) -> Reply:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Reply(body, status, {"content-type": "text/xml"})


NO_ALIAS = sts_fault("AccessDenied", "no")


def test_throttling_is_waited_out(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(*[fault("TooManyRequestsException", status=429)] * 30, Reply({"Functions": []}))
    aws = connect(script.url, time)
    assert aws.call("lambda:ListFunctions", LANE)["Functions"] == []
    assert len(script.requests) == 31
    assert aws.calls == {"lambda:ListFunctions": 31}
    assert time.seconds > 60
    assert max(time.slept) <= 20


def test_throttling_without_end_ends_after_a_quarter_of_an_hour(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(fault("ThrottlingException"))
    with pytest.raises(Throttled):
        connect(script.url, time).call("logs:DescribeLogGroups", LANE)
    assert 10 * 60 < time.seconds < 20 * 60


def test_throttling_slows_the_bucket(script: ScriptedAws) -> None:
    aws = connect(script.url, rate_scale=1)
    script.script(fault("TooManyRequestsException", status=429), Reply({"Functions": []}))
    aws.call("lambda:ListFunctions", LANE)
    assert aws.limits.bucket("lambda", "ListFunctions", REGION).pace < 15


@pytest.mark.parametrize("trouble", [DROPPED, Reply("", 503), fault("ServiceException", status=500)])
def test_dropped_connections_and_server_faults_are_tried_again(script: ScriptedAws, trouble: Reply) -> None:
    script.script(trouble, trouble, Reply({"Functions": [], "ok": True}))
    connect(script.url).call("lambda:ListFunctions", LANE)
    assert len(script.requests) == 3


def test_a_connection_that_stays_away_is_an_error_that_names_the_action(script: ScriptedAws) -> None:
    script.script(DROPPED)
    with pytest.raises(GatewayError, match="lambda:ListFunctions: no connection") as caught:
        connect(script.url).call("lambda:ListFunctions", LANE, patience=Patience(dropped=2))
    assert len(script.requests) == 3
    assert caught.value.action == "lambda:ListFunctions"


def test_a_refusal_is_not_repeated(script: ScriptedAws) -> None:
    script.script(fault("InvalidParameterValueException", "no such thing"))
    with pytest.raises(Refused, match="no such thing") as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert len(script.requests) == 1
    assert caught.value.code == "InvalidParameterValueException"


def test_parallel_calls_keep_the_documented_rate(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(Reply({"subscriptionFilters": []}))
    aws = connect(script.url, time, rate_scale=1)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda n: aws.call("logs:DescribeSubscriptionFilters", LANE, logGroupName=f"g{n}"), range(26)
            )
        )
    bucket = aws.limits.bucket("logs", "DescribeSubscriptionFilters", REGION)
    assert bucket.rate == 5
    assert aws.calls["logs:DescribeSubscriptionFilters"] == 26
    # Every sleep moves the shared clock, so it is at least as late as the last slot.
    assert time.seconds >= 25 / 5 - 1e-6


def test_denied_names_the_action_that_was_refused(script: ScriptedAws) -> None:
    text = (
        "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:z "
        "with an explicit deny in a service control policy"
    )
    script.script(fault("AccessDeniedException", text, 403))
    with pytest.raises(Denied) as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert caught.value.action == "kms:Decrypt"
    assert "service control policy" in caught.value.what


def test_denied_by_the_owner_of_a_layer_is_not_our_missing_permission(script: ScriptedAws) -> None:
    text = "not authorized to perform: lambda:GetLayerVersion because no resource-based policy allows it"
    script.script(fault("AccessDeniedException", text, 403))
    with pytest.raises(NotShared):
        connect(script.url).call("lambda:GetLayerVersion", LANE, LayerName="l", VersionNumber=1)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceNotFoundException", 404, NotFound),
        ("PreconditionFailedException", 412, ChangedSince),
        ("ExpiredTokenException", 403, Denied),
        ("UnrecognizedClientException", 403, Denied),
    ],
)
def test_errors_are_told_apart(script: ScriptedAws, code: str, status: int, kind: type[GatewayError]) -> None:
    script.script(fault(code, "text", status))
    with pytest.raises(kind):
        connect(script.url).call("lambda:ListFunctions", LANE)


def test_a_proxys_page_is_not_quoted(script: ScriptedAws) -> None:
    script.script(Reply("<html><h1>Blocked for j.doe</h1></html>", 407, {"content-type": "text/html"}))
    with pytest.raises(GatewayError) as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert "j.doe" not in caught.value.what


def test_an_environment_that_aws_quotes_is_cut_off(script: ScriptedAws) -> None:
    text = 'variables exceeded the limit. String measured: {"DB":"planted"}'
    script.script(fault("InvalidParameterValueException", text))
    with pytest.raises(GatewayError, match="exceeded the limit") as caught:
        connect(script.url).call("lambda:ListFunctions", LANE)
    assert "planted" not in str(caught.value)


def test_the_identity_is_asked_once(script: ScriptedAws) -> None:
    script.script(IDENTITY, NO_ALIAS)
    aws = connect(script.url)
    identity = aws.identity()
    assert (identity.account, identity.partition) == (ACCOUNT, "aws-us-gov")
    assert aws.identity() is identity
    assert len(script.requests) == 1
    assert aws.alias() == "", "it may be refused"


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        ("ExpiredToken", "The security token included in the request is expired", "have expired"),
        ("InvalidClientTokenId", "The security token is invalid", "does not know this access key"),
        ("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than", "clock of this machine"),
        ("SignatureDoesNotMatch", "The request signature we calculated does not", "secret access key"),
    ],
)
def test_refused_credentials_are_explained(script: ScriptedAws, code: str, message: str, says: str) -> None:
    script.script(sts_fault(code, message))
    with pytest.raises(CredentialsError, match=says) as caught:
        connect(script.url).identity()
    assert caught.value.fix
    assert "not-a-secret" not in str(caught.value)


def test_no_credentials_says_what_was_tried(script: ScriptedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError, match=r"no AWS credentials found \(tried: environment"):
        connect(script.url).identity()
    assert script.requests == []


def test_an_unknown_profile_is_named(aws_env: None) -> None:
    with pytest.raises(CredentialsError, match="staging"):
        Aws.connect(AwsOptions(profile="staging"))


def test_an_sso_login_that_ended_names_the_command(script: ScriptedAws, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile work]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\nregion = eu-central-1\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.com/start\n"
    )
    aws = Aws.connect(AwsOptions(profile="work"), endpoint_url=script.url, clock=FakeTime().clock)
    with pytest.raises(CredentialsError) as caught:
        aws.identity()
    assert caught.value.fix == "aws sso login --profile work"


def test_mfa_without_a_terminal_is_refused_rather_than_asked(script: ScriptedAws, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile admin]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::1:mfa/me\n[profile base]\nregion = eu-west-1\n"
    )
    (tmp_path / "credentials").write_text("[base]\naws_access_key_id=A\naws_secret_access_key=B\n")
    aws = Aws.connect(AwsOptions(profile="admin"), endpoint_url=script.url, clock=FakeTime().clock)
    with pytest.raises(CredentialsError, match="MFA"):
        aws.identity()
    assert script.requests == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AWS_REGION": "ap-south-1"}, "ap-south-1"),
        ({}, REGION),
    ],
)
def test_aws_region_wins_over_the_default(aws_env: None, environ: dict[str, str], expected: str) -> None:
    assert default_region(AwsOptions(), environ) == expected


def test_work_for_another_account_is_refused_before_it_is_sent(script: ScriptedAws) -> None:
    script.script(IDENTITY)
    aws = connect(script.url)
    aws.identity()
    sent = len(script.requests)
    with pytest.raises(GatewayError, match="999988887777"):
        aws.call("lambda:ListFunctions", Lane("999988887777", REGION))
    assert len(script.requests) == sent


def test_stopping_ends_a_call_that_is_being_throttled(script: ScriptedAws) -> None:
    time = FakeTime()
    script.script(fault("TooManyRequestsException", status=429))

    def sleep(seconds: float) -> None:
        time.clock.sleep(seconds)
        if time.seconds > 5:
            aws.stop()

    clock = replace(time.clock, sleep=sleep)
    aws = Aws.connect(AwsOptions(), endpoint_url=script.url, clock=clock)
    with pytest.raises(Interrupted):
        aws.call("lambda:ListFunctions", LANE)
    assert len(script.requests) < 10


def test_debug_logging_does_not_open_botocores_log(
    script: ScriptedAws, caplog: pytest.LogCaptureFixture
) -> None:
    script.script(Reply({"ARN": "arn:x"}))
    with caplog.at_level(logging.DEBUG):
        connect(script.url).call(
            "secretsmanager:CreateSecret", LANE, Name="n", SecretString="0123456789abcdef-planted"
        )
    assert script.requests
    assert "planted" not in caplog.text


def test_a_role_arn_is_assumed_with_credentials_that_renew(
    script: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    script.script(_assumed("ASIAFIRST", soon), IDENTITY, _assumed("ASIASECOND", soon), NO_ALIAS)
    # The chain's own STS client follows the environment, as every other tool's does.
    monkeypatch.setenv("AWS_ENDPOINT_URL", script.url)
    options = AwsOptions(role_arn="arn:aws:iam::123456789012:role/deployer")
    aws = Aws.connect(options, clock=FakeTime().clock)
    aws.identity()
    aws.alias()
    assumed = [body for _, _, body in script.requests if b"Action=AssumeRole" in body]
    assert len(assumed) == 2, "credentials that end within minutes are renewed before the next call"
    assert b"role%2Fdeployer" in assumed[0]


def test_fresh_credentials_that_look_old_blame_the_clock(
    script: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.script(_assumed("ASIAOLD", datetime.now(UTC) - timedelta(hours=2)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", script.url)
    aws = Aws.connect(AwsOptions(role_arn="arn:aws:iam::123456789012:role/r"), clock=FakeTime().clock)
    with pytest.raises(CredentialsError, match="clock"):
        aws.identity()


def _assumed(key: str, until: datetime) -> Reply:
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
    <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
    <SessionToken>t</SessionToken><Expiration>{until:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
    </AssumeRoleResult></AssumeRoleResponse>"""
    return Reply(body, headers={"content-type": "text/xml"})


def credentials(key: str) -> Any:
    """By keys of its own."""
    return Credentials(key, "secret")


def test_accounts_share_clients_and_each_call_is_signed_and_paced_by_its_own(script: ScriptedAws) -> None:
    time = FakeTime()
    own = connect(script.url, time, rate_scale=1)
    numbers = ("111122223333", "222233334444")
    known = [Identity(account=number, arn="arn", partition="aws") for number in numbers]
    first, second = (own.as_another(credentials(f"AKIA{each.account}"), each) for each in known)
    script.script(*[Reply({"Functions": []})] * 32)
    for _ in range(15):
        first.call("lambda:ListFunctions", Lane(numbers[0], REGION))
    waited = time.seconds
    second.call("lambda:ListFunctions", Lane(numbers[1], REGION))
    first.close()
    second.call("lambda:ListFunctions", Lane(numbers[1], REGION))
    own.call("lambda:ListFunctions", LANE)
    assert waited > 0.9
    assert time.seconds - waited < 0.1, "quotas are an account's own"
    keys = {key: script.signed.count(key) for key in script.signed}
    assert keys == {"AKIA111122223333": 15, "AKIA222233334444": 2, "AKIAIOSFODNN7EXAMPLE": 1}
    assert first.client("lambda", REGION) is second.client("lambda", REGION)
    assert (first.calls.total(), second.calls.total(), own.calls.total()) == (15, 2, 1)
    assert (first.identity(), second.identity()) == tuple(known), "nobody has to ask for it"


def test_many_accounts_are_called_as_one_until_it_is_stopped(script: ScriptedAws) -> None:
    own = connect(script.url)
    script.script(*[Reply({"Functions": []})] * 2, IDENTITY)
    number = "222233334444"
    other = own.as_another(credentials("AKIAOTHER"), Identity(account=number, arn="arn", partition="aws"))
    together = Together(own, {number: other})
    together.call("lambda:ListFunctions", Lane(number, REGION))
    together.call("lambda:ListFunctions", LANE)
    together.check_identity()
    assert script.signed == ["AKIAOTHER", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"]
    assert together.address == own.address == script.url
    together.stop()
    with pytest.raises(Interrupted):
        together.call("lambda:ListFunctions", Lane(number, REGION))
    assert len(script.requests) == 3


def test_a_lane_of_another_account_is_refused(script: ScriptedAws) -> None:
    aws = connect(script.url)
    script.script(IDENTITY)
    assert aws.identity().account == ACCOUNT
    with pytest.raises(GatewayError, match=f"account {ACCOUNT}, not of 333344445555"):
        aws.call("lambda:ListFunctions", Lane("333344445555", REGION))


@pytest.mark.parametrize(
    "name", ["s3/2006-03-01/service-2", "sts/2011-06-15/endpoint-rule-set-1", "endpoints"]
)
def test_models_are_botocores_without_what_is_for_readers(name: str) -> None:
    # One of its own: botocore writes into the table of endpoints as it goes.
    ours = model_loader.__wrapped__(None).load_data(name)
    packed = Path(botocore.__file__).parent / "data" / f"{name}.json.gz"
    plain = packed.with_suffix("")
    text = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    assert ours == _without_texts(json.loads(text))
    assert type(ours) is dict


def test_models_are_read_once_for_all_sessions(aws_env: None) -> None:
    loaders = {id(open_session(AwsOptions()).get_component("data_loader")) for _ in range(2)}
    assert loaders == {id(model_loader(None))}


def _without_texts(node: Any) -> Any:
    if isinstance(node, dict):
        prose = isinstance(node.get("documentation"), str)
        return {k: "" if prose and k == "documentation" else _without_texts(v) for k, v in node.items()}
    return [_without_texts(each) for each in node] if isinstance(node, list) else node
