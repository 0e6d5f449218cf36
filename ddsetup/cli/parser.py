"""The parser of a command's own words, made from the tables when one is run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from ddsetup.cli.command import Command
from ddsetup.cli.options import Extra
from ddsetup.settings.setting import Setting
from ddsetup.settings.table import TABLE

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

    settings = [setting for setting in TABLE if setting.key in set(command.keys)]
    parameters = [*map(_of_extra, command.extras), *map(_of_setting, settings)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(command.name, add_help_option=False)(run)
    made: Any = get_command(app)
    code: object = made.main(args=arguments, prog_name=f"ddsetup {title}", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _of_setting(setting: Setting) -> inspect.Parameter:
    if setting.kind == "switch":
        flags = f"{setting.flag}/{setting.no_flag}" if setting.negatable else setting.flag
        return _parameter(setting.key, Annotated[bool | None, typer.Option(*_both(flags, setting))])
    kind = list[str] | None if setting.is_list else str | None
    return _parameter(setting.key, Annotated[kind, typer.Option(*_both(setting.flag, setting))])


def _both(flag: str, setting: Setting) -> tuple[str, ...]:
    return (flag, setting.short) if setting.short else (flag,)


def _of_extra(extra: Extra) -> inspect.Parameter:
    kind: Any = extra.kind
    if extra.many:
        kind = list[kind]
    info: Any = typer.Option(*extra.flags) if extra.flags else typer.Argument(metavar=extra.metavar)
    if extra.required:
        return inspect.Parameter(extra.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, info])
    return _parameter(extra.name, Annotated[kind | None, info])


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
