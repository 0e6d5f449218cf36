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
_WORKERS = 3.0
"""Programs of the tests themselves for each processor, which are not there yet when the load is looked at."""


def _busy() -> float:
    """How many programs will want each processor; at most 10."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return min(10.0, _WORKERS + load / (os.cpu_count() or 1))


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
