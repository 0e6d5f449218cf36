"""What a command is, and the sets of options that commands share."""

from __future__ import annotations

from dataclasses import dataclass

from ddsetup.cli.options import Extra, Parameter, parameter_of, parameter_of_extra
from ddsetup.settings.setting import Panel
from ddsetup.settings.table import TABLE


def keys(*panels: Panel) -> tuple[str, ...]:
    """The keys of all settings under these headings."""
    return tuple(setting.key for setting in TABLE if setting.panel in panels)


KEYS = (
    *("api_key_stdin", "app_key_stdin", "api_key_file", "app_key_file"),
    *("api_key_secret", "app_key_secret"),
)
CONNECT = ("profile", "role_arn", "rate", "site", *KEYS, "datadog_url")
SHOWN = ("output", "color", "no_color", "no_pager", "verbose", "debug")
RUN = ("config", "state_dir", "state", *SHOWN)
ASKING = ("no_input", *RUN)
WRITING = ("yes", "dry_run", *ASKING)
WANTED = keys("Which functions", "Where", "Datadog", "What to send", "How it gets there", "Library")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: what it is called, what it takes, and the module whose `run` does it.

    `bare`: `run` gets the parameters and returns an exit code, without settings, journal or report.
    """

    name: str
    module: str
    summary: str
    help: str = ""
    examples: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()
    bare: bool = False

    def parameters(self) -> tuple[Parameter, ...]:
        """All that it takes: its own first, then settings in the order of their table."""
        wanted = set(self.keys)
        settings = (parameter_of(setting) for setting in TABLE if setting.key in wanted)
        return (*map(parameter_of_extra, self.extras), *settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Commands under one name, like `explore errors`."""

    name: str
    help: str
    summary: str
    commands: tuple[Command, ...]
