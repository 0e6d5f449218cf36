"""Templates of every shape through the rules of Datadog's macro: what is written can be deployed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import cloudformation
from tests.unit.project.macro_rules import DOTNET, JAVA, NODE, PYTHON, RUBY, Stops, deploy
from tests.unit.project.test_iac_snippets import source
from tests.unit.project.wishes import wish

FORWARDER_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:datadog-forwarder"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-AbCdEf"
WAYS = {
    "default": wish(site="datadoghq.eu", region="eu-west-1"),
    "forwarder": wish(site="datadoghq.com", via="forwarder", region="eu-west-1", forwarders=(FORWARDER_ARN,)),
    "extension": wish(
        site="us5.datadoghq.com",
        via="extension",
        region="eu-west-1",
        key_source=("apiKeySecretArn", SECRET),
    ),
}
TEMPLATES = 100
"""For each way: 300 in all."""
PUBLISHED = {
    name: set(range(1, number + 1))
    for name in catalog.layer_names()
    if (number := catalog.baseline_version(name, "eu-west-1")) is not None
}


def shape(random: Random) -> dict[str, Any]:
    """A template as people publish them: functions of all kinds, named or not, beside logs and CloudFront."""
    functions = {f"F{n}": function(random, n) for n in range(random.randrange(1, 4))}
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {
            "Runtime": {"Type": "String", "Default": random.choice([*PYTHON, *NODE])},
            "Architecture": {"Type": "String", "Default": random.choice(["arm64", "x86_64"])},
        },
        "Resources": functions,
    }
    if random.random() < 0.3:
        template["Globals"] = {"Function": {"Runtime": random.choice([*PYTHON, *NODE, *RUBY])}}
    if random.random() < 0.3:
        group = {"LogGroupName": random.choice([{"Fn::Sub": "/aws/lambda/${F0}"}, "/aws/lambda/name0"])}
        properties = random.choice([group, {"RetentionInDays": 7}])
        functions["Logs"] = {"Type": "AWS::Logs::LogGroup", "Properties": properties}
    return template


def function(random: Random, number: int) -> dict[str, Any]:
    """One function."""
    kind = random.choice(["AWS::Serverless::Function", "AWS::Serverless::Function", "AWS::Lambda::Function"])
    runtimes = (*PYTHON, *NODE, *RUBY, *JAVA, *DOTNET, "provided.al2023", "nodejs26.x", {"Ref": "Runtime"})
    own: dict[str, Any] = {"Runtime": random.choice(runtimes), "Handler": "app.handler"}
    if random.random() < 0.1:
        own = {"PackageType": "Image"}
    extras: list[dict[str, Any]] = [
        {"FunctionName": f"name{number}"},
        {"FunctionName": {"Fn::Sub": "${AWS::StackName}-f"}},
        {"Architectures": ["arm64"]},
        {"Architectures": [{"Ref": "Architecture"}]},
        {"Architectures": [{"Fn::If": ["Arm", "arm64", "x86_64"]}]},
        {"Layers": [f"arn:aws:lambda:eu-west-1:123456789012:layer:own{n}:1" for n in range(4)]},
        {"Layers": ["arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python312:90"]},
        {"Layers": {"Fn::Split": [",", {"Ref": "Layers"}]}},
        {"Environment": {"Variables": {"TABLE": {"Ref": "Table"}}}},
        {"Environment": {"Fn::If": ["A", {"Variables": {}}, {"Ref": "AWS::NoValue"}]}},
        {"Environment": {"Variables": {"Fn::If": ["A", {}, {}]}}},
        {"Handler": "datadog_lambda.handler.handler"},
    ]
    if kind == "AWS::Lambda::Function":
        extras.append({"Tags": {"Fn::If": ["A", [], []]}})
    for extra in random.sample(extras, random.choice([0, 0, 1, 1, 2])):
        own |= extra
    if own.get("PackageType") != "Image" and random.random() < 0.1:
        own.pop("Runtime")
        own |= {"Runtime": "python3.12"} if kind == "AWS::Lambda::Function" else {}
    return {"Type": kind, "Properties": own}


@pytest.mark.parametrize("way", WAYS)
def test_no_template_that_is_written_stops_its_deployment(tmp_path: Path, way: str) -> None:
    changed = 0
    for number in range(TEMPLATES):
        template = shape(Random(f"{way}-{number}"))
        proposal = cloudformation.propose(
            source(tmp_path, f"{number}.json", json.dumps(template, indent=2)), WAYS[way]
        )
        assert proposal.snippets == ()
        for edit in proposal.edits:
            changed += 1
            try:
                deploy(json.loads(edit.after), PUBLISHED)
            except Stops as reason:
                pytest.fail(f"{way} {number}: {reason}\n{edit.after.decode()}\n{proposal.warnings}")
    assert changed > TEMPLATES / 2


def test_the_rules_stop_what_was_written_without_looking() -> None:
    """The referee itself: a template with the macro's defaults and nothing else does not pass."""
    stopped = 0
    for number in range(TEMPLATES):
        template = shape(Random(number))
        parameters = {"site": "datadoghq.eu", "pythonLayerVersion": 127, "forwarderArn": FORWARDER_ARN}
        template["Transform"] = [
            template["Transform"],
            {"Name": "DatadogServerless", "Parameters": parameters},
        ]
        try:
            deploy(template, PUBLISHED)
        except Stops:
            stopped += 1
    assert stopped > TEMPLATES * 0.8
