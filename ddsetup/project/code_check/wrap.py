"""Putting Datadog's wrapper around handlers in the code, for those who do not want them redirected."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ddsetup.project.code_check.handlers import Function
from ddsetup.project.code_check.model import Handler
from ddsetup.project.code_check.modules import WRAPPER, Module, parse_text
from ddsetup.project.iac.model import Edit
from ddsetup.project.iac.source import Splice, spliced

_IMPORT = "from datadog_lambda.wrapper import datadog_lambda_wrapper"


def wrap(module: Module, handlers: Sequence[Handler]) -> Edit | None:
    """The file with its handlers wrapped; None if all are, or if it cannot be done safely."""
    bare = {handler.name for handler in handlers if not handler.wraps}
    if not bare:
        return None
    at_hand = _imported_at_top(module.tree)
    known = next(
        (name for name, meaning in module.names.items() if meaning == WRAPPER and name in at_hand), ""
    )
    name = known or "datadog_lambda_wrapper"
    lines = _Lines(module.source.text)
    splices = [s for statement in module.tree.body for s in _around(statement, bare, name, lines, module)]
    if not known:
        at = lines.after(_last_import(module.tree))
        end = module.source.newline
        lead = "" if at == 0 or module.source.text[at - 1] == "\n" else end
        crowded = module.source.text[at:].lstrip(" \t")[:1] not in ("", "\r", "\n")
        splices.insert(0, Splice(at, at, f"{lead}{_IMPORT}{end}{end * 2 if crowded else ''}"))
    text = spliced(module.source.text, splices)
    if not _only_wrapped(module, text, bare, known):
        return None
    why = (f"wraps {', '.join(sorted(bare))}",)
    return Edit(module.path, module.source.raw, module.source.encoded(text), why)


def _imported_at_top(tree: ast.Module) -> set[str]:
    """The names that are imported whatever happens, and before a handler is defined."""
    found: set[str] = set()
    for statement in tree.body:
        inner = statement.body if isinstance(statement, ast.Try) else [statement]
        for each in inner:
            if isinstance(each, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name.partition(".")[0] for alias in each.names}
        if any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in inner):
            found.add("datadog_lambda_wrapper")
    return found


class _Lines:
    """Where lines begin, counted as Python does for files without a lone carriage return."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]

    def start(self, line: int) -> int:
        return self.starts[line - 1]

    def after(self, line: int) -> int:
        """Where the line after this one begins."""
        return self.starts[line] if line < len(self.starts) else len(self.text)

    def at(self, line: int, column: int) -> int:
        """The character at a column that counts bytes, as those of syntax trees do."""
        begin = self.start(line)
        encoded = self.text[begin : self.after(line)].encode()
        return begin + len(encoded[:column].decode())


def _around(statement: ast.stmt, bare: set[str], name: str, lines: _Lines, module: Module) -> list[Splice]:
    if isinstance(statement, Function) and statement.name in bare:
        first = min((d.lineno for d in statement.decorator_list), default=statement.lineno)
        at = lines.start(first)
        return [Splice(at, at, f"@{name}{module.source.newline}")]
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        value = statement.value
        if statement.targets[0].id in bare and value.end_lineno and value.end_col_offset is not None:
            begin = lines.at(value.lineno, value.col_offset)
            end = lines.at(value.end_lineno, value.end_col_offset)
            return [Splice(begin, begin, f"{name}("), Splice(end, end, ")")]
    return []


def _last_import(tree: ast.Module) -> int:
    """The last line of the imports at the top of a module, of its docstring, or 0."""
    last = 0
    for position, statement in enumerate(tree.body):
        docstring = (
            position == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        )
        if not docstring and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        last = statement.end_lineno or last
    return last or _leading_comments(tree)


def _leading_comments(tree: ast.Module) -> int:
    """Without imports: right above the first statement, below a file's first comments."""
    if not tree.body:
        return 0
    first = tree.body[0]
    decorated = first.decorator_list if isinstance(first, Function) else []
    return min([first.lineno, *(d.lineno for d in decorated)]) - 1


def _only_wrapped(module: Module, text: str, bare: set[str], known: str) -> bool:
    """Whether the new text means the same but for the wrapper, and its import if it was not `known`."""
    try:
        tree = parse_text(text)
    except (SyntaxError, ValueError):
        return False
    body: list[ast.stmt] = []
    for statement in tree.body:
        if not known and isinstance(statement, ast.ImportFrom) and ast.unparse(statement) == _IMPORT:
            continue
        if isinstance(statement, Function) and statement.name in bare:
            statement.decorator_list = statement.decorator_list[1:]
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            value = statement.value
            if statement.targets[0].id in bare and isinstance(value, ast.Call) and value.args:
                statement.value = value.args[0]
        body.append(statement)
    tree.body = body
    return ast.dump(tree) == ast.dump(module.tree)
