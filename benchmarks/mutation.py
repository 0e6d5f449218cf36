"""Small faults to put into code, one at a time: what `benchmarks.mutants` tries the tests with.

Left out is what says nothing of behaviour: prose (texts with a blank in them), docstrings, annotations,
assertions, the options of a dataclass, and numbers that only say how much is done at a time.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
CALLS = {"any": "all", "all": "any", "min": "max", "max": "min", "startswith": "endswith"}
HOW_MUCH = frozenset(
    {"max_workers", "maxsize", "strict", "total", "cutoff", "timeout", "encoding", "default_factory"}
)
"""Keywords whose value is a matter of speed, of typing or of taste."""

Change: TypeAlias = Callable[[Any], ast.AST | None]
"""Changes a node in place, or returns what stands in its place."""


@dataclass(frozen=True)
class Mutant:
    """One fault. `where` is the function it is in, `line` the line that it is on, `lines` those one of which
    a test must have reached; at the level of the module there are none."""

    path: Path
    number: int
    where: str
    line: int
    lines: tuple[int, ...]
    was: str
    now: str

    @property
    def name(self) -> str:
        """Names it whatever stands above; some others of the file may be called the same."""
        return f"{self.where}: {self.was} -> {self.now}"


def mutants_of(path: Path) -> list[Mutant]:
    """Every fault that can be put into a file, always in the same order."""
    tree = ast.parse(path.read_text("utf-8"))
    return [
        Mutant(path, number, site.where, _line(site.node), site.lines, *_shown(site))
        for number, site in enumerate(_sites(tree))
    ]


def mutated(path: Path, number: int) -> ast.Module:
    """The file's code with this fault in it."""
    tree = ast.parse(path.read_text("utf-8"))
    site = next(found for at, found in enumerate(_sites(tree)) if at == number)
    _put(site.holder, site.node, site.change(site.node))
    return ast.fix_missing_locations(tree)


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    holder: ast.AST
    where: str
    lines: tuple[int, ...]
    change: Change


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _shown(site: _Site) -> tuple[str, str]:
    node = copy.deepcopy(site.node)
    after = site.change(node)
    was, now = ast.unparse(site.node), ast.unparse(node if after is None else after)
    return _short(was), _short(now)


def _short(text: str) -> str:
    first, *more = text.splitlines()
    return f"{first} ..." if more else first


def _put(holder: ast.AST, node: ast.AST, after: ast.AST | None) -> None:
    if after is None:
        return
    ast.copy_location(after, node)
    for name, value in ast.iter_fields(holder):
        if value is node:
            setattr(holder, name, after)
        elif isinstance(value, list):
            value[:] = [after if item is node else item for item in value]


def _sites(tree: ast.Module) -> Iterator[_Site]:
    yield from _within(tree, (), None)


def _within(holder: ast.AST, names: tuple[str, ...], statement: ast.stmt | None) -> Iterator[_Site]:
    for name, value in ast.iter_fields(holder):
        if name in ("annotation", "returns", "type_comment") or _is_no_behaviour(holder, name):
            continue
        nodes = [
            item for item in (value if isinstance(value, list) else [value]) if isinstance(item, ast.AST)
        ]
        for node in nodes:
            if _is_left_out(node, holder):
                continue
            inner = node if isinstance(node, ast.stmt) else statement
            scope = names
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                scope = (*names, node.name)
            where = ".".join(names) or "module"
            for change in _changes(node):
                yield _Site(node, holder, where, _reached(node, inner, names), change)
            yield from _within(node, scope, inner)


def _is_no_behaviour(holder: ast.AST, field: str) -> bool:
    return field == "decorator_list" or (
        isinstance(holder, ast.Call) and _is_cast(holder) and field == "args"
    )


def _is_cast(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("cast", "TypeVar")


def _is_left_out(node: ast.AST, holder: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.keyword(arg=name):
            return name in HOW_MUCH
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == "__all__"
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
    return isinstance(holder, ast.JoinedStr)


def _reached(node: ast.AST, statement: ast.stmt | None, names: tuple[str, ...]) -> tuple[int, ...]:
    if not any(name[:1].islower() or name[:1] == "_" for name in names):
        return ()
    own = set(range(_line(node), int(getattr(node, "end_lineno", 0) or 0) + 1)) if _line(node) else set()
    if statement is not None:
        body = getattr(statement, "body", None)
        end = _line(body[0]) - 1 if body else statement.end_lineno or statement.lineno
        own = {n for n in own if n <= max(end, statement.lineno)} | {statement.lineno}
    return tuple(sorted(own))


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=value):
            yield from _other_constant(value)
        case ast.expr() | ast.comprehension():
            yield from _other_expression(node)
        case _:
            yield from _other_statement(node)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(
        node.test, (ast.UnaryOp, ast.Compare)
    ):
        yield _negated


def _other_expression(node: ast.expr | ast.comprehension) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield lambda n: setattr(n, "ops", [COMPARISONS[type(n.ops[0])]()])
        case ast.BoolOp(values=values):
            yield lambda n: setattr(n, "op", ast.And() if isinstance(n.op, ast.Or) else ast.Or())
            yield from (_without(left_out) for left_out in range(len(values)))
        case ast.UnaryOp(op=ast.Not()):
            yield lambda n: n.operand
        case ast.BinOp():
            yield lambda n: n.left
            yield lambda n: n.right
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield lambda n: setattr(n.func, "id", CALLS[n.func.id])
        case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
            yield lambda n: setattr(n.func, "attr", CALLS[n.func.attr])
        case ast.comprehension(ifs=[_, *_]):
            yield lambda n: setattr(n, "ifs", [])


def _negated(node: Any) -> None:
    node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)


def _without(position: int) -> Change:
    def change(node: Any) -> ast.AST | None:
        left = [value for at, value in enumerate(node.values) if at != position]
        if len(left) == 1:
            return left[0]  # type: ignore[no-any-return]
        node.values = left
        return None

    return change


def _other_constant(value: object) -> Iterator[Change]:
    other: object = None
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, (int, float)):
        other = value + 1
    elif isinstance(value, str) and " " not in value:
        other = f"{value}x"
    if other is not None:
        yield lambda n: setattr(n, "value", other)


def _other_statement(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield lambda n: setattr(n, "value", ast.copy_location(ast.Constant(None), n.value))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield lambda _: ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield lambda _: ast.Pass()
        case ast.Continue():
            yield lambda _: ast.Break()
        case ast.Break():
            yield lambda _: ast.Continue()
        case ast.For():
            yield lambda n: setattr(n, "iter", ast.copy_location(ast.Tuple([], ast.Load()), n.iter))
        case ast.ExceptHandler(body=body) if not isinstance(body[0], ast.Raise):
            yield lambda n: setattr(n, "body", [ast.copy_location(ast.Raise(), n.body[0])])


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
