"""Files of the kinds that people have, told from others that look like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.project.code_check.project import Checked, check_project
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.model import Proposal
from ddsetup.project.iac.propose import propose
from tests.unit.project.wishes import wish

WANTED = wish(site="datadoghq.eu", via="forwarder", region="eu-west-1")
SLS = "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\n"
SAM = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"
FUNCTION = (
    "  A:\n    Type: AWS::Serverless::Function\n    Properties: {Handler: a.b, CodeUri: ., Runtime: RUN}\n"
)
TF = """resource "aws_lambda_function" "a" {
  function_name = "a"
  handler       = "app.handler"
  runtime       = "python3.12"
  filename      = "a.zip"
  role          = aws_iam_role.r.arn
MORE}
"""


def proposed(folder: Path, *files: tuple[str, str]) -> Proposal:
    for name, text in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return propose(detect(folder), WANTED)


def said(proposal: Proposal) -> str:
    return " ".join(proposal.warnings)


def after(proposal: Proposal) -> str:
    (edit,) = proposal.edits
    return edit.after.decode()


@pytest.mark.parametrize(
    ("plugin", "vendor"),
    [
        ("serverless-newrelic-lambda-layers", "New Relic"),
        ("serverless-lumigo", "Lumigo"),
        ('"@dynatrace/serverless-oneagent"', "Dynatrace"),
        ("serverless-plugin-epsagon", "Epsagon"),
        ("serverless-plugin-thundra", "Thundra"),
        ("serverless-iopipe-layers", "IOpipe"),
    ],
)
@pytest.mark.parametrize("form", ["plugins: [{}]\n", "plugins:\n  modules:\n    - {}\n"])
def test_a_service_that_another_vendors_plugin_instruments_is_left_to_it(
    tmp_path: Path, plugin: str, vendor: str, form: str
) -> None:
    text = f"{SLS}functions: {{a: {{handler: a.b}}}}\n{form.format(plugin)}"
    found = proposed(tmp_path, ("serverless.yml", text))
    assert (found.edits, found.installs) == ((), ())
    assert vendor in said(found)


@pytest.mark.parametrize(
    "rest", ["resources: {Resources: {}}\n", "layers: {deps: {path: l}}\n# functions:\n"]
)
def test_a_service_without_functions_is_left_alone(tmp_path: Path, rest: str) -> None:
    found = proposed(tmp_path, ("serverless.yml", SLS + rest))
    assert (found.edits, found.installs) == ((), ())
    assert "no functions" in said(found)


def test_a_plugin_that_nobody_names_is_not_to_be_installed(tmp_path: Path) -> None:
    function = "functions: {a: {handler: datadog_lambda.handler.handler, runtime: python3.12}}\n"
    found = proposed(tmp_path, ("serverless.yml", SLS + function))
    assert found.settled
    assert found.installs == ()


def test_a_template_without_functions_is_left_alone_unless_others_bring_them(tmp_path: Path) -> None:
    layer = "Resources:\n  L:\n    Type: AWS::Serverless::LayerVersion\n  # AWS::Serverless::Function\n"
    found = proposed(tmp_path, ("template.yaml", SAM + layer))
    assert found.edits == ()
    assert "no functions" in said(found)
    included = "  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/f.yaml}}\n"
    assert proposed(tmp_path, ("template.yaml", SAM + layer + included)).edits


def test_a_runtime_that_a_parameter_does_not_tell_is_computed(tmp_path: Path) -> None:
    parameter = "Parameters:\n  R: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/runtime}\n"
    text = SAM + parameter + "Resources:\n" + FUNCTION.replace("RUN", "!Ref R")
    assert "cannot tell the runtime" in said(proposed(tmp_path, ("template.yaml", text)))


def test_a_role_that_cloudfronts_edges_assume_by_a_policy_document_tells(tmp_path: Path) -> None:
    role = """resource "aws_iam_role" "r" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
data "aws_iam_policy_document" "trust" {
  statement {
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "PRINCIPAL"]
    }
  }
}
"""
    files = (
        ("main.tf", TF.replace("MORE", "")),
        ("iam.tf", role.replace("PRINCIPAL", "edgelambda.amazonaws.com")),
    )
    found = proposed(tmp_path, *files)
    assert "Lambda@Edge" in said(found)
    assert found.edits == ()
    other = role.replace("PRINCIPAL", "states.amazonaws.com") + role.replace(
        "PRINCIPAL", "edgelambda.amazonaws.com"
    ).replace('"r"', '"s"').replace("trust", "other")
    assert proposed(tmp_path, files[0], ("iam.tf", other)).edits


@pytest.mark.parametrize(
    ("more", "region"),
    [
        ("", "eu-west-1"),
        ("  provider      = aws.us\n", "us-east-1"),
        ("  provider      = aws.var\n", "${var.there}"),
        ('  region        = "ap-south-1"\n', "ap-south-1"),
        ("  region        = each.value\n", "${each.value}"),
    ],
)
def test_a_layer_is_of_the_region_of_its_function(tmp_path: Path, more: str, region: str) -> None:
    providers = (
        'provider "aws" {\n  region = "eu-west-1"\n}\n'
        'provider "aws" {\n  alias  = "us"\n  region = "us-east-1"\n}\n'
        'provider "aws" {\n  alias  = "var"\n  region = var.there\n}\n'
    )
    found = proposed(tmp_path, ("providers.tf", providers), ("main.tf", TF.replace("MORE", more)))
    assert f"arn:aws:lambda:{region}:464622532012:layer:Datadog-Python312:" in after(found)


def test_a_function_whose_provider_comes_from_elsewhere_is_left_to_a_hand(tmp_path: Path) -> None:
    found = proposed(tmp_path, ("main.tf", TF.replace("MORE", "  provider = aws.other\n")))
    assert "aws.other" in found.snippets[0].reason


CDK = "import * as lambda from 'aws-cdk-lib/aws-lambda';\nclass S extends Stack {\n  constructor() {\n"
GOOD = "    const good = new lambda.Function(this, 'G', { runtime: lambda.Runtime.PYTHON_3_12, code });\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "const odd = new cloudfront.experimental.EdgeFunction(this, 'E', { handler: 'a.b' });",
            "Lambda@Edge",
        ),
        (
            "const odd = new lambda.Function(this, 'E', { runtime: lambda.Runtime.GO_1_X, handler: 'a' });",
            "go1.x",
        ),
        ("const odd = new Function('return 1');", ""),
    ],
)
def test_the_construct_gets_functions_of_lambda_only(tmp_path: Path, line: str, words: str) -> None:
    text = f"{CDK}    {line}\n{GOOD}  }}\n}}\n"
    found = proposed(tmp_path, ("cdk.json", '{"app": "npx ts-node a.ts"}'), ("a.ts", text))
    assert "addLambdaFunctions([good])" in after(found)
    assert words in said(found)


def test_an_app_with_functions_of_cloudfront_is_left_to_a_hand(tmp_path: Path) -> None:
    text = f"{CDK}    const odd = new cloudfront.Function(this, 'E', {{ code }});\n{GOOD}  }}\n}}\n"
    found = proposed(tmp_path, ("cdk.json", '{"app": "npx ts-node a.ts"}'), ("a.ts", text))
    assert "addLambdaFunctions([good])" in found.snippets[0].text
    assert "functions of CloudFront" in said(found)
    assert "odd" not in found.snippets[0].text + said(found)


def test_an_image_by_its_runtime_is_no_function_for_layers(tmp_path: Path) -> None:
    line = "const odd = new lambda.Function(this, 'E', { runtime: lambda.Runtime.FROM_IMAGE, code });"
    text = f"{CDK}    {line}\n{GOOD}  }}\n}}\n"
    found = proposed(tmp_path, ("cdk.json", '{"app": "npx ts-node a.ts"}'), ("a.ts", text))
    assert "addLambdaFunctions([good])" in found.snippets[0].text


def test_a_web_server_in_an_image_is_known_by_its_adapter(tmp_path: Path) -> None:
    adapter = "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.8 /lambda-adapter /opt/extensions/x\n"
    text = f'FROM python:3.12-slim\n{adapter}CMD ["gunicorn", "app:app"]\n'
    assert "web server" in said(proposed(tmp_path, ("Dockerfile", text)))


# The code

WRAPPED = "from datadog_lambda.wrapper import datadog_lambda_wrapper\n"
SENT = "from datadog_lambda.metric import lambda_metric\n"
SENT += "def handler(event, context):\n    lambda_metric('a', 1)\n"


def checked(folder: Path, **files: str) -> Checked:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check_project(folder)


@pytest.mark.parametrize(
    "text",
    [
        f"{WRAPPED}def process(event, context): pass\nlambda_handler = datadog_lambda_wrapper(process)\n",
        "from datadog_lambda.wrapper import *\n@datadog_lambda_wrapper\ndef handler(event, context): pass\n",
        f"{WRAPPED}handler = datadog_lambda_wrapper(lambda event, context: 1)\n",
    ],
)
def test_a_handler_that_is_wrapped_under_another_name_is_not_wrapped_again(tmp_path: Path, text: str) -> None:
    found = checked(tmp_path, app_dot_py=text)
    assert [handler.wraps for handler in found.handlers] == [1]
    assert found.edits == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pipfile", "[packages]\ndatadog-lambda = '*'\n"),
        ("setup_dot_py", "setup(install_requires=['boto3', \"datadog_lambda>=5\"])\n"),
        ("setup_dot_cfg", "[options]\ninstall_requires =\n    datadog-lambda\n"),
        ("pyproject_dot_toml", "[project.optional-dependencies]\naws = ['boto3', 'datadog-lambda>=5']\n"),
        ("pyproject_dot_toml", '[dependency-groups]\nprod = ["datadog-lambda"]\n'),
        ("requirements-prod_dot_txt", "datadog-lambda\n"),
        ("requirements__base_dot_in", "datadog-lambda\n"),
        ("environment_dot_yml", "dependencies:\n  - pip:\n    - datadog-lambda\n"),
    ],
)
def test_a_library_counts_as_listed_wherever_a_project_lists_it(tmp_path: Path, name: str, text: str) -> None:
    found = checked(tmp_path, **{name: text, "app_dot_py": SENT})
    assert [p.check for p in found.problems] == ["code.not_wrapped"]


def test_code_for_type_checkers_is_never_run(tmp_path: Path) -> None:
    text = SENT + "if TYPE_CHECKING:\n    lambda_metric('b', 1)\n"
    assert "code.metric_outside_handler" not in [p.check for p in checked(tmp_path, app_dot_py=text).problems]
