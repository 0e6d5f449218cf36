"""Time as something that is passed in, so that waiting can be tested without waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` is an aware time in UTC, `monotonic` counts seconds for measuring, `sleep` takes seconds."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


SYSTEM_CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)


# botocore tells times that come as numbers in the zone of this machine.


def minute(at: datetime) -> str:
    """An instant as people read it: in UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"


def hour(at: datetime) -> str:
    """An instant of today as people read it: in UTC, to the minute."""
    return f"{at.astimezone(UTC):%H:%M} UTC"


def iso(at: datetime) -> str:
    """An instant as documents write it: in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
