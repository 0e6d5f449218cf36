"""A person at a terminal: the command in a pseudo terminal, and what is to be seen on its screen."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte
from pexpect import fdpexpect

from tests import nursery
from tests.e2e.conftest import DDSETUP, Cli
from tests.patience import PATIENCE

ENTER, ESC, CTRL_C, DOWN, SPACE = "\r", "\x1b", "\x03", "\x1b[B", " "
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][0-9A-B]|[=>78])")


class _Forked:
    """The command, forked with everything imported, on a pseudo terminal."""

    def __init__(
        self, arguments: Sequence[str], environ: Mapping[str, str], directory: Path, size: tuple[int, int]
    ) -> None:
        ours, its = os.openpty()
        termios.tcsetwinsize(its, (size[1], size[0]))
        self._pid = nursery.shared().begin(arguments, environ, directory, os.ttyname(its))
        os.close(its)
        self._code: int | None = None
        self.screen = fdpexpect.fdspawn(ours, encoding="utf-8", timeout=PATIENCE)
        self.screen.delaybeforesend = None

    def ended(self) -> int:
        """Wait for its end; the exit code, -1 if a signal ended it."""
        if self._code is None:
            self._code = nursery.shared().ended(self._pid)
            self.screen.close()
        return max(-1, self._code)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._code is None:
            self.send(signal.SIGKILL)
            self.ended()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)


class _Installed:
    """The command, as a shell starts it, on a pseudo terminal."""

    def __init__(
        self, arguments: Sequence[str], environ: Mapping[str, str], directory: Path, size: tuple[int, int]
    ) -> None:
        self.screen = pexpect.spawn(
            DDSETUP,
            list(arguments),
            env=dict(environ),
            cwd=str(directory),
            dimensions=(size[1], size[0]),
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def ended(self) -> int:
        """Wait for its end; the exit code, -1 if a signal ended it."""
        self.screen.close()
        return int(self.screen.exitstatus if self.screen.exitstatus is not None else -1)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self.screen.close(force=True)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.screen.kill(number)


class Terminal:
    """`ddsetup ARGUMENTS` on a screen of so many columns and lines, forked or, `installed`, from a shell."""

    def __init__(
        self,
        cli: Cli,
        *arguments: str,
        cwd: Path | None = None,
        size: tuple[int, int] = (80, 24),
        installed: bool = False,
        **over: str | None,
    ) -> None:
        settings = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "LANG": "C.UTF-8", **over}
        settings.setdefault("PAGER", "cat")  # nobody sits there to leave one
        self._cli = cli
        environ, directory = cli.environ(**settings), cwd or cli.home
        start = _Installed if installed else _Forked
        self._child = start(arguments, environ, directory, size)
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self._rows = [""] * size[1]
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._cli.check_secrets(self.text)
        if kind is not None:
            print("\n".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """What is on the screen now; only the rows that were drawn on since the last look are read anew."""
        for row in self.screen.dirty:
            cells = self.screen.buffer[row]
            self._rows[row] = "".join(cells[column].data for column in range(self.screen.columns)).rstrip()
        self.screen.dirty.clear()
        return list(self._rows)

    @property
    def seen(self) -> str:
        """What is on the screen now, as one text without breaks."""
        return " ".join(" ".join(self.lines).split())

    @property
    def text(self) -> str:
        """All that was ever written, without escapes and breaks."""
        return " ".join(_ESCAPES.sub("", self.raw).split())

    def until(self, what: str | Callable[[], bool], seconds: float = PATIENCE) -> Terminal:
        """Wait until a text is on the screen, or a condition holds."""
        holds = what if callable(what) else lambda: what in self.seen
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"never saw {what!r}:\n" + "\n".join(self.lines)
            if not self._read():
                assert holds(), f"ended without {what!r}:\n" + "\n".join(self.lines)
        return self

    def press(self, keys: str) -> Terminal:
        """Type, once all that is drawn has been read."""
        self._child.screen.send(keys)
        return self

    def send(self, number: signal.Signals) -> Terminal:
        """Send the command a signal."""
        self._child.send(number)
        return self

    def answer(self, question: str, keys: str = ENTER) -> Terminal:
        """Wait for a question as the last thing on the screen, and answer it."""
        return self.until(question).press(keys)

    def back(self, question: str) -> Terminal:
        """Esc, and wait for the question before; a key that came at once would be Alt and that key."""
        drawn = self.raw.count(question)
        return self.press(ESC).until(lambda: self.raw.count(question) > drawn)

    def end(self, seconds: float = PATIENCE) -> int:
        """Wait for the end of the command; its exit code."""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, "never ended:\n" + "\n".join(self.lines)
        return self._child.ended()

    def _read(self) -> bool:
        """Take in what was written; False once there is no more to come."""
        try:
            written = self._child.screen.read_nonblocking(65_536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += written
        self._stream.feed(written)
        return True
