"""Which runs need not be remembered any more: nothing of them is left, and nobody gives them back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from ddsetup.journal.brief import Brief, standing


def forgettable(runs: Sequence[Brief], before: datetime, gone: Collection[str] = ()) -> tuple[Brief, ...]:
    """The runs that began `before` then and of which nothing is left, each with the undos of it.

    A run comes before those that gave it back: without them it would count as in force again. `gone` are the
    ids of runs whose sandbox is not there any more. What failed, or did not come to its end, may have done a
    part: it counts as left until it is given back.
    """
    found: list[Brief] = []
    known = {run.id for run in runs}
    for run in runs:
        if run.header.undoes in known:
            continue
        family = _family(run, runs)
        old = all(each.header.started < before for each in family)
        if old and (run.id in gone or run.header.undoes or not standing(run, runs)):
            found += family
    return tuple(found)


def _family(run: Brief, runs: Sequence[Brief]) -> list[Brief]:
    """A run, what gave it back, and what gave that back."""
    found = [run]
    for each in found:
        found += [other for other in runs if other.header.undoes == each.id]
    return found
