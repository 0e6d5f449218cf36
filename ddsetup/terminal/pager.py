"""Long text on a terminal, a page at a time, as git and man show it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from ddsetup.terminal.ability import Streams
from ddsetup.terminal.streams import fitting, interactive

_LESS = {"LESS": "FRX", "LV": "-c"}
"""less ends at once with what fits on the screen, shows colours and leaves the text there (as git has it)."""


def show(text: str, *, paging: bool = True, stream: TextIO | None = None) -> None:
    """Write text to standard output, or to `stream`, through a pager if it is long and somebody reads it."""
    out = stream or sys.stdout
    text = fitting(text, out)
    pager = _pager(os.environ) if paging and _is_long(text, out) else []
    if not (pager and _through(pager, text, out)):
        out.write(text)
        out.flush()


def _is_long(text: str, out: TextIO) -> bool:
    """Whether it is more than a terminal shows at once, of somebody who sees it and can press a key."""
    streams = Streams(out=out, err=sys.stderr, environ=os.environ)
    if not streams.is_terminal(out) or not interactive(streams.environ, sys.stdin, streams.err):
        return False
    try:
        return text.count("\n") >= os.get_terminal_size(out.fileno()).lines
    except (OSError, ValueError):
        return False


def _pager(environ: Mapping[str, str]) -> list[str]:
    """The words that start the pager; none where somebody wants none."""
    named = environ.get("PAGER")
    if named is None:
        return ["less"] if os.name == "posix" else []
    try:
        words = shlex.split(named)
    except ValueError:
        return []
    return [] if words == ["cat"] else words


def _through(pager: list[str], text: str, out: TextIO) -> bool:
    """Whether the pager could be started; then it has shown the text, or as much as its reader wanted."""
    environ = {**_LESS, **os.environ}
    with _left_to_it():
        try:
            reader = subprocess.Popen(pager, stdin=subprocess.PIPE, stdout=out, env=environ)  # noqa: S603
        except OSError:
            return False
        # Closed early, it has shown enough; `communicate` takes that for no error.
        reader.communicate(text.encode(out.encoding or "utf-8", "replace"))
    return reader.returncode not in (126, 127)


@contextmanager
def _left_to_it() -> Iterator[None]:
    """Ctrl-C is the pager's for the time being: in less it stops a search, and ends nothing.

    Not by SIG_IGN, which the pager would inherit.
    """
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
