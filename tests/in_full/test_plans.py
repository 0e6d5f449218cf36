"""What is planned for each of many accounts, to the last field.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.errors import DdsetupError
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.steps import uninstrument
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.plan.whole import make_plan
from tests import builders as b
from tests.in_full.plan_cases import CASES, FUNCTIONS
from tests.in_full.plan_world import World, bare, ext
from tests.in_full.told import differing, plan_lines
from tests.unit.show.test_render import matches_golden


def planned(world: World) -> list[str]:
    snapshot, functions = world.snapshot()
    answers = b.answers(**dict(world.answers))
    try:
        plan = plan_lines(make_plan(snapshot, answers, functions))
    except DdsetupError as error:
        return [f"refused: {error.what}; fix: {error.fix}"]
    return [*plan, *to_read(snapshot, answers, functions)]


def to_read(snapshot: Snapshot, answers: Answers, functions: tuple[Function, ...]) -> list[str]:
    """The log groups whose filters are read before a plan, and those that a person who is asked is shown."""
    first = groups_to_read(snapshot, answers, functions)
    then = groups_to_read(snapshot, answers, functions, asked=True)
    every = (("read", first), ("read to ask", {} if then == first else then))
    return [
        f"{how}: {lane.region}: {', '.join(names)}" for how, found in every for lane, names in found.items()
    ]


def taken_out(world: World) -> list[str]:
    snapshot, functions = world.snapshot()
    return plan_lines(uninstrument.plan(snapshot, b.answers(**dict(world.answers)), functions))


USUAL = {"none": bare(), "extension": ext()}


def usual(name: str, world: World) -> list[str]:
    """What such a world is compared with: one without a Forwarder with such a one, and so on."""
    if name not in USUAL and world.lane.get("forwarders") == ():
        return planned(USUAL["none"])
    if name not in USUAL and world.answers.get("via") == "extension":
        return planned(USUAL["extension"])
    return planned(World())


def pages(cases: dict[str, World]) -> Iterator[str]:
    for name, world in cases.items():
        yield f"[{name}]"
        yield from differing(planned(world), usual(name, world)) or ["as usual"]
        yield ""


def test_the_usual_account() -> None:
    matches_golden("plans/usual", "\n".join([*planned(World()), ""]))


@pytest.mark.parametrize("part", CASES)
def test_what_differs_in_an_account_differs_in_its_plan(part: str) -> None:
    matches_golden(f"plans/{part}", "\n".join(pages(CASES[part])))


def test_what_is_taken_out_of_each_function() -> None:
    lines: list[str] = []
    for name, world in FUNCTIONS.items():
        lines += [f"[{name}]", *taken_out(world), ""]
    matches_golden("plans/uninstrument", "\n".join(lines))
