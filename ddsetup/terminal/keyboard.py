"""The keyboard while something is drawn in place: what is typed then is neither echoed nor kept.

An echoed Enter moves the cursor, so that what is drawn anew leaves a copy of itself behind; and a kept one
would answer the next question before anybody has read it.
"""

from __future__ import annotations

import atexit
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

if sys.platform != "win32":
    import termios

_LOCAL_MODES = 3
"""Where the local modes stand in what tcgetattr returns."""


@dataclass(slots=True)
class Keyboard:
    """The keyboard of the terminal that `screen` writes to. Where there is none, nothing is done."""

    screen: TextIO
    _before: list[Any] | None = field(default=None, repr=False)

    def mute(self) -> None:
        """Echo nothing until `unmute`. Ctrl-C works as before."""
        if self._before is not None or not self._is_ours():
            return
        terminal = self.screen.fileno()
        before = termios.tcgetattr(terminal)
        changed = list(before)
        changed[_LOCAL_MODES] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
        self._before = before
        atexit.register(self.unmute)

    def unmute(self) -> None:
        """Echo again, and forget what was typed meanwhile."""
        before, self._before = self._before, None
        if before is None or not self._is_ours():
            return
        termios.tcsetattr(self.screen.fileno(), termios.TCSAFLUSH, before)
        atexit.unregister(self.unmute)

    def _is_ours(self) -> bool:
        """Whether we are in front of a terminal; from behind, setting it would stop us."""
        return in_front(self.screen) is True


def forget_typed(keyboard: TextIO) -> None:
    """Drop what was typed on a terminal before now; it answers no question that nobody has read."""
    if sys.platform != "win32" and keyboard.isatty():
        termios.tcflush(keyboard.fileno(), termios.TCIFLUSH)


def leave_on_interrupt(keys: KeyBindings) -> None:
    """Let Ctrl-C end a prompt with KeyboardInterrupt, whether it comes as a key or as a signal.

    It comes as SIGINT when it is typed before the prompt has the keyboard, or is sent by another program;
    prompt_toolkit makes a key of its own of that, which does nothing unless it is bound.
    """

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        if not event.app.is_done:
            event.app.exit(exception=KeyboardInterrupt())


def in_front(screen: TextIO) -> bool | None:
    """Whether this process is in the foreground of a terminal, or behind a shell's `&`; None: of neither."""
    if sys.platform == "win32":
        return None
    try:
        return os.tcgetpgrp(screen.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return None
