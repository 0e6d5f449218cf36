"""Which state machines and stages of APIs are meant: names, ARNs, globs, or all.

As with functions, a pattern that matches nothing is an error: a typing mistake must not pass for "nothing
to do".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ddsetup.facts.kinds import CHOSEN, chosen_of
from ddsetup.facts.services import listed
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import asked_back
from ddsetup.model.services import EVERY, SERVICE_KINDS, Service, StateMachine
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select import nearest

T = TypeVar("T", bound=Service)


def chosen(snapshot: Snapshot, answers: Answers, kind: type[T]) -> tuple[T, ...]:
    """Those of a kind that are meant, of all that could be listed.

    Raises UsageError for a pattern that matches none, unless some could not be listed.
    """
    found, patterns = listed(snapshot, kind), chosen_of(answers, kind.KIND)
    if not _unlisted(snapshot, kind):
        for pattern in patterns:
            _check(pattern, found, kind.KIND)
    return tuple(each for each in found if any(each.meant_by(p) for p in patterns))


def all_chosen(snapshot: Snapshot, answers: Answers) -> tuple[Service, ...]:
    """Those of every kind. Raises UsageError as `chosen` does."""
    return tuple(each for kind in SERVICE_KINDS.values() for each in chosen(snapshot, answers, kind))


def unlisted(snapshot: Snapshot, answers: Answers) -> Iterable[tuple[Lane, str, Unreadable]]:
    """Lanes in which something is chosen that could not be listed, with the kind of it."""
    for name, kind in SERVICE_KINDS.items():
        if chosen_of(answers, name):
            yield from ((lane, name, why) for lane, why in _unlisted(snapshot, kind))


def sources_of(snapshot: Snapshot, answers: Answers, account: str) -> tuple[str, ...]:
    """The log sources that Datadog must collect for what is chosen in an account."""
    kinds = (each.KIND for each in all_chosen(snapshot, answers) if each.account == account)
    return tuple(CHOSEN[kind].sources[0] for kind in dict.fromkeys(kinds))


def traces_state_machines(lane: LaneSnapshot, answers: Answers) -> bool:
    """Whether traces are wanted of a state machine of this lane."""
    found = lane.listed(StateMachine)
    machines = () if isinstance(found, Unreadable) else found
    return answers.traces and any(m.meant_by(p) for m in machines for p in answers.state_machines)


def _unlisted(snapshot: Snapshot, kind: type[Service]) -> list[tuple[Lane, Unreadable]]:
    found = ((lane, held.listed(kind)) for lane, held in sorted(snapshot.lanes.items()))
    return [(lane, value) for lane, value in found if isinstance(value, Unreadable)]


def _check(pattern: str, found: Iterable[Service], kind: str) -> None:
    """Raises UsageError that names what a pattern may have meant."""
    if pattern in EVERY or any(each.meant_by(pattern) for each in found):
        return
    asked = asked_back(nearest(pattern, [each.called for each in found]))
    raise UsageError(
        f"--{kind.replace('_', '-')} {pattern} matches no {CHOSEN[kind].existing[0]}",
        fix=f"{asked} `ddsetup status` lists what there is".lstrip(),
    )
