"""Commands to go on with mean the same account, functions and settings as the command line that led to them.

What variables or a file gave holds for the next command by itself; what was typed has to be typed again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ddsetup.cli.command import CONNECT, WANTED
from ddsetup.cli.reading import Reading, read
from ddsetup.cli.table.org import ACCOUNTS
from ddsetup.settings.given import Given, Values
from ddsetup.settings.table import WHICH

if TYPE_CHECKING:
    from ddsetup.flow.call import Call
    from ddsetup.model.report import Report

_GONE = frozenset({"api_key_stdin", "app_key_stdin"})
"""What was read from a pipe is not there a second time."""
_PLACE = frozenset((*CONNECT, "config", "state_dir", "state")) - _GONE
"""Which account, which Datadog, and where runs are remembered: of every command that takes it."""
_MORE = re.compile(r"[|&;<>#]")
"""More than one plain command."""
_NONE: Values = {}
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "uninstrumented": ("setup", "plan", "keep apply", "org plan", "org apply"),
    "instrumented": ("uninstrument",),
}
"""The commands after which functions are no longer as this choice of them says. Only the same kind of command
still means them by it: any other would look at none, or at those that were left out."""
_MEANT = (*sorted(_PLACE), *(key for key in WANTED if key not in _PLACE | _GONE))


def with_choices(call: Call, report: Report) -> Report:
    """The report whose commands, those of its findings, too, go on with what was typed for this one, and give
    it back with that."""
    if call.value("sandbox"):
        return report  # the sandbox is gone, and what was typed for it with it
    known = (call.called, report.data.get("ci", ""))

    def meant(command: str) -> str:
        return command if command in known else going_on(call.given, command, call.values, call.command)

    undo = meant(report.undo)
    return replace(
        report,
        data=report.data if undo == report.undo else {**report.data, "undo": undo},
        next=tuple(map(meant, report.next)),
        findings=tuple(replace(each, command=meant(each.command)) for each in report.findings),
    )


def going_on(given: Given, command: str, own: Values = _NONE, after: str = "") -> str:
    """A command line of ddsetup with those typed options that mean the same in it; any other as it is. `own`
    are the parameters that only the command before had: of them which accounts it was about. `after` is that
    command: by what it does functions may no longer be as `--which` says.

    Where it names what it is about, a run or the file of a plan, functions and settings are decided by that.
    """
    from ddsetup.settings.config import as_words

    if not command.startswith("ddsetup ") or _MORE.search(command):
        return command
    reading = read(shlex.split(command)[1:])
    if reading.command is None:
        return command
    values = {key: given.value(key) for key in _MEANT if given.typed(key) and _takes(reading, key)}
    changed = _CHANGES.get(given.text("which"), ())
    if after in changed and reading.title not in changed:
        values.pop("which", None)
    said = as_words({key: value for key, value in values.items() if value is not None})
    return " ".join(part for part in (command, *_accounts(reading, own), said) if part)


def _accounts(reading: Reading, own: Values) -> Iterator[str]:
    for each in reading.parameters:
        value = own.get(each.name) if each.name in ACCOUNTS and each.name not in reading.given else None
        items = value if isinstance(value, list | tuple) else (value,)
        yield from (f"{each.flags[0]} {shlex.quote(str(item))}" for item in items if item)


def _takes(reading: Reading, key: str) -> bool:
    if key not in {parameter.name for parameter in reading.parameters} or key in reading.given:
        return False
    if reading.filled and key not in _PLACE:
        return False
    return key not in WHICH or not any(each in reading.given for each in WHICH)
