"""Help, made of the tables of commands and options alone, so that it is there at once; and `ddsetup help`."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from ddsetup.cli.command import Command, Group
from ddsetup.cli.options import OWN, Parameter
from ddsetup.cli.reading import TOP, Reading
from ddsetup.cli.table.groups import GROUPS
from ddsetup.settings.given import Values, from_environment
from ddsetup.settings.setting import PANELS
from ddsetup.terminal.pager import show
from ddsetup.terminal.streams import columns_of

_WHAT = "From an AWS account to proven Datadog monitoring of its Lambda functions."
_EXAMPLES = """\
Examples:
  ddsetup setup --sandbox       try it all without any account
  ddsetup                       set up for real, step by step
  ddsetup plan --all            see first, change nothing
  ddsetup undo                  give back what the last run changed"""
_EVERY_OPTION = (
    "Every option is also a variable (--role-arn: DDSETUP_ROLE_ARN) and, mostly, a line of ddsetup.toml "
    '(role_arn = "..."). Keys are never options: set DD_API_KEY and DD_APP_KEY, name secrets that hold '
    "them, or be asked."
)

_WIDEST = 100
_NARROWEST = 50
_FIRST_COLUMN = 30
_MANY = 45
"""Of more options than these only those that people need are shown, unless all are wanted."""


def run(values: Values) -> int:
    """Show the help of the command that is named."""
    from ddsetup.cli.app import run as run_line

    about = values.get("about") or []
    assert isinstance(about, list)
    return run_line([*about, "--help-all" if values.get("all") else "--help"])


def show_help(reading: Reading) -> None:
    """Show the help for where a command line has come to, a page at a time where it is long."""
    width = columns_of(sys.stdout) or 80
    paging = "no_pager" not in reading.given and "no_pager" not in from_environment(os.environ)
    show(help_text(reading, max(_NARROWEST, min(width, _WIDEST))), paging=paging)


def help_text(reading: Reading, width: int) -> str:
    """The help for where a command line has come to, in lines of at most `width` columns."""
    command, group = reading.command, reading.group
    parts: Iterable[str]
    if command is not None:
        parts = _of_command(command, reading, width)
    elif group is not None:
        parts = _of_many(reading, group.help, group.commands, width)
    else:
        more = (textwrap.indent(_EXAMPLES, "  "), _paragraph(_EVERY_OPTION, width))
        parts = (*_of_many(reading, _WHAT, (*TOP, *GROUPS), width), *more)
    return "\n\n".join(parts) + "\n"


def _of_command(command: Command, reading: Reading, width: int) -> Iterator[str]:
    everything = reading.parameters
    options = [each for each in everything if each.flags]
    arguments = [each for each in everything if not each.flags]
    yield _usage(f"ddsetup {reading.title} [OPTIONS] {' '.join(each.value for each in arguments)}", width)
    yield _paragraph(command.help or command.summary, width)
    if command.examples:
        yield "\n".join(("Examples:", *(f"  {example}" for example in command.examples)))
    if arguments:
        yield _section("Arguments", [(each.value, each.help) for each in arguments], width)
    short = is_short(options)
    shown = [each for each in options if not short or reading.help == "all" or not each.rare]
    if not short:
        shown = [each for each in shown if each.name != "help_all"]
    for panel in (OWN, *PANELS):
        if rows := [(each.typed, each.help) for each in shown if each.panel == panel]:
            yield _section(panel, rows, width)
    if short and len(shown) < len(options):
        rest = f"{len(options) - len(shown)} more that few need: ddsetup {reading.title} --help-all"
        yield _paragraph(rest, width)


def is_short(options: Sequence[Parameter]) -> bool:
    """Whether there are so many options that those that few need are left out."""
    return len(options) > _MANY


def _of_many(reading: Reading, what: str, commands: Sequence[Command | Group], width: int) -> Iterator[str]:
    yield _usage(f"ddsetup {reading.title}".rstrip() + " [OPTIONS] COMMAND [ARGS]...", width)
    yield _paragraph(what, width)
    yield _section(OWN, [(each.typed, each.help) for each in _own(reading.parameters)], width)
    yield _section("Commands", [(each.name, each.summary) for each in commands], width)


def _own(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    return (each for each in parameters if each.name in ("version", "help"))


def _usage(text: str, width: int) -> str:
    return textwrap.fill(text.strip(), width - 2, initial_indent="Usage: ", subsequent_indent=" " * 7)


def _paragraph(text: str, width: int) -> str:
    return textwrap.fill(text, width - 2, initial_indent="  ", subsequent_indent="  ")


def _section(title: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    """A heading, and what is told of each; what is too long for the first column has a line of its own."""
    column = min(max(len(first) for first, _ in rows), _FIRST_COLUMN) + 4
    return "\n".join((f"{title}:", *(_row(first, told, column, width) for first, told in rows)))


def _row(first: str, told: str, column: int, width: int) -> str:
    lines = textwrap.wrap(told, width - column - 2, break_on_hyphens=False)
    if len(first) + 4 > column:
        lines = ["", *lines]
    head = f"  {first}".ljust(column) + (lines[0] if lines else "")
    return "\n".join((head.rstrip(), *(" " * column + each for each in lines[1:])))
