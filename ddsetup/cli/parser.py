"""The parser of a command's own words, made from the tables when one is run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from ddsetup.cli.command import Command
from ddsetup.cli.options import Parameter

if TYPE_CHECKING:
    from ddsetup.settings.given import Values

USAGE_ERROR: Any = typer.BadParameter.__mro__[2]
"""ClickException, wherever this Typer keeps it: what a parser objects to."""
STOPPED = (typer.Abort, KeyboardInterrupt)


def parse(command: Command, title: str, arguments: list[str], act: Callable[[Values], int]) -> int:
    """Read the arguments of a command and act on their values; the exit code.

    Raises USAGE_ERROR for what the command does not take.
    """

    def run(**values: Any) -> None:
        raise typer.Exit(act(values))

    parameters = [_parameter(each) for each in command.parameters()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(command.name, add_help_option=False)(run)
    made: Any = get_command(app)
    code: object = made.main(args=arguments, prog_name=f"ddsetup {title}", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _parameter(of: Parameter) -> inspect.Parameter:
    kind: Any = of.kind
    if of.many:
        kind = list[kind]
    info: Any = typer.Argument(metavar=of.value)
    if of.flags:
        first, *others = of.flags
        info = typer.Option(f"{first}/{of.off}" if of.off else first, *others)
    keyword = inspect.Parameter.KEYWORD_ONLY
    if of.required:
        return inspect.Parameter(of.name, keyword, annotation=Annotated[kind, info])
    return inspect.Parameter(of.name, keyword, default=None, annotation=Annotated[kind | None, info])
