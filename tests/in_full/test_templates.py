"""What a template is read as: each function in every field, and which state machines can be subscribed.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ddsetup.project.iac import cloudformation, template, yamldoc
from ddsetup.project.iac.source import read_source
from tests.in_full.test_files import WISHES
from tests.in_full.test_programs import told
from tests.in_full.told import shown
from tests.unit.show.test_render import matches_golden

SAM, PLAIN = "AWS::Serverless::Function", "AWS::Lambda::Function"
HEAD = "Transform: AWS::Serverless-2016-10-31\n"


def sam(lines: str, head: str = "", kind: str = SAM, more: str = "", beside: str = "") -> str:
    inside = "".join(f"      {line}\n" for line in lines.splitlines())
    return f"{HEAD}{head}Resources:\n  Orders:\n    Type: {kind}\n{beside}    Properties:\n{inside}{more}"


def machine(lines: str, more: str = "", kind: str = "AWS::Serverless::StateMachine") -> str:
    return sam("Runtime: python3.12\nHandler: a.b", more=_resource("Flow", kind, lines) + more)


def _resource(name: str, kind: str, lines: str) -> str:
    inside = "".join(f"      {line}\n" for line in lines.splitlines())
    return f"  {name}:\n    Type: {kind}\n    Properties:\n{inside}"


GROUP = _resource("Group", "AWS::Logs::LogGroup", "LogGroupName: /x")
ROLE = _resource("Role", "AWS::IAM::Role", "AssumeRolePolicyDocument: {Service: states.amazonaws.com}")
PARAMETERS = (
    "Parameters:\n  Py:\n    Type: String\n    Default: python3.12\n"
    "    AllowedValues: [python3.11, python3.13]\n"
    "  Bare:\n    Type: String\n  Arch:\n    Type: String\n    Default: arm64\n"
    "  Names:\n    Type: CommaDelimitedList\n    Default: one, two\n"
)
MAPPINGS = "Mappings:\n  Runtimes:\n    a:\n      b: python3.12\n    c:\n      b: nodejs22.x\n"
LOOP = "  Fn::ForEach::Each:\n    - Name\n    - {}\n    - Fn${{Name}}:\n        Type: " + SAM + "\n"
LOOPED = (
    "        Properties:\n          Runtime: python3.12\n          Handler: ${Name}.run\n"
    "          FunctionName: !Ref Name\n          Layers: ['&{Name}', !Sub '${Name}']\n"
)
EDGE = "AssumeRolePolicyDocument:\n  Statement:\n    - Principal: {Service: [edgelambda.amazonaws.com, x]}\n"
USUAL = "Runtime: python3.12\nHandler: app.handler"

TEMPLATES: dict[str, str] = {
    **{
        f"runtime {value}": sam(f"Runtime: {value}\nHandler: app.handler", head=PARAMETERS + MAPPINGS)
        for value in (
            *("python3.12", "!Ref Py", "!Ref Bare", "!Ref Gone", "!If [c, python3.12, nodejs22.x]"),
            *("!If [c, !Ref Py, python3.9]", "!FindInMap [Runtimes, a, b]", "!FindInMap [!Ref Py, a, b]"),
            *(
                "!Sub '${Py}'",
                "!Sub 'python3.${Bare}'",
                "!Sub python3.9",
                "!ImportValue x",
                "[python3.12]",
                "odd",
            ),
            *("!Sub ['${x}', {x: python3.9}]", "null", "''", "3"),
        )
    },
    **{
        f"architecture {value}": sam(f"{USUAL}\nArchitectures: {value}", head=PARAMETERS)
        for value in (
            "[arm64]",
            "[x86_64]",
            "[!Ref Arch]",
            "[!Ref Bare]",
            "[!Ref Gone]",
            "!Ref Arch",
            "[]",
            "null",
        )
    },
    **{
        f"layers {value}": sam(f"{USUAL}\nLayers: {value}")
        for value in (
            *(
                "[]",
                "[a, b]",
                "[!Ref A, !Sub 'x:${B}']",
                "!Ref A",
                "!If [c, [a], [b]]",
                "!If [c, [a], !Ref B]",
            ),
            *("!If [c, [a], !Ref 'AWS::NoValue']", "null"),
        )
    },
    **{
        f"environment {value}": sam(f"{USUAL}\nEnvironment: {value}")
        for value in (
            *("{Variables: {A: b, C: !Ref D, E: 1}}", "{Variables: !If [c, {}, {}]}", "!Ref A", "{}", "null"),
            *("{Variables: {}}", "{'Fn::If': [c, {}, {}]}", "[]"),
        )
    },
    **{
        f"code {value}": sam(f"{USUAL}\nCodeUri: {value}")
        for value in ("src/", "s3://b/k", "{Bucket: b, Key: k}", "!Ref A", ".")
    },
    "code, bundled": sam(f"{USUAL}\nCodeUri: src/", beside="    Metadata: {BuildMethod: esbuild}\n"),
    "code, with other metadata": sam(f"{USUAL}\nCodeUri: src/", beside="    Metadata: {a: b}\n"),
    "plain, code in a folder": sam(f"{USUAL}\nCode: src/", kind=PLAIN),
    "plain, code in the template": sam(f"{USUAL}\nCode: {{ZipFile: x}}", kind=PLAIN),
    "plain, image": sam("Code: {ImageUri: x}\nPackageType: Image", kind=PLAIN),
    "plain, image by its place": sam("Code: {ImageUri: x}", kind=PLAIN),
    "image": sam("PackageType: Image\nImageUri: x"),
    "image by its place": sam("ImageUri: x"),
    "computed handler and name": sam("Runtime: python3.12\nHandler: !Ref A\nFunctionName: !Sub '${B}-x'"),
    "name": sam(f"{USUAL}\nFunctionName: orders"),
    "tags, plain": sam(f"{USUAL}\nTags: {{'Fn::If': [c, [], []]}}", kind=PLAIN),
    "tags, sam": sam(f"{USUAL}\nTags: {{a: b}}"),
    "tags, listed": sam(f"{USUAL}\nTags: [{{Key: a, Value: b}}]", kind=PLAIN),
    "globals": sam(
        "Handler: app.handler\nLayers: [b]\nEnvironment: {Variables: {B: own, C: own}}",
        head="Globals:\n  Function:\n    Runtime: python3.12\n    Layers: [a]\n    Timeout: 3\n"
        "    Environment: {Variables: {A: all, B: all}}\n",
    ),
    "globals alone": sam(
        "Handler: app.handler",
        head="Globals:\n  Function:\n    Runtime: python3.12\n    Layers: [a]\n"
        "    Environment: {Variables: {A: all}}\n",
    ),
    "globals that are computed": sam(
        "Handler: app.handler\nLayers: !Ref L\nEnvironment: {Variables: !Ref V}",
        head="Globals:\n  Function:\n    Runtime: python3.12\n    Layers: [a]\n"
        "    Environment: {Variables: {A: all}}\n",
    ),
    "globals of plain ones": sam(
        "Handler: app.handler", head="Globals:\n  Function:\n    Runtime: python3.12\n", kind=PLAIN
    ),
    **{
        f"loop over {values}": f"{HEAD}{PARAMETERS}Resources:\n{LOOP.format(values)}{LOOPED}"
        for values in ("[a, b]", "[1, [x]]", "!Ref Names", "!Ref Py", "!Ref Gone", "!Ref Bare")
    },
    "loop in a loop": f"{HEAD}Resources:\n  Fn::ForEach::Out:\n    - Out\n    - [x, y]\n"
    "    - Fn::ForEach::In:\n        - In\n        - [a]\n        - F${Out}${In}:\n"
    "            Type: AWS::Serverless::Function\n"
    "            Properties: {Runtime: python3.12, Handler: '${Out}.${In}'}\n",
    "loop that is none": f"{HEAD}Resources:\n  Fn::ForEach::X: [a, [b]]\n  Y: text\n  Fn::ForEach::Z: {{}}\n",
    "edge by its distribution": sam(
        USUAL,
        more=_resource(
            "Cdn",
            "AWS::CloudFront::Distribution",
            "DistributionConfig:\n  DefaultCacheBehavior:\n    LambdaFunctionAssociations:\n"
            "      - LambdaFunctionARN: !Ref Orders.Version",
        )
        + _resource("Other", SAM, USUAL),
    ),
    "edge by its version": sam(
        USUAL,
        kind=PLAIN,
        more=_resource(
            "Cdn",
            "AWS::CloudFront::Distribution",
            "DistributionConfig:\n  CacheBehaviors:\n    - LambdaFunctionAssociations:\n"
            "        - LambdaFunctionARN: !Ref OrdersVersion",
        )
        + _resource("OrdersVersion", "AWS::Lambda::Version", "FunctionName: !Ref Orders")
        + _resource("OtherVersion", "AWS::Lambda::Version", "FunctionName: !Ref Other")
        + _resource("Other", PLAIN, USUAL),
    ),
    "edge by its role": sam(
        f"{USUAL}\nRole: !GetAtt EdgeRole.Arn",
        more=_resource("EdgeRole", "AWS::IAM::Role", EDGE)
        + ROLE
        + _resource("Other", SAM, f"{USUAL}\nRole: !GetAtt Role.Arn"),
    ),
    "edge by its own trust": sam(f"{USUAL}\n{EDGE}"),
    "machine alone": machine("DefinitionUri: x"),
    "machine, plain": machine("DefinitionString: x", kind="AWS::StepFunctions::StateMachine"),
    **{
        f"machine with {role}": machine(f"Role: {role}", ROLE)
        for role in (
            "!GetAtt Role.Arn",
            "!Sub '${Role.Arn}'",
            "!Sub 'x${Role.Arn}'",
            "!Ref Role",
            "arn:x",
            "!GetAtt Gone.Arn",
        )
    },
    "machine with its role by another name": machine("RoleArn: !GetAtt Role.Arn", ROLE),
    **{
        f"machine logs to {arn}": machine(
            f"Logging:\n  Destinations:\n    - CloudWatchLogsLogGroup: {{LogGroupArn: {arn}}}", GROUP
        )
        for arn in (
            "!GetAtt Group.Arn",
            "!GetAtt Group.Name",
            "!GetAtt Gone.Arn",
            "!Sub '${Group.Arn}'",
            "arn:x",
        )
    },
    "machine logs, plain": machine(
        "LoggingConfiguration:\n  Destinations:\n"
        "    - CloudWatchLogsLogGroup: {LogGroupArn: !GetAtt Group.Arn}",
        GROUP,
    ),
    **{
        f"machine with logging {value}": machine(f"Logging: {value}")
        for value in ("{}", "{Destinations: []}", "!Ref A", "{Level: ALL}", "{Destinations: x}", "[]", "text")
    },
}


def described(path: Path) -> list[str]:
    document: Any = yamldoc.parse(read_source(path))
    read = template.read(document)
    lines = [shown(each) for each in template.functions(read)]
    return [
        *lines,
        *(f"{name}: {'ok' if ok else 'no'}" for name, ok in template.state_machines(read).items()),
    ]


def test_what_a_template_says(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    lines: list[str] = []
    for name, text in TEMPLATES.items():
        path.write_text(text, "utf-8")
        lines += [f"[{name}]", *described(path), ""]
    matches_golden("files/described", "\n".join(lines))


def test_what_is_proposed_for_it(tmp_path: Path) -> None:
    """The lines themselves are those of `templates`; here, what is told beside them."""
    path = tmp_path / "template.yaml"
    lines: list[str] = []
    for name, text in TEMPLATES.items():
        path.write_text(text, "utf-8")
        found = told(tmp_path, lambda: cloudformation.propose(read_source(path), WISHES["extension"]))
        beside = [line for line in found if not line.startswith(("+", "-", "@", " "))]
        lines += [f"[{name}]", *beside, ""]
    matches_golden("files/proposed", "\n".join(lines))
