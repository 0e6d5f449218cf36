"""What goes wrong before anything is written: named, with its exit code, and nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddsetup.journal import planfile
from ddsetup.sandbox.faults import ALWAYS, AwsFault
from tests.e2e.conftest import OpenPlace, Place

pytestmark = pytest.mark.e2e

SCOPED_APP_KEY = "c0" * 20
NO_AWS: dict[str, Any] = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
NO_ANSWERS: dict[str, Any] = dict.fromkeys(
    ("DD_API_KEY", "DD_APP_KEY", "DD_SITE", "AWS_REGION", "AWS_DEFAULT_REGION")
)


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    scopes = ["aws_configuration_edit", "metrics_read", "timeseries_query", "logs_read_data", "apm_read"]
    return open_place("healthy", datadog_seed={"app_keys": {SCOPED_APP_KEY: scopes}})


@contextmanager
def nothing_written(place: Place) -> Iterator[None]:
    """AWS and Datadog get no write while the block runs."""
    aws, datadog = len(place.world.operator_writes()), len(place.world.datadog_writes())
    yield
    assert place.world.operator_writes()[aws:] == []
    assert place.world.datadog_writes()[datadog:] == []


def refused(place: Place, *arguments: str, code: int, **over: Any) -> str:
    """What a command that must write nothing says when it ends with `code`."""
    with nothing_written(place):
        result = place.cli(*arguments, "--output", "json", **over)
    assert result.code == code, result.stderr
    error = result.json["error"]
    return f"{error['what']}\n{error.get('fix', '')}\n{error.get('where', '')}"


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"DD_API_KEY": "f" * 32}, "API key"),
        ({"DD_APP_KEY": "e" * 40}, "application key"),
        ({"DD_API_KEY": "e" * 40, "DD_APP_KEY": "f" * 32}, "swapped"),
        (NO_AWS, "credentials"),
        ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWNUNKNOWN00"}, "AWS"),
    ],
    ids=["wrong-api-key", "wrong-app-key", "swapped-keys", "no-aws", "unknown-aws-key"],
)
def test_credentials_that_are_none_are_named(shop: Place, over: dict[str, Any], said: str) -> None:
    text = refused(shop, "setup", "--all", "--yes", code=4, **over)
    assert said in text
    assert "f" * 32 not in text
    assert "e" * 40 not in text


def test_without_a_terminal_all_missing_answers_are_named_at_once(shop: Place) -> None:
    text = refused(shop, "setup", code=2, **NO_ANSWERS)
    for named in ("DD_API_KEY", "DD_APP_KEY", "--site", "DD_SITE", "--region", "--function", "--all"):
        assert named in text, text


def test_a_plan_that_nobody_confirms_is_not_carried_out(shop: Place) -> None:
    assert "--yes" in refused(shop, "setup", "--all", code=2)


def test_a_permission_known_to_be_missing_stops_the_run(shop: Place) -> None:
    with shop.denying("lambda:UpdateFunctionConfiguration", "iam:CreateRole"):
        text = refused(shop, "setup", "--all", "--yes", code=4)
    assert "lambda:UpdateFunctionConfiguration" in text
    assert "iam:CreateRole" in text
    assert "ddsetup policy" in text


def test_foundations_that_may_not_be_seen_stop_the_run(shop: Place) -> None:
    with shop.denying("secretsmanager:DescribeSecret", "iam:GetRole"):
        text = refused(shop, "setup", "--all", "--yes", code=4)
    assert "secretsmanager:DescribeSecret" in text
    assert "iam:GetRole" in text


def test_an_application_key_that_may_not_see_the_integration_stops_the_run(shop: Place) -> None:
    text = refused(shop, "setup", "--all", "--yes", code=4, DD_APP_KEY=SCOPED_APP_KEY)
    assert "aws_configuration_read" in text


def test_credentials_that_end_while_it_looks_are_no_missing_permission(shop: Place) -> None:
    operator = shop.sandbox.operator.access_key_id
    expired = AwsFault("GetResources", "ExpiredTokenException", 403, times=ALWAYS, access_key=operator)
    with shop.aws_faults(expired):
        text = refused(shop, "setup", "--all", "--yes", code=4)
    assert "the temporary AWS credentials have expired" in text
    assert "log in again" in text
    assert "ddsetup policy" not in text


def test_functions_that_may_not_be_listed_are_not_taken_for_none(shop: Place) -> None:
    with shop.denying("lambda:ListFunctions"):
        for command in ("status", "verify", "setup"):
            assert "lambda:ListFunctions" in refused(shop, command, code=4, DDSETUP_ALL="1")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("coffee-order", "coffee-orders"),
        ("coffe*-payments-*", "coffee-payments"),
        ("arn:aws:lambda:us-east-1:999999999999:function:coffee-orders", "999999999999"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:coffee-orders", "eu-west-1"),
    ],
    ids=["no-such-name", "no-such-glob", "other-account", "other-region"],
)
def test_a_function_that_is_not_there_is_an_error_that_helps(shop: Place, rule: str, said: str) -> None:
    text = refused(shop, "setup", "--function", rule, "--yes", code=2)
    assert rule in text
    assert said in text


def test_a_region_without_functions_is_a_wrong_answer_as_in_the_guide(shop: Place) -> None:
    text = refused(shop, "setup", "--all", "--region", "eu-west-3", "--yes", "--no-input", code=2)
    assert "there is no function here (eu-west-3)" in text


@pytest.mark.parametrize("text", ["site = [", 'sight = "datadoghq.com"\n', 'region = ["nowhere"]\n'])
def test_a_broken_file_of_answers_is_refused_and_left_alone(shop: Place, tmp_path: Path, text: str) -> None:
    path = tmp_path / "ddsetup.toml"
    path.write_text(text)
    with nothing_written(shop):
        result = shop.cli("setup", "--all", "--yes", "--output", "json", cwd=tmp_path)
    assert result.code == 2, result.stderr
    assert "ddsetup.toml" in str(result.json["error"])
    assert path.read_text() == text


def test_an_edited_plan_is_refused_and_left_alone(shop: Place) -> None:
    path = shop.cli.home / "plan.json"
    assert shop.cli("plan", "--all", "--out", str(path)).code == 0
    text = path.read_text().replace("datadog-forwarder", "another-forwarder")
    path.write_text(text)
    assert "plan.json" in refused(shop, "apply", str(path), "--yes", code=2)
    assert path.read_text() == text


def test_a_plan_of_another_site_or_address_is_refused_and_one_of_here_says_whose_it_is(shop: Place) -> None:
    path = shop.cli.home / "plan-of-site.json"
    assert shop.cli("plan", "--all", "--out", str(path)).code == 0
    # The keys are of one site: they are what is wrong with a run for another.
    assert "datadoghq.eu" in refused(shop, "apply", str(path), "--yes", "--site", "datadoghq.eu", code=4)
    of_eu = path.with_name("plan-of-eu.json")
    plan, made_for = planfile.load(path)
    planfile.save(of_eu, plan, replace(made_for, site="datadoghq.eu"))
    said = refused(shop, "apply", str(of_eu), "--yes", "--site", "datadoghq.com", code=2)
    assert "the plan is for site datadoghq.eu" in said
    for variable in ("AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL"):
        elsewhere = shop.cli.base[variable].replace("127.0.0.1", "localhost")
        said = refused(shop, "apply", str(path), "--yes", code=2, **{variable: elsewhere})
        assert elsewhere.replace("{site}", "datadoghq.com") in said
        assert variable in said
    shown = shop.cli("apply", str(path), "--dry-run").stderr
    assert "plan made 20" in shown
    assert "by user/ddsetup-operator on " in shown


def test_a_command_line_that_is_wrong_is_a_document_too(shop: Place) -> None:
    text = refused(shop, "setup", "--no-such-option", code=2)
    assert "--no-such-option" in text
    assert "--layer-version" in refused(shop, "setup", "--all", "--layer-version", "newest", code=2)


def test_a_key_on_the_command_line_is_not_accepted(shop: Place) -> None:
    result = shop.cli("setup", "--api-key", "f" * 32)
    assert result.code == 2
    assert "f" * 32 not in result.stdout + result.stderr


def test_policy_prints_what_the_operator_needs(shop: Place) -> None:
    result = shop.cli("policy", "--region", "us-east-1")
    assert result.code == 0
    policy = json.loads(result.stdout)
    actions = {action for each in policy["Statement"] for action in each["Action"]}
    assert {"lambda:UpdateFunctionConfiguration", "iam:CreateRole"} <= actions
    assert "lambda:InvokeFunction" not in actions
