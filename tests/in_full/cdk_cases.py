"""Apps of the CDK, each with one thing that is different."""

from __future__ import annotations

IMPORTS = 'import * as lambda from "aws-cdk-lib/aws-lambda";\n'
NEW = 'new lambda.Function(this, "A", {{ runtime: lambda.Runtime.{}, handler: "app.handler", code }})'
STACK = IMPORTS + "class S extends Stack {\n  constructor() {\n"
PY = "from aws_cdk import aws_lambda as lambda_\n\nclass S(Stack):\n    def __init__(self):\n"
PYNEW = 'lambda_.Function(self, "A", runtime=lambda_.Runtime.{}, handler="app.handler", code=code)'


ID = '"A"'


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
        'const c = new NodejsFunction(this, "C", { code: lambda.Code.fromAsset("src") });',
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
    "by other names": script(
        f"const a = {NEW.format('PYTHON_3_12').replace('lambda.', 'cdk.aws_lambda.')};",
        'const r = new RustFunction(this, "R", { manifestPath: "r/Cargo.toml" });',
        'const g = new golang.GoFunction(this, "G", { entry: "go" });',
        'const s = new lambda.SingletonFunction(this, "S", { uuid, runtime: lambda.Runtime.PYTHON_3_12 });',
        'const e = new cdk.aws_cloudfront.experimental.EdgeFunction(this, "E", { code });',
    ),
    "only custom runtimes": script('const r = new RustFunction(this, "R", { manifestPath: "Cargo.toml" });'),
    "of cloudfront by a namespace": script(
        'const f = new cdk.aws_cloudfront.Function(this, "F", {});', f"const a = {NEW.format('PYTHON_3_12')};"
    ),
    "in a loop": script(
        "for (const n of names) {", f"  const a = {NEW.format('PYTHON_3_12').replace(ID, 'n')};", "}"
    ),
    "in a method with an id": script(
        "}", "make(id: string) {", f"  const a = {NEW.format('PYTHON_3_12').replace(ID, 'id')};"
    ),
    "with a computed id": script(
        "super(scope, id);", f"const a = {NEW.format('PYTHON_3_12').replace(ID, '`${id}-a`')};"
    ),
    "outside of a class": script(
        f"const a = {NEW.format('PYTHON_3_12').replace('this', 'stack')};", head=IMPORTS, end="\n"
    ),
    "in two scopes": script(
        f"const a = {NEW.format('PYTHON_3_12')};",
        f"const b = {NEW.format('PYTHON_3_12').replace('this', 'other')};",
    ),
    "in a text": script(f"const a = {NEW.format('PYTHON_3_12')};", "const doc = 'new lambda.Function(';"),
    "of version 1": script(
        f"const a = {NEW.format('PYTHON_3_12')};", head=STACK.replace("aws-cdk-lib", "@aws-cdk")
    ),
    "python, annotated": program(f"self.a: lambda_.Function = {PYNEW.format('PYTHON_3_12')}"),
    "python, at the top": {
        "cdk.json": '{"app": "python3 app.py"}',
        "app.py": "from aws_cdk import aws_lambda as lambda_\n"
        f"a = {PYNEW.format('PYTHON_3_12').replace('self', 'stack')}\n",
    },
    "python, in a helper": program(
        f"a = {PYNEW.format('PYTHON_3_12').replace(ID, 'id')}",
        head=PY.replace("__init__(self)", "make(self, id)"),
    ),
    "python, with a computed id": program(f"a = {PYNEW.format('PYTHON_3_12').replace(ID, 'named')}"),
    "python, of version 1": program(
        f"a = {PYNEW.format('PYTHON_3_12')}", head=f"from aws_cdk import core\n{PY}"
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
