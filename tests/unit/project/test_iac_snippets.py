"""What is put in by hand: lines of Terraform and of the CDK, exact for the functions that were found."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import cdk, terraform
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Wanted
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import Source, read_source
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER

TF = """resource "aws_lambda_function" "checkout" {
  handler       = "app.handler"  # ours
  runtime       = "python3.12"
  architectures = ["arm64"]
  layers        = [aws_lambda_layer_version.deps.arn]
  environment { variables = { A = "{" } }
}
resource "aws_lambda_function" "done" {
  handler = "datadog_lambda.handler.handler"
}
resource "aws_lambda_function" "java" {
  runtime = "java21"
}
resource "aws_lambda_function" "image" {
  package_type = "Image"
}
"""
MODULE = """module "shop" {
  source  = "terraform-aws-modules/lambda/aws"
  handler = "app.handler"  # ours
  runtime = "nodejs22.x"
  environment_variables = {
    A = "1" # } not the end
  }
}
module "network" {
  source  = "terraform-aws-modules/vpc/aws"
  handler = "no.function"
}
"""


def source(folder: Path, name: str, text: str) -> Source:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return read_source(path)


def lines_for(folder: Path, text: str, wanted: Wanted = FORWARDER) -> str:
    return terraform.propose(source(folder, "main.tf", text), wanted).snippets[0].text


def newest(layer: str) -> str:
    return f':layer:{layer}:{catalog.baseline_version(layer, "us-east-1")}"'


def test_terraform_has_each_function_with_versions(tmp_path: Path) -> None:
    text = lines_for(tmp_path, TF, EXTENSION)
    assert newest("Datadog-Python312-ARM") in text
    assert newest("Datadog-Extension-ARM") in text
    assert newest("dd-trace-java") in text
    assert newest("Datadog-Extension") in text
    assert "concat([aws_lambda_layer_version.deps.arn], [" in text
    assert re.search(r'DD_LAMBDA_HANDLER\s+= "app.handler"\n', text)
    assert '"done"' not in text
    assert "aws_lambda_function.image is a container image" in text


def test_layers_over_several_lines_are_carried_over(tmp_path: Path) -> None:
    layers = '[\n    local.a, # ] first\n    "${var.b["x"]}:1",\n  ]'
    text = lines_for(tmp_path, TF.replace("[aws_lambda_layer_version.deps.arn]", layers))
    assert f"layers = concat({layers}, [\n" in text


def test_what_stands_in_a_block_of_a_function_is_none_of_its_arguments(tmp_path: Path) -> None:
    text = lines_for(tmp_path, TF.replace('A = "{"', 'layers = "x"\n handler = "y"'))
    assert re.search(r'DD_LAMBDA_HANDLER\s+= "app.handler"\n', text)


def test_functions_of_the_community_module_get_its_arguments(tmp_path: Path) -> None:
    assert [file.kind for file in detect(source(tmp_path, "main.tf", MODULE).path).files] == ["terraform"]
    text = lines_for(tmp_path, MODULE)
    assert 'module "shop" {' in text
    assert "network" not in text
    assert 'environment_variables = merge({\n    A = "1" # } not the end\n  }, {' in text
    assert newest("Datadog-Node22-x") in text


def test_files_of_one_directory_declare_the_region_once(tmp_path: Path) -> None:
    for name in ("a.tf", "b.tf", "other/c.tf"):
        source(tmp_path, name, TF)
    found = propose(detect(tmp_path), FORWARDER)
    assert [snippet.text.count('data "aws_region"') for snippet in found.snippets] == [1, 0, 1]


def test_layers_of_other_partitions_are_of_their_own_account(tmp_path: Path) -> None:
    wanted = Wanted(site="ddog-gov.com", via="forwarder", region="us-gov-west-1")
    text = lines_for(tmp_path, TF, wanted)
    assert (
        f'"arn:aws-us-gov:lambda:${{data.aws_region.datadog.name}}:{catalog.LAYER_ACCOUNTS["aws-us-gov"]}:'
        in text
    )


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_terraform_can_parse_the_snippet(tmp_path: Path, wanted: Wanted) -> None:
    text = lines_for(tmp_path, TF + MODULE, wanted)
    done = subprocess.run(
        ["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


# CDK


def app(folder: Path, command: str, name: str, text: str) -> Path:
    source(folder, name, text)
    return source(folder, "cdk.json", json.dumps({"app": command})).path


def test_cdk_in_python_is_python_with_the_functions(tmp_path: Path) -> None:
    code = (
        "self.hello = lambda_.Function(self, 'H', runtime=lambda_.Runtime.PYTHON_3_12)\n"
        "other = PythonFunction(self, 'O')\nimage = DockerImageFunction(self, 'I')\n"
        "lambda_.Function(self, 'Nameless')\n"
    )
    text = cdk.propose(app(tmp_path, "python3 app.py", "stack.py", code), EXTENSION).snippets[0].text
    call = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert given == {
        "python_layer_version": catalog.baseline_version("Datadog-Python313", "us-east-1"),
        "extension_layer_version": catalog.baseline_version("Datadog-Extension", "us-east-1"),
        "site": "datadoghq.eu",
        "api_key_secret_arn": EXTENSION.key_source and EXTENSION.key_source[1],
    }
    assert "add_lambda_functions([self.hello, other])" in text
    assert "# container images get their lines in the Dockerfile: image" in text
    assert "# 1 function has no variable" in text


def test_cdk_in_typescript_names_functions_as_they_are_reached(tmp_path: Path) -> None:
    code = (
        'const hello: lambda.Function = new lambda.Function(this, "H", {runtime: Runtime.NODEJS_22_X});\n'
        'this.bye = new NodejsFunction(this, "B");\n'
    )
    path = app(tmp_path, "npx ts-node bin/a.ts", "lib/s.ts", code)
    source(tmp_path, "node_modules/x/index.ts", 'const no = new lambda.Function(this, "N", {});\n')
    text = cdk.propose(path, FORWARDER).snippets[0].text
    assert "addLambdaFunctions([hello, this.bye])" in text
    assert re.search(r"nodeLayerVersion: \d+", text)
    assert "pythonLayerVersion" not in text
    source(tmp_path, "lib/s.ts", 'import { DatadogLambda } from "datadog-cdk-constructs-v2";\n')
    assert cdk.propose(path, FORWARDER).settled == (path,)


def test_cdk_in_javascript_requires_the_package(tmp_path: Path) -> None:
    code = 'const hello = new Function(this, "H", {});\n'
    text = cdk.propose(app(tmp_path, "node bin/a.js", "lib/s.js", code), FORWARDER).snippets[0].text
    assert 'const { DatadogLambda } = require("datadog-cdk-constructs-v2");' in text
    assert "addLambdaFunctions([hello])" in text
    assert re.search(r"pythonLayerVersion: \d+,\n  nodeLayerVersion: \d+", text), "no runtime is named"


def test_cdk_in_another_language_says_so(tmp_path: Path) -> None:
    (snippet,) = cdk.propose(app(tmp_path, "go run shop.go", "shop.go", ""), FORWARDER).snippets
    assert "`go run shop.go`" in snippet.reason
