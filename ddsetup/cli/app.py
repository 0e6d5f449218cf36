"""How a command line becomes a run of one of the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from ddsetup._version import __version__
from ddsetup.cli.command import Command
from ddsetup.cli.options import GroupedCommand, with_parameters
from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS

if TYPE_CHECKING:
    from ddsetup.settings.given import Values

_EPILOG = """\b
Examples:
  ddsetup setup --sandbox       try it all without any account
  ddsetup                       set up for real, step by step
  ddsetup plan --all            see first, change nothing
  ddsetup undo                  give back what the last run changed

\b
Every option is also a variable (--role-arn: DDSETUP_ROLE_ARN) and, mostly, a line of
ddsetup.toml (role_arn = "..."). Keys are never options: set DD_API_KEY and DD_APP_KEY,
name secrets that hold them, or be asked.
"""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def build(named: Collection[str] | None = None) -> typer.Typer:
    """The command line with all its commands; with the options of those only whose name is in `named`, if it
    is given: hundreds of options take longer to make than all the rest.
    """
    app = typer.Typer(
        name="ddsetup",
        help="From an AWS account to proven Datadog monitoring of its Lambda functions.",
        epilog=_EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        add_completion=True,
    )
    app.callback()(_root)
    for command in COMMANDS:
        _add(app, command, command.name, named)
    for group in GROUPS:
        part = typer.Typer(
            name=group.name,
            help=group.help,
            rich_markup_mode=None,
            context_settings=_SETTINGS,
        )
        for command in group.commands:
            _add(part, command, f"{group.name} {command.name}", named)
        app.add_typer(part, short_help=group.summary)
    app.command(
        "help",
        short_help="Show the help of a command.",
        help="Show the help of a command, or all commands: the same as --help after it.",
        epilog="\b\nExamples:\n  ddsetup help setup\n  ddsetup help sandbox up",
        context_settings=_SETTINGS,
    )(_help)
    app.command("version", short_help="Show the version.", context_settings=_SETTINGS)(_version)
    return app


def _version() -> None:
    """Show the version: the same as --version."""
    typer.echo(f"ddsetup {__version__}")


def _help(
    about: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", help="The command, e.g. sandbox up.", show_default=False),
    ] = None,
) -> None:
    raise typer.Exit(_parse([*(about or ()), "--help"]))


def _root(
    version: bool | None = typer.Option(
        None, "--version", "-V", help="Show the version.", show_default=False
    ),
) -> None:
    if version:
        typer.echo(f"ddsetup {__version__}")
        raise typer.Exit


def _add(app: typer.Typer, command: Command, title: str, named: Collection[str] | None) -> None:
    whole = named is None or command.name in named
    examples = "\n".join(f"  {example}" for example in command.examples)
    app.command(
        command.name,
        cls=GroupedCommand,
        help=command.help or command.summary,
        short_help=command.summary,
        epilog=f"\b\nExamples:\n{examples}" if examples else None,
        context_settings=_SETTINGS,
    )(
        with_parameters(
            _runner(command, title), command.keys if whole else (), command.extras if whole else ()
        )
    )


def _runner(command: Command, title: str) -> Callable[[Values], None]:
    def run_it(values: Values) -> None:
        from ddsetup.cli.boundary import run_command

        raise typer.Exit(run_command(title, command.module, values))

    return run_it


def run(argv: Sequence[str]) -> int:
    """Run a command line; the exit code. Without a command: setup on a terminal, else help."""
    arguments = list(argv)
    if not arguments and sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI"):
        return _parse(["setup"])
    if not arguments or arguments in [[group.name] for group in GROUPS]:
        _parse([*arguments, "--help"])
        return 2
    return _parse(arguments)


def _parse(arguments: list[str]) -> int:
    completing = any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)
    command: Any = get_command(build(None if completing else arguments))
    usage_error: Any = typer.BadParameter.__mro__[2]  # ClickException, wherever this Typer keeps it
    try:
        code: object = command.main(args=arguments, prog_name="ddsetup", standalone_mode=False)
    except usage_error as error:
        from ddsetup.cli.boundary import refuse_command_line

        return refuse_command_line(arguments, error)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    return code if isinstance(code, int) else 0
