"""Python files and their syntax trees, with names resolved to what they were imported from."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ddsetup.model.errors import UsageError
from ddsetup.project.code_check.model import Place, Problem
from ddsetup.project.iac.source import Source, read_source

METRIC_CALLS = ("datadog_lambda.metric.lambda_metric", "datadog_lambda.metric.lambda_stats.distribution")
WRAPPER = "datadog_lambda.wrapper.datadog_lambda_wrapper"
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
        return ".".join([self.names.get(node.id, node.id), *reversed(parts)])


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
        source = read_source(path)
        tree = parse_text(source.text)
    except SyntaxError as error:
        place = Place(path, error.lineno or 1, error.offset or 1)
        return Problem(
            check="code.syntax", severity="error", place=place, what=f"not valid Python: {error.msg}"
        )
    except (UsageError, ValueError, RecursionError) as error:
        return Problem(
            check="code.unreadable",
            severity="warning",
            place=Place(path, 1),
            what=str(error) or "cannot be read",
        )
    return Module(source, tree, _imports(tree))


def parse_text(text: str) -> ast.Module:
    """The syntax tree; what Python would warn of is none of our business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


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
    return found


def constant_of(module: Module, node: ast.expr) -> ast.expr:
    """What a name stands for, if one simple assignment in its own function is all that ever gives it a value
    there; else the expression itself."""
    if not isinstance(node, ast.Name):
        return node
    scopes = [n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    around = [scope for scope in scopes if any(each is node for each in ast.walk(scope))]
    if not around:
        return node
    inmost = min(around, key=lambda scope: sum(1 for _ in ast.walk(scope)))
    bound = [n for n in ast.walk(inmost) if _binds(n, node.id)]
    given = [
        n.value
        for n in ast.walk(inmost)
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and n.targets[0] in bound
    ]
    return given[0] if len(bound) == len(given) == 1 else node


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
