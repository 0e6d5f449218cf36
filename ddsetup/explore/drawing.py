"""Bars, sparklines and times as text. Pure; what is drawn is also said in numbers beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from ddsetup.facts.disclose import without

BLOCKS = "▁▂▃▄▅▆▇█"
FULL = "█"
MOST_POINTS = 180
WIDTH = 100
"""Columns where nobody is watching: a log has no width, but a chart needs one."""


_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


def clean(text: str) -> str:
    """A text that came from elsewhere without its colours, which say nothing, and without Datadog keys."""
    return without(_COLOURS.sub("", text), ())


def bar(value: float, largest: float, width: int) -> str:
    """A bar of at most `width` columns; whatever is more than nothing gets at least one."""
    if value <= 0 or largest <= 0:
        return ""
    return FULL * max(1, min(width, round(value / largest * width)))


def sparkline(values: Sequence[float | None], *, floor: float | None = None) -> str:
    """One character for each value; a gap is a blank.

    `floor` is the value of the lowest block; the smallest value where it is not given.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low = min(known) if floor is None else floor
    span = max(known) - low
    if span <= 0:
        flat = BLOCKS[3] if floor is None else BLOCKS[0]
        return "".join(" " if value is None else flat for value in values)
    return "".join(" " if value is None else _block(value - low, span) for value in values)


def _block(height: float, span: float) -> str:
    return BLOCKS[min(len(BLOCKS) - 1, int(height / span * len(BLOCKS)))]


def timeline(points: Sequence[Sequence[float]], interval_ms: float, width: int) -> list[float | None]:
    """Points (milliseconds, value) on an even axis from the first to the last: each place holds the mean of
    what falls into it, or nothing."""
    if not points:
        return []
    first, last = points[0][0], points[-1][0]
    places = max(1, min(width, int((last - first) / interval_ms) + 1))
    parts: list[list[float]] = [[] for _ in range(places)]
    for at, value in points:
        share = (at - first) / (last - first + interval_ms)
        parts[min(places - 1, int(share * places))].append(value)
    return [sum(part) / len(part) if part else None for part in parts]


def strip(start: float, length: float, whole: float, width: int) -> str:
    """A stretch of time in a row of `width` columns that stands for `whole`: blanks, then a bar."""
    if whole <= 0:
        return FULL
    first = min(width - 1, max(0, int(start / whole * width)))
    return " " * first + FULL * max(1, min(width - first, round(length / whole * width)))


def number(value: float | None) -> str:
    """A number as one reads it: not more digits than mean something."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.2e}"


def percent(share: float) -> str:
    """`8 %`, and not 0 % for what is more than nothing."""
    return "<1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"


def duration(milliseconds: float) -> str:
    """`320 ms`, `1.90 s`, `2 min 5 s`."""
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f} us"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{int(milliseconds // 60_000)} min {milliseconds % 60_000 / 1000:.0f} s"


def iso(at: datetime) -> str:
    """An instant as the JSON document writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def interval_seconds(seconds: float) -> int:
    """How wide the places of an axis are: 20 seconds, as Datadog's own for an hour, or wider."""
    return max(20, int(seconds // MOST_POINTS))


def clock_time(text: str) -> str:
    """The time of day of such an instant, in UTC."""
    return text[11:19]
