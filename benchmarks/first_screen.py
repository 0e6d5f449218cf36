"""How soon somebody at a terminal sees the first screen of the wizard, and the list of functions after it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pexpect

from benchmarks.front import Front, Tally

SECONDS = 3.0
"""The goal for the first screen, besides what the quotas make of its calls."""
LIST_SECONDS = 1.0
"""The goal for the list, from the key that asks for it."""
_PICK, _STOP = "6\r", "\x03"
_SETTLE_SECONDS = 3.0
"""A person reads before they answer; what is counted meanwhile has arrived by then."""


@dataclass(frozen=True, slots=True)
class Opened:
    """When things were on the screen, in seconds, and the calls of the first screen and of the list."""

    first_screen: float
    list_of_functions: float
    tally: Tally
    list_calls: int


def open_wizard(command: Sequence[str], env: Mapping[str, str], front: Front, n: int) -> Opened:
    """Start the wizard in a terminal of 80 by 24, open the list of its `n` functions, and leave."""
    front.reset()
    terminal = {**env, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PROMPT_TOOLKIT_NO_CPR": "1"}
    begun = time.monotonic()
    child = pexpect.spawn(
        command[0], list(command[1:]), env=terminal, dimensions=(24, 80), encoding="utf-8", timeout=120
    )
    try:
        child.expect_exact(f"Which of {n:,} functions?")
        first = time.monotonic() - begun
        tally = front.reset()
        _let_it_settle(child)
        asked = time.monotonic()
        child.send(_PICK)
        child.expect_exact(f"{n:,} of {n:,} shown")
        opened = time.monotonic() - asked
        child.send(_STOP)
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    return Opened(first, opened, tally, sum(front.reset().calls.values()))


def _let_it_settle(child: pexpect.spawn[str]) -> None:
    """Draw and read for a moment, as a person does."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        child.expect([pexpect.TIMEOUT, ".+"], timeout=0.2)


def said(opened: Opened, n: int, quotas: float) -> str:
    """A result, as text; `quotas` is what the slowest quota takes for the calls of the first screen."""
    calls, throttles = sum(opened.tally.calls.values()), sum(opened.tally.throttles.values())
    screen, listed = opened.first_screen, opened.list_of_functions
    lines = [
        f"\nwizard, N = {n}",
        f"  first screen after {screen:.1f} s; goal {SECONDS:.0f} s plus {quotas:.1f} s of quotas",
        f"  calls {calls}; throttles {throttles}",
        f"  list {listed:.2f} s after the key; goal {LIST_SECONDS:.0f} s; calls {opened.list_calls}",
        *(f"    {count:6d}  {name}" for name, count in opened.tally.calls.most_common()),
    ]
    return "\n".join(lines)
