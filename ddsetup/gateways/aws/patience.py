"""How often a call is tried again, and how long it waits before that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried again.

    `throttled` bounds refusals for speed: with waits of up to 20 seconds that is a quarter of an hour, so
    that a busy account slows a run down and does not end it. `dropped` bounds lost connections and server
    faults.
    """

    throttled: int = 50
    dropped: int = 5


PATIENCE = Patience()
OPTIONAL = Patience(throttled=10, dropped=1)
"""For what a run can do without."""


def pause(attempt: int) -> float:
    """Seconds to wait before the next attempt: 0.25 doubling to 20. The bucket spreads the threads."""
    return float(min(20.0, 0.25 * 2 ** min(attempt - 1, 10)))
