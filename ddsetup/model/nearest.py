"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

NEAR = 0.5
"""How alike two names must be, from 0 to 1, for one to be taken for the other misspelt."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = NEAR) -> str:
    """The known name that is most like this one, empty if none is."""
    return next(iter(similar(name, known, most=1, cutoff=cutoff)), "")


def similar(name: str, known: Iterable[str], *, most: int, cutoff: float = NEAR) -> list[str]:
    """The known names that are like this one, up to `most`, the nearest first."""
    from difflib import get_close_matches  # only for whoever has mistyped

    return get_close_matches(name, list(known), n=most, cutoff=cutoff)


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = NEAR) -> str:
    """The question whether the nearest was meant, if one is near, and then what else there is to say."""
    near = nearest(name, known, cutoff=cutoff)
    return " ".join(part for part in (f"did you mean {near}?" if near else "", otherwise) if part)
