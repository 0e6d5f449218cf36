"""Whose credentials are used: the given ones, a role's, another profile's; and what is said of none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ddsetup.gateways.aws.credentials import AwsOptions, profiles
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.shared_clients import renewing
from ddsetup.model.account import Lane
from ddsetup.model.errors import CredentialsError, GatewayError, SignedOut
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, Reply, ScriptedAws, connect
from tests.gateways.test_aws_session import IDENTITY, _assumed

LANE = Lane(ACCOUNT, REGION)
ROLE = "arn:aws:iam::123456789012:role/deployer"
GIVEN = {"AWS_ACCESS_KEY_ID": "AKIAGIVEN", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def key_of(aws: Aws) -> str:
    return str(aws._session.get_credentials().access_key)


def test_variables_that_are_given_stand_in_for_the_process_own(aws_env: None) -> None:
    assert key_of(Aws.connect(AwsOptions(environ=GIVEN))) == "AKIAGIVEN"
    assert key_of(Aws.connect(AwsOptions())) == "AKIAIOSFODNN7EXAMPLE"


def test_a_role_whose_source_is_the_environment_has_it_from_what_is_given(
    script: ScriptedAws, nothing_set: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(f"[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", script.url)
    script.script(_assumed("ASIAROLE", datetime.now(UTC) + timedelta(hours=1)))
    assert key_of(Aws.connect(AwsOptions(profile="p", environ=GIVEN))) == "ASIAROLE"
    assert script.signed == ["AKIAGIVEN"]


def test_a_role_cannot_be_assumed_by_nobody(aws_env: None, nothing_set: None) -> None:
    with pytest.raises(CredentialsError, match=f"no AWS credentials found .*, role {ROLE}"):
        Aws.connect(AwsOptions(role_arn=ROLE))


def test_profiles_are_listed_as_far_as_they_can_be_read(aws_env: None, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile a]\nregion = eu-west-1\n[profile b]\nregion = eu-west-1\n")
    assert profiles() == ("a", "b")
    (tmp_path / "config").write_text("not a configuration")
    assert profiles() == ()


def test_whether_there_are_credentials_good_or_not(
    aws_env: None, nothing_set: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Aws.connect(AwsOptions()).has_credentials is False
    assert Aws.connect(AwsOptions(environ=GIVEN)).has_credentials is True
    (tmp_path / "config").write_text(f"[profile p]\nrole_arn = {ROLE}\nsource_profile = gone\n")
    assert Aws.connect(AwsOptions(profile="p")).has_credentials is True, "wrong ones are some"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHALF")
    assert Aws.connect(AwsOptions()).has_credentials is True, "half of a pair is some"


def test_another_identity_goes_the_same_way(script: ScriptedAws, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[p]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=B\n")
    own = connect(script.url, rate_scale=7)
    script.script(Reply({"Functions": []}))
    other = own.beside(AwsOptions(profile="p"))
    other.call("lambda:ListFunctions", LANE)
    assert script.signed == ["AKIAOTHER"]
    assert (other.clock, other.limits.scale) == (own.clock, 7)
    assert own.beside(AwsOptions(), other._session)._session is other._session
    assert (own.calls.total(), other.calls.total()) == (0, 1), "quotas are an identity's own"


def test_a_clock_that_runs_ahead_is_told_of_every_call(
    script: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.script(_assumed("ASIAOLD", datetime.now(UTC) - timedelta(hours=2)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", script.url)
    aws = Aws.connect(AwsOptions(role_arn=ROLE), clock=FakeTime().clock)
    with pytest.raises(SignedOut, match="the clock of this machine is wrong") as caught:
        aws.call("lambda:ListFunctions", LANE)
    assert caught.value.fix == "set the clock (NTP) and repeat"
    assert (caught.value.action, caught.value.where) == ("lambda:ListFunctions", f"{ACCOUNT}/{REGION}")


def test_a_fault_of_our_own_is_not_taken_for_the_clock(script: ScriptedAws) -> None:
    def fails(**_: Any) -> None:
        raise RuntimeError("odd")

    aws = connect(script.url)
    for service in ("lambda", "sts"):
        aws.client(service, REGION).meta.events.register("before-call", fails)
    with pytest.raises(RuntimeError, match="odd"):
        aws.call("lambda:ListFunctions", LANE)
    with pytest.raises(RuntimeError, match="odd"):
        aws.identity()


def test_a_proxy_that_answers_in_the_place_of_aws_is_no_identity(script: ScriptedAws) -> None:
    script.script(Reply("<html>", headers={"content-type": "text/html"}))
    with pytest.raises(GatewayError, match="sts:GetCallerIdentity: answered") as caught:
        connect(script.url).identity()
    assert caught.value.fix == "check the proxy and AWS_ENDPOINT_URL"


def test_who_we_are_is_asked_anew_after_a_pause(script: ScriptedAws) -> None:
    script.script(IDENTITY)
    aws = connect(script.url)
    aws.identity()
    aws.check_identity()
    assert len(script.requests) == 2


def test_calls_go_to_the_partition_that_is_meant(aws_env: None) -> None:
    assert Aws.connect(AwsOptions()).home_region == REGION
    assert Aws.connect(AwsOptions(region="us-east-2")).home_region == REGION, "of the same partition"
    assert Aws.connect(AwsOptions(region="us-gov-west-1")).home_region == "us-gov-west-1"


def test_credentials_renew_themselves_before_they_end() -> None:
    def of(key: str, minutes: int) -> dict[str, str]:
        ends = datetime.now(UTC) + timedelta(minutes=minutes)
        return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": ends.isoformat()}

    held = renewing(of("ASIAFIRST", 2), lambda: of("ASIASECOND", 60))
    assert held.method == "assume-role"
    assert held.get_frozen_credentials().access_key == "ASIASECOND"
    lasting = renewing(of("ASIAFIRST", 60), lambda: of("ASIASECOND", 60))
    assert lasting.get_frozen_credentials().access_key == "ASIAFIRST"
