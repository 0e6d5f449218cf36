"""What only one command has to say, found as the command line finds it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def body_of(command: str) -> Any:
    """The `blocks` of a command's module, whose path is the command's words; None if it brings none."""
    path = command.replace("-", "_").replace(" ", ".")
    return getattr(import_module(f"ddsetup.cli.{path}"), "blocks", None)
