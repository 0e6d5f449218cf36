"""The same answers give the same variables directly and through each kind of file, or a named remainder."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddsetup.facts.variables import BY_NAME, VARIABLES, FileTool, asked, means
from ddsetup.model.answers import Answers, KeySource, Tracing, Via
from ddsetup.project.iac import cdk, cloudformation, dockerfile, serverless, terraform
from ddsetup.project.iac.model import Proposal, Wish
from tests import builders as b
from tests.unit.plan.test_instrument import plan_for, states
from tests.unit.project.test_iac_serverless import load
from tests.unit.project.test_iac_snippets import source

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:dd-AbCdEf"
TAG = st.sampled_from(["", "prod", "a-1", "1.0"])
TRACING = st.builds(
    Tracing,
    log_level=st.sampled_from([None, "debug"]),
    capture_payload=st.sampled_from([None, True, False]),
    merge_xray=st.sampled_from([None, True, False]),
    appsec=st.booleans(),
    llmobs=st.sampled_from([None, "shop"]),
    apm_flush_deadline_ms=st.sampled_from([None, 0, 250]),
    git_commit=st.sampled_from([None, "0" * 40]),
)
ANSWERS = st.builds(
    Answers,
    site=st.just("datadoghq.eu"),
    regions=st.just(("us-east-1",)),
    via=st.sampled_from(["forwarder", "extension"]),
    logs=st.booleans(),
    traces=st.booleans(),
    enhanced_metrics=st.booleans(),
    env=TAG,
    service=TAG,
    version=TAG,
    extra_tags=st.sampled_from([(), (("team", "a"),)]),
    fips=st.booleans(),
    tracing=TRACING,
)
SERVERLESS = "service: shop\nprovider:\n  name: aws\n  runtime: python3.12\n"
SAM = """AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: a.b}
"""
TF = 'resource "aws_lambda_function" "f" {\n  handler = "a.b"\n  runtime = "python3.12"\n}\n'
IMAGE = 'FROM public.ecr.aws/lambda/python:3.12\nCMD ["a.b"]\n'
CDK = "const f = new lambda.Function(this, 'F', {runtime: lambda.Runtime.PYTHON_3_12});\n"


def wish(answers: Answers) -> Wish:
    key = KeySource(value=SECRET) if answers.via == "extension" else KeySource()
    return Wish(answers=replace(answers, key_source=key), said=frozenset({"via"}))


def by_setting(found: dict[str, Any], tool: FileTool) -> dict[str, str]:
    """The variables that a tool's settings stand for."""
    names = {row.named_by(tool): row for row in VARIABLES if row.rule != "elsewhere"}
    result = {}
    for name, value in found.items():
        row = names.get(name)
        if row is not None:
            text = "true" if value == "on" and row.kind == "mode" else str(value)
            result[row.name] = text.lower() if row.kind == "switch" else text
    return result


def check(
    answers: Answers, found: dict[str, str], proposal: Proposal, defaults: tuple[str, ...] = ()
) -> None:
    said = " ".join(proposal.warnings)
    for name, value in asked(answers).items():
        assert found.get(name) == value or f"{name}={value} " in said, (name, value, said)
        assert (name in found) != (f"{name}={value} " in said), "carried, or named: one of the two"
    extra = set(found) - set(asked(answers)) - set(defaults)
    assert not extra


EASY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@EASY
@given(answers=ANSWERS)
def test_the_plugin_gets_what_functions_would(tmp_path: Path, answers: Answers) -> None:
    proposal = serverless.propose(source(tmp_path, "serverless.yml", SERVERLESS), wish(answers))
    found = load(proposal.edits[0].after)["custom"]["datadog"]
    check(answers, by_setting(found, "plugin"), proposal, ("DD_LOG_LEVEL", "DD_TRACE_ENABLED"))


@EASY
@given(answers=ANSWERS)
def test_the_macro_gets_what_functions_would(tmp_path: Path, answers: Answers) -> None:
    proposal = cloudformation.propose(source(tmp_path, "template.yaml", SAM), wish(answers))
    found = load(proposal.edits[0].after)["Transform"][1]["Parameters"]
    check(answers, by_setting(found, "macro"), proposal)


@EASY
@given(answers=ANSWERS)
def test_the_construct_gets_what_functions_would(tmp_path: Path, answers: Answers) -> None:
    source(tmp_path, "lib/s.ts", CDK)
    path = source(tmp_path, "cdk.json", json.dumps({"app": "npx ts-node bin/a.ts"})).path
    proposal = cdk.propose(path, wish(answers))
    found = dict(re.findall(r'^  (\w+): "?([^"\n]*?)"?,$', proposal.snippets[0].text, re.MULTILINE))
    check(answers, by_setting(found, "cdk"), proposal)


@EASY
@given(answers=ANSWERS)
def test_terraform_and_images_get_the_variables_themselves(tmp_path: Path, answers: Answers) -> None:
    path = source(tmp_path, "main.tf", TF).path
    for proposal, pattern in (
        (terraform.propose(tmp_path, (path,), wish(answers)), r'^ +(DD_\w+) += "(.*)"$'),
        (dockerfile.propose(source(tmp_path, "Dockerfile", IMAGE), wish(answers)), r'^ENV (DD_\w+)="(.*)"$'),
    ):
        found = dict(re.findall(pattern, proposal.edits[0].after.decode(), re.MULTILINE))
        own = {name: value for name, value in found.items() if BY_NAME[name].rule != "elsewhere"}
        check(answers, own, proposal)


@EASY
@given(answers=ANSWERS)
def test_what_files_are_asked_for_is_what_functions_get_directly(tmp_path: Path, answers: Answers) -> None:
    """So the same answers give the same variables on AWS and in each kind of file, or a named remainder."""
    direct = states(plan_for(b.function("orders"), answers))[1].env
    wanted = asked(answers)
    apart = {name for name in wanted if BY_NAME[name].only not in (None, answers.via)}
    apart |= {name for name in wanted if BY_NAME[name].rule == "by_runtime"}
    assert {name: direct.get(name) for name in wanted if name not in apart} == {
        name: value for name, value in wanted.items() if name not in apart
    }
    # What answers leave at its default is asked of no file, and functions get it only as Datadog reads it.
    usual = {name: value for name, value in direct.items() if name in BY_NAME and name not in wanted}
    assert all(
        BY_NAME[name].rule in ("elsewhere", "by_runtime") or means({}, name, value) or name == "DD_SERVICE"
        for name, value in usual.items()
    )


@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_every_variable_that_is_asked_for_has_an_option(via: Via) -> None:
    from ddsetup.settings.table import SETTINGS

    rows = [row for row in VARIABLES if row.rule in ("asked", "merged") and row.only in (None, via)]
    assert rows
    assert [row.setting for row in rows if row.setting not in SETTINGS] == []
