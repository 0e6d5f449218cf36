"""Sentences that several steps say."""

from __future__ import annotations

from ddsetup.model import Unreadable


def cannot_see(what: str, unreadable: Unreadable) -> str:
    """That a read was refused or failed, and which permission it takes."""
    needs = f" (needs {unreadable.action})" if unreadable.action else ""
    return f"cannot see {what}: {unreadable.reason}{needs}"
