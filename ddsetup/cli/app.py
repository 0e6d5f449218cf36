"""How a command line becomes a run of one of the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ddsetup._version import __version__
from ddsetup.cli.reading import Reading, read
from ddsetup.terminal.pager import show
from ddsetup.terminal.streams import interactive

if TYPE_CHECKING:
    from ddsetup.cli.command import Command
    from ddsetup.settings.given import Values

_HELP_NEEDED = 2


def run(argv: Sequence[str]) -> int:
    """Run a command line; the exit code. Without a command: setup on a terminal, else help."""
    reading = read(argv)
    if reading.help:
        return _help(reading)
    if reading.command is not None:
        return _run(reading, reading.command)
    if reading.version:
        show(f"ddsetup {__version__}\n")
        return 0
    if wrong := reading.unknown_option:
        return _refuse(reading, f"there is no option {wrong} before a command", "Its options come after it:")
    if reading.unknown:
        return _refuse_name(reading)
    if reading.group is None and interactive(os.environ, sys.stdin, sys.stderr):
        return run(["setup", *argv])
    asked = reading.given.get("output") or [os.environ.get("DDSETUP_OUTPUT", "")]
    if any(each in ("json", "ndjson") for each in asked):
        names = ", ".join(each.name for each in reading.names)
        return _refuse(reading, "no command is named", f"one of {names};")
    _help(reading)
    return _HELP_NEEDED


def _help(reading: Reading) -> int:
    if reading.unknown:
        return _refuse_name(reading)
    from ddsetup.cli.help import show_help

    show_help(reading)
    return 0


def _refuse_name(reading: Reading) -> int:
    from ddsetup.model.nearest import did_you_mean

    meant = did_you_mean(reading.unknown, (each.name for each in reading.names), cutoff=0.6)
    return _refuse(reading, f"there is no command {reading.unknown!r}", meant)


def _refuse_option(reading: Reading, wrong: str) -> int:
    from ddsetup.model.nearest import did_you_mean

    named = " ".join(each.value for each in reading.parameters if not each.flags)
    # Whoever types `--name shop` for an argument is told how that is typed.
    without = f"without an option: ddsetup {reading.title} {named};" if named else ""
    meant = did_you_mean(wrong, reading.by_flag(), cutoff=0.8) or without
    return _refuse(reading, f"there is no option {wrong}", meant)


def _refuse(reading: Reading, what: str, fix: str = "") -> int:
    from ddsetup.cli.boundary import refuse_command_line

    return refuse_command_line(reading.title, reading.arguments, what, fix)


def _run(reading: Reading, command: Command) -> int:
    act = _act(command, reading.title)
    values = reading.values()
    if values is not None:
        return act(values)
    if (wrong := reading.unknown_option) and wrong not in reading.by_flag():
        return _refuse_option(reading, wrong)
    from ddsetup.cli.parser import STOPPED, USAGE_ERROR, parse

    try:
        return parse(command, reading.title, reading.arguments, act)
    except USAGE_ERROR as error:
        return _refuse(reading, _value_of_switch(reading) or error.format_message())
    except STOPPED:
        return 130


def _value_of_switch(reading: Reading) -> str:
    """That a switch got a value, as an option of the same name takes one elsewhere; empty if none did."""
    by_flag = reading.by_flag()
    if not all(each.flags for each in reading.parameters):
        return ""
    for flag, word in pairwise(reading.arguments):
        switch = by_flag.get(flag)
        if switch is not None and not switch.value and not word.startswith("-"):
            return f"{flag} takes no value here, and {word!r} follows it"
    return ""


def _act(command: Command, title: str) -> Callable[[Values], int]:
    def act(values: Values) -> int:
        if command.bare:
            from importlib import import_module

            code: int = import_module(command.module).run(values)
            return code
        from ddsetup.cli.boundary import run_command

        return run_command(title, command.module, values)

    return act
