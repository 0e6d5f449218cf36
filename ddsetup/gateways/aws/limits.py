"""The buckets that keep calls to AWS's quotas.

A quota belongs to an account, a region and a class of operations, so one bucket serves every thread that
calls into that class.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ddsetup.facts.rates import DEFAULT_RATE, RATES, UNPUBLISHED
from ddsetup.model.clock import Clock

_CALM_SECONDS = 10.0
"""How long calls must have waited for nothing but their pace, none refused, before a faster one is tried."""
_MOST = 4.0
"""How many times the documented rate is tried at most."""
_STEPS = 50
"""In how many calls the pace grows by the documented rate once a faster one is tried."""


class Bucket:
    """Lets `rate` calls a second pass, evenly spaced, whichever threads they come from. After a pause,
    `at_once` of them may come without a wait.

    Others deploy into the same account and share its quota: `throttled` tells the bucket that AWS refused a
    call. It then slows down to 0.7 of its pace (at most once a second, never below an eighth of `rate`) and
    regains speed with every call that passes.

    Quotas are raised, and AWS may allow more than it documents: unless it is `fixed`, calls that keep waiting
    for their pace and are never refused come faster by and by. The first refusal then halves the pace, down
    to `rate`, and gives AWS as much time as was gained, half a second at most; the next try comes after twice
    as many calls.
    """

    def __init__(self, rate: float, clock: Clock, *, fixed: bool = False, at_once: float = 1.0) -> None:
        self.rate = rate
        self._ahead = max(0.0, at_once - 1) / rate
        self._clock = clock
        self._pace = rate
        self._next = float("-inf")
        self._slowed = float("-inf")
        self._most = rate if fixed else rate * _MOST
        self._calm_for = rate * _CALM_SECONDS
        self._calm = 0
        self._gained = 0.0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for the next free slot. Slots are given out in the order of asking."""
        with self._lock:
            now = self._clock.monotonic()
            slot = max(now, self._next - self._ahead)
            self._next = max(now, self._next) + 1 / self._pace
            self._gained += 1 / self.rate - 1 / self._pace if self._pace > self.rate else 0.0
            self._speed_up(waiting=slot > now)
        if slot > now:
            self._clock.sleep(slot - now)

    def _speed_up(self, *, waiting: bool) -> None:
        if self._pace < self.rate:
            self._pace = min(self.rate, self._pace + self.rate / 100)
        elif waiting:
            self._calm += 1
            if self._calm > self._calm_for:
                self._pace = min(self._most, self._pace + self.rate / _STEPS)

    def throttled(self) -> None:
        """Slow down: AWS said that calls come too fast."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._slowed < 1:
                return
            self._slowed, self._calm = now, 0
            if self._pace > self.rate:
                self._pace = max(self.rate, self._pace / 2)
                self._calm_for *= 2
                self._next = max(now, self._next) + min(0.5, self._gained)
                self._gained = 0.0
            else:
                self._pace = max(self.rate / 8, self._pace * 0.7)

    @property
    def pace(self) -> float:
        """Calls per second at this moment."""
        return self._pace


class Limits:
    """The buckets of one account. `scale` multiplies every rate (for tests); `rates` are those that somebody
    named, which are kept to."""

    def __init__(self, clock: Clock, scale: float = 1.0, rates: Mapping[str, float] | None = None) -> None:
        self._clock = clock
        self.scale = scale
        self._rates = dict(rates or {})
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def bucket(self, service: str, operation: str, region: str) -> Bucket:
        """The bucket of an operation; `service` is the IAM prefix, e.g. "logs"."""
        name = f"{service}:{operation}"
        group = name if name in RATES else service
        with self._lock:
            key = (region, group)
            if key not in self._buckets:
                rate = self._rates.get(group, RATES.get(group, DEFAULT_RATE)) * self.scale
                self._buckets[key] = Bucket(
                    rate,
                    self._clock,
                    fixed=group in self._rates,
                    at_once=rate if group in UNPUBLISHED else 1.0,
                )
            return self._buckets[key]
