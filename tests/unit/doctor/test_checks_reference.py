"""The reference page of the checks is the one that the checks make."""

from __future__ import annotations

from pathlib import Path

from ddsetup.doctor.checks import document
from ddsetup.doctor.checks.registry import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "checks.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == document(), "make it again: see its first lines"


def test_every_check_is_on_the_page() -> None:
    page = document()
    assert len(CHECKS) > 90
    for check in CHECKS:
        assert f"### {check.id}\n" in page
        assert f"[`{check.id}`](#{check.id})" in page
