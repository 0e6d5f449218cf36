"""Checks of the doctor: pure functions from a case to problems; `registry` has them all in one table."""

from __future__ import annotations


def document() -> str:
    """The reference page of all checks, as Markdown."""
    from ddsetup.doctor.checks.reference import page

    return page()
