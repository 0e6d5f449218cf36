"""What the checks of a region's Forwarder share: where there is one, and how a problem of it is put."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Problem
from ddsetup.model.account import Function, Stack, Unreadable
from ddsetup.plan.steps.api_key import made_by_us
from ddsetup.plan.steps.forwarder_choice import stack_of


def serving(case: Case) -> Iterator[Place]:
    """Regions with functions that need a Forwarder, and one that is there."""
    return (p for p in case.places if p.forwarded and p.forwarder is not None)


def readable(case: Case) -> Iterator[tuple[Place, Function]]:
    for place in serving(case):
        if place.function is not None:
            yield place, place.function


def env_of(function: Function) -> Mapping[str, str]:
    return function.env or {}


def stack_at(place: Place) -> Stack | None:
    return stack_of(place.forwarder, place.lane) if place.forwarder else None


def made_by_ddsetup(stack: Stack | None) -> bool:
    return stack is not None and made_by_us(stack.tags)


def of_forwarder(place: Place, what: str, fix: str = "", **more: object) -> Problem:
    about = frozenset(s.function.arn for s in place.forwarded)
    return Problem(resource=place.resource, what=what, fix=fix, about=about, **more)  # type: ignore[arg-type]


def update_command(place: Place, *parameters: str) -> str:
    """The command that sets parameters of the stack, where there is one."""
    if stack_at(place) is None:
        return ""
    given = " ".join(f"--forwarder-param {p}" for p in parameters)
    return f"ddsetup setup --region {place.at.region} --forwarder-upgrade {given}".rstrip()


def says(lines: Sequence[str] | Unreadable, *words: str) -> str:
    """The first line with one of the words."""
    if isinstance(lines, Unreadable):
        return ""
    return next((line for line in lines if any(w.lower() in line.lower() for w in words)), "")


def quoted(lines: Sequence[str] | Unreadable) -> str:
    return "" if isinstance(lines, Unreadable) or not lines else f": {lines[0]}"
