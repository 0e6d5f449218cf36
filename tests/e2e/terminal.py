"""A person at a terminal: the command in a pseudo terminal, and what is to be seen on its screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte

from tests.e2e.conftest import DDSETUP, Cli
from tests.patience import PATIENCE

ENTER, ESC, CTRL_C, DOWN, SPACE = "\r", "\x1b", "\x03", "\x1b[B", " "
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][0-9A-B]|[=>78])")


class Terminal:
    """`ddsetup ARGUMENTS` on a screen of so many columns and lines."""

    def __init__(
        self,
        cli: Cli,
        *arguments: str,
        cwd: Path | None = None,
        size: tuple[int, int] = (80, 24),
        **over: str | None,
    ) -> None:
        settings = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "LANG": "C.UTF-8", **over}
        self._cli = cli
        self._child = pexpect.spawn(
            DDSETUP,
            list(arguments),
            env=cli.environ(**settings),
            cwd=str(cwd or cli.home),
            dimensions=(size[1], size[0]),
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.close(force=True)
        self._cli.check_secrets(self.text)
        if kind is not None:
            print("\n".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """What is on the screen now."""
        return [line.rstrip() for line in self.screen.display]

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
        self._child.send(keys)
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
        self._child.close()
        return int(self._child.exitstatus if self._child.exitstatus is not None else -1)

    def _read(self) -> bool:
        """Take in what was written; False once there is no more to come."""
        try:
            written = self._child.read_nonblocking(65_536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += written
        self._stream.feed(written)
        return True
