"""What a command is, and the sets of options that commands share."""

from __future__ import annotations

from dataclasses import dataclass

from ddsetup.cli.options import Extra
from ddsetup.settings.setting import Panel
from ddsetup.settings.table import TABLE


def keys(*panels: Panel) -> tuple[str, ...]:
    """The keys of all settings under these headings."""
    return tuple(setting.key for setting in TABLE if setting.panel in panels)


KEYS = (
    *("api_key_stdin", "app_key_stdin", "api_key_file", "app_key_file"),
    *("api_key_secret", "app_key_secret"),
)
CONNECT = ("profile", "role_arn", "site", *KEYS, "datadog_url")
RUN = ("output", "config", "state_dir", "state", "no_color", "verbose", "debug")
ASKING = ("no_input", *RUN)
WRITING = ("yes", "dry_run", *ASKING)
WANTED = keys("Which functions", "Where", "Datadog", "What to send", "How it gets there", "Library")
SHOWN = ("output", "no_color", "verbose", "debug")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: what it is called, what it takes, and the module whose `run` does it."""

    name: str
    module: str
    summary: str
    help: str = ""
    examples: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Commands under one name, like `explore errors`."""

    name: str
    help: str
    summary: str
    commands: tuple[Command, ...]
