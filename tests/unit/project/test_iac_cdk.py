"""The construct of Datadog in apps of the CDK: put in where its place is certain, else for a hand."""

from __future__ import annotations

import ast
import difflib
import json
import re
from pathlib import Path

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import cdk
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER
from tests.unit.project.test_iac_snippets import source


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


def test_cdk_is_left_to_a_hand_where_a_star_hides_what_functions_are_made_in(tmp_path: Path) -> None:
    text = PY_STACK.replace('self, "Orders"', "*arguments").replace("self.bills", "# self.bills")
    proposal = cdk.propose(app(tmp_path, "python3 app.py", "stack.py", text), FORWARDER)
    assert proposal.edits == ()
    assert "DatadogLambda(\n    self,\n" in proposal.snippets[0].text
