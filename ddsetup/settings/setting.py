"""One option, described once: its flag, its environment variable, its key in `ddsetup.toml`, its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from ddsetup.model.answers import Answers
from ddsetup.settings import validate

if TYPE_CHECKING:
    from ddsetup.model.account import Json

Kind: TypeAlias = Literal["text", "choice", "number", "seconds", "minutes", "switch", "words", "items"]
Value: TypeAlias = str | bool | int | tuple[str, ...]
Panel: TypeAlias = Literal[
    "Which functions",
    "Where",
    "Datadog",
    "What to send",
    "How it gets there",
    "Library",
    "Proof",
    "How to run",
]
PANELS: tuple[Panel, ...] = get_args(Panel)

USUAL = Answers(site="", regions=())
"""What is wanted where nothing is said: texts and questions have their defaults from here, too."""


def field_of(answers: Answers, path: str) -> Any:
    """A field by its path, as settings name it: `via`, `selection.names`."""
    return reduce(getattr, path.split("."), answers)


_FIELDS = frozenset((*USUAL.__slots__, *(f"tracing.{name}" for name in USUAL.tracing.__slots__)))
_KINDS: Mapping[type, Kind] = {bool: "switch", int: "number", tuple: "items", dict: "items"}
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def flag_of(key: str) -> str:
    """The option of that name, as it is typed."""
    return "--" + key.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One option. Its flag, variable and file key follow from `key`; `switch`es also have a `--no-` form.

    `seconds` and `minutes` are lengths of time, whole in their unit. `words` are lists whose values hold no
    comma (a flag may carry several at once), `items` lists of any text. `also_env` are further variables,
    looked at after ddsetup's own. `in_file` says whether `ddsetup.toml` may hold it: not what would make a
    file from elsewhere act without being asked, nor what decides where keys are sent. `saved` settings are
    what a guided run writes.

    `fills` is the field of `Answers` that it is for, by its path, if that has not its name (in `tracing`,
    too) or the plural of it; `kind` need not be said where that field or `choices` tell. With `pair` the
    texts are parts of pairs, cut at the first such character (`pair_at_end`: the last). `help` does not say
    the default, `meaning` does, unless `tells_default` is off, where it depends on who is there. `rare`: few
    need it, so that help of many options leaves it out.
    """

    key: str
    help: str
    panel: Panel = "How to run"
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    metavar: str = "TEXT"
    short: str = ""
    negatable: bool = True
    also_env: tuple[str, ...] = ()
    separator: str = ","
    in_file: bool = True
    saved: bool = True
    check: Callable[[str], str] = validate.anything
    fills: str = ""
    pair: str = ""
    pair_at_end: bool = False
    tells_default: bool = True
    rare: bool = False

    @property
    def field(self) -> str:
        """The field of `Answers` that it fills, empty if it fills none."""
        named = (name for name in (self.key, f"{self.key}s", f"tracing.{self.key}") if name in _FIELDS)
        return self.fills or next(named, "")

    @property
    def default(self) -> Value | None:
        """What is taken where nothing is said; None where that is nothing."""
        value = field_of(USUAL, self.field) if self.field else None
        return value if isinstance(value, str | bool | int | tuple) else None

    @property
    def meaning(self) -> str:
        """What it is for, and its default if it has one that needs saying."""
        value = self.default
        if not value or not self.tells_default:
            return self.help
        said = "yes" if value is True else ", ".join(value) if isinstance(value, tuple) else str(value)
        return f"{self.help} Default: {said}."

    @property
    def flag(self) -> str:
        return flag_of(self.key)

    @property
    def no_flag(self) -> str:
        return "--no-" + self.key.replace("_", "-")

    @property
    def env(self) -> str:
        return "DDSETUP_" + self.key.upper()

    @property
    def is_list(self) -> bool:
        return self.kind in ("words", "items")

    def parse(self, value: Json) -> Value:
        """The value in its proper type: a text, a number, a truth value or a list of texts.

        Raises ValueError with what is expected.
        """
        match self.kind:
            case "switch":
                return _switch(value)
            case "number":
                return _number(value)
            case "seconds":
                return validate.time_in(value, 1)
            case "minutes":
                return validate.time_in(value, 60)
            case "words" | "items":
                return self._list(value)
            case "choice":
                return self._choice(value)
        if not isinstance(value, str):
            raise ValueError(f"expected text in quotes, not {_typename(value)}")
        return self.check(value)

    def _choice(self, value: Json) -> str:
        if not isinstance(value, str) or value.strip().lower() not in self.choices:
            raise ValueError(f"{value!r} is not one of {', '.join(self.choices)}")
        return value.strip().lower()

    def _list(self, value: Json) -> tuple[str, ...]:
        if isinstance(value, str):
            separator = "\n" if "\n" in value else self.separator
            value = [part for part in value.split(separator) if part.strip()]
        elif isinstance(value, Mapping):
            value = [f"{key}={part}" for key, part in value.items()]
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"expected a list of texts, not {_typename(value)}")
        if self.kind == "words":
            value = [part for v in value for part in v.split(",") if part.strip()]
        return tuple(dict.fromkeys(self.check(v) for v in value))


def _switch(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _YES + _NO:
        return value.strip().lower() in _YES
    raise ValueError(f"{value!r} is neither true nor false")


def _number(value: Json) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a whole number of at least 0")


def _typename(value: Json) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", dict: "a table"}
    return names.get(type(value), "a list" if isinstance(value, list | tuple) else type(value).__name__)


def panel(name: Panel, *settings: Setting) -> tuple[Setting, ...]:
    """The settings of a panel, in the order in which they are shown."""
    return tuple(replace(setting, panel=name, kind=_kind_of(setting)) for setting in settings)


def _kind_of(setting: Setting) -> Kind:
    """The kind that is said, else that of what it fills."""
    if setting.choices:
        return "choice"
    usual = field_of(USUAL, setting.field) if setting.field and setting.kind == "text" else None
    return _KINDS.get(type(usual), setting.kind)
