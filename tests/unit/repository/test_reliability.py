"""The pages that say which test holds which promise name tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "docs" / "reliability.md", ROOT / "SECURITY.md")
NAMED = [
    found for p in PAGES for found in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", p.read_text("utf-8"))
]


def test_the_pages_name_tests() -> None:
    assert len(NAMED) > 60


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text()
