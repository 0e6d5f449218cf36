"""What the user said before any question: flags, environment and file, each value with where it came from.

A flag wins over a variable, a variable over the file. Which functions are meant is one answer given by
several options, so the strongest source that gives any of them decides them all: `--function one` is not
widened by an `all = true` in the file. The same holds for where functions find the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ddsetup.model.errors import UsageError
from ddsetup.settings.setting import Value
from ddsetup.settings.table import KEY_SOURCES, SETTINGS, TABLE, WHICH

if TYPE_CHECKING:
    from ddsetup.model.account import Json  # its records take longer to make than help takes

Source: TypeAlias = Literal["flag", "env", "file"]
Values: TypeAlias = "Mapping[str, Json]"
"""The parameters of a command line, by name."""

_ONE_ANSWER: tuple[tuple[str, ...], ...] = (tuple(key for key in WHICH if key != "exclude"), KEY_SOURCES)


class WrongValue(UsageError, ValueError):
    """A value that its setting does not allow; `where` is where it was given.

    Whoever asks for a value before all of them have been checked together ends in words, too.
    """


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it was given, unchecked. `where` names its origin: `--site`, `DD_SITE`, a file's line."""

    value: Json = field(repr=False)
    source: Source
    where: str


@dataclass(frozen=True, slots=True)
class Given:
    """All that was given, by the key of its setting. A setting that nobody gave is absent."""

    values: Mapping[str, Raw] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def raw(self, key: str) -> Raw | None:
        return self.values.get(key)

    def value(self, key: str) -> Value | None:
        """The checked value, None if not given. Raises WrongValue."""
        raw = self.values.get(key)
        try:
            return None if raw is None else SETTINGS[key].parse(raw.value)
        except ValueError as error:
            raise WrongValue(str(error), where=raw.where if raw else "") from None

    def problems(self) -> list[str]:
        """What is wrong with the values, each with where it was given."""
        found: list[str] = []
        for key in self.values:
            try:
                self.value(key)
            except WrongValue as error:
                found.append(f"{error.where}: {error.what}")
        return found

    def text(self, key: str, default: str = "") -> str:
        """The checked value of a setting that is a text or a choice."""
        value = self.value(key)
        return default if value is None else str(value)

    def on(self, key: str, default: bool = False) -> bool:
        """The checked value of a switch."""
        value = self.value(key)
        return default if value is None else bool(value)

    def number(self, key: str, default: int) -> int:
        """The checked value of a setting that is a number."""
        value = self.value(key)
        return default if value is None else int(str(value))

    def items(self, key: str) -> tuple[str, ...]:
        """The checked value of a list, empty if not given."""
        value = self.value(key)
        return value if isinstance(value, tuple) else ()

    def typed(self, *keys: str) -> list[str]:
        """Which of these the command line gave, each as the flag that said it."""
        found = (self.values.get(key) for key in keys)
        return [raw.where for raw in found if raw is not None and raw.source == "flag"]

    def over(self, weaker: Given) -> Given:
        """These values, and of `weaker` those that were not given here."""
        taken = {key for group in _ONE_ANSWER if any(key in self.values for key in group) for key in group}
        rest = {k: v for k, v in weaker.values.items() if k not in taken}
        return Given({**rest, **self.values})


def from_flags(values: Mapping[str, Json]) -> Given:
    """What the command line gave; None and empty lists are options that were not used."""
    found: dict[str, Raw] = {}
    for key, value in values.items():
        if key in SETTINGS and value is not None and value not in ([], ()):
            setting = SETTINGS[key]
            off = setting.kind == "switch" and value is False
            found[key] = Raw(value, "flag", setting.no_flag if off else setting.flag)
    return Given(found)


def from_environment(environ: Mapping[str, str]) -> Given:
    """What variables gave. An empty variable counts as not set."""
    found: dict[str, Raw] = {}
    for setting in TABLE:
        for name in (setting.env, *setting.also_env):
            if environ.get(name, "").strip():
                found[setting.key] = Raw(environ[name], "env", name)
                break
    return Given(found)
