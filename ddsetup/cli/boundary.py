"""The only error boundary: every way in which a command can end becomes words and an exit code here."""

from __future__ import annotations

import errno
import importlib
import os
import platform
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from ddsetup._version import __version__
from ddsetup.ask.prompter import Back
from ddsetup.cli.keys import leave_no_core, take_keys
from ddsetup.cli.onward import with_choices
from ddsetup.cli.start import first_console, make_call
from ddsetup.facts.disclose import secrets_in, without
from ddsetup.flow.call import Call
from ddsetup.journal.statedir import state_dir
from ddsetup.model.errors import BUG, DdsetupError, Interrupted, UsageError
from ddsetup.model.files import PRIVATE, write_whole
from ddsetup.model.foreign import Lines
from ddsetup.model.report import Report, undo_of
from ddsetup.settings.given import Values
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console
from ddsetup.terminal.paging import check_page, write_page
from ddsetup.terminal.streams import loss


class Bug(DdsetupError):
    """Something that ddsetup did not expect: its own fault."""

    exit_code = BUG


def run_command(title: str, module: str, values: Values) -> int:
    """Run a command and print its report; the exit code."""
    environ = take_keys(os.environ)
    leave_no_core()
    console = first_console(_streams(environ), values)
    signal.signal(signal.SIGTERM, _terminated)
    _mind_the_terminal()
    try:
        call = make_call(title, values, console, _here())
        environ = dict(call.environ)
        if call.given.on("debug"):
            _log_to(console, environ)
        check_page(call)
        command = importlib.import_module(module)
        report: Report = with_choices(call, command.run(call))
        body = getattr(command, "blocks", None)
        console.report(report, body)
        write_page(call, report, body)
        if report.run and loss(console.streams.out):
            console.say(f"the result could not be written; to give it back: {report.undo}")
        return report.exit_code
    except DdsetupError as error:
        return _end(console, title, error)
    except KeyboardInterrupt:
        return _end(console, title, _interrupted(title, values))
    except Back:
        return _end(console, title, Interrupted("there is nothing to go back to; stopped"))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever comes here is a bug, to be reported
        if isinstance(error, OSError) and error.errno == errno.EIO:
            return _end(console, title, Interrupted("the terminal is gone; stopped"))
        return _end(console, title, _bug(title, error, values, environ))


def _interrupted(title: str, values: Values) -> Interrupted:
    if "yes" not in values:
        return Interrupted("stopped")  # a command that has nothing to confirm changes nothing
    if title == "org rollout":
        said = "interrupted; what was sent to StackSets goes on by itself, and nothing more is sent"
        return Interrupted(said, fix="the same command goes on from here, --remove takes it back")
    return Interrupted(
        "interrupted; what was done is in the journal, and nothing more is sent",
        fix=f"the same command goes on from here, {undo_of(title)} gives back what was done",
    )


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current directory is not there any more", fix="cd to another one") from None


def refuse_command_line(title: str, arguments: Sequence[str], what: str, fix: str = "") -> int:
    """What is wrong with a command line that could not be read, in our words; the exit code."""
    console = first_console(_streams(os.environ), {"output": _output_in(arguments)})
    see = f"see ddsetup {title}".rstrip() + " --help"
    return _end(console, title or "ddsetup", UsageError(what, fix=f"{fix} {see}" if fix else see))


def _end(console: Console, title: str, error: DdsetupError) -> int:
    console.error(title, error)
    return error.exit_code


def _streams(environ: Mapping[str, str]) -> Streams:
    return Streams(out=sys.stdout, err=sys.stderr, environ=environ)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """Being told to end is treated like Ctrl-C: what is under way finishes, the rest is not started."""
    raise KeyboardInterrupt


def _mind_the_terminal() -> None:
    """A terminal that is closed ends the run like SIGTERM; with nohup it goes on."""
    hangup: int | None = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
        signal.signal(hangup, _hung_up)


def _hung_up(number: int, frame: FrameType | None) -> None:
    # A shell that ends sends it a second time; one is enough.
    signal.signal(number, signal.SIG_IGN)
    _terminated(number, frame)


def _output_in(arguments: Sequence[str]) -> str | None:
    """The value of --output in a command line that could not be parsed."""
    for at, word in enumerate(arguments):
        if word in ("--output", "-o") and at + 1 < len(arguments):
            return arguments[at + 1]
        if word.startswith("--output="):
            return word.partition("=")[2]
    return None


def _bug(title: str, error: Exception, values: Values, environ: Mapping[str, str]) -> Bug:
    """Write a report of what happened, without secrets, and say where it is."""
    now = datetime.now(UTC)
    text = "".join(traceback.format_exception(error))
    report = without(
        f"ddsetup {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{now.isoformat()}  ddsetup {title}\n"
        f"options: {', '.join(sorted(name for name in values if values[name] is not None))}\n\n{text}",
        secrets_in(environ),
    )
    what = without(f"this is a bug in ddsetup: {type(error).__name__}", ())
    try:
        directory = state_dir(_named_state_dir(values)) / "bugs"
        directory.mkdir(mode=0o700, exist_ok=True)
        path = directory / f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
        write_whole(path, report.encode("utf-8", "replace"), mode=PRIVATE)
    except (OSError, DdsetupError):
        return Bug(Lines.of(what, *report.splitlines()), fix="please report this text; it holds no keys")
    fix = f"please report it with {path}, which holds no keys; what was done so far: ddsetup undo --list"
    return Bug(what, fix=fix)


def _named_state_dir(values: Values) -> Path | None:
    named = values.get("state_dir") or os.environ.get("DDSETUP_STATE_DIR")
    return Path(str(named)).expanduser() if named else None


def _log_to(console: Console, environ: Mapping[str, str]) -> None:
    """Say what ddsetup's own modules log; those of others would show requests and with them secrets."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            for text in without(self.format(record), secrets_in(environ)).split("\n"):
                console.say(text, "dim")

    logger = logging.getLogger("ddsetup")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Handler())


__all__ = ["Call", "refuse_command_line", "run_command"]
