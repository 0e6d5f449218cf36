"""The few ways in which a change ends, worded once."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import GatewayError

AGAIN = "look at it, then run the command again: it plans on what is there now"


def applied(change: Change, reason: str = "", **details: str) -> Outcome:
    """The change was made, and AWS or Datadog confirmed it."""
    return change.outcome("applied", reason, **details)


def already_so(change: Change, reason: str = "it is already so") -> Outcome:
    """Nothing was sent, because what is there is what was wanted."""
    return change.outcome("unchanged", reason)


def gone(change: Change) -> Outcome:
    """A deletion of something that is not there any more."""
    return change.outcome("unchanged", "it is not there any more")


def moved(change: Change, what: Iterable[str] | str, fix: str = AGAIN) -> Outcome:
    """Nothing was sent, because what is there is not what the change was planned on.

    `what` names what differs, never a value that may be secret.
    """
    differing = what if isinstance(what, str) else ", ".join(what)
    return change.outcome("changed_since", f"changed since: {differing}", fix)


def failed(change: Change, reason: str, fix: str = "", **details: str) -> Outcome:
    """The change was tried, or could not be, and is not done."""
    return change.outcome("failed", reason, fix, **details)


def not_alone(error: GatewayError) -> str:
    """What to say of something that was made, when a second one could have been and nobody could look."""
    return f"it was made; whether a repeated call made a second one could not be seen ({error.what})"
