"""Which state machines and stages of APIs are meant: names, ARNs, globs, or all.

As with functions, a pattern that matches nothing is an error: a typing mistake must not pass for "nothing
to do".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from ddsetup.facts.services import ACCESS_LOGS, STATES, api_stages, state_machines
from ddsetup.model.account import ApiStage, Lane, StateMachine, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select import nearest

EVERY = ("all", "*")

T = TypeVar("T")


def chosen_state_machines(snapshot: Snapshot, answers: Answers) -> tuple[StateMachine, ...]:
    """The state machines meant, of all that could be listed.

    Raises UsageError for a pattern that matches none, unless some could not be listed.
    """
    found = state_machines(snapshot)
    if not _unlisted(snapshot, "state_machines"):
        names = [machine.name for machine in found]
        _check(answers.state_machines, found, matches_machine, ("--state-machine", "state machine", names))
    return tuple(m for m in found if any(matches_machine(m, p) for p in answers.state_machines))


def chosen_api_stages(snapshot: Snapshot, answers: Answers) -> tuple[ApiStage, ...]:
    """The stages meant, of all that could be listed. Raises UsageError as `chosen_state_machines` does."""
    found = api_stages(snapshot)
    if not _unlisted(snapshot, "api_stages"):
        names = [f"{stage.api_name}/{stage.stage}" for stage in found]
        _check(answers.api_stages, found, matches_stage, ("--api-stage", "stage of an API", names))
    return tuple(s for s in found if any(matches_stage(s, p) for p in answers.api_stages))


def unlisted(snapshot: Snapshot, answers: Answers) -> Iterable[tuple[Lane, str, Unreadable]]:
    """Lanes in which something is chosen that could not be listed, with the kind of it."""
    wanted = {"state_machines": answers.state_machines, "api_stages": answers.api_stages}
    for field, patterns in wanted.items():
        if patterns:
            yield from ((lane, field, why) for lane, why in _unlisted(snapshot, field))


def sources_of(snapshot: Snapshot, answers: Answers, account: str) -> tuple[str, ...]:
    """The log sources that Datadog must collect for what is chosen in an account."""
    found = []
    if any(machine.account == account for machine in chosen_state_machines(snapshot, answers)):
        found.append(STATES)
    if any(stage.account == account for stage in chosen_api_stages(snapshot, answers)):
        found.append(ACCESS_LOGS)
    return tuple(found)


def traces_state_machines(lane: LaneSnapshot, answers: Answers) -> bool:
    """Whether traces are wanted of a state machine of this lane."""
    found = () if isinstance(lane.state_machines, Unreadable) else lane.state_machines
    return answers.traces and any(matches_machine(m, p) for m in found for p in answers.state_machines)


def matches_machine(machine: StateMachine, pattern: str) -> bool:
    """Whether a name, ARN, glob or `all` means this state machine."""
    named = machine.arn if pattern.startswith("arn:") else machine.name
    return pattern in EVERY or fnmatchcase(named, pattern)


def matches_stage(stage: ApiStage, pattern: str) -> bool:
    """Whether `API/STAGE` (the API by name or id, both with globs) or `all` means this stage."""
    names = (f"{stage.api_name}/{stage.stage}", stage.id)
    return pattern in EVERY or any(fnmatchcase(name, pattern) for name in names)


def matches_api(api: ApiStage, pattern: str) -> bool:
    """Whether `API/STAGE` or `all` may mean a stage of this API."""
    named = pattern.partition("/")[0]
    return pattern in EVERY or any(fnmatchcase(name, named) for name in (api.api_name, api.api_id))


def _unlisted(snapshot: Snapshot, field: str) -> list[tuple[Lane, Unreadable]]:
    found = ((lane, getattr(held, field)) for lane, held in sorted(snapshot.lanes.items()))
    return [(lane, value) for lane, value in found if isinstance(value, Unreadable)]


def _check(
    patterns: Iterable[str],
    found: Sequence[T],
    matches: Callable[[T, str], bool],
    words: tuple[str, str, list[str]],
) -> None:
    """Raises UsageError that names what a pattern may have meant."""
    flag, what, names = words
    for pattern in patterns:
        if pattern not in EVERY and not any(matches(each, pattern) for each in found):
            near = nearest(pattern, names)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(
                f"{flag} {pattern} matches no {what}", fix=f"{hint}`ddsetup status` lists what there is"
            )
