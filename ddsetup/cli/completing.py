"""Completion: what may stand where a command line ends. The shells' scripts ask for it, in data/completion.

It answers before a parser, AWS or Datadog could even be loaded, from the tables and from what is on this
machine: profiles, runs, names of functions that were seen. Each line of an answer is a value, a tab and what
it is; `:files` and `:directories` have the shell look itself.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ddsetup.cli.help import is_short
from ddsetup.cli.options import Parameter
from ddsetup.cli.reading import Reading, read
from ddsetup.cli.values import Candidate, Wanted, values_of

VARIABLE = "_DDSETUP_COMPLETE"
_MOST = 1000


def answer(words: Sequence[str]) -> int:
    """Write what may come for the last of the words, in the way of the shell that asks; the exit code."""
    shell, environ = os.environ.get(VARIABLE, ""), dict(os.environ)
    replaced = 0
    if shell in ("bash", "powershell"):
        words = _split(environ.get("_DDSETUP_LINE", ""))[1:] or [""]
    if shell == "bash":
        replaced = _kept_by_bash(words[-1], environ.get("_DDSETUP_BREAKS", ""))
    for value, told in completed(words, environ, Path.cwd()):
        sys.stdout.write(value[replaced:] + (f"\t{told}\n" if told and shell != "bash" else "\n"))
    return 0


def completed(words: Sequence[str], environ: Mapping[str, str], directory: Path) -> list[Candidate]:
    """What may stand for the last word of a command line, given what stands before it."""
    *before, current = words or [""]
    reading = read(before)
    found: dict[str, str] = {}
    for value, told in _candidates(reading, current, environ, directory):
        if value.isprintable() and len(found) < _MOST:
            found.setdefault(value, told if told.isprintable() else "")
    return list(found.items())


def _candidates(
    reading: Reading, current: str, environ: Mapping[str, str], directory: Path
) -> Iterator[Candidate]:
    wanted = Wanted(reading=reading, environ=environ, directory=directory)
    if reading.open is not None:
        yield from _values(reading.open, current, "", wanted)
        return
    if current.startswith("--") and "=" in current:
        flag, _, begun = current.partition("=")
        if (option := reading.by_flag().get(flag)) is not None and option.value:
            yield from _values(option, begun, f"{flag}=", wanted)
        return
    if current.startswith("-") and not reading.only_arguments:
        yield from _options(reading, current)
        return
    yield from _names(reading, current)
    if reading.command is not None:
        arguments = [each for each in reading.parameters if not each.flags]
        for argument in arguments[reading.filled : reading.filled + 1] or arguments[-1:]:
            if argument.many or reading.filled < len(arguments):
                yield from _values(argument, current, "", wanted)
        if not current and not arguments:
            yield from _options(reading, current)


def _names(reading: Reading, current: str) -> Iterator[Candidate]:
    for each in () if reading.unknown else reading.names:
        if each.name.startswith(current):
            yield each.name, each.summary


def _options(reading: Reading, current: str) -> Iterator[Candidate]:
    """Options that are not given yet; of many, those that few need only once they are being typed."""
    everything = [each for each in reading.parameters if each.flags]
    short = is_short(everything) and len(current) < 3
    for each in everything:
        if (each.name in reading.given and not each.many) or (short and each.rare):
            continue
        told = each.help.rpartition(" [")[0] or each.help
        for flag in (each.flags[0], each.off, *each.flags[1:]):
            if flag.startswith(current or "--"):
                yield flag, told


def _values(option: Parameter, current: str, before: str, wanted: Wanted) -> Iterator[Candidate]:
    """Values that go on as `current` begins; of a list with commas, its last one."""
    if option.many and "," in current:
        done, _, current = current.rpartition(",")
        before = f"{before}{done},"
    for value, told in values_of(option, current, wanted):
        if value.startswith(":"):
            yield value, ""
        elif value.startswith(current):
            yield before + value, told


def _split(line: str) -> list[str]:
    """The words of a line of a shell; the last one may be empty, or a quote in it still open."""
    for closed in ("", '"', "'"):
        try:
            words = shlex.split(line + closed)
        except ValueError:
            continue
        return [*words, ""] if not closed and (not line or line[-1:].isspace()) else words
    return line.split()


def _kept_by_bash(word: str, breaks: str) -> int:
    """How much of a word bash leaves as it is: up to the last character that it breaks words at."""
    return max((word.rfind(sign) + 1 for sign in ":=" if sign in breaks), default=0)
