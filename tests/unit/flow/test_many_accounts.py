"""What a run over many accounts ends with."""

from __future__ import annotations

import pytest

from ddsetup.flow.organisation.across import exit_code_of


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), 0),
        ((0, 0), 0),
        ((4, 4), 4),
        ((0, 4), 5),
        ((1, 4), 5),
        ((0, 6), 6),
        ((6, 5), 5),
        ((0, 130, 4), 130),
    ],
)
def test_it_is_that_of_all_or_says_that_they_differ(codes: tuple[int, ...], expected: int) -> None:
    assert exit_code_of([{"status": "done", "exit_code": code} for code in codes]) == expected


def test_what_was_left_out_does_not_count() -> None:
    assert exit_code_of([{"status": "left out", "exit_code": 0}, {"status": "failed", "exit_code": 4}]) == 4
