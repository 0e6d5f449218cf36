"""The manual page, made of the same tables as the help; `docs/generate.py` writes docs/man/ddsetup.1."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup._version import __version__
from ddsetup.cli.command import Command
from ddsetup.cli.reading import TOP
from ddsetup.cli.table.groups import GROUPS
from ddsetup.settings.setting import PANELS, Setting
from ddsetup.settings.table import TABLE

_CODES = (
    (0, "done, or nothing to do"),
    (1, "failed: nothing could be done, the doctor found an error, or it was declined"),
    (2, "wrong usage, or answers missing without a terminal"),
    (3, "plan --detailed-exitcode: there are changes"),
    (4, "no or insufficient credentials or permissions, before anything was written"),
    (5, "partly done; the report names what failed"),
    (6, "all applied, but data was not seen in Datadog in time"),
    (70, "a bug in ddsetup"),
    (130, "interrupted"),
)
_DESCRIPTION = (
    "Looks at the account, asks what it cannot know, shows every change as before and after, carries it out "
    "once it is confirmed, and waits until data has arrived in Datadog. Without a command, on a terminal, it "
    "is ddsetup setup."
)
_OPTIONS = (
    "Every option is also a variable and, mostly, a line of ddsetup.toml. Which command takes which: "
    "ddsetup COMMAND --help."
)


def text(words: str) -> str:
    """Words as troff takes them: nothing in them is a request or an escape."""
    safe = words.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in safe.splitlines())


def manual() -> str:
    """The whole page."""
    return "\n".join(
        (
            f'.TH DDSETUP 1 "" "ddsetup {__version__}" "User Commands"',
            ".SH NAME",
            text("ddsetup - from an AWS account to proven Datadog monitoring of its Lambda functions"),
            ".SH SYNOPSIS",
            ".B ddsetup\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR ...]",
            ".SH DESCRIPTION",
            text(_DESCRIPTION),
            ".SH COMMANDS",
            *_commands(),
            ".SH OPTIONS",
            text(_OPTIONS),
            *_options(),
            ".SH EXIT STATUS",
            *(f".TP\n.B {code}\n{text(meaning)}" for code, meaning in _CODES),
            ".SH FILES",
            ".TP\n.I ddsetup.toml\n" + text("answers, in the working directory"),
            ".TP\n.I ~/.local/state/ddsetup\n" + text("journals, which ddsetup undo needs (on Linux)"),
            ".SH ENVIRONMENT",
            ".TP\n.B DD_API_KEY\\fR, \\fBDD_APP_KEY\n"
            + text("Datadog's keys; options only say where to read them from"),
            "",
        )
    )


def _commands() -> Iterator[str]:
    for command in TOP:
        yield _command("", command)
    for group in GROUPS:
        for command in group.commands:
            yield _command(f"{group.name} ", command)


def _command(group: str, command: Command) -> str:
    return f".TP\n.B {text(f'ddsetup {group}{command.name}')}\n{text(command.summary)}"


def _options() -> Iterator[str]:
    for panel in PANELS:
        yield f".SS {panel}"
        for setting in TABLE:
            if setting.panel == panel:
                yield f".TP\n{_flags(setting)}\n{text(setting.help)}\n.br\n{text(f'Variable: {setting.env}')}"


def _flags(setting: Setting) -> str:
    flags = [setting.flag, *([setting.short] if setting.short else [])]
    if setting.kind == "switch" and setting.negatable:
        flags.append(setting.no_flag)
    value = "" if setting.kind == "switch" else f" \\fI{text(setting.metavar)}\\fR"
    return ", ".join(f"\\fB{text(flag)}\\fR" for flag in flags) + value
