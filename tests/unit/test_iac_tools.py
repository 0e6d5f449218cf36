"""What other tools say of the result: the plugin itself, the Serverless Framework, cfn-lint, TypeScript.

These download packages, so they are run by `-m slow` only, and skipped where that is not possible.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ddsetup.iac import cdk, cloudformation, serverless
from ddsetup.iac.model import Wanted
from ddsetup.iac.source import read_source
from tests.unit.test_iac_files import SAM
from tests.unit.test_iac_serverless import EXTENSION, FORWARDER, SAMPLES

DATA = Path(__file__).parents[1] / "data" / "iac"
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
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    root = tmp_path_factory.mktemp("npm")
    (root / "package.json").write_text("{}")
    packages = ["serverless@3", "serverless-plugin-datadog@5", "typescript@5"]
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
    wanted = EXTENSION if via == "extension" else Wanted(site="datadoghq.eu", via="forwarder")
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


@pytest.mark.skipif(shutil.which("cfn-lint") is None, reason="cfn-lint is not installed")
@pytest.mark.parametrize("wanted", [FORWARDER, EXTENSION], ids=["forwarder", "extension"])
def test_cfn_lint_finds_nothing_new(tmp_path: Path, wanted: Wanted) -> None:
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
    done = subprocess.run(
        ["cfn-lint", "--format", "json", str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    return sorted(f"{match['Rule']['Id']} {match['Message']}" for match in json.loads(done.stdout or "[]"))


def test_typescript_can_parse_the_snippet_for_cdk(node_modules: Path, tmp_path: Path) -> None:
    (tmp_path / "s.ts").write_text('const hello = new lambda.Function(this, "H", {});\n')
    (tmp_path / "cdk.json").write_text('{"app": "npx ts-node bin/a.ts"}')
    text = cdk.propose(tmp_path / "cdk.json", EXTENSION).snippets[0].text
    script = (
        "const ts = require(process.argv[1]);"
        "const result = ts.transpileModule(process.argv[2], {reportDiagnostics: true});"
        "console.log(result.diagnostics.length)"
    )
    done = subprocess.run(
        ["node", "-e", script, str(node_modules / "typescript"), text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "0\n", done.stderr
