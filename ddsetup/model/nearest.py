"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NEAR = 0.5
"""How alike two names must be, from 0 to 1, for one to be taken for the other misspelt."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = NEAR) -> str:
    """The known name that is most like this one, empty if none is."""
    return next(iter(similar(name, known, most=1, cutoff=cutoff)), "")


def similar(name: str, known: Iterable[str], *, most: int, cutoff: float = NEAR) -> list[str]:
    """The known names that are like this one, up to `most`, the nearest first."""
    from difflib import get_close_matches  # only for whoever has mistyped

    return get_close_matches(name, list(known), n=most, cutoff=cutoff)


def asked_back(meant: Sequence[str]) -> str:
    """The question whether one of these was meant, empty if there is none."""
    return f"did you mean {' or '.join(meant)}?" if meant else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = NEAR) -> str:
    """The question whether the nearest was meant, if one is near, and then what else there is to say."""
    asked = asked_back(similar(name, known, most=1, cutoff=cutoff))
    return " ".join(part for part in (asked, otherwise) if part)
