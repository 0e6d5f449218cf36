"""Keys of this process: where they are handed to it, and where they must not stay.

A variable of the process is one of every program that it starts, and what is in its memory is in the file
that the system writes when it crashes.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from ddsetup.model.errors import UsageError
from ddsetup.settings.given import Given
from ddsetup.settings.setting import flag_of

KEY_VARIABLES = (
    *("DD_API_KEY", "DD_APP_KEY", "DATADOG_API_KEY", "DATADOG_APP_KEY"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)
"""Variables that hold keys, as Datadog's tools and botocore (`credentials.py`) name them."""

_LARGEST = 4096
_PR_SET_DUMPABLE = 4


def take_keys(environ: MutableMapping[str, str]) -> dict[str, str]:
    """The variables for this run; those with keys are taken out of `environ`, so that no child gets them."""
    taken = dict(environ)
    for name in KEY_VARIABLES:
        environ.pop(name, None)
    return taken


def handed_keys(given: Given, directory: Path, stdin: TextIO | None) -> dict[str, str]:
    """The keys that were handed over by file or standard input, by the flag that says so.

    With both keys on standard input the API key is the first line. Raises UsageError.
    """
    found: dict[str, str] = {}
    piped = [key for key in ("api_key_stdin", "app_key_stdin") if given.on(key)]
    if piped:
        lines = _lines_of(stdin, len(piped))
        found |= {flag_of(key): line for key, line in zip(piped, lines, strict=True)}
    for key in ("api_key_file", "app_key_file"):
        if name := given.text(key):
            found[flag_of(key)] = _in_file(directory / Path(name).expanduser(), flag_of(key))
    return found


def _lines_of(stdin: TextIO | None, wanted: int) -> list[str]:
    where = "standard input"
    if stdin is None or stdin.isatty():
        what = "a key on standard input comes from a pipe or a file, and this is a terminal"
        raise UsageError(what, fix="leave the option out to be asked, or pipe the key in", where=where)
    try:
        lines = stdin.read(_LARGEST).splitlines()
    except (OSError, ValueError):
        lines = []
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) < wanted:
        both = "the API key in the first line, the application key in the second" if wanted == 2 else "a key"
        raise UsageError(f"not what was expected on it: {both}", where=where)
    return lines[:wanted]


def _in_file(path: Path, flag: str) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=f"{flag} {path}") from None
    except UnicodeDecodeError:
        raise UsageError("holds no text", where=f"{flag} {path}") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise UsageError("has to hold the key in one line and nothing else", where=f"{flag} {path}")
    return lines[0]


def leave_no_core() -> None:
    """Have the system write no memory of this process to the disk when it crashes, and let nobody read it.

    prctl(2), PR_SET_DUMPABLE: holds for pipes to a crash reporter, too, as RLIMIT_CORE does not (core(5)).
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
