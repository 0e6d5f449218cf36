"""Numbers, times and messages as text. Pure."""

from __future__ import annotations

import re

from ddsetup.facts.disclose import without

MOST_POINTS = 180


_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


def clean(text: str) -> str:
    """A text that came from elsewhere without its colours, which say nothing, and without Datadog keys."""
    return without(_COLOURS.sub("", text), ())


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


def interval_seconds(seconds: float) -> int:
    """How wide the places of an axis are: 20 seconds, as Datadog's own for an hour, or wider."""
    return max(20, int(seconds // MOST_POINTS))


def clock_time(text: str) -> str:
    """The time of day of such an instant, in UTC."""
    return text[11:19]
