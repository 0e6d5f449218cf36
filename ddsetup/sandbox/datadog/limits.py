"""Rate limits, counted and told as Datadog tells them (X-RateLimit-* headers)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOUR = 3600.0

#: Calls an hour and an organisation, as on Datadog's rate limits page.
HOURLY_LIMITS: Mapping[str, int] = {
    "metrics_retrieval": 100,
    "timeseries_query": 1600,
    "logs_search": 300,
    "logs_aggregate": 300,
    "spans_list": 300,
    "spans_aggregate": 300,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may pass, and the headers that say how many more may."""

    allowed: bool
    headers: Mapping[str, str]


class RateLimits:
    """Fixed windows of one hour, shortened by the time scale so that a sandbox can live through several."""

    def __init__(
        self, clock: Callable[[], float], time_scale: float, overrides: Mapping[str, int] | None = None
    ) -> None:
        self._clock = clock
        self._period = HOUR / time_scale
        self._limits = {**HOURLY_LIMITS, **(overrides or {})}
        self._windows: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def count(self, name: str) -> Verdict:
        """Count one call against the limit ``name``."""
        now, limit = self._clock(), self._limits[name]
        with self._lock:
            started, used = self._windows.get(name, (now, 0))
            if now - started >= self._period:
                started, used = now, 0
            allowed = used < limit
            used += allowed
            self._windows[name] = (started, used)
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Period": str(max(1, round(self._period))),
            "X-RateLimit-Remaining": str(limit - used),
            "X-RateLimit-Reset": str(max(1, math.ceil(started + self._period - now))),
            "X-RateLimit-Name": name,
        }
        return Verdict(allowed, headers)
