"""What CloudWatch has of a metric by the minute, and what it tells of trouble that may be over."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

Points: TypeAlias = tuple[tuple[datetime, float], ...]
"""Values by when their minute began, the oldest first. Minutes without any are left out."""
_BY_CHANCE = 0.05
"""How likely it may be that trouble which goes on did not show."""


def ended(bad: Points, runs: Points) -> tuple[datetime, float] | None:
    """When trouble was seen last, and how many `runs` went well since, if it is over; None: it may go on.

    `bad` are the failures among the runs. They are over if so many runs went well since that this is hardly
    by chance, as often as runs failed until then.
    """
    seen = [(at, count) for at, count in bad if count > 0]
    if not seen:
        return None
    last = seen[-1][0]
    failed, before = sum(count for _, count in seen), sum(count for at, count in runs if at <= last)
    since = sum(count for at, count in runs if at > last)
    share = failed / max(before, failed)
    return (last, since) if (1 - share) ** since < _BY_CHANCE else None
