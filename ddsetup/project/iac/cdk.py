"""AWS CDK: the construct of Datadog with the functions found, in the language of the app.

A CDK app is a program, so the lines are put in by hand: `datadog-cdk-constructs-v2`, class `DatadogLambda`.
The names of its properties are those of its release 3.12, which stops where a language has no layer version.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ddsetup.model.errors import UsageError
from ddsetup.project.iac import cdk_edit, packages, plugin, versions
from ddsetup.project.iac.model import BrokenFile, CannotEdit, Edit, Install, Proposal, Snippet, Via, Wanted
from ddsetup.project.iac.plugin import forwarder_for
from ddsetup.project.iac.source import Source, place, read_source
from ddsetup.project.iac.variables import check_said, left_out

PACKAGE = "datadog-cdk-constructs-v2"
Language: TypeAlias = Literal["python", "typescript", "javascript", "other"]
_SUFFIXES: dict[Language, tuple[str, ...]] = {
    "python": (".py",),
    "typescript": (".ts",),
    "javascript": (".js", ".mjs", ".cjs"),
    "other": (),
}
_NEW = re.compile(
    r"(?:(?:const|let|var)\s+(?P<name>\w+)\s*(?::\s*[\w.]+)?\s*=\s*|(?P<field>this\.\w+)\s*=\s*)?"
    r"\bnew\s+(?:(?P<of>\w+)\.)?(?P<construct>Function|NodejsFunction|PythonFunction|DockerImageFunction)\s*\("
)
_CLOUDFRONT = re.compile(r"(?i)^(cloudfront|cf)(functions?)?_?$")
"""What the module of CloudFront is called, whose `Function` is no Lambda function."""
_FROM_CLOUDFRONT = re.compile(
    r"import\s*\{[^}]*\bFunction\b[^}]*\}\s*from\s*[\"']aws-cdk-lib/aws-cloudfront[\"']"
    r"|from\s+aws_cdk\.aws_cloudfront\s+import\s+[^\n]*\bFunction\b"
)
_EDGE = re.compile(
    r"\b(?:functionVersion|function_version)\s*[:=]\s*([\w.]+?)\.(?:currentVersion|current_version)\b"
)
_COMMENTS = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
_FUNCTION_OF_CLOUDFRONT = re.compile(r"\bcloudfront\.Function\b")
_LATEST = re.compile(r"\b(?:Runtime\.)?NODEJS_LATEST\b")
_RUNTIME = re.compile(r"\bRuntime\.(PYTHON|NODEJS|JAVA|DOTNET|RUBY)_")
_FAMILIES = {"PYTHON": "python", "NODEJS": "node", "JAVA": "java", "DOTNET": "dotnet", "RUBY": "ruby"}
_BY_CONSTRUCT = {"PythonFunction": "python", "NodejsFunction": "node"}
_IMAGE = "DockerImageFunction"
_CONSTRUCTS = ("Function", "PythonFunction", "NodejsFunction", _IMAGE)
_SKIP = frozenset({"node_modules", "cdk.out", "venv", "__pycache__", "dist", "test", "tests"})
_KEYS = {"apiKMSKey": "apiKmsKey"}


@dataclass(frozen=True, slots=True)
class _App:
    """What an app is made of: the variables that hold functions, those that hold container images, how many
    functions have no variable, and the languages of their runtimes."""

    functions: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    unnamed: int = 0
    families: tuple[str, ...] = ()


def propose(path: Path, wanted: Wanted) -> Proposal:
    """The snippet for one app, by its cdk.json. Raises BrokenFile, AnswerMissing."""
    source = read_source(path)
    try:
        command = str(json.loads(source.text).get("app", ""))
    except (ValueError, AttributeError) as error:
        line, column = place(source.text, getattr(error, "pos", 0))
        raise BrokenFile("not valid JSON", where=f"{path}:{line}:{column}") from error
    language = _language(command)
    sources = list(_sources(path.parent, _SUFFIXES[language]))
    texts = [each.text for each in sources]
    if any(PACKAGE.removesuffix("-v2") in text.replace("_", "-") for text in texts):
        return Proposal(settled=(path,))
    app = _app(texts, language)
    properties = _properties(path, wanted, app)
    text = (_python if language == "python" else _javascript)(app, properties, language)
    reason = "a CDK app is a program; put this into the stack, after its functions"
    if language == "other":
        reason = f"the app is started by `{command}`; its construct takes what these lines of TypeScript say"
    shown = "typescript" if language == "other" else language
    warnings = _warnings(path, texts, app, wanted)
    try:
        return Proposal(edits=(_edit(sources, app, text, language),), warnings=warnings) + _package(
            path, language
        )
    except CannotEdit as why:
        reason = reason if language == "other" else f"{reason} ({why})"
    return Proposal(snippets=(Snippet(path, reason, text, shown),), warnings=warnings)


def _edit(sources: list[Source], app: _App, text: str, language: Language) -> Edit:
    """The app's own file with the lines in it. Raises CannotEdit where their place is not certain."""
    if language == "other" or app.unnamed or app.images or not app.functions:
        raise CannotEdit("not every function is reached by a variable")
    holding = [each for each in sources if (_in_python if language == "python" else _in_script)(each.text)]
    if len(holding) != 1:
        raise CannotEdit("its functions stand in several files")
    if _FUNCTION_OF_CLOUDFRONT.search(holding[0].text):
        raise CannotEdit("functions of CloudFront stand beside them")
    source, (_comment, imported, *rest) = holding[0], text.splitlines()
    lines = "\n".join(rest).strip("\n")
    if language == "python":
        after = cdk_edit.in_python(source.text, app.functions, imported, lines)
    else:
        found = [m for m in _NEW.finditer(source.text) if (m["name"] or m["field"]) in app.functions]
        if len(found) != len(app.functions):
            raise CannotEdit("not every function is reached by a variable of its own")
        after = cdk_edit.in_script(source.text, [m.start() for m in found], imported, lines)
    return Edit(source.path, source.raw, source.encoded(after), ("the construct, with its functions",))


def _package(path: Path, language: Language) -> Proposal:
    """The construct among what the app is made of."""
    why = "the construct that the app names"
    if language != "python":
        return packages.node_dependency(path.parent, PACKAGE, why, dev=False)
    return Proposal(installs=(Install(path.parent, ("pip", "install", PACKAGE), f"{why}; list it, too"),))


def _warnings(path: Path, texts: list[str], app: _App, wanted: Wanted) -> tuple[str, ...]:
    """What the construct does not cover, as far as a program tells."""
    via: Via = wanted.via or "forwarder"
    said = list(left_out(wanted, via, "cdk"))
    if any(_LATEST.search(text) for text in texts):
        said.append(
            "the construct cannot tell the runtime behind NODEJS_LATEST, so it adds no layer and redirects "
            "nothing; name the runtime, e.g. Runtime.NODEJS_22_X"
        )
    if any(_EDGE.search(text) for text in texts):
        said.append("Lambda@Edge takes neither layers nor environment variables: left out")
    if any(_FUNCTION_OF_CLOUDFRONT.search(text) for text in texts):
        said.append("functions of CloudFront are no Lambda functions, and left out")
    if via == "forwarder" and {"java", "dotnet"} & set(app.families):
        said.append(
            "Java and .NET send nothing but logs through the Forwarder; --via extension adds metrics and "
            "traces"
        )
    return tuple(f"{path.name}: {text}" for text in said)


def _language(command: str) -> Language:
    if "python" in command:
        return "python"
    if re.search(r"\bts-node\b|\btsx\b|\.ts\b|\bbun\b|\bdeno\b", command):
        return "typescript"
    return "javascript" if re.search(r"\bnode\b", command) else "other"


def _sources(root: Path, suffixes: tuple[str, ...]) -> Iterator[Source]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIP and not name.startswith("."))
        for name in sorted(names):
            file = Path(folder) / name
            if file.suffix in suffixes and not name.endswith(".d.ts"):
                with suppress(UsageError):
                    yield read_source(file)


def _app(texts: list[str], language: Language) -> _App:
    found = [
        each for text in texts for each in (_in_python(text) if language == "python" else _in_script(text))
    ]
    families = [_FAMILIES[match[1]] for text in texts for match in _RUNTIME.finditer(text)]
    families += [_BY_CONSTRUCT[construct] for _, construct in found if construct in _BY_CONSTRUCT]
    return _App(
        functions=tuple(dict.fromkeys(name for name, kind in found if name and kind != _IMAGE)),
        images=tuple(
            dict.fromkeys(name or "one without a variable" for name, kind in found if kind == _IMAGE)
        ),
        unnamed=sum(1 for name, kind in found if not name and kind != _IMAGE),
        families=tuple(dict.fromkeys(families)),
    )


def _in_script(text: str) -> list[tuple[str, str]]:
    """The functions as (variable, construct); no variable: an empty text."""
    text = _COMMENTS.sub("", text)
    edge = set(_EDGE.findall(text))
    found = []
    for match in _NEW.finditer(text):
        name = match["name"] or match["field"] or ""
        of_cloudfront = _CLOUDFRONT.match(match["of"]) if match["of"] else _FROM_CLOUDFRONT.search(text)
        if name not in edge and not (match["construct"] == "Function" and of_cloudfront):
            found.append((name, match["construct"]))
    return found


def _in_python(text: str) -> list[tuple[str, str]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    names = {
        id(node.value): ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    }
    found = []
    edge = set(_EDGE.findall(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            construct = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            module = called.value if isinstance(called, ast.Attribute) else None
            of = module.id if isinstance(module, ast.Name) else getattr(module, "attr", "")
            cloudfront = _CLOUDFRONT.match(of.removeprefix("aws_")) if of else _FROM_CLOUDFRONT.search(text)
            name = names.get(id(node), "")
            if construct in _CONSTRUCTS and name not in edge and not (construct == "Function" and cloudfront):
                found.append((name, construct))
    return found


def _properties(path: Path, wanted: Wanted, app: _App) -> dict[str, str | int | bool]:
    via: Via = wanted.via or "forwarder"
    check_said(via, wanted, str(path))
    found: dict[str, str | int | bool] = {}
    for family in app.families or ("python", "node"):
        number = versions.library_version(family, wanted)
        if number:
            found[f"{family}LayerVersion"] = number
    found["site"] = wanted.site
    if via == "extension":
        number = versions.extension_version(wanted)
        if number:
            found["extensionLayerVersion"] = number
        if wanted.key_source is not None:
            name, value = wanted.key_source
            found[_KEYS.get(name, name)] = value
    else:
        arn = forwarder_for(wanted.forwarders, wanted.region, str(path))
        found |= {"flushMetricsToLogs": True} | ({"forwarderArn": arn} if arn else {})
    asked = plugin.said(wanted, via, "cdk")
    return found | {name: value for name, value in asked.items() if isinstance(value, str | int)}


def _remarks(app: _App, mark: str) -> str:
    """What the lines leave out, as comments."""
    said = []
    if app.images:
        said.append(f"container images get their lines in the Dockerfile: {', '.join(app.images)}")
    if app.unnamed:
        functions = "1 function has" if app.unnamed == 1 else f"{app.unnamed} functions have"
        said.append(f"{functions} no variable; give it one, and add it here")
    return "".join(f"{mark} {each}\n" for each in said)


def _javascript(app: _App, properties: dict[str, str | int | bool], language: Language) -> str:
    body = "".join(f"  {name}: {json.dumps(value)},\n" for name, value in properties.items())
    imported = f'import {{ DatadogLambda }} from "{PACKAGE}";'
    if language == "javascript":
        imported = f'const {{ DatadogLambda }} = require("{PACKAGE}");'
    return (
        f"// npm install {PACKAGE}\n{imported}\n\n"
        f'const datadogLambda = new DatadogLambda(this, "DatadogLambda", {{\n{body}}});\n'
        f"{_remarks(app, '//')}"
        f"datadogLambda.addLambdaFunctions([{', '.join(app.functions) or '/* your functions */'}]);\n"
    )


def _python(app: _App, properties: dict[str, str | int | bool], _language: Language) -> str:
    body = "".join(f"    {_snake(name)}={_literal(value)},\n" for name, value in properties.items())
    return (
        f"# pip install {PACKAGE}\n"
        f"from {PACKAGE.replace('-', '_')} import DatadogLambda\n\n"
        f'datadog_lambda = DatadogLambda(\n    self,\n    "DatadogLambda",\n{body})\n'
        f"{_remarks(app, '#')}"
        f"datadog_lambda.add_lambda_functions([{', '.join(app.functions)}])\n"
    )


def _literal(value: str | int | bool) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
