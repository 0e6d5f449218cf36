"""What is double, missing or wrong in the calls of Datadog's library.

The rules: only the handler is wrapped, not its helpers; a metric's value is a number, its tags are a list of
texts; a metric that is sent while the module is loaded is sent before the library is ready. Sources:
Datadog's guide for Lambda functions in Python, datadog-lambda-python, Datadog's rules for names of metrics.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from ddsetup.project.code_check.handlers import wrapped_functions
from ddsetup.project.code_check.model import Handler, Metric, Problem
from ddsetup.project.code_check.modules import METRIC_CALLS, STATSD, Module, constant_of, never_in_lambda
from ddsetup.project.syntax import argument

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
_NOT_NUMBERS = (
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.DictComp,
    ast.SetComp,
)
_TEXT_CALLS = ("json.dumps", "os.getenv", "os.environ.get", "environ.get")
_TEXT_METHODS = ("isoformat", "strftime", "hexdigest", "format_map")
_LIBRARIES = frozenset({"datadog_lambda", "ddtrace"})


def metrics(module: Module) -> tuple[Metric, ...]:
    """Every call that sends a metric."""
    return tuple(
        Metric(_constant(argument(call, 0, "metric_name")), module.place(call)) for call in _calls(module)
    )


def libraries(module: Module) -> frozenset[str]:
    """Which of Datadog's library and tracer the module imports."""
    return frozenset(meaning.split(".")[0] for meaning in module.names.values()) & _LIBRARIES


def check_module(module: Module, handlers: Sequence[Handler]) -> Iterator[Problem]:
    """What is wrong in one module."""
    yield from _wrappers(module, handlers)
    yield from _former(module)
    yield from _statsd(module)
    inside = {id(node) for function in _functions(module) for node in ast.walk(function)}
    elsewhere = never_in_lambda(module)
    for call in (call for call in _calls(module) if id(call) not in elsewhere):
        yield from _metric(module, call, at_import=id(call) not in inside)


def _wrappers(module: Module, handlers: Sequence[Handler]) -> Iterator[Problem]:
    names = {handler.name for handler in handlers}
    top = {id(statement) for statement in module.tree.body}
    for function in wrapped_functions(module):
        if id(function) in top and (function.name in names or not handlers):
            continue
        yield Problem(
            check="code.wrapper_on_helper",
            severity="warning",
            place=module.place(function),
            what=f"{function.name} is wrapped, and Lambda does not call it",
            fix="wrap the handler only; use @tracer.wrap() to see a helper in traces",
        )
    for handler in handlers:
        if handler.wraps > 1:
            yield Problem(
                check="code.wrapped_twice",
                severity="warning",
                place=handler.place,
                what=f"{handler.name} is wrapped {handler.wraps} times; only the first has an effect",
                fix="leave one @datadog_lambda_wrapper",
            )


def _former(module: Module) -> Iterator[Problem]:
    """Imports under names that have moved to the package datadog-lambda."""
    for node, today in module.former():
        package, _, name = today.rpartition(".")
        yield Problem(
            check="code.former_import",
            severity="warning",
            place=module.place(node),
            what=f"{name} is imported from `{node.module}`, which Datadog's library has left",
            fix=f"from {package} import {name}, and datadog-lambda among the requirements",
        )


def _statsd(module: Module) -> Iterator[Problem]:
    """DogStatsD: its metrics go to a port on which only the Extension listens."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _through_statsd(module, node.func):
            yield Problem(
                check="code.dogstatsd",
                severity="warning",
                place=module.place(node),
                what="DogStatsD reaches Datadog from Lambda through the Extension only (--via extension)",
                fix="with the Forwarder: lambda_metric of datadog_lambda.metric",
            )
            return


def _through_statsd(module: Module, called: ast.expr) -> bool:
    meaning = module.meaning(called)
    return meaning in STATSD or meaning.rpartition(".")[0] in STATSD


def _metric(module: Module, call: ast.Call, *, at_import: bool) -> Iterator[Problem]:
    yield from _name_and_value(module, call)
    time = argument(call, 2, "timestamp")
    if isinstance(time, ast.List | ast.Tuple | ast.Dict | ast.JoinedStr) or _constant(time):
        yield Problem(
            check="code.metric_tags",
            severity="error",
            place=module.place(time or call),
            what="the third argument of a metric is its time",
            fix="the tags by their name: tags=['key:value']",
        )
    tags = argument(call, 3, "tags")
    if tags is not None and not _may_be_tags(tags):
        yield Problem(
            check="code.metric_tags",
            severity="error",
            place=module.place(tags),
            what="the tags of a metric are a list of texts",
            fix="tags=['key:value', 'other:value']",
        )
    if at_import:
        yield Problem(
            check="code.metric_outside_handler",
            severity="warning",
            place=module.place(call),
            what="a metric is sent while the module is loaded: once for each cold start, not each invocation",
            fix="send it from the handler, or from what the handler calls",
        )


def _name_and_value(module: Module, call: ast.Call) -> Iterator[Problem]:
    name, value = argument(call, 0, "metric_name"), argument(call, 1, "value")
    computed = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    if (name is None or value is None) and not computed:
        yield Problem(
            check="code.metric_arguments",
            severity="error",
            place=module.place(call),
            what="a metric needs a name and a value",
            fix='lambda_metric("shop.orders", 1, tags=["product:latte"])',
        )
    text = _constant(name)
    if isinstance(name, ast.Constant) and not _NAME.fullmatch(text):
        yield Problem(
            check="code.metric_name",
            severity="warning",
            place=module.place(name),
            what=f"{text or name.value!r} is no name of a metric",
            fix="a letter, then letters, digits, _ and . (200 at most); Datadog replaces all else by _",
        )
    if value is not None and _is_no_number(constant_of(module, value)):
        yield Problem(
            check="code.metric_value",
            severity="error",
            place=module.place(value),
            what="the value of a metric is a number, and this is not one",
            fix="float(value), or a count of 1 with the text as a tag",
        )


def _is_no_number(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bool | str | bytes | complex) or value.value is None
    if isinstance(value, ast.Call):
        return _gives_text(value.func)
    if isinstance(value, ast.BinOp):
        return _is_text(value.left) if isinstance(value.op, ast.Mod | ast.Add) else False
    return isinstance(value, _NOT_NUMBERS)


def _is_text(value: ast.expr) -> bool:
    """Whether an expression is a text for sure."""
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
    )


def _gives_text(called: ast.expr) -> bool:
    """Whether a call returns a text or a collection for sure."""
    if isinstance(called, ast.Name):
        return called.id in ("str", "repr", "list", "dict", "format", "set", "tuple", "input", "bytes")
    if not isinstance(called, ast.Attribute):
        return False
    return ast.unparse(called) in _TEXT_CALLS or called.attr in _TEXT_METHODS or _is_text(called.value)


def _may_be_tags(tags: ast.expr) -> bool:
    if isinstance(tags, ast.List | ast.Tuple):
        return all(not isinstance(e, ast.Constant) or isinstance(e.value, str) for e in tags.elts)
    if isinstance(tags, ast.Constant):
        return tags.value is None
    if isinstance(tags, ast.Call) and isinstance(tags.func, ast.Name):
        return tags.func.id not in ("dict", "str", "repr", "format")
    return not isinstance(tags, ast.JoinedStr | ast.Dict | ast.DictComp)


def _calls(module: Module) -> list[ast.Call]:
    calls = [
        n for n in ast.walk(module.tree) if isinstance(n, ast.Call) and module.meaning(n.func) in METRIC_CALLS
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _functions(module: Module) -> list[ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [node for node in ast.walk(module.tree) if isinstance(node, kinds)]


def _constant(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
