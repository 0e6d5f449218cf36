"""What a tool must leave alone, told for every kind of file by the same rules as of functions on AWS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ddsetup.facts import catalog
from ddsetup.project.iac import versions
from ddsetup.project.iac.described import Described
from ddsetup.project.iac.detect import detect
from ddsetup.project.iac.limits import started
from ddsetup.project.iac.model import Proposal
from ddsetup.project.iac.propose import propose
from tests.unit.project.test_iac_serverless import EXTENSION, FORWARDER
from tests.unit.project.wishes import answering, wish


def serverless(handler: str, script: str) -> tuple[str, str]:
    wrapper = f"      AWS_LAMBDA_EXEC_WRAPPER: {script}\n" if script else ""
    return "serverless.yml", (
        "service: shop\nprovider: {name: aws, runtime: python3.12, region: us-east-1}\nfunctions:\n"
        f"  web:\n    handler: {handler}\n    environment:\n      A: b\n{wrapper}"
    )


def test_a_setting_of_the_files_own_is_followed(tmp_path: Path) -> None:
    for runtime in ("python3.12", "provided.al2023"):
        text = (
            "service: shop\nprovider: {name: aws, runtime: '${self:custom.kind}'}\n"
            f"custom: {{kind: {runtime}}}\nfunctions:\n  web:\n    handler: app.handler\n"
        )
        (tmp_path / "serverless.yml").write_text(text)
        found = propose(detect(tmp_path), wish(site="datadoghq.eu", via="forwarder", region="eu-west-1"))
        logs_only = any("nothing but logs" in warning for warning in found.warnings)
        assert logs_only is (runtime == "provided.al2023"), found.warnings


def sam(handler: str, script: str) -> tuple[str, str]:
    wrapper = f"          AWS_LAMBDA_EXEC_WRAPPER: {script}\n" if script else ""
    return "template.yaml", (
        "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n"
        "  Web:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: python3.12\n"
        f"      Handler: {handler}\n      Environment:\n        Variables:\n          A: b\n{wrapper}"
    )


def terraform(handler: str, script: str) -> tuple[str, str]:
    wrapper = f'      AWS_LAMBDA_EXEC_WRAPPER = "{script}"\n' if script else ""
    return "main.tf", (
        f'resource "aws_lambda_function" "web" {{\n  handler = "{handler}"\n  runtime = "python3.12"\n'
        f'  environment {{\n    variables = {{\n      A = "b"\n{wrapper}    }}\n  }}\n}}\n'
    )


Writer = Callable[[str, str], tuple[str, str]]
TOOLS: list[Writer] = [serverless, sam, terraform]


def proposed(folder: Path, *files: tuple[str, str]) -> Proposal:
    for name, text in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return propose(detect(folder), EXTENSION)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
@pytest.mark.parametrize(
    ("handler", "script", "reason"),
    [
        ("run.sh", "/opt/bootstrap", "is executed by the AWS Lambda Web Adapter"),
        ("app.handler", "/opt/bootstrap", "is executed by the AWS Lambda Web Adapter"),
        ("run.sh", "", "does not name a function in a module"),
        ("app.handler", "/var/task/start", "what that makes of its handler is unknown"),
    ],
)
def test_a_function_that_starts_otherwise_is_left_with_the_reason(
    tmp_path: Path, tool: Writer, handler: str, script: str, reason: str
) -> None:
    found = proposed(tmp_path, tool(handler, script))
    assert found.edits == ()
    assert found.snippets == ()
    assert reason in " ".join(found.warnings)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
def test_a_function_that_starts_by_its_handler_is_changed(tmp_path: Path, tool: Writer) -> None:
    found = proposed(tmp_path, tool("src/app.handler", ""))
    assert len(found.edits) == 1


def test_a_handler_that_is_computed_in_part_is_taken_for_one_of_a_module(tmp_path: Path) -> None:
    assert proposed(tmp_path, serverless("${self:custom.main}", "")).edits


def test_each_function_has_its_own_reason(tmp_path: Path) -> None:
    name, text = serverless("run.sh", "/opt/bootstrap")
    text += "  job:\n    handler: job.sh\n  fine:\n    handler: app.handler\n"
    found = proposed(tmp_path, (name, text))
    said = " ".join(found.warnings)
    assert "web: its handler run.sh is executed" in said
    assert "job: its handler job.sh does not name" in said
    assert "- web\n" in found.edits[0].after.decode()
    assert propose(detect(tmp_path), FORWARDER).edits


def cdk_app(arguments: str, more: str = "") -> tuple[tuple[str, str], ...]:
    stack = (
        "import * as lambda from 'aws-cdk-lib/aws-lambda';\nexport class Shop extends cdk.Stack {\n"
        "  constructor(scope: Construct, id: string) {\n    super(scope, id);\n"
        f"    const web = new lambda.Function(this, 'Web', {{ {arguments} }});\n{more}  }}\n}}\n"
    )
    return ("cdk.json", '{"app": "npx ts-node bin/a.ts"}'), ("lib/stack.ts", stack)


OTHER = (
    "    const fine = new lambda.Function(this, 'F', "
    "{ runtime: lambda.Runtime.PYTHON_3_12, handler: 'app.handler' });\n"
)
PYTHON = "runtime: lambda.Runtime.PYTHON_3_12, handler: 'app.handler'"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            "runtime: lambda.Runtime.PYTHON_3_12, handler: 'run.sh', "
            "environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/bootstrap' }",
            "is executed by the AWS Lambda Web Adapter",
        ),
        (
            "runtime: lambda.Runtime.PYTHON_3_12, handler: 'newrelic_lambda_wrapper.handler'",
            "another vendor's handler",
        ),
        ("runtime: lambda.Runtime.PYTHON_3_6, handler: 'app.handler'", "no layer for python3.6"),
        (f"{PYTHON}, environment: {{ DD_LAMBDA_HANDLER: 'app.handler' }}", "by hand already"),
    ],
)
def test_the_construct_is_not_given_what_it_would_break(tmp_path: Path, arguments: str, reason: str) -> None:
    found = proposed(tmp_path / "beside", *cdk_app(arguments, OTHER))
    assert "addLambdaFunctions([fine])" in found.edits[0].after.decode()
    assert reason in " ".join(found.warnings)
    alone = proposed(tmp_path / "alone", *cdk_app(arguments))
    assert (alone.edits, alone.snippets) == ((), ())
    assert reason in " ".join(alone.warnings)


def test_the_construct_is_given_the_functions_of_an_app_in_python(tmp_path: Path) -> None:
    stack = (
        "import aws_cdk as cdk\nfrom aws_cdk import aws_lambda as lambda_\n\nclass Shop(cdk.Stack):\n"
        "    def __init__(self, scope, id):\n"
        '        fine = lambda_.Function(self, "F", runtime=lambda_.Runtime.PYTHON_3_12, handler="a.b")\n'
        '        web = lambda_.Function(self, "W", runtime=lambda_.Runtime.NODEJS_22_X, handler="run.sh",\n'
        '            environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"})\n'
    )
    found = proposed(tmp_path, ("cdk.json", '{"app": "python3 app.py"}'), ("stack.py", stack))
    assert "add_lambda_functions([fine])" in found.edits[0].after.decode()
    assert "web: its handler run.sh is executed" in " ".join(found.warnings)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('FROM public.ecr.aws/lambda/python:3.12\nCMD ["newrelic_lambda_wrapper.handler"]\n', "New Relic"),
        ('FROM public.ecr.aws/lambda/java:21\nCMD ["shop.App::handle"]\n', "written for java21"),
        ('FROM public.ecr.aws/lambda/provided:al2023-arm64\nCMD ["main"]\n', "for provided.al2023,"),
        ('FROM public.ecr.aws/lambda/python:3.6\nCMD ["app.handler"]\n', "stop the build"),
        (
            "FROM public.ecr.aws/lambda/python:3.12\n"
            "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter /opt/extensions/\n"
            'CMD ["python", "app.py"]\n',
            "Web Adapter",
        ),
        (
            'FROM public.ecr.aws/lambda/nodejs:22\nENV AWS_LAMBDA_EXEC_WRAPPER="/var/task/start"\n'
            'CMD ["index.handler"]\n',
            "/var/task/start",
        ),
    ],
)
def test_an_image_that_cannot_be_redirected_is_left_with_the_reason(
    tmp_path: Path, lines: str, reason: str
) -> None:
    found = proposed(tmp_path, ("Dockerfile", lines))
    assert (found.edits, found.snippets) == ((), ())
    assert reason in " ".join(found.warnings)
    assert "setup --via extension" not in " ".join(found.warnings), "an image takes no layer"


# The library in the package

REQUIRED = "boto3\ndatadog-lambda>=6\n"
MANIFEST = '{"dependencies": {"datadog-lambda-js": "12", "dd-trace": "5"}}'
SAM = """AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: app.handler, CodeUri: orders/}
"""
BILLS = """  Bills:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: app.handler, CodeUri: bills/}
"""
SERVICE = """service: shop
provider: {name: aws, runtime: RUNTIME, region: us-east-1}
plugins: [PLUGIN]
functions:
  orders:
    handler: app.handler
"""


def settings(found: Proposal) -> str:
    return next(edit for edit in found.edits if edit.path.suffix in (".yml", ".yaml")).after.decode()


def test_the_macro_adds_no_layer_where_every_package_has_the_library(tmp_path: Path) -> None:
    found = proposed(tmp_path, ("template.yaml", SAM), ("orders/requirements.txt", REQUIRED))
    assert "addLayers: false" in settings(found)
    assert "LayerVersion: " not in settings(found).replace("extensionLayerVersion", "")
    assert "in the package of Orders already" in " ".join(found.warnings)
    again = proposed(tmp_path, ("template.yaml", settings(found)))
    assert again.edits == ()


def test_the_macro_keeps_the_layers_that_other_functions_need(tmp_path: Path) -> None:
    found = proposed(tmp_path, ("template.yaml", SAM + BILLS), ("orders/requirements.txt", REQUIRED))
    assert "addLayers" not in settings(found)
    assert "pythonLayerVersion" in settings(found)
    said = " ".join(found.warnings)
    assert "in the package of Orders already" in said
    assert "would keep the layer from all functions" in said


@pytest.mark.parametrize(
    ("runtime", "plugin", "listed", "certain"),
    [
        ("python3.12", "serverless-python-requirements", ("requirements.txt", REQUIRED), True),
        ("python3.12", "serverless-domain-manager", ("requirements.txt", REQUIRED), False),
        ("nodejs22.x", "serverless-domain-manager", ("package.json", MANIFEST), True),
        ("nodejs22.x", "serverless-esbuild", ("package.json", MANIFEST), False),
    ],
)
def test_the_plugin_adds_no_layer_where_the_package_has_the_library(
    tmp_path: Path, runtime: str, plugin: str, listed: tuple[str, str], certain: bool
) -> None:
    text = SERVICE.replace("RUNTIME", runtime).replace("PLUGIN", plugin)
    found = proposed(tmp_path, ("serverless.yml", text), listed)
    assert f"addLayers: {'false' if certain else 'true'}" in settings(found)
    said = "is in the package of orders already" if certain else "list Datadog's library; if it gets into"
    assert said in " ".join(found.warnings)
    again = proposed(tmp_path, ("serverless.yml", settings(found)))
    assert again.edits == ()


@pytest.mark.parametrize("name", ["dependencies", "devDependencies"])
def test_the_community_module_gets_the_handler_of_the_package(tmp_path: Path, name: str) -> None:
    text = (
        'module "shop" {\n  source      = "terraform-aws-modules/lambda/aws"\n  handler     = "app.handler"\n'
        '  runtime     = "nodejs22.x"\n  source_path = "${path.module}/src"\n}\n'
    )
    manifest = MANIFEST.replace("dependencies", name)
    found = proposed(tmp_path, ("main.tf", text), ("src/package.json", manifest))
    after = found.edits[0].after.decode()
    packaged = name == "dependencies"
    assert ('"node_modules/datadog-lambda-js/dist/handler.handler"' in after) is packaged
    assert (":layer:Datadog-Node" in after) is not packaged
    assert ":layer:Datadog-Extension:" in after
    assert ("in the package of module.shop" in " ".join(found.warnings)) is packaged


@pytest.mark.parametrize("vendored", [True, False])
def test_an_archive_has_the_library_where_it_is_vendored(tmp_path: Path, vendored: bool) -> None:
    text = (
        'data "archive_file" "code" {\n  type        = "zip"\n  output_path = "${path.module}/o.zip"\n'
        '  source_dir  = "${path.module}/src"\n}\nresource "aws_lambda_function" "orders" {\n'
        '  filename = data.archive_file.code.output_path\n  handler  = "app.handler"\n'
        '  runtime  = "python3.12"\n}\n'
    )
    library = ("src/datadog_lambda/__init__.py", "") if vendored else ("src/requirements.txt", REQUIRED)
    found = proposed(tmp_path, ("main.tf", text), library)
    after = found.edits[0].after.decode()
    assert (":layer:Datadog-Python312:" in after) is not vendored
    said = "is in the package of" if vendored else "if it gets into the package"
    assert said in " ".join(found.warnings)


def test_the_construct_adds_no_layer_where_every_package_has_the_library(tmp_path: Path) -> None:
    code = f"{PYTHON}, code: lambda.Code.fromAsset(path.join(__dirname, '..', 'src'))"
    found = proposed(tmp_path, *cdk_app(code), ("src/datadog_lambda/__init__.py", ""))
    after = found.edits[0].after.decode()
    assert "addLayers: false," in after
    assert "pythonLayerVersion" not in after


def test_a_layer_that_is_asked_for_by_number_is_added(tmp_path: Path) -> None:
    proposed(tmp_path, ("template.yaml", SAM), ("orders/requirements.txt", REQUIRED))
    found = propose(detect(tmp_path), answering(EXTENSION, layer_version="100"))
    assert "pythonLayerVersion: 100" in settings(found)


@pytest.mark.parametrize("layers", [None, (), ("own",)])
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (None, ""),
        ({"A": "b"}, ""),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}, ""),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/own"}, "it starts through /opt/own"),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap", "AWS_LWA_PORT": "8080"}, "the AWS Lambda Web Adapter"),
    ],
)
def test_what_a_file_computes_is_no_reason_and_no_fault(
    layers: tuple[str, ...] | None, variables: dict[str, str] | None, said: str
) -> None:
    found = started(
        Described(
            name="web", runtimes=("python3.12",), handler="app.handler", layers=layers, variables=variables
        )
    )
    assert said in found
    assert bool(found) is bool(said)


def test_versions_are_those_of_the_region_or_of_any() -> None:
    """Datadog publishes no layer in a region that there is not, and its own numbers in GovCloud."""
    nowhere, gov, unsaid = (wish(region=name) for name in ("xx-nowhere-1", "us-gov-west-1", ""))
    assert versions.layer_version_for("python3.12", "x86_64", nowhere) is None
    assert versions.extension_version(nowhere) is None
    assert not versions.exists("python3.12", "x86_64", 1, nowhere)
    for wanted, region in ((gov, "us-gov-west-1"), (unsaid, "us-east-1")):
        number = catalog.baseline_version("Datadog-Python312", region)
        assert versions.layer_version_for("python3.12", "x86_64", wanted) == ("Datadog-Python312", number)
