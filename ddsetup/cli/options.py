"""Options as Typer wants them, made from the table of settings, and help that is grouped like it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ddsetup.settings.setting import PANELS, Setting, flag_of
from ddsetup.settings.table import SETTINGS, TABLE

if TYPE_CHECKING:
    from ddsetup.settings.given import Values


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


class GroupedCommand(TyperCommand):
    """A command whose help shows its options under the headings of their settings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each heading; what belongs to no setting comes first."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        sections |= {panel: [] for panel in PANELS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                setting = SETTINGS.get(parameter.name or "")
                sections[setting.panel if setting else "Options"].append(record)
        sections["How to run"].extend(
            row for row in sections["Options"] if row[0].startswith(("-h", "--help"))
        )
        sections["Options"] = [row for row in sections["Options"] if not row[0].startswith(("-h", "--help"))]
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def with_parameters(
    callback: Callable[[Values], None], keys: Sequence[str], extras: Sequence[Extra]
) -> Callable[..., None]:
    """A function that Typer reads the parameters of, and that passes them on as one mapping."""

    def command(**values: Any) -> None:
        callback(values)

    wanted = set(keys)
    parameters = [_of_extra(extra) for extra in extras]
    parameters += [_of_setting(setting) for setting in TABLE if setting.key in wanted]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _of_setting(setting: Setting) -> inspect.Parameter:
    names = " or ".join((setting.env, *setting.also_env))
    help_text = f"{setting.meaning} [{names}]"
    if setting.kind == "switch":
        flags = f"{setting.flag}/{setting.no_flag}" if setting.negatable else setting.flag
        option = typer.Option(*_both(flags, setting), help=help_text, show_default=False)
        return _parameter(setting.key, Annotated[bool | None, option])
    metavar = "|".join(setting.choices) if setting.choices else setting.metavar
    option = typer.Option(*_both(setting.flag, setting), help=help_text, metavar=metavar, show_default=False)
    kind = list[str] | None if setting.is_list else str | None
    return _parameter(setting.key, Annotated[kind, option])


def _both(flag: str, setting: Setting) -> tuple[str, ...]:
    return (flag, setting.short) if setting.short else (flag,)


def _of_extra(extra: Extra) -> inspect.Parameter:
    kind: Any = extra.kind
    if extra.many:
        kind = list[kind]
    info: Any = (
        typer.Option(*extra.flags, help=extra.help, metavar=extra.metavar, show_default=False)
        if extra.flags
        else typer.Argument(help=extra.help, metavar=extra.metavar, show_default=False)
    )
    if extra.required:
        return inspect.Parameter(extra.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, info])
    return _parameter(extra.name, Annotated[kind | None, info])


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
