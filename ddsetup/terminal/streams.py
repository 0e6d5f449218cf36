"""Standard output and standard error whose reader may go away: a closed pipe, a full disk, a closed terminal.

None of this may steer a run: what can no longer be written is dropped, the run goes on to its end, and the
exit code says that its result was not delivered.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

PLAIN = str.maketrans("✓✗○–→↑↓…·—≤≥“”▁▂▃▄▅▆▇█", '+xo->^v~--<>""_.,-=+*#')
"""One character for one, so that columns stay in line where the encoding lacks ours."""

NOT_DELIVERED = 5
"""The exit code of what went well and could not be told."""


class Stream(io.TextIOWrapper):
    """A stream that drops what cannot be written. `lost` is the first error."""

    lost: OSError | None = None

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """What is still held back goes nowhere from here on; otherwise it would fail again at exit."""
        self.lost = self.lost or error
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


def take_over() -> None:
    """Let both streams of this process outlive their readers. One that was closed from the start is lost."""
    sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


def _outliving(stream: TextIO | None) -> TextIO:
    if stream is None:
        # Opened before anything else is, it takes the place that a file or a connection would get.
        found = Stream(open(os.devnull, "wb"), encoding="utf-8")  # noqa: PTH123, SIM115
        found.lost = OSError(errno.EBADF, os.strerror(errno.EBADF))
        return found
    if type(stream) is not io.TextIOWrapper:
        return stream
    encoding, errors, buffered = stream.encoding, stream.errors, stream.line_buffering
    return Stream(stream.detach(), encoding=encoding, errors=errors, line_buffering=buffered)


def loss(stream: TextIO) -> OSError | None:
    """Why what was written to a stream did not arrive; None if all of it did."""
    with suppress(ValueError):
        stream.flush()
    return getattr(stream, "lost", None)


def ended(code: int) -> int:
    """The exit code of a process that has written all it had to: 5 where all went well but its output.

    A pipe that was closed needs no words: whoever read it has seen enough.
    """
    lost = loss(sys.stdout)
    if lost is None:
        return code
    if lost.errno != errno.EPIPE:
        sys.stderr.write(f"error: standard output could not be written: {lost.strerror}\n")
    return code or NOT_DELIVERED


def columns_of(stream: TextIO) -> int:
    """The width of a terminal; 0 of a file, whose lines may be of any length."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0


def fitting(text: str, stream: TextIO) -> str:
    """`text` as the stream's encoding can take it."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def interactive(environ: Mapping[str, str], stdin: TextIO, err: TextIO) -> bool:
    """Whether somebody is there to answer: a terminal to read from and to ask on, and not CI."""
    return stdin.isatty() and err.isatty() and not environ.get("CI")
