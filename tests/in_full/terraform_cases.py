"""Modules of Terraform, each with one thing that is different."""

from __future__ import annotations

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
    "a region that is not the one given": 'provider "aws" {\n  region = "eu-central-1"\n  default_tags {\n'
    '    tags = {\n      a = "b"\n    }\n  }\n}\nprovider "aws" {\n  alias = "b"\n  region = "us-east-2"\n}\n'
    + function(),
    **{
        f"ignoring {changes}": function(f"lifecycle {{\n    ignore_changes = {changes}\n  }}")
        for changes in (
            "all",
            "[environment, layers]",
            "[handler]",
            '[environment[0].variables["A"], environment.0.variables.B, filename]',
        )
    },
    "ignoring in json": {
        "main.tf.json": '{"resource": {"aws_lambda_function": {"orders": {"runtime": "python3.12", '
        '"handler": "app.handler", "lifecycle": {"ignore_changes": ["layers"]}}}}}\n'
    },
    **{
        f"overridden in {name}": {"main.tf": function(), name: function(*lines, head="")}
        for name, lines in (
            ("override.tf", ("memory_size = 512",)),
            ("prod_override.tf", ('handler = "other.run"', "layers = []")),
            ("x_override.tf", ('environment {\n    variables = { A = "b" }\n  }',)),
        )
    },
    "runtime of a local value": {
        "main.tf": function(head='  runtime = local.py\n  handler = "app.handler"\n'),
        "locals.tf": 'locals {\n  other = "x"\n  py = "python3.13" # ours\n}\n',
    },
    "runtime of two local values": function(head='  runtime = local.py\n  handler = "app.handler"\n')
    + 'locals {\n  py = "python3.13"\n  in = {\n    py = "python3.12"\n  }\n}\n',
    "labels without quotes": function().replace(
        '"aws_lambda_function" "orders"', "aws_lambda_function orders"
    ),
    "an empty environment": function("environment {", "}"),
    "an environment of something else": function("environment {", "  other = 1", "}"),
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
    "the module by hand, its layers": made_by(COMMUNITY, "layers = local.y"),
    "the module by hand, its variables": made_by(COMMUNITY, "environment_variables = local.x"),
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
