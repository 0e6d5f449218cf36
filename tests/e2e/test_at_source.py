"""Functions that a stack owns, changed in the project that they come from: by keyboard and by flag."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ddsetup.plan.steps.api_key import SECRET_NAME, SITE_TAG
from ddsetup.sandbox import aws
from ddsetup.sandbox.layers import placeholder_archive
from ddsetup.sandbox.model import LAYER_ACCOUNT, OPERATOR, Keys
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.terminal import ENTER, Terminal
from tests.e2e.world import operator_policy

pytestmark = pytest.mark.e2e

TEMPLATE = """AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Shop:  # the logical id that CloudFormation tagged the function with
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.12, Handler: index.handler, Role: !GetAtt Role.Arn, Code: src/}
"""
QUESTIONS = ("Use these settings?",)


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    """An account with a function of the stack coffee-web, and all rights for both ways of sending."""
    found = open_place("stack-owned")
    macro = {"Effect": "Allow", "Action": "*", "Resource": "*datadog-serverless-macro*"}
    policies = {
        "both": operator_policy(("us-east-1",), "extension"),
        "macro": {"Version": "2012-10-17", "Statement": [macro]},
    }
    for name, policy in policies.items():
        document = json.dumps(policy)
        found.world.client("iam").put_user_policy(UserName=OPERATOR, PolicyName=name, PolicyDocument=document)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The directory that the stack is deployed from, committed."""
    root = tmp_path / "web"
    root.mkdir()
    (root / "template.yaml").write_text(TEMPLATE)
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)
    return root


def handler(place: Place) -> str:
    return str(place.world.functions()["owned-by-stack"]["Handler"])


def test_with_the_extension_the_file_names_the_secret_that_was_just_made(place: Place, project: Path) -> None:
    wanted = ("--region", "us-east-1", "--all", "--via", "extension", "--owned", "source", "--no-verify")
    planned = place.cli("setup", *wanted, "--dry-run", "-o", "json", cwd=project)
    assert "datadog-api-key-XXXXXX" in planned.json["data"]["source"]["files"][0]["diff"]
    done = place.cli("setup", *wanted, "--yes", "-o", "json", cwd=project)
    assert done.code == 0
    assert done.json["data"]["source"]["files"][0]["status"] == "changed"
    (secret,) = place.world.client("secretsmanager").list_secrets()["SecretList"]
    assert f"apiKeySecretArn: {secret['ARN']}" in (project / "template.yaml").read_text()
    assert done.outcomes("role_policy"), "nothing lets the function's role read the key"
    assert handler(place) == "index.handler"
    place.cli("iac", "--undo", "--yes", cwd=project)


def test_the_newest_layer_goes_into_the_file_when_it_is_asked_for(place: Place, project: Path) -> None:
    datadogs = aws.client("lambda", place.sandbox.aws_endpoint_url, "us-east-1", Keys(LAYER_ACCOUNT, "x"))
    layer = {"LayerName": "Datadog-Python312"}
    number = datadogs.publish_layer_version(**layer, Content={"ZipFile": placeholder_archive("newer")})[
        "Version"
    ]
    everyone = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    datadogs.add_layer_version_permission(**layer, VersionNumber=number, **everyone)
    wanted = ("--region", "us-east-1", "--all", "--via", "forwarder", "--owned", "source", "--dry-run")
    for asked, there in (("latest", True), ("baseline", False)):
        planned = place.cli("setup", *wanted, "--layer-version", asked, "-o", "json", cwd=project)
        diff = planned.json["data"]["source"]["files"][0]["diff"]
        assert (f"pythonLayerVersion: {number}" in diff) is there


def test_the_change_at_the_source_is_offered_first_where_the_project_is(place: Place, project: Path) -> None:
    template = project / "template.yaml"
    with Terminal(place.cli, "setup", "--region", "us-east-1", "--all", cwd=project) as terminal:
        for question in QUESTIONS:
            terminal.answer(question)
        terminal.until("A deployment tool manages some of them").until("all the same")
        assert terminal.seen.index("template.yaml in this directory") < terminal.seen.index("all the same")
        terminal.press(ENTER)
        terminal.answer("Carry this out?")
        assert template.read_text() == TEMPLATE
        terminal.until("Change these files?")
        assert "+ - Name: DatadogServerless" in terminal.text
        terminal.press("y")
        terminal.answer("Datadog's macro is missing in us-east-1", "n")
        assert terminal.end(150) == 0
        for said in (
            "template.yaml: changed",
            "aws cloudformation deploy --template-file template.yaml --stack-name coffee-web",
            "aws cloudformation create-stack --stack-name datadog-serverless-macro",
            "ddsetup verify --stack coffee-web",
            "ddsetup undo",
        ):
            assert said in terminal.text
    assert "Name: DatadogServerless" in template.read_text()
    assert handler(place) == "index.handler"
    assert place.cli("iac", "--undo", "--yes", cwd=project).code == 0
    assert template.read_text() == TEMPLATE


def test_who_says_no_to_the_files_keeps_them_and_is_told_the_way(place: Place, project: Path) -> None:
    with Terminal(
        place.cli, "setup", "--region", "us-east-1", "--all", "--owned", "source", cwd=project
    ) as terminal:
        for question in QUESTIONS:
            terminal.answer(question)
        terminal.answer("Change these files?", "n")
        assert terminal.end(150) == 0
        assert "the project's files are as they were (nothing was changed)" in terminal.text
        assert "ddsetup iac" in terminal.text
    assert (project / "template.yaml").read_text() == TEMPLATE


def test_nothing_is_written_where_the_files_could_not_be(place: Place, project: Path, tmp_path: Path) -> None:
    wanted = ("setup", "--region", "us-east-1", "--all", "--owned", "source", "--yes", "--env", "prod")
    writes = place.world.operator_writes()
    (tmp_path / "else").mkdir()
    elsewhere = place.cli(*wanted, cwd=tmp_path / "else")
    assert elsewhere.code == 2
    assert "no project of CloudFormation that deploys them is in this directory" in elsewhere.stderr
    (project / "notes.txt").write_text("not committed")
    for directory in (project, tmp_path):
        dirty = place.cli(*wanted, cwd=directory)
        assert dirty.code == 2
        assert "uncommitted" in dirty.stderr
    assert place.world.operator_writes() == writes


def test_the_macro_is_deployed_where_it_is_missing_if_that_is_wanted(place: Place, project: Path) -> None:
    wanted = ("iac", "--site", "US1", "--region", "us-east-1")
    left = place.cli(*wanted, "--yes", "-o", "json", cwd=project)
    assert left.json["data"]["macro"]["state"] == "missing"
    assert "datadog-serverless-macro" not in place.world.stacks()
    with Terminal(place.cli, *wanted, "--allow-dirty", cwd=project) as terminal:
        terminal.answer("Datadog's macro is missing in us-east-1. Deploy its stack", "n")
        assert terminal.end() == 0
        assert "aws cloudformation create-stack" in terminal.text
    done = place.cli(*wanted, "--allow-dirty", "--install", "-o", "json", cwd=project)
    assert done.json["data"]["macro"]["state"] == "deployed", done.stderr
    assert place.world.stacks()["datadog-serverless-macro"] == "CREATE_COMPLETE"
    again = place.cli(*wanted, "--allow-dirty", "--install", "-o", "json", cwd=project)
    assert again.json["data"]["macro"]["state"] == "installed"
    assert place.cli("undo", done.json["data"]["macro"]["run"], "--yes").code == 0
    assert "datadog-serverless-macro" not in place.world.stacks()


def test_the_file_names_the_secret_of_its_own_site(place: Place, project: Path) -> None:
    """The plain one holds the key of another site, so this one's is made beside it."""
    secrets = place.world.client("secretsmanager")
    if not secrets.list_secrets()["SecretList"]:
        secrets.create_secret(Name=SECRET_NAME, SecretString="of another site", Tags=[])
    secrets.tag_resource(SecretId=SECRET_NAME, Tags=[{"Key": SITE_TAG, "Value": "datadoghq.eu"}])
    wanted = ("--region", "us-east-1", "--all", "--via", "extension", "--owned", "source", "--no-verify")
    planned = place.cli("setup", *wanted, "--dry-run", "-o", "json", cwd=project)
    (file,) = planned.json["data"]["source"]["files"]
    assert f"secret:{SECRET_NAME}/datadoghq.com-XXXXXX" in file["diff"]


def test_a_file_whose_tool_needs_a_key_names_none_that_is_not_made(place: Place, project: Path) -> None:
    """Without a key no secret is made, and Datadog's macro has no setting for the organisation."""
    wanted = ("--region", "us-east-1", "--all", "--via", "extension", "--owned", "source", "--no-verify")
    planned = place.cli("setup", *wanted, "--key-source", "wif", "--dry-run", "-o", "json", cwd=project)
    assert "datadog-api-key" not in str(planned.json["data"].get("source"))
    assert "no setting for DD_ORG_UUID" in planned.stdout + planned.stderr
