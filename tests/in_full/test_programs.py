"""What changes in Terraform's modules and in CDK's programs, to the last blank.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import cdk, packages, terraform
from ddsetup.project.iac.model import Proposal, Wanted
from tests.in_full.test_code import write
from tests.in_full.test_files import WISHES, refused, shown
from tests.unit.show.test_render import matches_golden

HEAD = '  runtime = "python3.12"\n  handler = "app.handler"\n'
EDGE_ROLE = (
    'resource "aws_iam_role" "edge" {\n  assume_role_policy = "edgelambda.amazonaws.com"\n}\n'
    'resource "aws_iam_role" "other" {\n  assume_role_policy = "lambda.amazonaws.com"\n}\n'
)


def function(*lines: str, head: str = HEAD, name: str = "orders") -> str:
    inside = "".join(f"  {line}\n" for line in lines)
    return f'resource "aws_lambda_function" "{name}" {{\n{head}{inside}}}\n'


def made_by(source: str, *lines: str, head: str = HEAD) -> str:
    inside = "".join(f"  {line}\n" for line in lines)
    return f'module "orders" {{\n  source = "{source}"\n{head}{inside}}}\n'


COMMUNITY = "terraform-aws-modules/lambda/aws"
TERRAFORM: dict[str, str | dict[str, str]] = {
    "usual": function(),
    "no handler": function(head='  runtime = "python3.12"\n'),
    "no runtime": function(head='  handler = "app.handler"\n'),
    **{
        f"runtime {runtime}": function(head=f'  runtime = "{runtime}"\n  handler = "index.handler"\n')
        for runtime in ("nodejs22.x", "java21", "dotnet8", "ruby3.4", "provided.al2023", "go1.x", "python2.7")
    },
    "runtime of a variable": function(head='  runtime = var.py\n  handler = "app.handler"\n')
    + 'variable "py" {\n  type = string\n  default = "python3.13"\n}\n',
    "runtime of a variable elsewhere": {
        "main.tf": function(head='  runtime = var.py\n  handler = "app.handler"\n'),
        "variables.tf": 'variable "py" { default = "nodejs20.x" }\n',
    },
    "runtime that is computed": function(head='  runtime = local.py\n  handler = "app.handler"\n'),
    "handler that is computed": function(head='  runtime = "python3.12"\n  handler = local.handler\n'),
    "handler with a template": function(head='  runtime = "python3.12"\n  handler = "${var.x}.handler"\n'),
    "handler of datadog": function(
        'environment {\n    variables = {\n      DD_LAMBDA_HANDLER = "app.handler"\n    }\n  }',
        head='  runtime = "python3.12"\n  handler = "datadog_lambda.handler.handler"\n',
    ),
    "arm": function('architectures = ["arm64"]'),
    "intel": function('architectures = ["x86_64"]'),
    "architecture that is computed": function("architectures = var.arch"),
    **{
        f"layers {layers!r}": function(f"layers = {layers}")
        for layers in (
            "[]",
            "[local.a]",
            "[local.a,]",
            "[\n    local.a\n  ]",
            "[\n    local.a,\n  ]",
            "[\n    local.a, # ours\n    # last\n  ]",
            "[\n    local.a # ours, too\n  ]",
            "[ local.a, local.b ]",
            "[\n    local.a ]",
            "[for x in y : x]",
            "concat([], local.a)",
            '["arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Python312:100"]',
            '["arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:80"]',
        )
    },
    "extension there, ruby": function(
        'layers = ["arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:80"]',
        head='  runtime = "ruby3.4"\n  handler = "app.run"\n',
    ),
    **{
        f"environment {number}": function(f"environment {{\n{body}  }}")
        for number, body in enumerate(
            (
                "",
                "    variables = {}\n",
                '    variables = { A = "b" }\n',
                '    variables = {\n      A = "b"\n    }\n',
                '    variables = {\n      A   = "b", # c\n      "D" : "e"\n      F = { G = 1 }\n    }\n',
                '    variables = {\n      DD_SITE = "datadoghq.com"\n      DD_ENV = var.env\n    }\n',
                "    variables = local.variables\n",
                "    variables = merge({}, local.variables)\n",
                "    variables = { for k, v in local.x : k => v }\n",
                "    # none\n",
            )
        )
    },
    "environment on one line": function('environment { variables = { A = "b" } }'),
    "environment with a brace": function('environment {\n    variables = {\n      A = "b" }\n  }'),
    "environment by a loop": function(
        'dynamic "environment" {\n    for_each = var.x\n    content {\n      variables = {}\n    }\n  }'
    ),
    "on one line": 'resource "aws_lambda_function" "a" { runtime = "python3.12", handler = "app.handler" }\n',
    "brace on the last line": 'resource "aws_lambda_function" "a" {\n'
    '  runtime = "python3.12"\n  handler = "a.b" }\n',
    "windows": function('architectures = ["arm64"]').replace("\n", "\r\n"),
    "tabs": function().replace("  ", "\t"),
    "heredoc": function("description = <<-EOT\n    a } b\n    EOT", 'layers = ["x"]'),
    "commented out": "/*\n" + function() + "*/\n# " + function(name="other").replace("\n", "\n# "),
    "image": function('package_type = "Image"', "image_uri = local.x", head=""),
    "image by its place": function("image_uri = local.x", head=""),
    "edge by its association": function() + 'x "y" "z" {\n  lambda_function_association {\n'
    "    lambda_arn = aws_lambda_function.orders.qualified_arn\n  }\n}\n",
    "edge by its role": function("role = aws_iam_role.edge.arn") + EDGE_ROLE,
    "not at the edge": function("role = aws_iam_role.other.arn") + EDGE_ROLE,
    "a provider's region": 'provider "aws" {\n  region = "eu-central-1"\n}\n' + function(),
    "two providers": 'provider "aws" {\n  region = "eu-central-1"\n}\nprovider "aws" {\n  alias = "b"\n}\n'
    + function(),
    "government": 'provider "aws" {\n  region = "us-gov-west-1"\n}\n' + function(),
    "a region that is declared": 'data "aws_region" "here" {}\n' + function(),
    "several": function() + "\n" + function(name="second"),
    "several files": {"a.tf": function(), "b.tf": function(name="second")},
    "one by hand": function() + "\n" + function("layers = local.layers", name="second"),
    "by hand in two files": {
        "a.tf": function("layers = local.layers"),
        "b.tf": function("layers = local.layers", name="second"),
    },
    "the community's module": made_by(COMMUNITY),
    "the module with all it takes": made_by(
        COMMUNITY,
        "layers = [local.a]",
        'environment_variables = {\n    A = "b"\n  }',
        'source_path = "./src"',
    ),
    "the module with one line": made_by(COMMUNITY, 'environment_variables = { A = "b" }'),
    "the module by hand": made_by(COMMUNITY, "environment_variables = local.x", "layers = local.y"),
    "the module at the edge": made_by(COMMUNITY, "lambda_at_edge = true"),
    "the module as a layer": made_by(COMMUNITY, "create_layer = true", head=""),
    "the module without a function": made_by(COMMUNITY, "create_function = false"),
    "the module without anything": made_by(COMMUNITY, "create = false"),
    "the module's alias": made_by(f"{COMMUNITY}//modules/alias"),
    "the module from git": made_by(
        "git::https://github.com/terraform-aws-modules/terraform-aws-lambda.git?ref=v7"
    ),
    "datadog's module": made_by("DataDog/lambda-datadog/aws"),
    "another module": made_by("shop/lambda/aws"),
    "the library in the package": {
        "main.tf": made_by(COMMUNITY, 'source_path = "${path.module}/src"'),
        "src/requirements.txt": "datadog-lambda\n",
    },
    "the library in the package of node": {
        "main.tf": made_by(
            COMMUNITY, 'source_path = "src"', head='  runtime = "nodejs22.x"\n  handler = "index.handler"\n'
        ),
        "src/package.json": '{"dependencies": {"datadog-lambda-js": "1", "dd-trace": "5"}}',
    },
    "the library without its tracer": {
        "main.tf": made_by(
            COMMUNITY, 'source_path = "src"', head='  runtime = "nodejs22.x"\n  handler = "index.handler"\n'
        ),
        "src/package.json": '{"dependencies": {"datadog-lambda-js": "1"}}',
    },
    "the library in an archive": {
        "main.tf": 'data "archive_file" "zip" {\n  type = "zip"\n  source_dir = "${path.module}/src"\n}\n'
        + function("filename = data.archive_file.zip.output_path"),
        "src/requirements.txt": "datadog-lambda\n",
    },
    "the library installed": {
        "main.tf": function('filename = "orders.zip"'),
        "datadog_lambda/__init__.py": "",
    },
    "json": {"main.tf.json": '{"resource": {"aws_lambda_function": {"orders": {}}}}'},
    **{
        f"broken {number}": text
        for number, text in enumerate(
            (
                'resource "a" "b" {',
                "a = {\n",
                "}\n",
                'a = "b\n',
                "a = (1]\n",
                "a = <<EOT\nx\n",
                "a b = 1\n",
                "= 1\n",
                "a" + " {" * 70 + "}" * 70,
                "a = " + "[" * 70 + "]" * 70,
                'a = "' + "${" * 70 + "}" * 70 + '"',
            )
        )
    },
    "odd but right": 'a = "$${x} %%{y} ${"in ${"side"}"} \\" %{if x}y%{endif}"\n'
    "b = { c = [1, 2], d : 3 } // e\n" + function('tags = {\n    "a{b" = "c}d"\n  }', "timeout = 3 # }"),
}

IMPORTS = 'import * as lambda from "aws-cdk-lib/aws-lambda";\n'
NEW = 'new lambda.Function(this, "A", {{ runtime: lambda.Runtime.{}, handler: "app.handler", code }})'
STACK = IMPORTS + "class S extends Stack {\n  constructor() {\n"
PY = "from aws_cdk import aws_lambda as lambda_\n\nclass S(Stack):\n    def __init__(self):\n"
PYNEW = 'lambda_.Function(self, "A", runtime=lambda_.Runtime.{}, handler="app.handler", code=code)'


def script(*lines: str, end: str = "\n  }\n}\n", head: str = STACK) -> dict[str, str]:
    inside = "\n".join(f"    {line}" for line in lines)
    return {"cdk.json": '{"app": "npx ts-node bin/app.ts"}', "lib/stack.ts": f"{head}{inside}{end}"}


def program(*lines: str, head: str = PY) -> dict[str, str]:
    return {
        "cdk.json": '{"app": "python3 app.py"}',
        "app.py": head + "".join(f"        {line}\n" for line in lines),
    }


CDK: dict[str, dict[str, str]] = {
    **{
        f"runtime {constant}": script(f"const a = {NEW.format(constant)};")
        for constant in (
            *(
                "PYTHON_3_12",
                "NODEJS_22_X",
                "NODEJS_LATEST",
                "JAVA_8_CORRETTO",
                "JAVA_21",
                "DOTNET_8",
                "RUBY_3_4",
            ),
            *("PROVIDED_AL2023", "PYTHON_2_7", "ODD"),
        )
    },
    "two": script(f"const a = {NEW.format('PYTHON_3_12')};", f"this.b = {NEW.format('NODEJS_22_X')};"),
    "without semicolons": script(
        f"const a = {NEW.format('PYTHON_3_12')}", f"let b = {NEW.format('PYTHON_3_9')}"
    ),
    "typed": script(f"const a: lambda.Function = {NEW.format('PYTHON_3_12')};"),
    "no variable": script(f"{NEW.format('PYTHON_3_12')};"),
    "two without a variable": script(f"{NEW.format('PYTHON_3_12')};", f"{NEW.format('PYTHON_3_12')};"),
    "one without a variable": script(
        f"const a = {NEW.format('PYTHON_3_12')};", f"{NEW.format('PYTHON_3_12')};"
    ),
    "an image": script('const a = new lambda.DockerImageFunction(this, "A", { code });'),
    "an image beside": script(
        'const i = new lambda.DockerImageFunction(this, "I", { code });',
        f"const a = {NEW.format('PYTHON_3_12')};",
    ),
    "at the edge": script(
        f"const a = {NEW.format('PYTHON_3_12')};",
        f"const b = {NEW.format('PYTHON_3_12')};",
        "x({ functionVersion: a.currentVersion });",
    ),
    "all at the edge": script(
        f"const a = {NEW.format('PYTHON_3_12')};", "x({ functionVersion: a.currentVersion });"
    ),
    "of cloudfront": script(
        'const f = new cloudfront.Function(this, "F", {});', f"const a = {NEW.format('PYTHON_3_12')};"
    ),
    "of cloudfront by its name": script(
        'const f = new Function(this, "F", {});',
        f"const a = {NEW.format('PYTHON_3_12')};",
        head='import { Function } from "aws-cdk-lib/aws-cloudfront";\n' + STACK,
    ),
    "other constructs": script(
        'const a = new NodejsFunction(this, "A", { entry: "src/a.ts" });',
        'const b = new PythonFunction(this, "B", { entry: path.join(__dirname, "..", "src") });',
    ),
    "arm, layers and variables": script(
        'const a = new lambda.Function(this, "A", {',
        "  runtime: lambda.Runtime.PYTHON_3_12,",
        "  architecture: lambda.Architecture.ARM_64,",
        '  handler: "app.handler",',
        '  layers: [fromArn("arn:aws:lambda:eu-west-1:1:layer:mine:3")],',
        '  environment: { DD_SITE: "datadoghq.com", "PLAIN": x },',
        "});",
    ),
    "brackets in texts": script(
        'const a = new lambda.Function(this, "A)", {',
        "  // a ) comment",
        "  runtime: lambda.Runtime.PYTHON_3_12,",
        "  description: `${x} )`, handler: 'a.b',",
        "}).addAlias('live');",
    ),
    "in several blocks": script(
        f"if (x) {{ const a = {NEW.format('PYTHON_3_12')}; }}", f"const b = {NEW.format('PYTHON_3_12')};"
    ),
    "in several methods": script(
        f"const a = {NEW.format('PYTHON_3_12')};", "}", "more() {", f"const b = {NEW.format('PYTHON_3_12')};"
    ),
    "sharing a line": script(f"const a = {NEW.format('PYTHON_3_12')}; more();"),
    "sharing a line before": script(f"more(); const a = {NEW.format('PYTHON_3_12')};"),
    "without an end": script('const a = new lambda.Function(this, "A", {', end=""),
    "without imports": script(
        f"const a = {NEW.format('PYTHON_3_12')};", head="class S {\n  constructor() {\n"
    ),
    "one name twice": script(
        f"const a = {NEW.format('PYTHON_3_12')};", f"var a = {NEW.format('PYTHON_3_12')};"
    ),
    "windows": {
        name: text.replace("\n", "\r\n")
        for name, text in script(f"const a = {NEW.format('PYTHON_3_12')};").items()
    },
    "commented out": script(
        f"// const a = {NEW.format('PYTHON_3_12')};", f"/* {NEW.format('PYTHON_3_12')} */"
    ),
    "in several files": {
        **script(f"const a = {NEW.format('PYTHON_3_12')};"),
        "lib/more.ts": f"{IMPORTS}const b = {NEW.format('PYTHON_3_12')};\n",
    },
    "not looked at": {
        **script(f"const a = {NEW.format('PYTHON_3_12')};"),
        **{
            f"{place}/x.ts": NEW.format("JAVA_21")
            for place in ("node_modules", "cdk.out", "test", "tests", ".x", "dist")
        },
        "lib/types.d.ts": NEW.format("JAVA_21"),
    },
    "there already, the first release": {
        **script(f"const a = {NEW.format('PYTHON_3_12')};"),
        "lib/dd.ts": 'import "datadog-cdk-constructs";\n',
    },
    "there already, python": program(
        "x()", head="from datadog_cdk_constructs_v2 import DatadogLambda\n" + PY
    ),
    "there already": {
        **script(f"const a = {NEW.format('PYTHON_3_12')};"),
        "lib/dd.ts": 'import "datadog-cdk-constructs-v2";\n',
    },
    "the library in the package": {
        **script(
            'const a = new PythonFunction(this, "A", { entry: "src", runtime: lambda.Runtime.PYTHON_3_12 });'
        ),
        "src/requirements.txt": "datadog-lambda\n",
    },
    "the library in one package": {
        **script(
            'const a = new PythonFunction(this, "A", { entry: "src", runtime: lambda.Runtime.PYTHON_3_12 });',
            f"const b = {NEW.format('PYTHON_3_12')};",
        ),
        "src/requirements.txt": "datadog-lambda\n",
    },
    "with a package manager": {
        **script(f"const a = {NEW.format('PYTHON_3_12')};"),
        "package.json": "{}",
        "yarn.lock": "",
    },
    "javascript": {
        "cdk.json": '{"app": "node bin/app.js"}',
        "lib/stack.js": 'const lambda = require("aws-cdk-lib/aws-lambda");\n'
        f"class S {{\n  constructor() {{\n    this.a = {NEW.format('NODEJS_22_X')};\n  }}\n}}\n",
    },
    **{
        f"started by {command}": {
            "cdk.json": f'{{"app": "{command}"}}',
            "lib/a.ts": f"const a = {NEW.format('PYTHON_3_12')};\n",
        }
        for command in (
            "tsx bin/a.ts",
            "bun run a",
            "deno run a",
            "mvn exec:java",
            "node a.js",
            "dotnet run",
            "go run .",
        )
    },
    "python": program(f"self.a = {PYNEW.format('PYTHON_3_12')}", f"b = {PYNEW.format('RUBY_3_4')}", "more()"),
    "python, last": program(f"self.a = {PYNEW.format('PYTHON_3_12')}"),
    "python, no variable": program(PYNEW.format("PYTHON_3_12")),
    "python, an image": program('a = lambda_.DockerImageFunction(self, "A", code=code)'),
    "python, by its name": program(
        f"a = {PYNEW.format('PYTHON_3_12').removeprefix('lambda_.')}", head=PY.replace("as lambda_", "as l")
    ),
    "python, of cloudfront": program(
        'f = aws_cloudfront.Function(self, "F")',
        f"a = {PYNEW.format('PYTHON_3_12')}",
    ),
    "python, of cloudfront by its name": program(
        'f = Function(self, "F")',
        f"a = {PYNEW.format('PYTHON_3_12')}",
        head="from aws_cdk.aws_cloudfront import Function\n" + PY,
    ),
    "python, at the edge": program(
        f"a = {PYNEW.format('PYTHON_3_12')}", "x(function_version=a.current_version)"
    ),
    "python, in several functions": program(
        f"a = {PYNEW.format('PYTHON_3_12')}", f"def f(): b = {PYNEW.format('PYTHON_3_12')}"
    ),
    "python, no imports": program(f"a = {PYNEW.format('PYTHON_3_12')}", head="class S:\n    def f(self):\n"),
    "python, broken": {"cdk.json": '{"app": "python app.py"}', "app.py": "def (\n"},
    "no json": {"cdk.json": "{app"},
    "another json": {"cdk.json": "[]"},
    "no app": {"cdk.json": "{}"},
}

REQUIREMENTS: dict[str, dict[str, str]] = {
    **{
        f"requirements {text!r}": {"requirements.txt": text}
        for text in (
            *(
                "",
                "boto3\n",
                "boto3",
                "boto3\r\n",
                "datadog-lambda\n",
                "Datadog.Lambda[x]==1\n",
                "datadog_lambda>=5\n",
            ),
            *("datadog-lambda-js\n", "# datadog-lambda\n", "x --hash=sha256:1\n"),
            *("# This file is autogenerated by pip-compile\n", "# This file was autogenerated by uv via\n"),
            *("-r gone.txt\n", '"datadog-lambda"\n'),
        )
    },
    "requirements that include": {
        "requirements.txt": "-r more.txt # x\n",
        "more.txt": "--requirement requirements.txt\n",
    },
    "requirements that include the library": {
        "requirements.txt": "-r a/more.txt\n",
        "a/more.txt": "datadog-lambda\n",
    },
    **{
        f"project {text!r}": {"pyproject.toml": text}
        for text in (
            *(
                "",
                "[tool.x]\n",
                "[project]\n",
                "[project]\ndependencies = []\n",
                '[project]\ndependencies = ["a"]\n',
            ),
            *(
                "[project] # x\ndependencies = [\n  \"a\",\n  'b' # c ]\n]\n[x]\n",
                '[project]\ndependencies = ["a[b]"]\n',
            ),
            *(
                '[project]\ndependencies = [\n    "a", "b"]\r\n',
                '[project]\ndependencies = ["datadog-lambda"]\n',
            ),
            *(
                '[tool.poetry.dependencies]\ndatadog-lambda = "1"\n',
                '[tool.poetry.dependencies]\npython = "3"\n',
            ),
            *('[project]\ndynamic = ["dependencies"]\n[x]\ndependencies = ["a"]\n', "[project\n"),
            '[project]\noptional-dependencies = {}\ndependencies   =   [ "a" ]\n',
        )
    },
    **{
        f"project with {lock}": {"pyproject.toml": '[project]\ndependencies = ["a"]\n', lock: ""}
        for lock in ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "other.lock")
    },
}

NODE: dict[str, dict[str, str]] = {
    **{
        f"with {lock}": {"package.json": "{}", lock: ""}
        for lock in (
            *(
                "pnpm-lock.yaml",
                "yarn.lock",
                "bun.lock",
                "bun.lockb",
                "package-lock.json",
                "npm-shrinkwrap.json",
            ),
            "other.lock",
        )
    },
    **{
        f"listed in {group}": {"package.json": f'{{"{group}": {{"the-package": "1"}}}}'}
        for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
    },
    "nothing there": {"x": ""},
    "above": {"package.json": "{}", "yarn.lock": "", "app/x": ""},
    "beyond the repository": {"package.json": "{}", "app/.git": "", "app/x": ""},
    "no json": {"package.json": "{"},
    "another json": {"package.json": "[1]"},
    "odd groups": {"package.json": '{"dependencies": ["the-package"]}'},
}


def told(root: Path, ask: Callable[[], Proposal]) -> list[str]:
    try:
        lines = shown(ask())
    except UsageError as error:
        lines = refused(error)
    return [line.replace(str(root), "ROOT").replace(f" in {root.name}: ", " in ROOT: ") for line in lines]


def files_of(root: Path, cases: Mapping[str, str | dict[str, str]], name: str) -> Path:
    case = cases[name]
    place = root / str([*cases].index(name))
    return write(place, case if isinstance(case, dict) else {"main.tf": case})


@pytest.mark.parametrize("wish", WISHES)
def test_terraform(tmp_path: Path, wish: str) -> None:
    lines: list[str] = []
    wanted = WISHES[wish] if wish == "everything" else replace(WISHES[wish], region="")
    for name in TERRAFORM:
        root = files_of(tmp_path, TERRAFORM, name)
        files = sorted([*root.glob("*.tf"), *root.glob("*.tf.json")])
        lines += [f"[{name}]", *told(root, lambda r=root, f=files: terraform.propose(r, f, wanted)), ""]  # type: ignore[misc]
    matches_golden(f"files/terraform-{wish}", "\n".join(lines))


@pytest.mark.parametrize("wish", WISHES)
def test_cdk(tmp_path: Path, wish: str) -> None:
    lines: list[str] = []
    for name in CDK:
        root = files_of(tmp_path, CDK, name)
        lines += [f"[{name}]", *told(root, lambda r=root: cdk.propose(r / "cdk.json", WISHES[wish])), ""]  # type: ignore[misc]
    matches_golden(f"files/cdk-{wish}", "\n".join(lines))


def test_lists_of_requirements(tmp_path: Path) -> None:
    lines: list[str] = []
    for name, case in REQUIREMENTS.items():
        root = files_of(tmp_path, REQUIREMENTS, name)
        path = root / next(iter(case))
        for wanted in (Wanted(), Wanted(layer_version=110)):
            lines += [f"[{name}]", *told(root, lambda p=path, w=wanted: packages.python_library(p, w)), ""]  # type: ignore[misc]
    matches_golden("files/requirements", "\n".join(lines))


@pytest.mark.parametrize("dev", [True, False])
def test_packages_of_node(tmp_path: Path, dev: bool) -> None:
    lines: list[str] = []
    for name, case in NODE.items():
        root = files_of(tmp_path, NODE, name)
        (root / ".git").mkdir(exist_ok=True)
        folder = root / "app" if any(each.startswith("app/") for each in case) else root
        ask = lambda f=folder: packages.node_dependency(f, "the-package", "it is used", dev=dev)  # noqa: E731
        lines += [f"[{name}]", *told(root, ask), ""]
    matches_golden(f"files/node-{'dev' if dev else 'run'}", "\n".join(lines))
