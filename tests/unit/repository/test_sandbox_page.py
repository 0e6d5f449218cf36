"""The tables of docs/sandbox.md: what is said to be as strict as AWS can be switched on, and is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddsetup.sandbox import faults
from ddsetup.sandbox.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/sandbox.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## As strict as AWS")[2].partition("## As particular")[0].splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| Behaviour"))
]


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 15
    assert all(len(row) == 3 and all(row) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_row_has_a_source_and_tests_that_use_what_it_names(row: list[str]) -> None:
    _, source, shown = row
    assert source
    paths = re.findall(r"`(tests/[\w/]+\.py)`", shown)
    assert paths
    text = "".join((ROOT / path).read_text("utf-8") for path in paths)
    for name in re.findall(r"`?faults\.(\w+)`?", shown):
        assert callable(getattr(faults, name))
    for name in re.findall(r"scenario `(\w+)`", shown):
        assert name in SCENARIOS
        assert f'"{name}"' in text


def test_every_fault_of_aws_is_in_the_table() -> None:
    own = {
        name
        for name, value in vars(faults).items()
        if callable(value)
        and value.__module__ == faults.__name__
        and value.__annotations__.get("return") == "AwsFault"
    }
    assert len(own) > 8
    assert own - set(re.findall(r"faults\.(\w+)", PAGE)) == set()
