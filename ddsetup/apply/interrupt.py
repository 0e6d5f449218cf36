"""An interruption of a run is a wish first, and an exception only when it is repeated."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def first_interrupt_sets(cancel: threading.Event) -> Iterator[None]:
    """While the block runs, the first Ctrl-C, SIGTERM or SIGHUP sets `cancel`, a second Ctrl-C or
    SIGTERM is KeyboardInterrupt.

    An exception in the middle of noting an outcome would lose that outcome; so the first one is no exception.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    hangup: int | None = getattr(signal, "SIGHUP", None)

    asked = False

    def interrupted(number: int, _frame: object) -> None:
        nonlocal asked
        # Of a closed terminal its shell tells, too: that is no second wish to leave at once.
        if (asked or cancel.is_set()) and number != hangup:
            raise KeyboardInterrupt
        # The lock of an Event is not reentrant: a signal upon a signal, in the middle of `set`, would hang.
        if not asked:
            asked = True
            cancel.set()

    numbers = (signal.SIGINT, signal.SIGTERM) + (() if hangup is None else (hangup,))
    before = {number: signal.getsignal(number) for number in numbers}
    # What is ignored (nohup) or handled outside of Python stays so.
    taken = {number: was for number, was in before.items() if was not in (signal.SIG_IGN, None)}
    try:
        for number in taken:
            signal.signal(number, interrupted)
        yield
    finally:
        for number, was in taken.items():
            signal.signal(number, was)
