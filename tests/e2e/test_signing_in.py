"""Getting to credentials by keyboard: an AWS profile with SSO, and Datadog keys in the machine's keyring."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Cli, OpenPlace, Place
from tests.e2e.terminal import CTRL_C, ENTER, Terminal
from tests.gateways.aws_stand import Reply, ScriptedAws, scripted_aws

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
REGION = ("--region", "us-east-1")
NO_KEYS: dict[str, Any] = {"DD_API_KEY": None, "DD_APP_KEY": None}
AWS_CLI = """#!{python}
import json, pathlib, sys
home = pathlib.Path({home!r})
with (home / "asked").open("a") as asked:
    print(*sys.argv[1:], file=asked)
print("opening the browser")
if not (home / "agreed").exists():
    sys.exit("nobody agreed")
cache = home / ".aws" / "sso" / "cache"
cache.mkdir(parents=True, exist_ok=True)
token = {{"accessToken": "token-of-the-login", "expiresAt": "2099-01-01T00:00:00Z", "region": "us-east-1"}}
(cache / "{name}.json").write_text(json.dumps(token))
"""
"""As much of the AWS CLI as `aws sso login` is: it leaves a token where botocore looks for it."""


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    return open_place("healthy")


@pytest.fixture
def cli(shop: Place, tmp_path: Path) -> Cli:
    return shop.new_cli(tmp_path)


@pytest.fixture
def sso(shop: Place) -> Iterator[ScriptedAws]:
    """IAM Identity Center: it gives the operator's keys to whoever has logged in."""
    keys = shop.sandbox.operator
    expires = int((time.time() + 3600) * 1000)
    with scripted_aws() as portal:
        portal.script(
            Reply(
                {
                    "roleCredentials": {
                        "accessKeyId": keys.access_key_id,
                        "secretAccessKey": keys.secret_access_key,
                        "sessionToken": "",
                        "expiration": expires,
                    }
                }
            )
        )
        yield portal


def with_sso(cli: Cli, portal: ScriptedAws, *, installed: bool = True) -> dict[str, Any]:
    """Variables of somebody with a profile that logs in by SSO, and perhaps with the AWS CLI."""
    (cli.home / "config").write_text(
        "[profile work]\nsso_session = company\nsso_account_id = 123456789012\nsso_role_name = admin\n"
        "region = us-east-1\n[sso-session company]\nsso_region = us-east-1\n"
        "sso_start_url = https://example.com/start\nsso_registration_scopes = sso:account:access\n"
    )
    programs = cli.home / "programs"
    programs.mkdir()
    if installed:
        name = hashlib.sha1(b"company").hexdigest()
        (programs / "aws").write_text(AWS_CLI.format(python=sys.executable, home=str(cli.home), name=name))
        (programs / "aws").chmod(0o755)
    absent = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"))
    return {
        **absent,
        "PATH": str(programs),
        "AWS_CONFIG_FILE": str(cli.home / "config"),
        "AWS_ENDPOINT_URL_SSO": portal.url,
    }


def test_a_profile_with_sso_is_logged_in_to_from_the_wizard(cli: Cli, sso: ScriptedAws) -> None:
    # Where a home keeps its tokens botocore settles while it is imported.
    with Terminal(cli, "setup", *REGION, installed=True, **with_sso(cli, sso)) as terminal:
        terminal.until("Use the profile work").press("p" + ENTER)
        terminal.until("Log in now: aws sso login --profile work")
        assert "the AWS SSO login has expired or is missing" in terminal.text
        terminal.press(ENTER)
        terminal.until("aws sso login --profile work did not log in (it ended with 1)")
        assert "opening the browser" in terminal.text
        assert "nobody agreed" in terminal.text
        (cli.home / "agreed").touch()
        failed = "did not log in"
        terminal.until(lambda: "Ctrl-C quit" in terminal.text.rpartition(failed)[2]).press(ENTER)
        terminal.until("Which of 6 functions?").press(CTRL_C)
        assert terminal.end() == 130
    assert (cli.home / "asked").read_text().splitlines() == ["sso login --profile work"] * 2
    assert "role_name=admin" in sso.requests[0][1]


def test_without_the_aws_cli_the_login_is_named_and_cannot_be_taken(cli: Cli, sso: ScriptedAws) -> None:
    over = with_sso(cli, sso, installed=False)
    with Terminal(cli, "setup", "--profile", "work", **over) as terminal:
        terminal.until("How to go on?")
        terminal.until("aws sso login --profile work")
        terminal.until("the AWS CLI (aws) is not installed here")
        terminal.press("s" + ENTER)
        assert terminal.end() == 4


def with_keyring(cli: Cli) -> dict[str, Any]:
    backend = "tests.file_keyring.FileKeyring"
    where = {"PYTHONPATH": str(ROOT), "FILE_KEYRING": str(cli.home / "keyring.json")}
    return {**NO_KEYS, **where, "PYTHON_KEYRING_BACKEND": backend}


def type_keys(terminal: Terminal, api_key: str, app_key: str) -> None:
    terminal.until("Your Datadog API key?")
    terminal.press(api_key + ENTER)
    terminal.answer("Your Datadog application key?", app_key + ENTER)


def test_typed_keys_are_kept_in_the_keyring_and_found_there_by_the_next_run(shop: Place, cli: Cli) -> None:
    keyring, over = cli.home / "keyring.json", with_keyring(cli)
    api_key, app_key = shop.sandbox.api_key, shop.sandbox.app_key
    with Terminal(cli, "setup", *REGION, **over) as terminal:
        type_keys(terminal, api_key, app_key)
        terminal.answer("Keep both keys in this machine's keyring", "y")
        terminal.until("Which of 6 functions?").press(CTRL_C)
        assert terminal.end() == 130
        assert "the keys are in the keyring" in terminal.text
    assert json.loads(keyring.read_text()) == {"ddsetup/DD_API_KEY": api_key, "ddsetup/DD_APP_KEY": app_key}
    unattended = cli("status", *REGION, "--output", "json", **over)
    assert unattended.code == 0
    assert unattended.json["data"]["functions"]

    keyring.write_text(json.dumps({"ddsetup/DD_API_KEY": "0" * 32, "ddsetup/DD_APP_KEY": app_key}))
    with Terminal(cli, "setup", *REGION, **over) as terminal:
        terminal.answer("Type other keys for this run?")
        type_keys(terminal, api_key, app_key)
        terminal.answer("Keep both keys in this machine's keyring", "y")
        terminal.until("Which of 6 functions?").press(CTRL_C)
        assert terminal.end() == 130
    assert json.loads(keyring.read_text())["ddsetup/DD_API_KEY"] == api_key


def test_a_locked_keyring_is_said_and_no_keyring_is_not_offered(shop: Place, cli: Cli) -> None:
    (cli.home / "keyring.json.locked").touch()
    with Terminal(cli, "setup", *REGION, **with_keyring(cli)) as terminal:
        type_keys(terminal, shop.sandbox.api_key, shop.sandbox.app_key)
        terminal.answer("Keep both keys in this machine's keyring", "y")
        terminal.until("Which of 6 functions?").press(CTRL_C)
        assert terminal.end() == 130
        assert "the keyring did not take them" in terminal.text
    nothing = "keyring.backends.null.Keyring"
    with Terminal(
        cli, "setup", *REGION, **{**with_keyring(cli), "PYTHON_KEYRING_BACKEND": nothing}
    ) as terminal:
        type_keys(terminal, shop.sandbox.api_key, shop.sandbox.app_key)
        terminal.until("Which of 6 functions?").press(CTRL_C)
        assert terminal.end() == 130
        assert "keyring" not in terminal.text


def test_a_program_that_is_started_gets_no_keys(shop: Place, cli: Cli) -> None:
    """The profile's credential process sees the environment of every child of ddsetup's."""
    keys = shop.sandbox.operator
    answer = {"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
    (cli.home / "answer.json").write_text(json.dumps(answer))
    program = cli.home / "keys.sh"
    program.write_text(f"#!/bin/sh\nenv > {cli.home}/seen\ncat {cli.home}/answer.json\n")
    program.chmod(0o700)
    (cli.home / ".aws").mkdir(exist_ok=True)
    (cli.home / ".aws" / "config").write_text(f"[profile p]\ncredential_process = {program}\n")
    result = cli("status", "--profile", "p", *REGION, "-o", "json", AWS_CONFIG_FILE=None)
    assert result.code == 0, result.stderr
    seen = (cli.home / "seen").read_text()
    assert "DDSETUP_DATADOG_URL=" in seen
    for secret in (cli.base["DD_API_KEY"], cli.base["DD_APP_KEY"], keys.secret_access_key):
        assert secret not in seen


def test_keys_come_from_files(shop: Place, cli: Cli) -> None:
    for name in ("DD_API_KEY", "DD_APP_KEY"):
        (cli.home / name).write_text(f"{cli.base[name]}\n")
    result = cli("status", *REGION, "--api-key-file", "DD_API_KEY", "--app-key-file", "DD_APP_KEY", **NO_KEYS)
    assert result.code == 0, result.stderr
    assert "keys are valid (--api-key-file, --app-key-file)" in result.stderr
