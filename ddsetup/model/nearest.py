"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

NEAR = 0.5
"""How alike two names must be, from 0 to 1, for one to be taken for the other misspelt."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = NEAR) -> str:
    """The known name that is most like this one, empty if none is."""
    from difflib import get_close_matches  # only for whoever has mistyped

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = NEAR) -> str:
    """The question whether the nearest was meant, if one is near, and then what else there is to say."""
    near = nearest(name, known, cutoff=cutoff)
    return " ".join(part for part in (f"did you mean {near}?" if near else "", otherwise) if part)
