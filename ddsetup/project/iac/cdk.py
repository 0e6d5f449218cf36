"""AWS CDK: the construct of Datadog with the functions found, in the language of the app.

A CDK app is a program, so the lines are put in by hand: `datadog-cdk-constructs-v2`, class `DatadogLambda`.
The names of its properties are those of its release 3.12, which stops where a language has no layer version.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from ddsetup.facts import catalog
from ddsetup.facts.variables import key_setting
from ddsetup.model.answers import Via
from ddsetup.model.errors import UsageError
from ddsetup.project.iac import cdk_edit, cdk_read, in_package, packages, plugin, versions
from ddsetup.project.iac.cdk_read import Made
from ddsetup.project.iac.limits import Judged, judge
from ddsetup.project.iac.model import BrokenFile, CannotEdit, Edit, Install, Proposal, Snippet, Wish
from ddsetup.project.iac.plugin import forwarder_for
from ddsetup.project.iac.source import Source, read_json, read_source
from ddsetup.project.iac.variables import check_said, left_out

PACKAGE = "datadog-cdk-constructs-v2"
Language: TypeAlias = Literal["python", "typescript", "javascript", "other"]
_SUFFIXES: dict[Language, tuple[str, ...]] = {
    "python": (".py",),
    "typescript": (".ts",),
    "javascript": (".js", ".mjs", ".cjs"),
    "other": (".java", ".kt", ".go", ".cs", ".fs"),
}
_PROGRAMS = tuple(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
_CONSTRUCT = re.compile(r"datadog[-_]cdk[-_]constructs|com\.datadoghq\.cdkconstructs")
"""How a program names Datadog's construct: in Java by its package, elsewhere as it is published."""
_NOT_FOR_NET = (
    "Datadog publishes its construct for TypeScript, Python, Java and Go, not for .NET; "
    "`ddsetup setup` does it after each deployment"
)
_NO_FUNCTION = (
    "left alone: none of its files names Lambda. Functions that a package makes for it get the construct "
    "where they are made; or `ddsetup setup` does it after each deployment"
)
_FOR_ENDED_CDK = (
    "left alone: it is written for version 1 of the CDK, which AWS has ended, and Datadog's construct is for "
    "version 2; `ddsetup setup` does it after each deployment"
)
_ENDED_CDK = re.compile(
    r"[\"']@aws-cdk/(core|aws-lambda)[\"']|\bfrom\s+aws_cdk\s+import\s+[^\n]*\bcore\b|\baws_cdk\.core\b"
)
_RUNTIME = re.compile(r"\bRuntime[._](PYTHON|NODEJS|JAVA|DOTNET|RUBY)_")
_FAMILIES = {"PYTHON": "python", "NODEJS": "node", "JAVA": "java", "DOTNET": "dotnet", "RUBY": "ruby"}
_BY_CONSTRUCT = {"PythonFunction": "python", "NodejsFunction": "node"}
_Read: TypeAlias = Sequence[tuple[Source, list[Made]]]
"""The programs of an app, each with the functions that it makes."""
_SKIP = frozenset({"node_modules", "cdk.out", "venv", "__pycache__", "dist", "test", "tests"})


@dataclass(frozen=True, slots=True)
class _App:
    """What an app is made of: the variables of the functions that the construct shall have, those that hold
    container images, how many functions have no variable, the languages of their runtimes with the runtimes
    that are known, and what is left out or told. `scope` is what the functions are made in, empty if that
    differs."""

    functions: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    unnamed: int = 0
    families: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    judged: Judged = field(default_factory=Judged)
    scope: str = ""


def propose(path: Path, wanted: Wish) -> Proposal:
    """The snippet for one app, by its cdk.json. Raises BrokenFile, AnswerMissing."""
    source = read_source(path)
    said = read_json(source)
    if not isinstance(said, dict):
        raise BrokenFile("not valid JSON", where=f"{path}:1:1")
    command = str(said.get("app", ""))
    language = _language(command)
    programs = list(_sources(path.parent, _PROGRAMS))
    sources = [each for each in programs if each.path.suffix in _SUFFIXES[language]]
    if any(_CONSTRUCT.search(each.text) for each in sources):
        return Proposal(settled=(path,))
    if reason := _out_of_reach(command, programs):
        return Proposal(warnings=(f"{path.name}: {reason}",))
    made = [(each, _reader(language)(each.text)) for each in sources]
    app = _app(path.parent, made, wanted)
    warnings = _warnings(path, app, wanted)
    if (app.judged.out or app.images) and not (app.functions or app.unnamed):
        return Proposal(warnings=warnings)
    properties = _properties(path, wanted, app)
    text = (_python if language == "python" else _javascript)(app, properties, language)
    reason = "a CDK app is a program; put this into the stack, after its functions"
    if language == "other":
        reason = f"the app is started by `{command}`; its construct takes what these lines of TypeScript say"
    shown = "typescript" if language == "other" else language
    try:
        return Proposal(edits=(_edit(made, app, text, language),), warnings=warnings) + _package(
            path, language
        )
    except CannotEdit as why:
        reason = reason if language == "other" else f"{reason} ({why})"
    return Proposal(snippets=(Snippet(path, reason, text, shown),), warnings=warnings)


def _out_of_reach(command: str, programs: list[Source]) -> str:
    """Why no lines help the app: nothing in it makes functions, or the construct is not for its language."""
    if programs and not any(_makes(each.text) for each in programs):
        return _NO_FUNCTION
    if any(_ENDED_CDK.search(each.text) for each in programs):
        return _FOR_ENDED_CDK
    return _NOT_FOR_NET if re.search(r"\bdotnet\b", command) else ""


def _makes(text: str) -> bool:
    return "lambda" in text.lower() or bool(cdk_read.in_script(text))


def _edit(found: _Read, app: _App, text: str, language: Language) -> Edit:
    """The app's own file with the lines in it. Raises CannotEdit where their place is not certain."""
    if language == "other" or app.unnamed or app.images or not app.functions:
        raise CannotEdit("not every function is reached by a variable")
    holding = [(each, made) for each, made in found if any(not one.described.cloudfront for one in made)]
    if len(holding) != 1:
        raise CannotEdit("its functions stand in several files")
    (source, made), (_comment, imported, *rest) = holding[0], text.splitlines()
    if any(one.described.cloudfront for one in made):
        raise CannotEdit("functions of CloudFront stand beside them")
    if not app.scope:
        raise CannotEdit("its functions are made in several scopes")
    lines = "\n".join(rest).strip("\n")
    todo = [one for one in made if one.variable in app.functions]
    fixed = all(one.fixed for one in todo)
    if language == "python":
        after = cdk_edit.in_python(source.text, app.functions, imported, lines, fixed=fixed)
    else:
        if len(todo) != len(app.functions):
            raise CannotEdit("not every function is reached by a variable of its own")
        starts = [one.start for one in todo]
        after = cdk_edit.in_script(source.text, starts, imported, lines, fixed=fixed)
    return Edit(source.path, source.raw, source.encoded(after), ("the construct, with its functions",))


def _package(path: Path, language: Language) -> Proposal:
    """The construct among what the app is made of."""
    why = "the construct that the app names"
    if language != "python":
        return packages.node_dependency(path.parent, PACKAGE, why, dev=False)
    return Proposal(installs=(Install(path.parent, ("pip", "install", PACKAGE), f"{why}; list it, too"),))


def _warnings(path: Path, app: _App, wanted: Wish) -> tuple[str, ...]:
    """What the construct does not cover, as far as a program tells."""
    via: Via = wanted.via or "forwarder"
    kept = in_package.kept_layers(app.judged.covered, said=False)
    said = [*app.judged.warnings, *kept, *left_out(wanted, via, "cdk")]
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


def _reader(language: Language) -> Callable[[str], list[Made]]:
    return cdk_read.in_python if language == "python" else cdk_read.in_script


def _app(root: Path, read: _Read, wanted: Wish) -> _App:
    found = [each for _source, made in read for each in made]
    found = [replace(each, described=in_package.looked_up(each.described, root, wanted)) for each in found]
    described = [each.described for each in found]
    runtimes = tuple(dict.fromkeys(runtime for each in described for runtime in each.runtimes))

    def has_layer(runtime: str, architecture: str) -> bool:
        family = catalog.family_of(runtime)
        number = (
            versions.newest_for(family.name, _runtimes_of(family.name, runtimes), wanted) if family else None
        )
        return number is None or versions.exists(runtime, architecture, number, wanted)

    judged = judge(described, "cdk", wanted.via or "forwarder", has_layer)
    kept = [each for each in found if each.described not in judged.out]
    families = [_FAMILIES[match[1]] for source, _made in read for match in _RUNTIME.finditer(source.text)]
    families += [_BY_CONSTRUCT[each.construct] for each in found if each.construct in _BY_CONSTRUCT]
    if not families and not all(each.described.runtimes for each in found):
        families = ["python", "node"]
    scopes = {each.scope for each in kept if each.variable and not each.described.image}
    handed = [each for each in kept if not each.described.image]
    return _App(
        functions=tuple(dict.fromkeys(each.variable for each in handed if each.variable)),
        images=tuple(dict.fromkeys(each.described.name for each in kept if each.described.image)),
        unnamed=sum(1 for each in handed if not each.variable),
        families=tuple(dict.fromkeys(families)),
        runtimes=runtimes,
        judged=judged,
        scope=scopes.pop() if len(scopes) == 1 else "",
    )


def _runtimes_of(family: str, runtimes: Iterable[str]) -> list[str]:
    """Those of the runtimes that are of a language."""
    found = ((runtime, catalog.family_of(runtime)) for runtime in runtimes)
    return [runtime for runtime, of in found if of is not None and of.name == family]


def _properties(path: Path, wanted: Wish, app: _App) -> dict[str, str | int | bool]:
    via: Via = wanted.via or "forwarder"
    check_said(via, wanted, str(path), "cdk")
    found: dict[str, str | int | bool] = {}
    packaged = not wanted.library or in_package.without_layers(app.judged.covered)
    if packaged:
        found["addLayers"] = False
    if not wanted.library:
        found["redirectHandler"] = False
    for family in () if packaged else app.families:
        number = versions.newest_for(family, _runtimes_of(family, app.runtimes), wanted)
        if number:
            found[f"{family}LayerVersion"] = number
    found["site"] = wanted.answers.site
    if via == "extension":
        number = versions.extension_version(wanted)
        if number:
            found["extensionLayerVersion"] = number
        if wanted.key_source is not None:
            found[key_setting(wanted.key_source, "cdk", str(path))] = wanted.key_source.value
    else:
        arn = forwarder_for(wanted.answers.forwarder_arns, wanted.region, str(path))
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
        f'const datadogLambda = new DatadogLambda({app.scope or "this"}, "DatadogLambda", {{\n{body}}});\n'
        f"{_remarks(app, '//')}"
        f"datadogLambda.addLambdaFunctions([{', '.join(app.functions) or '/* your functions */'}]);\n"
    )


def _python(app: _App, properties: dict[str, str | int | bool], _language: Language) -> str:
    body = "".join(f"    {_snake(name)}={_literal(value)},\n" for name, value in properties.items())
    return (
        f"# pip install {PACKAGE}\n"
        f"from {PACKAGE.replace('-', '_')} import DatadogLambda\n\n"
        f'datadog_lambda = DatadogLambda(\n    {app.scope or "self"},\n    "DatadogLambda",\n{body})\n'
        f"{_remarks(app, '#')}"
        f"datadog_lambda.add_lambda_functions([{', '.join(app.functions)}])\n"
    )


def _literal(value: str | int | bool) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
