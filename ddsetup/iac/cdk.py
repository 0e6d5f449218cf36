"""AWS CDK: the construct of Datadog with the functions found, in the language of the app.

A CDK app is a program, so the lines are put in by hand: `datadog-cdk-constructs-v2`, class `DatadogLambda`.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from ddsetup.iac import versions
from ddsetup.iac.model import BrokenFile, Proposal, Snippet, Via, Wanted
from ddsetup.iac.plugin import forwarder_for
from ddsetup.iac.source import place, read_source
from ddsetup.iac.variables import check_said

PACKAGE = "datadog-cdk-constructs-v2"
_TS = re.compile(
    r"(?:const|let|this\.)\s*(\w+)\s*(?::\s*[\w.]+)?\s*=\s*new\s+(?:\w+\.)?"
    r"(Function|NodejsFunction|PythonFunction|GoFunction|DockerImageFunction)\s*\("
)
_CONSTRUCTS = ("Function", "PythonFunction", "NodejsFunction", "DockerImageFunction")
_SKIP = ("node_modules", "cdk.out", ".venv", "venv", ".git", "__pycache__", "dist")
_LARGEST = 1_000_000


def propose(path: Path, wanted: Wanted) -> Proposal:
    """The snippet for one app, by its cdk.json. Raises BrokenFile, AnswerMissing."""
    source = read_source(path)
    try:
        app = str(json.loads(source.text).get("app", ""))
    except (ValueError, AttributeError) as error:
        line, column = place(source.text, getattr(error, "pos", 0))
        raise BrokenFile("not valid JSON", where=f"{path}:{line}:{column}") from error
    python = "python" in app
    found = _functions(path.parent, ".py" if python else ".ts")
    if found is None:
        return Proposal(settled=(path,))
    text = (_python if python else _typescript)(found, _properties(path, wanted))
    reason = "a CDK app is a program; put this into the stack, after its functions"
    return Proposal(snippets=(Snippet(path, reason, text, "python" if python else "typescript"),))


def _functions(root: Path, suffix: str) -> list[str] | None:
    """The variables that hold functions; None if Datadog's construct is used already."""
    names: list[str] = []
    for file in sorted(root.rglob(f"*{suffix}")):
        if any(part in _SKIP for part in file.relative_to(root).parts) or file.stat().st_size > _LARGEST:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if "datadog-cdk-constructs" in text or "datadog_cdk_constructs" in text:
            return None
        names += _python_names(text) if suffix == ".py" else [match[1] for match in _TS.finditer(text)]
    return list(dict.fromkeys(names))


def _python_names(text: str) -> list[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in _CONSTRUCTS:
                names.append(ast.unparse(node.targets[0]))
    return names


def _properties(path: Path, wanted: Wanted) -> dict[str, str | int | bool]:
    via: Via = wanted.via or "forwarder"
    check_said(via, wanted, str(path))
    found: dict[str, str | int | bool] = {}
    for family, name in (("python", "pythonLayerVersion"), ("node", "nodeLayerVersion")):
        number = versions.library_version(family, wanted)
        if number:
            found[name] = number
    found["site"] = wanted.site
    if via == "extension":
        number = versions.extension_version(wanted)
        if number:
            found["extensionLayerVersion"] = number
        if wanted.key_source is not None:
            name, value = wanted.key_source
            found["apiKmsKey" if name == "apiKMSKey" else name] = value
    else:
        arn = forwarder_for(wanted.forwarders, wanted.region, str(path))
        found |= {"flushMetricsToLogs": True} | ({"forwarderArn": arn} if arn else {})
    said = {"env": wanted.env, "service": wanted.service, "version": wanted.version}
    found |= {name: value for name, value in said.items() if value}
    return found


def _typescript(functions: list[str], properties: dict[str, str | int | bool]) -> str:
    body = "".join(f"  {name}: {json.dumps(value)},\n" for name, value in properties.items())
    return (
        f"// npm install {PACKAGE}\n"
        f'import {{ DatadogLambda }} from "{PACKAGE}";\n\n'
        f'const datadogLambda = new DatadogLambda(this, "DatadogLambda", {{\n{body}}});\n'
        f"datadogLambda.addLambdaFunctions([{', '.join(functions) or '/* your functions */'}]);\n"
    )


def _python(functions: list[str], properties: dict[str, str | int | bool]) -> str:
    body = "".join(f"    {_snake(name)}={value!r},\n" for name, value in properties.items())
    return (
        f"# pip install {PACKAGE}\n"
        f"from {PACKAGE.replace('-', '_')} import DatadogLambda\n\n"
        f'datadog_lambda = DatadogLambda(\n    self,\n    "DatadogLambda",\n{body})\n'
        f"datadog_lambda.add_lambda_functions([{', '.join(functions)}])\n"
    )


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
