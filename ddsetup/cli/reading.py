"""What a command line is about, told without the parser: which command, whether help is wanted, what is open.

Options that belong to settings may stand before the command, where `git` and others have them; they mean
what they mean after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.cli.command import Command, Group
from ddsetup.cli.options import OWN, Parameter, parameter_of
from ddsetup.cli.table.around import AROUND
from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS
from ddsetup.settings.table import TABLE

Help: TypeAlias = Literal["", "some", "all"]

HELP = (
    Parameter(name="help", help="Show this message and exit.", flags=("--help", "-h"), panel="How to run"),
    Parameter(name="help_all", help="Show also what few need.", flags=("--help-all",), panel="How to run"),
)
VERSION = Parameter(name="version", help="Show the version.", flags=("--version", "-V"))
TOP = (*COMMANDS, *AROUND)


@dataclass(slots=True)
class Reading:
    """`arguments` are those of the command, with what stood before it; `unknown` is a word where the name of
    a command should be. `open` is the option that still wants its value, `filled` how many arguments there
    are.
    """

    group: Group | None = None
    command: Command | None = None
    arguments: list[str] = field(default_factory=list)
    unknown: str = ""
    help: Help = ""
    version: bool = False
    open: Parameter | None = None
    filled: int = 0
    used: set[str] = field(default_factory=set)
    only_arguments: bool = False
    """After `--`."""
    _known: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The words of the command, or those that there are of it."""
        return " ".join(part.name for part in (self.group, self.command) if part is not None)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be given here."""
        if self.command is not None:
            return (*self.command.parameters(), *HELP)
        return (*map(parameter_of, TABLE), *HELP, *(() if self.group else (VERSION,)))

    @property
    def names(self) -> Sequence[Command | Group]:
        """The commands and groups of which one can be named here."""
        if self.command is not None:
            return ()
        return self.group.commands if self.group else (*TOP, *GROUPS)

    def take(self, word: str) -> None:
        """Read on by a word."""
        if self.open is not None:
            self.arguments.append(word)
            self.open = None
        elif self.only_arguments or not word.startswith("-") or word == "-":
            self._take_name(word)
        else:
            self._take_options(word)

    def _take_name(self, word: str) -> None:
        if self.command is not None:
            self.filled += 1
            self.arguments.append(word)
            return
        found = next((each for each in self.names if each.name == word), None)
        if isinstance(found, Group):
            self.group = found
        elif found is not None:
            self.command = found
        else:
            self.unknown = self.unknown or word
            self.arguments.append(word)
            return
        self._known = {}

    def _take_options(self, word: str) -> None:
        self.arguments.append(word)
        self.only_arguments = word == "--"
        if word.startswith("--"):
            flag, equals, _ = word.partition("=")
            self._take_option(flag, bool(equals))
            return
        for at, letter in enumerate(word[1:], 2):
            if self._take_option(f"-{letter}", at < len(word)):
                return

    def _take_option(self, flag: str, has_value: bool) -> bool:
        """Note an option; whether what follows in the same word is its value."""
        found = self.by_flag().get(flag)
        if found is None:
            return False
        self.used.add(found.name)
        if found.name in ("help", "help_all"):
            self.help = "all" if found.name == "help_all" or self.help == "all" else "some"
        self.version = self.version or found is VERSION
        if found.value and not has_value:
            self.open = found
        return bool(found.value)

    def by_flag(self) -> Mapping[str, Parameter]:
        """What can be given here, by flag."""
        if not self._known:
            self._known = {flag: each for each in self.parameters for flag in (*each.flags, each.off) if flag}
        return self._known


def read(words: Iterable[str]) -> Reading:
    """What a command line is about."""
    reading = Reading()
    for word in words:
        reading.take(word)
    return reading


__all__ = ["HELP", "OWN", "TOP", "VERSION", "Reading", "read"]
