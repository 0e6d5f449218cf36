"""Sentences that several steps say."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.model.account import Unreadable


def cannot_see(what: str, unreadable: Unreadable) -> str:
    """That a read was refused or failed, and which permission it takes."""
    needs = f" (needs {unreadable.action})" if unreadable.action else ""
    return f"cannot see {what}: {unreadable.reason}{needs}"


def denied_action(unreadable: Unreadable) -> str:
    """The permission that was denied; empty if the read failed for another reason."""
    return unreadable.action if unreadable.denied else ""


REMOVE = "- remove "
"""How a line begins about what is no longer wanted."""


def no_longer_wanted(what: str, of: Iterable[str]) -> str:
    """What ddsetup set and nobody wants any more, as a line of a plan that leaves it."""
    return f"{REMOVE}{what}: {listed(of)} (ddsetup set it, and it is no longer wanted; --prune does it)"


def listed(names: Iterable[str], limit: int = 3) -> str:
    """The first few names, and how many more there are."""
    every = list(names)
    more = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {more} more" if more > 0 else "")
