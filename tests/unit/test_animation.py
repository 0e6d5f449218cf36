"""What is drawn in place, in a terminal of its own: nothing of it stays behind, whatever is typed."""

from __future__ import annotations

import os
import signal
import sys

import pexpect
import pyte

PROGRAM = """
import os, select, signal, sys, termios
from ddsetup.console import Console, Streams
from ddsetup.report import Signal

def signals(status):
    return [
        Signal(function=f"orders-{n}", region="eu-west-1", signal="logs", status=status, reason="not yet")
        for n in range(30)
    ]

def echoes():
    return bool(termios.tcgetattr(0)[3] & termios.ECHO)

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
console = Console(streams=Streams(out=sys.stdout, err=sys.stderr, environ=os.environ))
console.say("before")
console.signals(signals("waiting"), "until noon")
signal.sigwait({signal.SIGUSR1})
console.signals(signals("arrived"), "until noon")
console.rest()
console.say(f"echo {echoes()}, typed {bool(select.select([0], [], [], 0)[0])}")
"""


def test_what_is_typed_while_a_table_fills_neither_spoils_it_nor_answers_what_comes_next() -> None:
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environ.pop(name, None)
    child = pexpect.spawn(
        sys.executable, ["-c", PROGRAM], env=environ, dimensions=(24, 80), encoding="utf-8", timeout=30
    )
    child.expect("not yet")
    for _ in range(4):
        child.send("\r")
    child.kill(signal.SIGUSR1)
    drawn = child.before + child.after + child.read()
    child.close()
    assert child.exitstatus == 0
    screen = pyte.HistoryScreen(80, 24, history=500)
    pyte.Stream(screen).feed(drawn)
    above = ["".join(row[x].data for x in range(80)) for row in screen.history.top]
    seen = [row.rstrip() for row in (*above, *screen.display) if row.strip()]
    assert seen == ["before", "echo True, typed False"]
