"""How long tests wait for what must come: one measure for all, further off where the machine is busy.

Tests wait for a condition, never for a moment. This is only how long before they give up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_QUIET = 60.0
"""Seconds. Where nothing else runs, nothing that a test waits for takes a quarter of it."""


def _busy() -> float:
    """How many programs want each processor; at least 1, at most 5."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1.0
    return min(5.0, max(1.0, load / (os.cpu_count() or 1)))


PATIENCE = _QUIET * _busy()
"""Seconds."""


def until(get: Callable[[], T], what: str = "", *, alive: Callable[[], bool] = lambda: True) -> T:
    """The first true answer of `get`; fails after `PATIENCE`, or once who should bring it about has ended."""
    end = time.monotonic() + PATIENCE
    while not (found := get()):
        assert alive(), f"it ended before {what or get}"
        assert time.monotonic() < end, f"{what or get} did not come within {PATIENCE:.0f} s"
        time.sleep(0.02)
    return found
