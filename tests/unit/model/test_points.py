"""Whether trouble that CloudWatch counted is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ddsetup.model.points import Points, ended
from tests import builders as b


def minutes(*values: float) -> Points:
    """One value a minute; none where it is 0."""
    return tuple((at(n), value) for n, value in enumerate(values) if value)


def at(minute: int) -> datetime:
    return b.AT + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("bad", "runs", "last"),
    [
        ((), (5, 5), None),
        ((3, 0), (3, 0), None),  # nothing ran since
        ((3, 0), (3, 1), (0, 1)),  # all failed, and the next did not
        ((0, 1, 0), (5, 5, 20), None),  # one in ten: twenty without one may be chance
        ((0, 1, 0), (5, 5, 40), (1, 40)),
        ((1, 0, 1), (1, 9, 1), None),  # it came back
        ((9, 0), (0, 1), (0, 1)),  # counted apart from the runs
    ],
)
def test_it_is_over_once_so_many_went_well_that_it_is_hardly_by_chance(
    bad: tuple[float, ...], runs: tuple[float, ...], last: tuple[int, int] | None
) -> None:
    wanted = None if last is None else (at(last[0]), last[1])
    assert ended(minutes(*bad), minutes(*runs)) == wanted
