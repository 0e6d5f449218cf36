"""In which order filters are read, and what is waited for."""

from __future__ import annotations

import pytest

from ddsetup.gateways.aws.functions import UpdatePace
from ddsetup.observe.filters_in_background import _before


@pytest.mark.parametrize(
    ("urgencies", "asked", "count"),
    [
        ([0] * 100, True, 3),
        ([2] * 10 + [0] * 90, True, 10),
        ([2] * 10 + [0] * 90, False, 3),
        ([2] * 90 + [0] * 10, True, 25),
        ([4] * 30 + [0] * 70, False, 30),
        ([3] * 50, False, 3),
        ([1] * 50, True, 3),
    ],
)
def test_the_plan_waits_for_what_may_change_it(urgencies: list[int], asked: bool, count: int) -> None:
    assert _before(urgencies, asked=asked) == count


def test_the_first_look_at_an_update_comes_when_it_is_probably_over() -> None:
    pace = UpdatePace()
    looks = updates = 0
    for _ in range(200):
        updates += 1
        after = pace.seconds
        looks += 1
        while after < 2.0:
            pace.still_busy(after)
            after += 0.25
            looks += 1
        if after == pace.seconds:
            pace.over()
    assert 2.0 <= pace.seconds <= 3.0
    assert looks <= updates * 1.1
    for _ in range(5000):
        pace.over()
    assert pace.seconds == UpdatePace().seconds, "fast again where updates are fast again"
