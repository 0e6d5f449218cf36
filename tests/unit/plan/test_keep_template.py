"""The template of the keeper: as CloudFormation, CodeBuild, EventBridge and IAM want it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from policy_sentry.querying.all import get_all_actions

from ddsetup._version import __version__
from ddsetup.plan.keep_template import (
    EVERY,
    STACK,
    Wish,
    buildspec,
    event_pattern,
    kept_of,
    next_run,
    schedule,
    template,
    unfit,
)
from ddsetup.plan.policy import least_policy, state_statements
from ddsetup.plan.steps.api_key import APP_SECRET_NAME, SECRET_NAME
from tests import builders as b
from tests.patience import PATIENCE
from tests.unit.plan.test_policy_lint import parliament_on
from tests.unit.show.test_render import matches_golden

TOPIC = f"arn:aws:sns:{b.REGION}:{b.ACCOUNT}:on-call"
OWN = f"arn:aws:secretsmanager:{b.REGION}:{b.ACCOUNT}:secret:mine-AbCdEf"
TOML = 'site = "datadoghq.eu"\nenv = "it\'s $HOME `id` \\"prod\\""\n'


def policy(**over: Any) -> Any:
    document = least_policy(b.answers(**over), "aws", [b.ACCOUNT], (b.REGION,), ("keep",))
    document["Statement"] += state_statements("acme-ddsetup", "prod/", "aws")
    return document


def wish(**over: Any) -> Wish:
    usual = Wish(
        region=b.REGION,
        account=b.ACCOUNT,
        partition="aws",
        toml=TOML,
        policy=policy(),
        state="s3://acme-ddsetup/prod",
        api_key=SECRET_NAME,
        app_key=APP_SECRET_NAME,
        package=f"ddsetup=={__version__}",
        version=__version__,
    )
    return replace(usual, **over)


WISHES = {
    "usual": wish(),
    "own": wish(
        api_key=OWN,
        app_key=OWN,
        package="",
        image=f"{b.ACCOUNT}.dkr.ecr.{b.REGION}.amazonaws.com/ddsetup:1",
        every=24,
        topic=TOPIC,
        variables={"DDSETUP_DATADOG_URL": "https://proxy.example"},
        role_path="/ci/",
        role_boundary=f"arn:aws:iam::{b.ACCOUNT}:policy/edge",
        policy=policy(via="extension", prune=True, on_conflict="replace", publish=True),
    ),
}


def linted(made: Any) -> list[str]:
    """What cfn-lint finds, by its rules' ids."""
    api = pytest.importorskip("cfnlint.api", reason="with the dependency group `dev` of today")
    config = pytest.importorskip("cfnlint.config").ManualArgs(regions=[b.REGION])
    return [found.rule.id for found in api.lint(json.dumps(made), config=config)]


@pytest.mark.parametrize("name", WISHES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    assert linted(template(WISHES[name])) == []


def test_cfn_lint_would_find_what_is_wrong() -> None:
    made = template(wish())
    del made["Resources"]["Project"]["Properties"]["ServiceRole"]
    assert linted(made) == ["E3003"]


def policies(made: Any) -> dict[str, Any]:
    """The documents of a template's roles, by role and name."""
    return {
        f"{role}/{each['PolicyName']}": each["PolicyDocument"]
        for role, resource in made["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for each in resource["Properties"]["Policies"]
    }


@pytest.mark.parametrize("name", WISHES)
def test_its_roles_have_what_keeping_takes_and_no_more(name: str) -> None:
    made = policies(template(WISHES[name]))
    assert made.pop("RunnerRole/keep") == WISHES[name].policy
    assert set(made) == {"RunnerRole/build", "StarterRole/start"}
    for document in made.values():
        assert parliament_on(document) == []
        actions = {action for s in document["Statement"] for action in s["Action"]}
        assert actions <= get_all_actions()
        assert all(s["Resource"] != "*" for s in document["Statement"])


@pytest.mark.parametrize("name", WISHES)
def test_the_roles_policies_fit_inline(name: str) -> None:
    """10,240 characters without white space, of all inline policies of a role (IAM quotas page)."""
    made = policies(template(WISHES[name]))
    sizes = [len(json.dumps(d, separators=(",", ":"))) for n, d in made.items() if n.startswith("Runner")]
    assert sum(sizes) < 10_240


def test_no_key_is_in_it_but_where_the_keys_are() -> None:
    environment = template(wish())["Resources"]["Project"]["Properties"]["Environment"]
    kinds = {each["Name"]: (each["Type"], each["Value"]) for each in environment["EnvironmentVariables"]}
    assert kinds["DD_API_KEY"] == ("SECRETS_MANAGER", SECRET_NAME)
    assert kinds["DD_APP_KEY"] == ("SECRETS_MANAGER", APP_SECRET_NAME)
    assert kinds["DDSETUP_STATE"] == ("PLAINTEXT", "s3://acme-ddsetup/prod")


def test_a_build_writes_the_file_to_the_letter_and_applies_it(tmp_path: Path) -> None:
    """The commands run as CodeBuild runs them, in a shell; what is called stands here for itself."""
    phases = yaml.safe_load(buildspec(wish()))["phases"]
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("pip", "ddsetup"):
        (tools / tool).write_text(f'#!/bin/sh\necho {tool} "$@" >> called\n')
        (tools / tool).chmod(0o700)
    script = "\n".join([*phases["install"]["commands"], *phases["build"]["commands"]])
    subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=tmp_path,
        env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path)},
        check=True,
        timeout=PATIENCE,
    )
    assert (tmp_path / "ddsetup.toml").read_text() == TOML
    assert (tmp_path / "called").read_text().splitlines() == [
        f"pip install --quiet --disable-pip-version-check ddsetup=={__version__}",
        "ddsetup keep apply --yes --config ddsetup.toml",
    ]
    assert kept_of(template(wish())) == tuple(TOML.splitlines())
    assert kept_of({}) == ()


def test_an_image_that_has_ddsetup_needs_no_pip() -> None:
    assert list(json.loads(buildspec(WISHES["own"]))["phases"]) == ["build"]


def test_what_ddsetup_does_wakes_nobody() -> None:
    """The operator is EventBridge's, "anything-but" with "wildcard" (its user guide)."""
    detail = event_pattern()["detail"]
    assert detail["userAgent"] == [{"anything-but": {"wildcard": "*ddsetup/*"}}]
    assert "UpdateFunctionConfiguration20150331v2" in detail["eventName"]


@pytest.mark.parametrize(
    ("account", "every", "said", "then"),
    [
        ("123456789012", 1, "cron(12 * * * ? *)", "2026-11-28T22:12:00+00:00"),
        ("123456789000", 1, "cron(0 * * * ? *)", "2026-11-28T23:00:00+00:00"),
        ("123456789012", 6, "cron(12 0/6 * * ? *)", "2026-11-29T00:12:00+00:00"),
        ("123456789012", 24, "cron(12 0/24 * * ? *)", "2026-11-29T00:12:00+00:00"),
    ],
)
def test_when_the_schedule_runs_next(account: str, every: int, said: str, then: str) -> None:
    now = datetime(2026, 11, 28, 22, 5, 30, tzinfo=UTC)
    assert schedule(account, every) == said
    assert next_run(account, every, now).isoformat() == then
    assert all(24 % hours == 0 for hours in EVERY)


def test_what_cloudformation_would_not_take_is_said_before() -> None:
    assert unfit(template(wish()), TOML) == ""
    assert "51,200" in unfit(template(wish(toml="x" * 60_000)), "x")
    assert "secret" in unfit(template(wish()), 'env = "{{resolve:secretsmanager:mine}}"')


def test_every_name_begins_with_the_stacks() -> None:
    """The policy of who installs it goes by that."""
    made = template(wish())["Resources"]
    names = [p[k] for p in (r["Properties"] for r in made.values()) for k in ("Name", "AlarmName") if k in p]
    assert names
    assert all(name.startswith(STACK) for name in names)


@pytest.mark.parametrize("name", WISHES)
def test_the_template_to_the_letter(name: str) -> None:
    """But for what its role may do and which release it installs, which have tests of their own."""
    package = WISHES[name].package and "ddsetup==1.2.3"
    nothing = {"Version": "2012-10-17", "Statement": []}
    made = template(replace(WISHES[name], policy=nothing, package=package, version="1.2.3"))
    matches_golden(f"keep/template-{name}", json.dumps(made, indent=1) + "\n")
