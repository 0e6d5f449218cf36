"""Which functions Lambda calls: as the deployment files name them, else those that look like it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from ddsetup.project.code_check.model import Handler
from ddsetup.project.code_check.modules import WRAPPER, Module
from ddsetup.project.iac.model import Project
from ddsetup.project.iac.source import read_source

_HANDLER = re.compile(
    r"(?im)\bhandler[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9_./-]+)\.([A-Za-z_]\w*)[\"']?[ \t]*(?=[,}\]#]|\r?$)"
)
_CMD = re.compile(r"(?im)^\s*CMD\s*\[\s*\"([A-Za-z0-9_./-]+)\.([A-Za-z_]\w*)\"\s*\]")
_ORIGINAL = re.compile(r"(?im)DD_LAMBDA_HANDLER[\"']?\s*[:= ]\s*[\"']?([A-Za-z0-9_./-]+)\.([A-Za-z_]\w*)")
_EVENTS = ("event", "_event", "evt", "events", "_")
_CONTEXTS = ("context", "_context", "ctx", "_ctx", "_", "__", "lambda_context")
_USUAL = ("lambda_handler", "handler")
_MAKES_HANDLERS = (ast.Call, ast.Lambda, ast.Attribute)
"""A call, a function without a name, or the method of an object: `handler = app.handler`."""
_REDIRECTING = (
    "serverless-plugin-datadog",
    "DatadogServerless",
    "datadog_lambda.handler",
    "datadog-cdk-constructs",
)

Named = tuple[str, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def named_handlers(project: Project) -> frozenset[Named]:
    """Module (with slashes) and function of each handler that a deployment file names."""
    found: set[Named] = set()
    for file in project.files:
        text = read_source(file.path).text
        for pattern in (_HANDLER, _CMD, _ORIGINAL):
            for match in pattern.finditer(text):
                module = match[1].replace(".", "/").strip("/")
                if not module.startswith("datadog_lambda"):
                    found.add((module, match[2]))
    return frozenset(found)


def redirects(project: Project) -> bool:
    """Whether a deployment file already has Datadog's handler put before the functions' own."""
    return any(mark in read_source(file.path).text for file in project.files for mark in _REDIRECTING)


def handlers_of(module: Module, named: Iterable[Named], *, guess: bool) -> tuple[Handler, ...]:
    """The handlers that a module defines. `guess`: no deployment file names any, so looks have to do."""
    known = _known(module, named)
    handed = _handed_over(module)
    found = []
    for statement in module.tree.body:
        if isinstance(statement, Function):
            name = statement.name
            if name in known or (guess and _looks_so(statement) and name not in handed):
                wraps = decorators(module, statement) + rewraps(module, name)
                found.append(Handler(name, module.place(statement), name in known, wraps))
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and not _defined(module, target.id):
                wraps = _calls_of(module, statement.value)
                looks_so = target.id in _USUAL and isinstance(statement.value, _MAKES_HANDLERS)
                if target.id in known or (guess and (wraps or looks_so)):
                    place = module.place(statement)
                    found.append(Handler(target.id, place, target.id in known, wraps))
    return tuple(found)


def _handed_over(module: Module) -> set[str]:
    """The functions that are wrapped under another name: `handler = datadog_lambda_wrapper(process)`."""
    found = set()
    for statement in module.tree.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        while isinstance(value, ast.Call) and module.meaning(value.func) == WRAPPER and value.args:
            value = value.args[0]
            if isinstance(value, ast.Name):
                found.add(value.id)
    return found - {name for each in module.tree.body for name in _rewrapped(each)}


def _rewrapped(statement: ast.stmt) -> Sequence[str]:
    """The name in `name = datadog_lambda_wrapper(name)`, which `rewraps` counts."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.Name(id=given), *_])):
            return (name,) if name == given else ()
        case _:
            return ()


def _known(module: Module, named: Iterable[Named]) -> set[str]:
    """The functions that are named of a module, or of the package whose first file it is."""
    path = module.path
    own = (path.parent if path.name == "__init__.py" else path.with_suffix("")).as_posix()
    return {name for place, name in named if own == place or own.endswith(f"/{place}")}


def handed_on(modules: Iterable[Module], named: frozenset[Named]) -> frozenset[Named]:
    """The handlers that deployment files name, and those that the modules named there only import:
    `from orders import handler`."""
    found = set(named)
    for module in modules:
        known = _known(module, named)
        for statement in module.tree.body if known else ():
            if isinstance(statement, ast.ImportFrom):
                place = (statement.module or module.path.parent.name).replace(".", "/")
                found |= {
                    (place, each.name) for each in statement.names if (each.asname or each.name) in known
                }
    return frozenset(found)


def _looks_so(function: Function) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args]
    if len(arguments) != 2 or function.args.kwonlyargs or isinstance(function, ast.AsyncFunctionDef):
        return False
    first, second = (argument.arg for argument in arguments)
    return (first in _EVENTS and second in _CONTEXTS) or function.name in _USUAL


def decorators(module: Module, function: Function) -> int:
    """How many of a function's decorators are Datadog's wrapper."""
    return sum(
        module.meaning(d.func if isinstance(d, ast.Call) else d) == WRAPPER for d in function.decorator_list
    )


def rewraps(module: Module, name: str) -> int:
    """How often `name = datadog_lambda_wrapper(name)` stands at the top of the module, or in an `if` or `try`
    there."""
    return sum(
        _calls_of(module, statement.value)
        for statement in _run_at_import(module.tree.body)
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    )


def _run_at_import(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is loaded."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            inner = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)]
            handlers = [s for h in getattr(statement, "handlers", ()) for s in h.body]
            yield from _run_at_import([*inner, *handlers])


def _calls_of(module: Module, value: ast.expr) -> int:
    """How many times Datadog's wrapper is called around an expression."""
    count = 0
    while isinstance(value, ast.Call) and module.meaning(value.func) == WRAPPER:
        count += 1
        if not value.args:
            break
        value = value.args[0]
    return count


def _defined(module: Module, name: str) -> bool:
    return any(isinstance(s, Function) and s.name == name for s in module.tree.body)


def wrapped_functions(module: Module) -> Sequence[Function]:
    """Every function in a module, however deep, that has the wrapper as a decorator."""
    return [n for n in ast.walk(module.tree) if isinstance(n, Function) and decorators(module, n)]
