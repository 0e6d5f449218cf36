"""Python files and their syntax trees, with names resolved to what they were imported from."""

from __future__ import annotations

import ast
import io
import os
import sys
import tokenize
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ddsetup.model.errors import UsageError
from ddsetup.project.code_check.model import Place, Problem
from ddsetup.project.iac.model import BrokenFile
from ddsetup.project.iac.source import Source, read_bytes, read_source

METRIC_CALLS = ("datadog_lambda.metric.lambda_metric", "datadog_lambda.metric.lambda_stats.distribution")
STATSD = (
    "datadog.statsd",
    "datadog.dogstatsd.statsd",
    "datadog.dogstatsd.base.statsd",
    "datadog.DogStatsd",
    "datadog.dogstatsd.DogStatsd",
    "datadog.dogstatsd.base.DogStatsd",
)
"""Clients of DogStatsD in the package `datadog` (datadogpy)."""
WRAPPER = "datadog_lambda.wrapper.datadog_lambda_wrapper"
_FORMER: Mapping[str, str] = {
    "datadog.datadog_lambda_wrapper": WRAPPER,
    "datadog.threadstats.datadog_lambda_wrapper": WRAPPER,
    "datadog.threadstats.aws_lambda.datadog_lambda_wrapper": WRAPPER,
    "datadog.lambda_metric": METRIC_CALLS[0],
    "datadog.threadstats.lambda_metric": METRIC_CALLS[0],
    "datadog.threadstats.aws_lambda.lambda_metric": METRIC_CALLS[0],
    "datadog_lambda.datadog_lambda_wrapper": WRAPPER,
    "datadog_lambda.lambda_metric": METRIC_CALLS[0],
}
"""Names that wrapper and metrics had before the package datadog-lambda, with those of today (datadogpy)."""
_MOST_NODES = 300_000
_NOT_OURS = frozenset(
    ("node_modules", "__pycache__", "venv", "env", "site-packages", "build", "dist", "cdk.out", "vendor")
)


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed file. `names` says what each imported name stands for."""

    source: Source
    tree: ast.Module
    names: Mapping[str, str]

    @property
    def path(self) -> Path:
        return self.source.path

    def place(self, node: ast.expr | ast.stmt) -> Place:
        return Place(self.path, node.lineno, node.col_offset + 1)

    def meaning(self, node: ast.expr) -> str:
        """What a name or attribute stands for, with its module; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        found = ".".join([self.names.get(node.id, node.id), *reversed(parts)])
        return _FORMER.get(found, found)

    def former(self) -> list[tuple[ast.ImportFrom, str]]:
        """The imports of names that have moved, each with what the name is today."""
        return [
            (node, _FORMER[f"{node.module}.{alias.name}"])
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in _FORMER
        ]


def python_files(root: Path) -> tuple[Path, ...]:
    """The Python files of a project, without those of libraries and tests. `root` may be one file.

    Raises UsageError when there is no such path.
    """
    if not root.exists():
        raise UsageError("there is no such file or directory", where=str(root))
    if root.is_file():
        return (root,)
    return tuple(_walk(root))


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _NOT_OURS and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".py") and not name.startswith("test_") and name != "conftest.py":
                yield Path(folder) / name


def parse(path: Path) -> Module | Problem:
    """The module, or why it is none."""
    try:
        source = _python_source(path)
        tree = parse_text(source.text)
    except SyntaxError as error:
        place = Place(path, error.lineno or 1, error.offset or 1)
        version = ".".join(map(str, sys.version_info[:2]))
        return Problem(
            check="code.syntax",
            severity="error",
            place=place,
            what=f"not valid Python {version}: {error.msg}",
            fix="run ddsetup with the Python of the functions, if theirs is newer",
        )
    except (UsageError, ValueError, RecursionError, MemoryError) as error:
        hostile = isinstance(error, RecursionError | MemoryError)
        what = "nested too deep to be read" if hostile else str(error) or "cannot be read"
        return Problem(check="code.unreadable", severity="warning", place=Place(path, 1), what=what)
    return Module(source, tree, _imports(tree))


def _python_source(path: Path) -> Source:
    """The text in the encoding that its first lines declare, as Python reads it (PEP 263)."""
    raw = read_bytes(path)
    try:
        encoding, _lines = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        raise BrokenFile(
            "neither UTF-8 nor in an encoding that it declares", where=str(path), fix="save the file as UTF-8"
        ) from error
    if encoding.startswith("utf-8"):
        return read_source(path)
    try:
        return Source(path, raw, raw.decode(encoding), encoding=encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise BrokenFile(f"not text in {encoding}, which it declares", where=str(path)) from error


def parse_text(text: str) -> ast.Module:
    """The syntax tree; what Python would warn of is none of our business.

    Raises SyntaxError, ValueError; RecursionError for what is nested or chained so deep that walking it would
    not end well.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    count = sum(1 for _ in zip(ast.walk(tree), range(_MOST_NODES + 1), strict=False))
    if count > _MOST_NODES:
        raise RecursionError
    return tree


_ALL_OF = {
    "datadog_lambda.wrapper": {"datadog_lambda_wrapper": "datadog_lambda.wrapper.datadog_lambda_wrapper"},
    "datadog_lambda.metric": {"lambda_metric": "datadog_lambda.metric.lambda_metric"},
}
"""What `import *` brings of the library's modules."""


def _imports(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                found |= _ALL_OF.get(node.module, {}) if alias.name == "*" else {}
    return found


def constant_of(module: Module, node: ast.expr) -> ast.expr:
    """What a name stands for, if one simple assignment in its own function is all that ever gives it a value
    there; else the expression itself."""
    if not isinstance(node, ast.Name):
        return node
    inmost = _scopes(module.tree).get(id(node))
    return (_only_value(inmost, node.id) or node) if inmost is not None else node


@lru_cache(maxsize=1)
def _scopes(tree: ast.Module) -> Mapping[int, ast.AST]:
    """The inmost function around each node, by the node's id."""
    found: dict[int, ast.AST] = {}
    stack: list[tuple[ast.AST, ast.AST | None]] = [(tree, None)]
    while stack:
        node, scope = stack.pop()
        if scope is not None:
            found[id(node)] = scope
        inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        stack += [(child, inner) for child in ast.iter_child_nodes(node)]
    return found


@lru_cache(maxsize=4096)
def _only_value(scope: ast.AST, name: str) -> ast.expr | None:
    """The value of a name in a function, if a simple assignment is all that ever gives it one there."""
    bound = [n for n in ast.walk(scope) if _binds(n, name)]
    given = [
        n.value
        for n in ast.walk(scope)
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and n.targets[0] in bound
    ]
    return given[0] if len(bound) == len(given) == 1 else None


def never_in_lambda(module: Module) -> frozenset[int]:
    """The ids of the nodes under `if __name__ == "__main__"`, which is for a run on one's own machine, and
    under `if TYPE_CHECKING`, which is for none."""
    found = set()
    for node in module.tree.body:
        if isinstance(node, ast.If) and _is_main_guard(node.test):
            found |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
    return frozenset(found)


def _is_main_guard(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value)]):
            return value == "__main__"
        case ast.Compare(left=ast.Constant(value), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]):
            return value == "__main__"
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_is_main_guard(each) for each in values)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def _binds(node: ast.AST, name: str) -> bool:
    """Whether a node gives a name its value, or may."""
    match node:
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()) | ast.arg(arg=found):
            return found == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.ExceptHandler(name=found) | ast.MatchAs(name=found) | ast.MatchStar(name=found):
            return found == name
        case ast.alias():
            return name in (node.name, node.asname)
        case _:
            return False
