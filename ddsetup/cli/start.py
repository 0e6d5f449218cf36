"""How a call comes to be: flags, environment and file together, a console, and who can be asked."""

from __future__ import annotations

import ipaddress
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from ddsetup.ask.prompter import Prompter
from ddsetup.cli.keys import handed_keys
from ddsetup.flow.call import Call
from ddsetup.settings.config import find_config, read_config
from ddsetup.settings.given import Values, from_environment, from_flags
from ddsetup.terminal.ability import Color, Streams
from ddsetup.terminal.console import Console, OutputFormat
from ddsetup.terminal.streams import interactive


def first_console(streams: Streams, values: Values) -> Console:
    """A console by what can be told before anything is checked: errors have to be shown, too."""
    given = from_flags(values).over(from_environment(streams.environ))
    raw = given.raw("output")
    output: OutputFormat = "text"
    if raw is not None and raw.value in get_args(OutputFormat):
        output = raw.value
    color: Color = "auto"
    if (raw := given.raw("color")) is not None and raw.value in get_args(Color):
        color = raw.value
    if given.raw("no_color") is not None:
        color = "never"
    return Console(streams=streams, output=output, color=color, sandbox=in_sandbox(streams.environ))


def make_call(command: str, values: Values, console: Console, directory: Path) -> Call:
    """Put flags, environment and file together, and check what concerns the run itself.

    Raises UsageError.
    """
    environ = console.streams.environ
    given = from_flags(values).over(from_environment(environ))
    path = find_config(given.text("config") or None, directory)
    if path is not None:
        given = given.over(read_config(path))
    environ = {**environ, **handed_keys(given, directory, sys.stdin)}
    for key in ("output", "color", "no_color", "verbose", "debug", "no_input", "state_dir", "yes", "dry_run"):
        given.value(key)
    console.output = given.text("output", "text")  # type: ignore[assignment]
    console.verbose = given.on("verbose")
    console.color = "never" if given.on("no_color") else given.text("color", "auto")  # type: ignore[assignment]
    can_ask = not given.on("no_input") and _somebody_is_there(console.streams)
    console.paging = can_ask and not given.on("no_pager")
    return Call(
        command=command,
        given=given,
        values={name: value for name, value in values.items() if name not in given or name == "list"},
        console=console,
        environ=environ,
        directory=directory,
        prompter=_prompter(console) if can_ask else _nobody,
        can_ask=can_ask,
        config=path,
        called=shlex.join(["ddsetup", *sys.argv[1:]]),
    )


def _somebody_is_there(streams: Streams) -> bool:
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


def _prompter(console: Console) -> Callable[[], Prompter]:
    def made() -> Prompter:
        from ddsetup.terminal.prompts import make_prompter

        return make_prompter(console)

    return made


def _nobody() -> None:
    """Without a terminal there is nobody to be asked."""
