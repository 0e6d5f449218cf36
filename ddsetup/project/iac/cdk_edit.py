"""The construct's lines put into the program of a CDK app, where their place is certain.

That is: every function found has a variable, all in one file and in one block of it, so that right after the
last of them all can be named. Anything else is left to a hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from ddsetup.project.iac.cdk_read import COMMENT, QUOTED, target
from ddsetup.project.iac.model import CannotEdit

_MORE_THAN_ONCE = (
    "the id of a function is computed where that may be done several times, and there can be one construct "
    "of this name only"
)
_SKIPPED = re.compile(rf"{COMMENT}|{QUOTED}|(?P<bracket>[()\[\]{{}}])", re.DOTALL)
_IMPORT = re.compile(r"^import\b[^;]*?from\s+[\"'][^\"']+[\"'];?[ \t]*\r?\n", re.MULTILINE)
_REQUIRE = re.compile(r"^(?:const|let|var)\b[^;\n]*\brequire\([^)\n]*\)[^;\n]*;?[ \t]*\r?\n", re.MULTILINE)


def in_script(text: str, starts: Sequence[int], imported: str, lines: str, *, fixed: bool) -> str:
    """A program in TypeScript or JavaScript with an import and lines after the last of the functions, whose
    statements begin at `starts`. `fixed`: the ids of all are written. Raises CannotEdit."""
    newline = "\r\n" if "\r\n" in text else "\n"
    todo = sorted(starts)
    levels = _levels(text)
    if len({_level(levels, start) for start in todo}) != 1:
        raise CannotEdit("its functions stand in several blocks")
    base = _level(levels, todo[0])
    if any(level < base for at, level in levels if todo[0] < at < todo[-1]):
        raise CannotEdit("its functions stand in several blocks")
    if not fixed and not _in_constructor(text, todo[0], base, levels):
        raise CannotEdit(_MORE_THAN_ONCE)
    end = _statement_end(text, todo[-1], base, levels)
    line = text.rfind("\n", 0, todo[-1]) + 1
    indent = text[line : todo[-1]]
    if indent.strip() or text[end : text.find("\n", end) if "\n" in text[end:] else len(text)].strip():
        raise CannotEdit("a function shares its lines with others")
    body = newline.join(indent + each if each else "" for each in ["", *lines.splitlines()])
    after = text[:end] + newline + body + text[end:]
    found = list((_IMPORT if imported.startswith("import") else _REQUIRE).finditer(after))
    if not found:
        raise CannotEdit("it is not clear where its imports end")
    at = found[-1].end()
    return f"{after[:at]}{imported}{newline}{after[at:]}"


def _in_constructor(text: str, start: int, base: int, levels: Sequence[tuple[int, int]]) -> bool:
    """Whether what stands at a place is run once for its construct: right in a constructor, in no loop."""
    steps = zip(levels, [(0, 0), *levels], strict=False)
    opened = max(
        (at for (at, level), (_, before) in steps if at < start and before < level == base), default=0
    )
    return re.search(r"\bconstructor\s*\([^{}]*\)\s*$", text[:opened]) is not None


def _levels(text: str) -> list[tuple[int, int]]:
    """Where the depth of brackets changes, and to what; those in texts and comments do not count."""
    depth, found = 0, []
    for match in _SKIPPED.finditer(text):
        bracket = match["bracket"]
        if bracket:
            depth += 1 if bracket in "([{" else -1
            found.append((match.start(), depth))
    return found


def _level(levels: Sequence[tuple[int, int]], at: int) -> int:
    return next((level for place, level in reversed(levels) if place < at), 0)


def _statement_end(text: str, start: int, base: int, levels: Sequence[tuple[int, int]]) -> int:
    """Where the statement ends that begins at a place: behind its last bracket and semicolon."""
    opened = False
    for at, level in levels:
        if at < start:
            continue
        opened = opened or level > base
        if opened and level == base:
            if re.match(r"\s*[.\[(]", text[at + 1 :]):
                continue
            semicolon = re.match(r"[ \t]*;", text[at + 1 :])
            return at + 1 + (len(semicolon[0]) if semicolon else 0)
    raise CannotEdit("a function's statement has no end")


def in_python(text: str, names: Sequence[str], imported: str, lines: str, *, fixed: bool) -> str:
    """A program in Python with an import and lines after the last of the functions. `fixed`: the ids of all
    are written. Raises CannotEdit."""
    tree = ast.parse(text)
    homes = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Module):
            own = {target(s): s for s in node.body}
            if all(name in own for name in names):
                homes.append((node, [own[name] for name in names]))
    if len(homes) != 1:
        raise CannotEdit("its functions stand in several blocks")
    home, statements = homes[0]
    if not fixed and not (isinstance(home, ast.FunctionDef) and home.name == "__init__"):
        raise CannotEdit(_MORE_THAN_ONCE)
    imports = [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    if not imports:
        raise CannotEdit("it is not clear where its imports end")
    last = max(statements, key=lambda statement: statement.lineno)
    rows = text.splitlines(keepends=True)
    newline = "\r\n" if "\r\n" in text else "\n"
    pad = " " * last.col_offset
    body = ["", *lines.splitlines()]
    below, above = last.end_lineno or last.lineno, imports[-1].end_lineno or imports[-1].lineno
    added = [f"{pad}{each}{newline}" if each else newline for each in body]
    lead = [] if rows[below - 1].endswith("\n") else [newline]
    after = [*rows[:above], f"{imported}{newline}", *rows[above:below], *lead, *added, *rows[below:]]
    try:
        ast.parse("".join(after))
    except SyntaxError as error:
        raise CannotEdit("it is written in a way that cannot be changed safely") from error
    return "".join(after)
