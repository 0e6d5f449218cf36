"""What stands in a call of a program in Python."""

from __future__ import annotations

import ast


def argument(call: ast.Call, index: int, name: str) -> ast.expr | None:
    """An argument by its place or its name, None where there is none or a `*` before hides which it is."""
    if index < len(call.args):
        hidden = any(isinstance(each, ast.Starred) for each in call.args[: index + 1])
        return None if hidden else call.args[index]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
