"""Templates, images, snippets, and the way back: everything beside serverless.yml and packages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.project.changing_files import write_all
from ddsetup.project.iac import backup, cloudformation, dockerfile
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import AnswerMissing, Edit, Proposal
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.show import diff, masked
from tests.unit.project.test_iac_serverless import load
from tests.unit.project.test_iac_snippets import TF, source
from tests.unit.project.wishes import wish

ARN = "arn:aws:lambda:us-east-1:123456789012:function:datadog-forwarder"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:datadog-AbCdEf"
FORWARDER = wish(site="datadoghq.eu", via="forwarder")
EXTENSION = wish(site="datadoghq.eu", via="extension", key_source=("apiKeySecretArn", SECRET))
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

SAM = """AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31   # SAM
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.lambda_handler
      Runtime: nodejs20.x
      Environment: {Variables: {TABLE: !Ref Table, ARN: !GetAtt Table.Arn}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub "${AWS::StackName}-t"}
"""


def only(proposal: Proposal) -> Edit:
    assert len(proposal.edits) == 1, proposal
    return proposal.edits[0]


# SAM and CloudFormation


def test_the_macro_joins_the_transform_and_nothing_else_changes(tmp_path: Path) -> None:
    edit = only(cloudformation.propose(source(tmp_path, "template.yaml", SAM), FORWARDER))
    before, after = load(edit.before), load(edit.after)
    sam, macro = after.pop("Transform")
    assert before.pop("Transform") == sam == "AWS::Serverless-2016-10-31"
    assert macro["Name"] == "DatadogServerless"
    parameters = macro["Parameters"]
    assert parameters["addExtension"] is False
    assert parameters["nodeLayerVersion"] > 100
    assert "pythonLayerVersion" not in parameters
    assert after == before
    gone = set(edit.before.decode().splitlines()) - set(edit.after.decode().splitlines())
    assert gone == {"Transform: AWS::Serverless-2016-10-31   # SAM"}


def test_the_macro_takes_either_the_extension_or_a_forwarder(tmp_path: Path) -> None:
    text = SAM.replace("nodejs20.x", "python3.12")
    edit = only(cloudformation.propose(source(tmp_path, "template.yaml", text), EXTENSION))
    parameters = load(edit.after)["Transform"][1]["Parameters"]
    assert parameters["apiKeySecretArn"] == SECRET
    assert parameters["extensionLayerVersion"] > 90
    assert "forwarderArn" not in parameters
    wanted = wish(site="datadoghq.eu", via="forwarder", forwarders=(ARN,), region="us-east-1")
    unnamed = only(cloudformation.propose(source(tmp_path, "template.yaml", text), wanted))
    assert "forwarderArn" not in load(unnamed.after)["Transform"][1]["Parameters"], "would stop a new stack"
    text = text.replace("      Handler:", "      FunctionName: orders\n      Handler:")
    edit = only(cloudformation.propose(source(tmp_path, "template.yaml", text), wanted))
    parameters = load(edit.after)["Transform"][1]["Parameters"]
    assert parameters["forwarderArn"] == ARN
    assert parameters["stackName"] == ("Ref", "AWS::StackName")
    assert "extensionLayerVersion" not in parameters


@pytest.mark.parametrize(
    "transform",
    [
        "",
        "Transform: AWS::Serverless-2016-10-31\n",
        "Transform: [AWS::Serverless-2016-10-31]\n",
        "Transform:\n- AWS::Serverless-2016-10-31\n- Name: Other\n  Parameters: {a: !Ref B}\n",
        "Transform:\n    - 'AWS::Serverless-2016-10-31'\n    - AWS::LanguageExtensions\n",
        "Transform:\n  - Name: DatadogServerless\n    Parameters:\n      pythonLayerVersion: 10\n",
        "Transform:\n  - Name: DatadogServerless\n",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_way_to_write_transform(tmp_path: Path, transform: str, newline: str) -> None:
    text = SAM.replace("Transform: AWS::Serverless-2016-10-31   # SAM\n", transform).replace("\n", newline)
    edit = only(cloudformation.propose(source(tmp_path, "template.yml", text), FORWARDER))
    after = load(edit.after)
    names = [t if isinstance(t, str) else t["Name"] for t in after["Transform"]]
    assert names.count("DatadogServerless") == 1
    if "pythonLayerVersion: 10" in transform:
        assert after["Transform"][0]["Parameters"]["pythonLayerVersion"] == 10, "the user's version stays"
    if newline == "\r\n":
        assert not re.search(rb"(?<!\r)\n", edit.after)
    again = cloudformation.propose(source(tmp_path, "template.yml", edit.after.decode()), FORWARDER)
    assert again.edits == ()


def test_a_json_template_stays_json(tmp_path: Path) -> None:
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Runtime": "python3.12", "FunctionName": "orders"},
            }
        },
    }
    wanted = wish(site="datadoghq.com", via="forwarder", forwarders=(ARN,), region="us-east-1")
    text = json.dumps(template, indent=2)
    edit = only(cloudformation.propose(source(tmp_path, "template.json", text), wanted))
    after = json.loads(edit.after)
    assert after["Transform"][1]["Parameters"]["stackName"] == {"Ref": "AWS::StackName"}
    assert after["Resources"] == template["Resources"]


def test_a_conflict_with_what_the_macro_has_becomes_a_snippet(tmp_path: Path) -> None:
    block = "Transform:\n  - Name: DatadogServerless\n    Parameters:\n      forwarderArn: x\n      site: y\n"
    text = SAM.replace("Transform: AWS::Serverless-2016-10-31   # SAM\n", block)
    proposal = cloudformation.propose(source(tmp_path, "template.yml", text), EXTENSION)
    assert proposal.edits == ()
    assert "either the Extension or a Forwarder" in proposal.snippets[0].reason


def test_what_the_macro_does_not_cover_is_told(tmp_path: Path) -> None:
    text = (
        SAM
        + """  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, CodeSigningConfigArn: arn}
  Edge:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: edge.handler}
  Site:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        CacheBehaviors:
          - LambdaFunctionAssociations: [{LambdaFunctionARN: !Ref Edge.Version}]
"""
    )
    proposal = cloudformation.propose(source(tmp_path, "t.yml", text), FORWARDER)
    warnings = " ".join(proposal.warnings)
    assert "Dockerfile" in warnings
    assert "code signing" in warnings
    assert "Lambda@Edge" in warnings
    assert load(only(proposal).after)["Transform"][1]["Parameters"]["exclude"] == ["Edge"]


def test_state_machines_get_the_forwarder(tmp_path: Path) -> None:
    text = SAM + "  Flow:\n    Type: AWS::Serverless::StateMachine\n"
    told = cloudformation.propose(source(tmp_path, "t.yml", text), FORWARDER).warnings
    assert any("Step Functions" in warning for warning in told)
    wanted = wish(
        site="datadoghq.eu",
        via="extension",
        key_source=("apiKeySecretArn", SECRET),
        forwarders=(ARN,),
        region="us-east-1",
    )
    proposal = cloudformation.propose(source(tmp_path, "t.yml", text), wanted)
    parameters = load(only(proposal).after)["Transform"][1]["Parameters"]
    assert parameters["stepFunctionForwarderArn"] == ARN
    assert "forwarderArn" not in parameters
    assert proposal.warnings == ()


@pytest.mark.parametrize("odd", ["x", "[a]", "{Datadog: x}", "{Datadog: {Parameters: x}}"])
def test_settings_of_the_macro_that_are_odd_are_left_to_a_hand(tmp_path: Path, odd: str) -> None:
    listed = f"Transform: [AWS::Serverless-2016-10-31, DatadogServerless]\n{SAM[SAM.index('Resources:') :]}"
    proposal = cloudformation.propose(source(tmp_path, "t.yml", f"Mappings: {odd}\n{listed}"), FORWARDER)
    assert proposal.edits == ()
    assert "is not a mapping" in proposal.snippets[0].reason
    fine = "Mappings: {Datadog: {Parameters: {site: datadoghq.eu}}}\n"
    edit = only(cloudformation.propose(source(tmp_path, "t.yml", fine + listed), FORWARDER))
    assert load(edit.after)["Mappings"]["Datadog"]["Parameters"]["addExtension"] is False


# Container images

DOCKER = """FROM public.ecr.aws/lambda/python:3.12 AS build
RUN true
CMD ["not.this"]
FROM public.ecr.aws/lambda/python:3.12
COPY --from=build app.py ${LAMBDA_TASK_ROOT}
CMD [ "app.handler" ]
"""


def test_an_image_gets_the_library_and_the_handler_of_the_last_stage(tmp_path: Path) -> None:
    edit = only(dockerfile.propose(source(tmp_path, "Dockerfile", DOCKER), EXTENSION))
    lines = edit.after.decode().splitlines()
    assert lines[:5] == DOCKER.splitlines()[:5]
    assert 'ENV DD_LAMBDA_HANDLER="app.handler"' in lines
    assert f'ENV DD_API_KEY_SECRET_ARN="{SECRET}"' in lines
    assert any(
        re.match(r"COPY --from=public.ecr.aws/datadog/lambda-extension:\d+ /opt/. /opt/", x) for x in lines
    )
    assert any(line.startswith("RUN pip install") for line in lines)
    assert lines[-1] == 'CMD ["datadog_lambda.handler.handler"]'
    again = dockerfile.propose(source(tmp_path, "Dockerfile", edit.after.decode()), EXTENSION)
    assert (again.edits, again.warnings) == ((), ())


def test_no_extension_is_put_into_an_image_without_its_site(tmp_path: Path) -> None:
    with pytest.raises(AnswerMissing, match="site") as caught:
        dockerfile.propose(source(tmp_path, "Dockerfile", DOCKER), wish(via="extension"))
    assert caught.value.where.endswith("Dockerfile")
    edit = only(dockerfile.propose(source(tmp_path, "Dockerfile", DOCKER), wish(via="forwarder")))
    assert "DD_SITE" not in edit.after.decode(), "the Forwarder has it, the function needs none"


def test_the_command_of_an_earlier_stage_does_not_count(tmp_path: Path) -> None:
    text = DOCKER.replace('CMD [ "app.handler" ]\n', "")
    proposal = dockerfile.propose(source(tmp_path, "Dockerfile", text), FORWARDER)
    assert proposal.edits == ()
    assert "there is no CMD" in proposal.snippets[0].reason


def test_an_image_of_node_gets_the_handler_of_the_bundled_library(tmp_path: Path) -> None:
    text = 'FROM public.ecr.aws/lambda/nodejs:20\nCMD ["index.handler"]\n'
    after = only(dockerfile.propose(source(tmp_path, "Dockerfile", text), FORWARDER)).after.decode()
    assert 'CMD ["node_modules/datadog-lambda-js/dist/handler.handler"]' in after
    assert "RUN npm install datadog-lambda-js dd-trace" in after
    assert "lambda-extension" not in after


@pytest.mark.parametrize("command", ["", "CMD app.handler\n", 'CMD ["/entry.sh"]\n'])
def test_an_image_whose_handler_is_not_plain_gets_a_snippet(tmp_path: Path, command: str) -> None:
    text = f"FROM public.ecr.aws/lambda/python:3.12\n{command}"
    proposal = dockerfile.propose(source(tmp_path, "Dockerfile", text), FORWARDER)
    assert proposal.edits == ()
    assert "datadog_lambda.handler.handler" in proposal.snippets[0].text


def test_an_image_that_is_redirected_without_the_original_is_told(tmp_path: Path) -> None:
    text = 'FROM public.ecr.aws/lambda/python:3.12\nCMD ["datadog_lambda.handler.handler"]\n'
    warnings = dockerfile.propose(source(tmp_path, "Dockerfile", text), FORWARDER).warnings
    assert "DD_LAMBDA_HANDLER" in warnings[0]


# Finding files, and the way back


@pytest.mark.parametrize("name", ["template.yaml", "main.tf"])
def test_nothing_is_guessed_about_the_site(tmp_path: Path, name: str) -> None:
    source(tmp_path, name, SAM if name.endswith("yaml") else TF)
    with pytest.raises(AnswerMissing):
        propose(detect(tmp_path), wish())


def test_a_project_is_told_by_its_files(tmp_path: Path) -> None:
    for name, text in {
        "a/serverless.yml": "service: a\n",
        "b/serverless.ts": "export default {}\n",
        "template.yaml": SAM,
        "compose.yaml": "services: {}\n",
        "c/cdk.json": "{}",
        "main.tf": TF,
        "network.tf": 'resource "aws_vpc" "x" {}\n',
        "img/Dockerfile": DOCKER,
        "web/Dockerfile": "FROM nginx\n",
        "node_modules/x/serverless.yml": "service: not-ours\n",
        ".chalice/config.json": "{}",
        "requirements.txt": "",
    }.items():
        source(tmp_path, name, text)
    project = detect(tmp_path)
    found = {project.name(file.path): file.kind for file in project.files}
    assert found == {
        "a/serverless.yml": "serverless",
        "b/serverless.ts": "serverless_code",
        "template.yaml": "cloudformation",
        "c/cdk.json": "cdk",
        "main.tf": "terraform",
        "img/Dockerfile": "dockerfile",
        ".chalice/config.json": "chalice",
        "requirements.txt": "requirements",
    }


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        detect(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no file of a deployment tool"):
        detect(source(tmp_path, "notes.txt", "").path)


def edit(path: Path, after: bytes) -> Edit:
    return Edit(path, path.read_bytes(), after)


def test_files_are_given_back_to_the_byte(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9"
    path = tmp_path / "serverless.yml"
    path.write_bytes(raw)
    path.chmod(0o640)
    write_all(tmp_path / "state", tmp_path, [edit(path, b"new")], NOW)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    run = backup.newest(tmp_path / "state", tmp_path)
    assert backup.give_back(run) == ((path, ""),)
    assert path.read_bytes() == raw
    with pytest.raises(UsageError, match="nothing to give back"):
        backup.newest(tmp_path / "state", tmp_path)


def test_a_file_that_was_changed_since_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    write_all(tmp_path / "state", tmp_path, [edit(path, b"2")], NOW)
    path.write_bytes(b"3")
    ((_path, reason),) = backup.give_back(backup.newest(tmp_path / "state", tmp_path))
    assert "changed since" in reason
    assert path.read_bytes() == b"3"


def test_a_file_that_a_program_made_goes_again(tmp_path: Path) -> None:
    path, lock = tmp_path / "a", tmp_path / "package-lock.json"
    path.write_bytes(b"1")
    run = write_all(tmp_path / "state", tmp_path, [edit(path, b"2")], NOW, {lock: None})
    lock.write_bytes(b"{}")
    backup.give_back(backup.finish(run))
    assert not lock.exists()


def test_all_files_are_changed_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"1")
    second.write_bytes(b"1")
    edits = [edit(first, b"2"), edit(second, b"2")]
    second.write_bytes(b"somebody else")
    with pytest.raises(DdsetupError, match="in the meantime"):
        write_all(tmp_path / "state", tmp_path, edits, NOW)
    assert first.read_bytes() == b"1"
    second.write_bytes(b"1")
    second.chmod(0o444)
    first.write_bytes(b"1")
    with pytest.raises(UsageError, match="read-only"):
        write_all(tmp_path / "state", tmp_path, edits, NOW)
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"1")


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yml", tmp_path / "serverless.yml"
    real.write_bytes(b"1")
    link.symlink_to(real)
    write_all(tmp_path / "state", tmp_path, [edit(link, b"2")], NOW)
    assert link.is_symlink()
    assert real.read_bytes() == b"2"


# What is shown


@pytest.mark.parametrize(
    "line",
    [
        "  apiKey: hunter2",
        "+  DB_PASSWORD: 'x y'",
        '   "apiToken": "abc",',
        "- x: 0123456789abcdef0123456789abcdef",
    ],
)
def test_values_that_may_be_secret_are_masked(line: str) -> None:
    shown = masked(line)
    assert "****" in shown
    for secret in ("hunter2", "x y", '"abc"', "0123456789abcdef"):
        assert secret not in shown


@pytest.mark.parametrize(
    "line", ["  apiKeySecretArn: ${ssm:/a}", f"  apiKeySecretArn: {SECRET}", "  stage: dev"]
)
def test_references_are_shown(line: str) -> None:
    assert masked(line) == line


def test_a_diff_shows_names_and_lines(tmp_path: Path) -> None:
    project = detect(source(tmp_path, "serverless.yml", "service: a\n").path)
    shown = diff(project, Edit(tmp_path / "serverless.yml", b"service: a\n", b"service: a\nx: 1\n"))
    assert shown.startswith("--- a/serverless.yml\n+++ b/serverless.yml\n")
    assert shown.endswith("+x: 1\n")
