"""What is drawn in place, in a terminal of its own: nothing of it stays behind, whatever is typed."""

from __future__ import annotations

import os
import signal
import sys

import pexpect
import pyte
import pytest

from tests.patience import PATIENCE

PROGRAM = """
import array, fcntl, os, select, sys, termios, time
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console
from ddsetup.model.report import Signal

def signals(status):
    return [
        Signal(function=f"orders-{n}", region="eu-west-1", signal="logs", status=status, reason="not yet")
        for n in range(30)
    ]

def echoes():
    return bool(termios.tcgetattr(0)[3] & termios.ECHO)

def typed():
    count = array.array("i", [0])
    fcntl.ioctl(0, termios.FIONREAD, count)
    return count[0]

console = Console(streams=Streams(out=sys.stdout, err=sys.stderr, environ=os.environ))
console.say("before")
console.signals(signals("waiting"), "until noon")
while typed() < 4:  # what is sent to a terminal reaches it when the system finds the time
    time.sleep(0.01)
console.signals(signals("arrived"), "until noon")
console.rest()
console.say(f"echo {echoes()}, typed {bool(select.select([0], [], [], 0)[0])}")
"""


LINES = """
import os, sys
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console

console = Console(streams=Streams(out=sys.stdout, err=sys.stderr, environ=os.environ))
with console.working("looking at " + "what is there, " * 12):
    console.say("/" + "x" * 100)
"""


BEHIND = """
import os, sys
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console
from ddsetup.model.report import Signal

def arrives(status):
    return Signal(function="orders", region="eu-west-1", signal="logs", status=status)

if os.fork() == 0:
    os.setpgid(0, 0)
    console = Console(streams=Streams(out=sys.stdout, err=sys.stderr, environ=os.environ))
    with console.working("looking"):
        console.signals([arrives("waiting")])
        console.signals([arrives("arrived")])
    os._exit(0)
os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


SPIN = """
import os, signal, sys
from ddsetup.terminal.ability import Streams
from ddsetup.terminal.console import Console

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
console = Console(streams=Streams(out=sys.stdout, err=sys.stderr, environ=os.environ), sandbox=True)
with console.working("looking at what is there") as tell:
    tell("looking at what is there, still " + "functions, " * 12)
    signal.sigwait({signal.SIGUSR1})
tell("an afterthought")
console.say("after")
"""


def screen_of(child: pexpect.spawn, rest: str = "") -> list[str]:
    """All lines that are left in the end, scrolled off or not."""
    drawn = rest + child.read()
    child.close()
    assert child.exitstatus == 0, drawn
    screen = pyte.HistoryScreen(80, 24, history=500)
    pyte.Stream(screen).feed(drawn)
    above = ["".join(row[x].data for x in range(80)) for row in screen.history.top]
    return [row.rstrip() for row in (*above, *screen.display) if row.strip()]


def started(program: str, **variables: str) -> pexpect.spawn:
    """A program in a terminal of 80 by 24."""
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environ.pop(name, None)
    return pexpect.spawn(
        sys.executable, ["-c", program], env=environ, dimensions=(24, 80), encoding="utf-8", timeout=PATIENCE
    )


def test_what_is_typed_while_a_table_fills_neither_spoils_it_nor_answers_what_comes_next() -> None:
    child = started(PROGRAM)
    child.expect("not yet")
    for _ in range(4):
        child.send("\r")
    assert screen_of(child, child.before + child.after) == ["before", "echo True, typed False"]


def test_what_is_still_read_is_told_in_one_line_that_leaves_nothing_behind() -> None:
    child = started(SPIN)
    child.expect("still functions")
    child.expect(r"\.\.\.")
    child.kill(signal.SIGUSR1)
    drawn = child.before + child.after + child.read()
    assert screen_of(child, drawn) == ["[sandbox] after"]
    assert "afterthought" not in drawn


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"DDSETUP_PLAIN": "1"}])
def test_a_plain_terminal_gets_lines_that_are_broken_between_words(variables: dict[str, str]) -> None:
    lines = screen_of(started(LINES, **variables))
    assert len(lines) == 5, lines
    assert all(not row.rpartition(" ")[2].startswith("wh") or row.endswith("what") for row in lines[:3])
    assert lines[3] == "/" + "x" * 79
    assert "".join(lines[3:]) == "/" + "x" * 100


def test_from_behind_a_shell_nothing_is_drawn_in_place() -> None:
    child = started(BEHIND)
    drawn = child.read()
    assert "\x1b[?25l" not in drawn
    assert screen_of(child, drawn) == [
        "looking",
        "0 of 1 function with everything in Datadog",
        "1 of 1 function with everything in Datadog",
    ]
