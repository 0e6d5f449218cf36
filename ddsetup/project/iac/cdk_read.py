"""The functions that the program of a CDK app makes, as far as they can be told without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ddsetup.project.iac.described import Described, runtime
from ddsetup.project.syntax import argument

_IMAGE = "DockerImageFunction"
_CONSTRUCTS = (
    *("Function", "PythonFunction", "NodejsFunction", "RustFunction", "GoFunction", "DotNetFunction"),
    *("SingletonFunction", _IMAGE, "EdgeFunction"),
)
_NEW = re.compile(
    r"(?:(?:const|let|var)\s+(?P<name>\w+)\s*(?::\s*[\w.]+)?\s*=\s*|(?P<field>this\.\w+)\s*=\s*)?"
    rf"\bnew\s+(?:(?P<of>\w+(?:\.\w+)*)\.)?(?P<construct>{'|'.join(_CONSTRUCTS)})\s*\("
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
COMMENT, QUOTED = r"//[^\n]*|/\*.*?\*/", r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"
"""Comments of TypeScript and JavaScript, and texts in quotes."""
_NO_CODE = re.compile(rf"(?P<comment>{COMMENT})|{QUOTED}", re.DOTALL)
_ID = re.compile(r"\s*(?P<scope>[\w.]+)\s*,\s*(?P<fixed>\"[^\"]*\"|'[^']*'|`[^`$]*`)?")
_BY_CONSTRUCT = {"RustFunction": "provided.al2023", "GoFunction": "provided.al2"}
"""The runtimes that cargo-lambda-cdk and aws-lambda-go-alpha choose."""
_HANDLED = ("Function", "SingletonFunction")
"""The constructs whose `handler` is what Lambda calls; others make it of a file's name."""
_FROM_IMAGE = re.compile(r"\bRuntime\.FROM_IMAGE\b")
_QUOTES = ("'", '"', "`", ")")
"""How the arguments of JavaScript's own `Function` begin."""
_RUNTIME = re.compile(r"\bRuntime\.([A-Z][A-Z0-9_]*)")
_LATEST = re.compile(r"\bNODEJS_LATEST\b")
_TEXT = r"[\"'`]([^\"'`\n]*)[\"'`]"
_HANDLER = re.compile(rf"\bhandler\s*[:=]\s*{_TEXT}")
_VARIABLE = re.compile(rf"[\"']?\b([A-Z][A-Z0-9_]+)[\"']?\s*:\s*(?:{_TEXT})?")
_ENVIRONMENT = re.compile(r"\benvironment\s*[:=]\s*\{([^{}]*)\}")
_ASSET = re.compile(r"\b(?:from_?[aA]sset|entry)\s*[(:=]\s*(?:[\w.]*join\()?([^)\n]*)")
_LITERAL = re.compile(_TEXT)
_LAYER = re.compile(r"[\"'`](arn:[^\"'`\n]*:layer:[^\"'`\n]*)[\"'`]")
_ARM = re.compile(r"\bArchitecture\.ARM_64\b")
_BRACKETS = re.compile(rf"{QUOTED}|(?P<bracket>[()])")
_NAMES = (
    (re.compile(r"(PYTHON|RUBY)_(\d+)_(\d+)"), r"\1\2.\3"),
    (re.compile(r"NODEJS_(\d+)_X"), r"nodejs\1.x"),
    (re.compile(r"NODEJS_(\d+)_(\d+)"), r"nodejs\1.\2"),
    (re.compile(r"JAVA_8_CORRETTO"), "java8.al2"),
    (re.compile(r"(JAVA|DOTNET)_(\d+)"), r"\1\2"),
    (re.compile(r"PROVIDED_(AL\w+)"), r"provided.\1"),
    (re.compile(r"GO_1_X"), "go1.x"),
    (re.compile(r"DOTNET_CORE_(\d)(?:_(\d))?"), r"dotnetcore\1.\2"),
)
"""The runtimes' constants of aws-cdk-lib/aws-lambda `Runtime`, and what AWS Lambda calls them."""


@dataclass(frozen=True, slots=True)
class Made:
    """A function of an app. `variable` is what it is reached by, empty if nothing is. `scope` is what it is
    made in, and `fixed` says that its id there is written: it is made once. `start`: where it stands."""

    variable: str
    construct: str
    described: Described
    scope: str = ""
    fixed: bool = True
    start: int = 0


def in_script(text: str) -> list[Made]:
    """The functions in a program of TypeScript or JavaScript."""
    code, quoted = _code_of(text)
    edge = set(_EDGE.findall(code))
    from_cloudfront = _FROM_CLOUDFRONT.search(code)
    found = []
    for match in _NEW.finditer(code):
        if any(start < match.end() <= end for start, end in quoted):
            continue
        name = match["name"] or match["field"] or ""
        of = match["of"].rpartition(".")[2].removeprefix("aws_") if match["of"] else ""
        of_cloudfront = _CLOUDFRONT.match(of) if of else from_cloudfront
        if match["construct"] == "Function" and not of and code[match.end() :][:1] in _QUOTES:
            continue
        made = _made(name, match["construct"], _arguments(code, match.end()), edge)
        named = _ID.match(code, match.end())
        made = replace(
            made,
            scope=named["scope"] if named else "",
            fixed=bool(named and named["fixed"]),
            start=match.start(),
        )
        found.append(_of_cloudfront(made) if match["construct"] == "Function" and of_cloudfront else made)
    return found


def _code_of(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with its comments blanked, and where its texts in quotes stand."""
    parts: list[str] = []
    quoted: list[tuple[int, int]] = []
    at = 0
    for match in _NO_CODE.finditer(text):
        if match["comment"] is None:
            quoted.append(match.span())
            continue
        parts += [text[at : match.start()], re.sub(r"[^\n]", " ", match[0])]
        at = match.end()
    return "".join([*parts, text[at:]]), quoted


def in_python(text: str) -> list[Made]:
    """The functions in a program of Python; none where it is none."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AnnAssign))
    names = {id(node.value): target(node) for node in assigned}
    edge = set(_EDGE.findall(text))
    found = []
    for call, construct, of_cloudfront in _calls(tree, text):
        made = _made(names.get(id(call), ""), construct, ast.unparse(call), edge)
        scope, own = (argument(call, number, name) for number, name in enumerate(("scope", "id")))
        fixed = isinstance(own, ast.Constant)
        made = replace(made, scope=ast.unparse(scope) if scope else "", fixed=fixed)
        found.append(_of_cloudfront(made) if of_cloudfront else made)
    return found


def target(statement: ast.stmt) -> str:
    """What a statement gives a value, empty if nothing."""
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0])
    return ast.unparse(statement.target) if isinstance(statement, ast.AnnAssign) else ""


def _of_cloudfront(made: Made) -> Made:
    return replace(made, described=Described(name=made.described.name, cloudfront=True))


def _calls(tree: ast.AST, text: str) -> Iterator[tuple[ast.Call, str, bool]]:
    """The calls that make functions, with their constructs, and whether they are CloudFront's own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        construct = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        module = called.value if isinstance(called, ast.Attribute) else None
        of = module.id if isinstance(module, ast.Name) else getattr(module, "attr", "")
        cloudfront = _CLOUDFRONT.match(of.removeprefix("aws_")) if of else _FROM_CLOUDFRONT.search(text)
        if construct in _CONSTRUCTS:
            yield node, construct, construct == "Function" and cloudfront is not None


def _made(variable: str, construct: str, arguments: str, edge: set[str]) -> Made:
    said = _RUNTIME.search(arguments)
    handler = _HANDLER.search(arguments)
    environment = _ENVIRONMENT.search(arguments)
    return Made(
        variable,
        construct,
        Described(
            name=variable or "one without a variable",
            runtimes=_runtime(said[1]) if said else runtime(_BY_CONSTRUCT.get(construct)),
            latest_runtime=_LATEST.search(arguments) is not None,
            handler=handler[1] if handler and construct in _HANDLED else "",
            image=construct == _IMAGE or _FROM_IMAGE.search(arguments) is not None,
            code=_code(arguments) if construct != "NodejsFunction" else "",
            installs=construct == "PythonFunction",
            edge=construct == "EdgeFunction" or (bool(variable) and variable in edge),
            layers=tuple(_LAYER.findall(arguments)),
            variables=dict(_VARIABLE.findall(environment[1])) if environment else {},
            architecture="arm64" if _ARM.search(arguments) else "x86_64",
        ),
    )


def _code(arguments: str) -> str:
    """The folder of the code, from the app's own: programs name it from where they stand, so leading `..`
    do not count."""
    found = _ASSET.search(arguments)
    parts = "/".join(_LITERAL.findall(found[1])).split("/") if found else []
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _runtime(constant: str) -> tuple[str, ...]:
    for pattern, named in _NAMES:
        match = pattern.fullmatch(constant)
        if match is not None:
            return (match.expand(named).lower(),)
    return ()


def _arguments(text: str, start: int) -> str:
    """What stands between the brackets of a call that is open at a place."""
    depth = 1
    for match in _BRACKETS.finditer(text, start):
        if match["bracket"]:
            depth += 1 if match["bracket"] == "(" else -1
        if depth == 0:
            return text[start : match.start()]
    return text[start:]
