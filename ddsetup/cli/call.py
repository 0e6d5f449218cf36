"""One run of a command: what was given, where to print, whom to ask."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ddsetup.cli.options import Values
from ddsetup.config import find_config, read_config
from ddsetup.console import Console, OutputFormat, Streams, interactive
from ddsetup.errors import UsageError
from ddsetup.given import Given, from_environment, from_flags
from ddsetup.statedir import state_dir

if TYPE_CHECKING:
    from ddsetup.flow import Host
    from ddsetup.model import Function, Snapshot
    from ddsetup.prompter import Prompter


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a command is called with. `values` holds the parameters that only this command has."""

    command: str
    given: Given
    values: Values
    console: Console
    environ: Mapping[str, str]
    directory: Path
    can_ask: bool
    config: Path | None = None

    @property
    def sandbox(self) -> bool:
        return self.console.sandbox

    def value(self, name: str) -> Any:
        """A parameter that only this command has; None if it was not given."""
        return self.values.get(name)

    def prompter(self) -> Prompter | None:
        """Whoever can be asked; None without a terminal."""
        if not self.can_ask:
            return None
        from ddsetup.prompts import make_prompter

        return make_prompter(self.console)

    def host(self) -> Host:
        """What this process lends to a verb."""
        from ddsetup.flow import Host

        return Host(
            environ=self.environ,
            state_dir=self.state_dir(),
            on_event=self.console.event,
            prompter=self.prompter(),
            working=self.console.working,
            sandbox=self.sandbox,
            at_hand=self._at_hand,
        )

    def _at_hand(self, snapshot: Snapshot, functions: Sequence[Function]) -> str:
        from ddsetup.cli.at_source import described

        return described(self.directory, snapshot, functions)

    def state_dir(self) -> Path:
        """Where journals are kept."""
        named = self.given.text("state_dir")
        return state_dir(Path(named).expanduser() if named else None)


def first_console(streams: Streams, values: Values) -> Console:
    """A console by what can be told before anything is checked: errors have to be shown, too."""
    given = from_flags(values).over(from_environment(streams.environ))
    raw = given.raw("output")
    output: OutputFormat = "text"
    if raw is not None and raw.value in ("json", "ndjson"):
        output = raw.value
    return Console(streams=streams, output=output, sandbox=in_sandbox(streams.environ))


def make_call(command: str, values: Values, console: Console, directory: Path) -> Call:
    """Put flags, environment and file together, and check what concerns the run itself.

    Raises UsageError.
    """
    environ = console.streams.environ
    given = from_flags(values).over(from_environment(environ))
    path = find_config(_checked(given, "config") or None, directory)
    if path is not None:
        given = given.over(read_config(path))
    for key in ("output", "no_color", "verbose", "debug", "no_input", "state_dir", "yes", "dry_run"):
        _checked(given, key)
    console.output = given.text("output", "text")  # type: ignore[assignment]
    console.verbose = given.on("verbose")
    console.colour = not given.on("no_color")
    return Call(
        command=command,
        given=given,
        values={name: value for name, value in values.items() if name not in given or name == "list"},
        console=console,
        environ=environ,
        directory=directory,
        can_ask=not given.on("no_input") and _somebody_is_there(console.streams),
        config=path,
    )


def _checked(given: Given, key: str) -> str:
    raw = given.raw(key)
    try:
        return given.text(key)
    except ValueError as error:
        raise UsageError(str(error), where=raw.where if raw else "") from None


def _somebody_is_there(streams: Streams) -> bool:
    import sys

    return interactive(streams.environ, sys.stdin, streams.err)


def in_sandbox(environ: Mapping[str, str]) -> bool:
    """Whether these variables lead to a sandbox: AWS and Datadog are both on this machine."""
    return all(_is_loopback(environ.get(name, "")) for name in ("AWS_ENDPOINT_URL", "DDSETUP_DATADOG_URL"))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
