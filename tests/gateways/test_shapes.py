"""Documents of one shape fit a model together; those of which only one does differ in shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateways.shapes import Fitting, shape

ROW = {"id": "7b0d0a6c-39c4-4d32-8f3c-1d5ba1ed6c0a", "type": "log", "at": "2026-11-28T22:01:01Z", "size": 12}


@pytest.mark.parametrize(
    "other",
    [
        {**ROW, "id": "00000000-1111-2222-3333-444444444444"},
        {**ROW, "at": "2027-01-01T00:00:00Z"},
        {**ROW, "size": 99},
    ],
)
def test_another_id_time_or_number_is_no_other_shape(other: Any) -> None:
    assert shape(other, counted=True) == shape(ROW, counted=True)


@pytest.mark.parametrize(
    "other",
    [
        {**ROW, "type": "lag"},
        {**ROW, "type": 1},
        {**ROW, "type": None},
        {**ROW, "later": True},
        {**ROW, "at": "2026-11-28"},
        {**ROW, "size": 12.5},
        {**ROW, "size": 1200},
        {**ROW, "size": -12},
        {key: value for key, value in ROW.items() if key != "size"},
        [ROW],
    ],
)
def test_another_word_kind_or_member_is(other: Any) -> None:
    assert shape(other, counted=False) != shape(ROW, counted=False)


def test_how_often_counts_where_it_is_counted() -> None:
    assert shape([1, 2, 3], counted=True) != shape([1, 2], counted=True)
    assert shape([1, 2, 3], counted=False) == shape([1, 2], counted=False) != shape([1], counted=False)
    assert shape([1, "x", 2, 3], counted=False) != shape([1, 2, 3], counted=False)


def test_what_one_found_another_knows(tmp_path: Path) -> None:
    one, other = Fitting(tmp_path / "fitting"), Fitting(tmp_path / "fitting")
    assert "this" not in other
    one.add("this")
    assert "this" in other
    assert "that" not in other
