"""What other tools say of the result: the plugin itself, the Serverless Framework, cfn-lint, the CDK.

These download packages, so they are run by `-m slow` only, and skipped where that is not possible.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from ddsetup.project.iac import cdk, cloudformation, serverless
from ddsetup.project.iac.model import Wish
from ddsetup.project.iac.source import read_source
from tests.unit.project.test_iac_files import SAM
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER, SAMPLES
from tests.unit.project.wishes import wish

DATA = Path(__file__).parents[2] / "data" / "iac"
SERVICE = """service: shop
provider: {name: aws, runtime: python3.12, region: us-east-1}
custom:
  datadog:
    skipCloudformationOutputs: true  # else it asks AWS for the account
functions:
  hello:
    handler: app.handler
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _installed(tmp_path_factory, "serverless@3", "serverless-plugin-datadog@5")


@pytest.fixture(scope="module")
def cdk_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packages = ("aws-cdk-lib@2", "constructs@10", "datadog-cdk-constructs-v2", "typescript@5")
    return _installed(tmp_path_factory, *packages)


def _installed(tmp_path_factory: pytest.TempPathFactory, *packages: str) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    root = tmp_path_factory.mktemp("npm")
    (root / "package.json").write_text("{}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", *packages],
        cwd=root,
        capture_output=True,
        timeout=400,
        check=False,
    )
    if done.returncode:
        pytest.skip("npm cannot install packages here")
    return root / "node_modules"


def test_the_plugin_accepts_every_result(node_modules: Path, tmp_path: Path) -> None:
    files = []
    for wanted in (FORWARDER, EXTENSION):
        folder = tmp_path / str(wanted.via)
        folder.mkdir()
        for sample in SAMPLES:
            path = folder / sample.name
            path.write_bytes(serverless.propose(read_source(sample), wanted).edits[0].after)
            files.append(str(path))
    script = ["node", str(DATA / "accepts.js"), str(node_modules), *files]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("via", ["forwarder", "extension"])
def test_the_framework_packages_the_result(node_modules: Path, tmp_path: Path, via: str) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules)
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    yml = tmp_path / "serverless.yml"
    yml.write_text(SERVICE)
    wanted = EXTENSION if via == "extension" else wish(site="datadoghq.eu", via="forwarder")
    yml.write_bytes(serverless.propose(read_source(yml), wanted).edits[0].after)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLS_TELEMETRY_DISABLED": "1",
        "CI": "1",
    }
    command = [str(node_modules / ".bin" / "serverless"), "package"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    template = json.loads((tmp_path / ".serverless/cloudformation-template-update-stack.json").read_text())
    (function,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    properties = function["Properties"]
    assert properties["Handler"] == "datadog_lambda.handler.handler"
    variables = properties["Environment"]["Variables"]
    assert variables["DD_LAMBDA_HANDLER"] == "app.handler"
    assert variables["DD_SITE"] == "datadoghq.eu"
    assert ("DD_FLUSH_TO_LOG" in variables) == (via == "forwarder")
    layers = " ".join(properties["Layers"])
    assert "Datadog-Python312" in layers
    assert ("Datadog-Extension" in layers) == (via == "extension")


@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_cfn_lint_finds_nothing_new(tmp_path: Path, wanted: Wish) -> None:
    template = SAM.replace("nodejs20.x", "python3.13\n      CodeUri: src/").replace(
        'Properties: {TableName: !Sub "${AWS::StackName}-t"}',
        "Properties:\n      BillingMode: PAY_PER_REQUEST\n"
        "      AttributeDefinitions: [{AttributeName: a, AttributeType: S}]\n"
        "      KeySchema: [{AttributeName: a, KeyType: HASH}]\n"
        "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain",
    )
    path = tmp_path / "template.yaml"
    path.write_text(template)
    before = _lint(path)
    path.write_bytes(cloudformation.propose(read_source(path), wanted).edits[0].after)
    assert _lint(path) == before


def _lint(path: Path) -> list[str]:
    program = Path(sysconfig.get_path("scripts")) / "cfn-lint"  # of the group dev, on whatever PATH
    command = [str(program), "--format", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return sorted(f"{match['Rule']['Id']} {match['Message']}" for match in json.loads(done.stdout or "[]"))


APP = """import * as cdk from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
// IMPORT
class Shop extends cdk.Stack {
  readonly bye: lambda.Function;
  constructor(scope: cdk.App) {
    super(scope, "Shop", {env: {account: "123456789012", region: "us-east-1"}});
    const code = lambda.Code.fromInline("def handler(event, context): ...");
    const hello = new lambda.Function(this, "Hello", {
      runtime: lambda.Runtime.PYTHON_3_12, handler: "index.handler", code,
      architecture: lambda.Architecture.ARM_64,
    });
    this.bye = new lambda.Function(this, "Bye", {
      runtime: lambda.Runtime.NODEJS_22_X, handler: "index.handler", code,
    });
    // CALL
  }
}
const app = new cdk.App();
new Shop(app);
console.log(JSON.stringify(app.synth().getStackByName("Shop").template));
"""
"""A CDK app with the places where the lines go."""


@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_the_cdk_makes_a_template_of_the_snippet(cdk_modules: Path, tmp_path: Path, wanted: Wish) -> None:
    (tmp_path / "node_modules").symlink_to(cdk_modules)
    program = tmp_path / "app.ts"
    program.write_text(APP)
    (tmp_path / "cdk.json").write_text('{"app": "npx ts-node app.ts"}')
    text = cdk.propose(tmp_path / "cdk.json", wanted).snippets[0].text
    imported, _, call = text.partition("\n\n")
    program.write_text(APP.replace("// IMPORT", imported).replace("// CALL", call))
    options = {"target": "es2022", "module": "commonjs", "skipLibCheck": True, "types": [], "strict": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    (tmp_path / "console.d.ts").write_text("declare const console: {log(text: string): void};\n")
    _run([str(cdk_modules / ".bin" / "tsc")], tmp_path)
    template = json.loads(_run(["node", "app.js"], tmp_path))
    made = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    made = [properties for properties in made if "Environment" in properties]  # the CDK has one of its own
    layers = {p["Runtime"]: " ".join(map(str, p["Layers"])) for p in made}
    assert {p["Environment"]["Variables"]["DD_LAMBDA_HANDLER"] for p in made} == {"index.handler"}
    assert "Datadog-Python312-ARM" in layers["python3.12"]
    assert "Datadog-Node22-x" in layers["nodejs22.x"]
    assert ("Datadog-Extension" in layers["nodejs22.x"]) == (wanted.via == "extension")


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
