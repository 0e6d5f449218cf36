"""What is put in by hand: lines of Terraform and of the CDK, exact for the functions that were found."""

from __future__ import annotations

import ast
import difflib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import cdk, hcl, terraform
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import BrokenFile, Proposal, Wish
from ddsetup.project.iac.propose import propose
from ddsetup.project.iac.source import Source, read_source
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER
from tests.unit.project.wishes import wish

TF = """resource "aws_lambda_function" "checkout" {
  handler       = "app.handler"  # ours
  runtime       = "python3.12"
  architectures = ["arm64"]
  layers        = [aws_lambda_layer_version.deps.arn]
  environment {
    variables = { A = "{" }
  }
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


def written(folder: Path, text: str, wanted: Wish = FORWARDER) -> str:
    """The file as it would be, or the lines for a hand where nothing in it is certain."""
    path = source(folder, "main.tf", text).path
    proposal = terraform.propose(folder, (path,), wanted)
    return proposal.edits[0].after.decode() if proposal.edits else proposal.snippets[0].text


def newest(layer: str, region: str = "us-east-1") -> str:
    return f':layer:{layer}:{catalog.baseline_version(layer, region)}"'


def test_terraform_has_each_function_with_versions(tmp_path: Path) -> None:
    text = written(tmp_path, TF, EXTENSION)
    assert newest("Datadog-Python312-ARM") in text
    assert newest("Datadog-Extension-ARM") in text
    assert newest("dd-trace-java") in text
    assert newest("Datadog-Extension") in text
    assert re.search(r'DD_LAMBDA_HANDLER\s+= "app.handler"\n', text)
    assert text.count("datadog_lambda.handler.handler") == 2, "the one of a hand stays the only one"
    assert text.count('package_type = "Image"') == 1
    path = source(tmp_path, "main.tf", TF).path
    warnings = " ".join(terraform.propose(tmp_path, (path,), EXTENSION).warnings)
    assert "aws_lambda_function.image" in warnings
    assert "Dockerfile" in warnings


@pytest.mark.parametrize(
    ("layers", "after"),
    [
        ("[local.a]", "[local.a, LAYER]"),
        ("[]", "[LAYER]"),
        ("[local.a, ]", "[local.a, LAYER]"),
        ('[\n    local.a, # ] first\n    "${var.b["x"]}:1"\n  ]', None),
    ],
)
def test_layers_join_the_list_that_is_there(tmp_path: Path, layers: str, after: str | None) -> None:
    wanted = wish(site="datadoghq.eu", via="forwarder", region="us-east-1")
    text = written(tmp_path, TF.replace("[aws_lambda_layer_version.deps.arn]", layers), wanted)
    arn = re.search(r'"arn:aws:lambda:us-east-1:\d+:layer:Datadog-Python312-ARM:\d+"', text)
    assert arn is not None
    if after is None:
        after = f'[\n    local.a, # ] first\n    "${{var.b["x"]}}:1",\n    {arn[0]},\n  ]'
    assert f"layers        = {after.replace('LAYER', arn[0])}\n" in text


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("[aws_lambda_layer_version.deps.arn]", "concat(local.shared, [])"),
        ("[aws_lambda_layer_version.deps.arn]", "[for each in var.layers : each]"),
        ('"python3.12"', "var.runtime"),
        ('["arm64"]', "var.architectures"),
        ('{ A = "{" }', "merge(var.env, {})"),
    ],
)
def test_what_is_computed_is_left_to_a_hand_with_the_lines(tmp_path: Path, before: str, reason: str) -> None:
    text = TF.replace(before, reason, 1)
    path = source(tmp_path, "main.tf", text).path
    proposal = terraform.propose(tmp_path, (path,), FORWARDER)
    assert proposal.edits == ()
    assert "aws_lambda_function.checkout" in proposal.snippets[0].reason


def test_a_runtime_by_variable_is_its_default(tmp_path: Path) -> None:
    text = TF.replace('"nodejs22.x"', "var.runtime").replace('"python3.12"', "var.r")
    source(tmp_path, "vars.tf", 'variable "r" {\n  type = string\n  default = "ruby2.5"\n}\n')
    path = source(tmp_path, "main.tf", text).path
    warnings = " ".join(terraform.propose(tmp_path, (path,), FORWARDER).warnings)
    assert "ruby2.5" in warnings


def test_functions_of_the_community_module_get_its_arguments(tmp_path: Path) -> None:
    assert [file.kind for file in detect(source(tmp_path, "main.tf", MODULE).path).files] == ["terraform"]
    text = written(tmp_path, MODULE)
    assert text.count("DD_LAMBDA_HANDLER") == 1
    assert '    A = "1" # } not the end\n\n    DD_LAMBDA_HANDLER' in text
    assert newest("Datadog-Node22-x") in text
    assert MODULE[MODULE.index('module "network"') :] in text


def test_aliases_and_layers_of_the_community_module_are_no_functions(tmp_path: Path) -> None:
    text = """module "live" {
  source        = "terraform-aws-modules/lambda/aws//modules/alias"
  function_name = module.shop.lambda_function_name
}
module "libs" {
  source          = "terraform-aws-modules/lambda/aws"
  create_function = false
  create_layer    = true
}
/*
resource "aws_lambda_function" "gone" {
  runtime = "python3.9"
}
*/
"""
    path = source(tmp_path, "main.tf", text).path
    assert terraform.propose(tmp_path, (path,), FORWARDER) == Proposal(settled=(path,))


@pytest.mark.parametrize(
    "origin", ["DataDog/lambda-datadog/aws", "git::https://github.com/DataDog/terraform-aws-lambda-datadog"]
)
def test_datadogs_own_module_is_as_wanted(tmp_path: Path, origin: str) -> None:
    path = source(tmp_path, "shop.tf", f'module "x" {{\n  source = "{origin}"\n}}\n').path
    assert propose(detect(tmp_path), FORWARDER) == Proposal(settled=(path,))


def test_a_layer_of_datadog_that_is_there_is_the_only_one(tmp_path: Path) -> None:
    layer = '"arn:aws:lambda:eu-west-3:464622532012:layer:Datadog-Python312-ARM:88"'
    text = written(tmp_path, TF.replace("aws_lambda_layer_version.deps.arn", layer))
    assert text.count(":layer:Datadog-Python312-ARM:") == 1
    assert layer in text


def test_a_function_of_cloudfront_is_left_alone(tmp_path: Path) -> None:
    distribution = """resource "aws_cloudfront_distribution" "site" {
  ordered_cache_behavior {
    lambda_function_association {
      event_type = "origin-response"
      lambda_arn = aws_lambda_function.checkout.qualified_arn
    }
  }
}
"""
    source(tmp_path, "cdn.tf", distribution)
    path = source(tmp_path, "main.tf", TF).path
    proposal = terraform.propose(tmp_path, (path,), FORWARDER)
    assert "Lambda@Edge" in " ".join(proposal.warnings)
    assert proposal.edits == ()


def test_files_of_one_directory_declare_the_region_once(tmp_path: Path) -> None:
    for name in ("a.tf", "b.tf", "other/c.tf"):
        source(tmp_path, name, TF)
    found = propose(detect(tmp_path), FORWARDER)
    assert [edit.after.decode().count('data "aws_region"') for edit in found.edits] == [1, 0, 1]


def test_layers_of_other_partitions_are_of_their_own_account(tmp_path: Path) -> None:
    wanted = wish(site="ddog-gov.com", via="forwarder", region="us-gov-west-1")
    text = written(tmp_path, TF, wanted)
    assert f'"arn:aws-us-gov:lambda:us-gov-west-1:{catalog.LAYER_ACCOUNTS["aws-us-gov"]}:' in text


@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_terraform_is_not_changed_twice(tmp_path: Path, wanted: Wish) -> None:
    text = TF.replace('variables = { A = "{" }', "variables = {}") + MODULE
    path = source(tmp_path, "main.tf", written(tmp_path, text, wanted)).path
    again = terraform.propose(tmp_path, (path,), wanted)
    assert again.edits == ()
    assert again.snippets == ()


@pytest.mark.parametrize(
    "text",
    ['resource "x" {', "a = [1\n}", 'a = "open\n', "a = <<EOT\nno end\n", "}", "{}", "a = " + "[" * 999],
)
def test_what_is_no_terraform_is_refused_with_the_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenFile) as refused:
        hcl.parse(source(tmp_path, "main.tf", text))
    assert re.search(r"main\.tf:\d+:\d+$", refused.value.where)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_terraform_would_not_format_it_otherwise(tmp_path: Path, wanted: Wish) -> None:
    text = written(tmp_path, formatted(TF + MODULE), wanted)
    assert formatted(text) == text


def formatted(text: str) -> str:
    done = subprocess.run(
        ["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
        "api_key_secret_arn": EXTENSION.key_source and EXTENSION.key_source.value,
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
    (snippet,) = cdk.propose(app(tmp_path, "go run shop.go", "shop.go", "// awslambda"), FORWARDER).snippets
    assert "`go run shop.go`" in snippet.reason


@pytest.mark.parametrize(
    ("command", "name", "code", "said"),
    [
        ("go run shop.go", "shop.go", 'import d "github.com/DataDog/datadog-cdk-constructs-go/v3"', ""),
        ("mvn exec:java", "src/Shop.java", "import com.datadoghq.cdkconstructs.DatadogLambda;", ""),
        ("npx ts-node bin/a.ts", "lib/s.ts", "new sqs.Queue(this, 'Q');", "none of its files names Lambda"),
        ("mvn exec:java", "src/Shop.java", "Queue.Builder.create(this);", "none of its files names Lambda"),
        (
            "dotnet run --project src/Shop.csproj",
            "src/Shop.cs",
            "new Amazon.CDK.AWS.Lambda.Function()",
            ".NET",
        ),
    ],
)
def test_cdk_lines_are_offered_only_where_they_help(
    tmp_path: Path, command: str, name: str, code: str, said: str
) -> None:
    """The construct is not named twice, nor where it has nothing to do or is not published."""
    proposal = cdk.propose(app(tmp_path, command, name, code), FORWARDER)
    assert (proposal.snippets, proposal.edits) == ((), ())
    assert said in "".join(proposal.warnings)
    assert bool(proposal.settled) is not bool(said)


TS_STACK = """import * as cdk from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';

export class Shop extends cdk.Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const orders = new lambda.Function(this, 'Orders', {
      runtime: lambda.Runtime.PYTHON_3_12, // ) not the end
      handler: 'app.handler',
    });
    const bills = new NodejsFunction(this, 'Bills');
    bills.addEnvironment('A', `}${1}`);
  }
}
"""
PY_STACK = """import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

class Shop(cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id)
        orders = lambda_.Function(
            self, "Orders", runtime=lambda_.Runtime.PYTHON_3_12, handler="app.handler",
        )
        self.bills = lambda_.Function(self, "Bills", runtime=lambda_.Runtime.NODEJS_22_X)
        print(orders)
"""


@pytest.mark.parametrize(
    ("command", "name", "text", "call", "imported"),
    [
        (
            "npx ts-node bin/a.ts",
            "lib/s.ts",
            TS_STACK,
            "    datadogLambda.addLambdaFunctions([orders, bills]);\n",
            'import { DatadogLambda } from "datadog-cdk-constructs-v2";\n',
        ),
        (
            "python3 app.py",
            "stack.py",
            PY_STACK,
            "        datadog_lambda.add_lambda_functions([orders, self.bills])\n",
            "from datadog_cdk_constructs_v2 import DatadogLambda\n",
        ),
    ],
    ids=["typescript", "python"],
)
def test_cdk_is_edited_where_the_place_is_certain(
    tmp_path: Path, command: str, name: str, text: str, call: str, imported: str
) -> None:
    path = app(tmp_path, command, name, text)
    proposal = cdk.propose(path, EXTENSION)
    (edit,) = proposal.edits
    after = edit.after.decode()
    assert call in after
    assert imported in after
    compared = difflib.ndiff(text.splitlines(), after.splitlines())
    assert [line for line in compared if line.startswith("- ")] == [], "nothing is taken out"
    assert after.index(call) > after.index("Bills")
    assert proposal.installs, "the package is offered, too"
    source(tmp_path, name, after)
    assert cdk.propose(path, EXTENSION).settled == (path,)


@pytest.mark.parametrize(
    "change",
    [
        ("    const bills", "    }\n    {\n    const bills"),
        ("    const bills = new NodejsFunction(this, 'Bills');", "    new NodejsFunction(this, 'Bills');"),
        ("import * as", "// import * as"),
    ],
)
def test_cdk_is_left_to_a_hand_otherwise(tmp_path: Path, change: tuple[str, str]) -> None:
    path = app(tmp_path, "npx ts-node bin/a.ts", "lib/s.ts", TS_STACK.replace(*change))
    proposal = cdk.propose(path, FORWARDER)
    assert proposal.edits == ()
    assert "put this into the stack" in proposal.snippets[0].reason
