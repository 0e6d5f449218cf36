"""What a command takes, as it is typed and told: the settings of the table, and options of its own.

Nothing here parses: help and completion have to be quick, and the parser is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddsetup.settings.setting import Setting, flag_of

OWN = "Options"
"""The heading of what is no setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A parameter that only one command has: an option with `flags`, or an argument without."""

    name: str
    help: str
    flags: tuple[str, ...] = ()
    kind: type[bool | str | Path | float | int] = str
    many: bool = False
    required: bool = False
    metavar: str | None = None


def switch(name: str, meaning: str, *, flag: str = "") -> Extra:
    """An option that is given or not; its flag is its name where none is said."""
    return Extra(name=name, help=meaning, flags=(flag or flag_of(name),), kind=bool)


def option(
    name: str,
    metavar: str,
    meaning: str,
    *,
    flag: str = "",
    kind: type[str | Path | float | int] = str,
    many: bool = False,
) -> Extra:
    """An option with a value; its flag is its name where none is said."""
    return Extra(
        name=name, help=meaning, flags=(flag or flag_of(name),), kind=kind, many=many, metavar=metavar
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An option or an argument, whether it is a setting or a command's own.

    `flags` are empty for an argument; `value` is what stands for its value, empty for a switch; `off` is the
    flag that says no. `rare`: few need it.
    """

    name: str
    help: str
    flags: tuple[str, ...] = ()
    off: str = ""
    value: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    kind: type[bool | str | Path | float | int] = str
    required: bool = False
    panel: str = OWN
    rare: bool = False

    @property
    def typed(self) -> str:
        """How it is typed: `-f, --function NAME`, `--logs / --no-logs`."""
        # The short one first, as everywhere.
        flags = ", ".join(sorted(self.flags, key=lambda flag: flag.startswith("--")))
        return " ".join(part for part in (flags, self.off and f"/ {self.off}", self.value) if part)


def parameter_of(setting: Setting) -> Parameter:
    """The option of a setting, with the variables that say the same."""
    is_switch = setting.kind == "switch"
    return Parameter(
        name=setting.key,
        help=f"{setting.meaning} [{' or '.join((setting.env, *setting.also_env))}]",
        flags=(setting.flag, setting.short) if setting.short else (setting.flag,),
        off=setting.no_flag if is_switch and setting.negatable else "",
        value="" if is_switch else "|".join(setting.choices) or setting.metavar,
        choices=setting.choices,
        many=setting.is_list,
        kind=bool if is_switch else str,
        panel=setting.panel,
        rare=setting.rare,
    )


def parameter_of_extra(extra: Extra) -> Parameter:
    """The option or argument that a command has of its own."""
    value = extra.metavar or extra.name.upper()
    listed = value.strip("[]").split("|")
    return Parameter(
        name=extra.name,
        help=extra.help,
        flags=extra.flags,
        value="" if extra.kind is bool else value,
        choices=tuple(listed) if len(listed) > 1 else (),
        many=extra.many,
        kind=extra.kind,
        required=extra.required,
    )
