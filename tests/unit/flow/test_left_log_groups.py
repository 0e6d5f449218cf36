"""The log group of a Forwarder that is gone: deleted for a new one when the person, or a flag, says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt
from ddsetup.flow.call import Call
from ddsetup.flow.left_log_groups import REPLACE, offer_to_replace
from ddsetup.flow.preparing import Prepared
from ddsetup.plan.whole import make_plan
from ddsetup.settings.given import from_flags
from tests import builders as b

ORDERS = b.function("orders")
GROUP = b.log_group("/aws/lambda/datadog-forwarder")


@dataclass
class Person:
    answer: object
    asked: list[Prompt] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> object:
        self.asked.append(prompt)
        if self.answer is Back:
            raise Back
        return self.answer


@dataclass
class Hosting:
    prompter: Person | None
    dialogue: Dialogue = field(default_factory=Dialogue)


@dataclass
class Signed:
    host: Hosting


def prepared(*groups: Any) -> Prepared:
    lane = b.lane_snapshot(ORDERS, log_groups={group.name: group for group in groups})
    snapshot, answers = b.snapshot(lane), b.answers()
    return Prepared(
        snapshot=snapshot,
        answers=answers,
        selected=(ORDERS,),
        plan=make_plan(snapshot, answers, (ORDERS,)),
    )


def offered(person: Person | None, found: Prepared, flags: Mapping[str, Any] | None = None) -> Prepared:
    call = cast(Call, type("Asked", (), {"given": from_flags(dict(flags or {}))})())
    return offer_to_replace(call, cast(Any, Signed(Hosting(person))), found)


def stacks(found: Prepared) -> list[str]:
    return [c.resource.id for c in found.plan.changes if c.resource.kind == "stack"]


def test_who_keeps_it_gets_no_forwarder_and_is_told_what_to_do() -> None:
    person = Person(False)
    kept = offered(person, prepared(GROUP))
    assert "/aws/lambda/datadog-forwarder (eu-west-1)" in person.asked[0].text
    assert stacks(kept) == []
    assert any("--replace-log-group" in skipped.fix for skipped in kept.plan.skipped)


def test_who_agrees_gets_the_plan_as_it_was() -> None:
    before = prepared(GROUP)
    assert offered(Person(True), before) is before
    assert stacks(before) == ["datadog-forwarder"]


@pytest.mark.parametrize("flags", [{REPLACE: True}, {REPLACE: False}])
def test_who_said_so_is_not_asked(flags: dict[str, bool]) -> None:
    before = prepared(GROUP)
    assert offered(Person(AssertionError), before, flags) is before


def test_nobody_is_asked_without_a_terminal_or_where_none_is_left() -> None:
    for person, found in ((None, prepared(GROUP)), (Person(AssertionError), prepared())):
        assert offered(person, found) is found


def test_it_can_be_gone_back_from() -> None:
    with pytest.raises(Back):
        offered(Person(Back), prepared(GROUP))
