"""Numbers as characters: bars, sparklines, stretches of time. Pure; what is drawn is also said beside it."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
FULL = "█"


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
