"""What a command line is about, told without the parser: which command, whether help is wanted, what is open.

The parser takes long to load, so the values of a line that is plain are told here, too. What is wrong with
one that is not is for the parser to say.

Options that belong to settings may stand before the command, where `git` and others have them; they mean
what they mean after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ddsetup.cli.command import Command, Group
from ddsetup.cli.options import OWN, Parameter, parameter_of
from ddsetup.cli.table.around import AROUND
from ddsetup.cli.table.groups import GROUPS
from ddsetup.cli.table.main import COMMANDS
from ddsetup.settings.table import TABLE

if TYPE_CHECKING:
    from ddsetup.settings.given import Values

Help: TypeAlias = Literal["", "some", "all"]

HELP = (
    Parameter(name="help", help="Show this message and exit.", flags=("--help", "-h"), panel="How to run"),
    Parameter(name="help_all", help="Show also what few need.", flags=("--help-all",), panel="How to run"),
)
VERSION = Parameter(name="version", help="Show the version.", flags=("--version", "-V"))
TOP = (*COMMANDS, *AROUND)


@dataclass(slots=True)
class Reading:
    """`arguments` are those of the command, with what stood before it; `given` the values of each parameter.
    `unknown` is a word where the name of a command should be, `unknown_option` a flag that stands before any
    such word and is of no setting, or one that the command does not take. `open` is the option that still
    wants its value, `filled` how many arguments there are.
    """

    group: Group | None = None
    command: Command | None = None
    arguments: list[str] = field(default_factory=list)
    unknown: str = ""
    unknown_option: str = ""
    open: Parameter | None = None
    filled: int = 0
    given: dict[str, list[str | bool]] = field(default_factory=dict)
    only_arguments: bool = False
    """After `--`."""
    plain: bool = True
    """Whether nothing was there that only the parser can judge."""
    _known: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The words of the command, or those that there are of it."""
        return " ".join(part.name for part in (self.group, self.command) if part is not None)

    @property
    def help(self) -> Help:
        """How much help is wanted."""
        return "all" if "help_all" in self.given else "some" if "help" in self.given else ""

    @property
    def version(self) -> bool:
        """Whether the version is wanted, if no command is named."""
        return VERSION.name in self.given

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
            self._give(self.open, word)
            self.open = None
        elif self.only_arguments or not word.startswith("-") or word == "-":
            self._take_name(word)
        else:
            self._take_options(word)

    def _take_name(self, word: str) -> None:
        if self.command is not None:
            self._take_argument(word)
            return
        # After a word that is none, no other is taken for a command; unless it is the value of an option that
        # only the command knows.
        names = self.names if self.unknown_option or not self.unknown else ()
        found = next((each for each in names if each.name == word), None)
        if isinstance(found, Group):
            self.group = found
        elif found is not None:
            self.command = found
        else:
            self.unknown = self.unknown or word
            self.arguments.append(word)
            return
        self._known = {}

    def _take_argument(self, word: str) -> None:
        takers = [each for each in self.parameters if not each.flags]
        self.arguments.append(word)
        self.filled += 1
        if takers and (self.filled <= len(takers) or takers[-1].many):
            self._give(takers[min(self.filled, len(takers)) - 1], word)
        else:
            self.plain = False

    def _take_options(self, word: str) -> None:
        self.arguments.append(word)
        if word == "--":
            self.only_arguments = True
        elif word.startswith("--"):
            flag, equals, value = word.partition("=")
            self._take_option(flag, value if equals else None)
        else:
            for at, letter in enumerate(word[1:], 2):
                if self._take_option(f"-{letter}", word[at:] or None):
                    return

    def _take_option(self, flag: str, value: str | None) -> bool:
        """Note an option; whether `value`, what follows in the same word, is its own."""
        found = self.by_flag().get(flag)
        if found is None:
            self.plain = False
            if self.command is not None or not self.unknown:
                self.unknown_option = self.unknown_option or flag
            return False
        if not found.value:
            self.plain = self.plain and (value is None or not flag.startswith("--"))
            self._give(found, flag != found.off)
        elif value is None:
            self.open = found
        else:
            self._give(found, value)
        return bool(found.value)

    def _give(self, parameter: Parameter, value: str | bool) -> None:
        self.given.setdefault(parameter.name, []).append(value)

    def values(self) -> Values | None:
        """What the parser would make of the line, by name; None where that takes the parser."""
        found: dict[str, Any] = {}
        for each in self.parameters[: -len(HELP)]:
            given = self.given.get(each.name, [])
            made = [_as(each.kind, value) for value in given]
            if None in made or (each.required and not made):
                return None
            found[each.name] = (made if each.many else made[-1]) if made else None
        return found if self.plain and self.open is None and self.command is not None else None

    def by_flag(self) -> Mapping[str, Parameter]:
        """What can be given here, by flag."""
        if not self._known:
            self._known = {flag: each for each in self.parameters for flag in (*each.flags, each.off) if flag}
        return self._known


def _as(kind: type, value: str | bool) -> Any:
    """The value in its kind; None if it is not plainly of it."""
    if isinstance(value, bool) or kind is str:
        return value
    if kind is Path:
        return Path(value)
    digits = value if kind is int else value.replace(".", "", 1)
    return kind(value) if value.isascii() and digits.isdecimal() else None


def read(words: Iterable[str]) -> Reading:
    """What a command line is about."""
    reading = Reading()
    for word in words:
        reading.take(word)
    return reading


__all__ = ["HELP", "OWN", "TOP", "VERSION", "Reading", "read"]
