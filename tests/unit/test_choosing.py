"""Which functions are meant: a rule comes out, never a list where a rule will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from ddsetup.choosing import choose_functions
from ddsetup.errors import UsageError
from ddsetup.model import Json
from ddsetup.prompter import Back, Prompt, Row
from ddsetup.select import select_in
from ddsetup.setting import Value
from ddsetup.settle import selection_of
from tests.builders import function, lane_snapshot, snapshot

ORDERS, PAY, NODE = (
    function("orders"),
    function("pay-api"),
    function("web", runtime="nodejs20.x"),
)
TAGS = {ORDERS.arn: {"team": "shop"}, PAY.arn: {"team": "pay"}}
ACCOUNT = snapshot(lane_snapshot(ORDERS, PAY, NODE, tags=TAGS))


@dataclass
class Person:
    """Answers in turn; a tuple is what is picked from the list."""

    answers: list[object]
    asked: list[Prompt] = field(default_factory=list)
    rows: Sequence[Row] = ()
    told: list[str] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        self.asked.append(prompt)
        answer = self.answers.pop(0)
        if answer is Back:
            raise Back
        assert not prompt.check(answer), prompt.check(answer)
        return answer

    def pick(self, title: str, rows: Sequence[Row]) -> tuple[str, ...]:
        self.rows = rows
        answer = self.answers.pop(0)
        assert isinstance(answer, tuple)
        return answer

    def say(self, text: str) -> None:
        self.told.append(text)


@pytest.mark.parametrize(
    ("answers", "settings", "chosen"),
    [
        (["all"], {"all": True}, ["orders", "pay-api", "web"]),
        (["uninstrumented"], {"all": True, "state": "uninstrumented"}, ["orders", "pay-api", "web"]),
        (["runtime", ("nodejs20.x",)], {"runtime": ("nodejs20.x",)}, ["web"]),
        (["tag", ("team=shop",)], {"tag": ("team=shop",)}, ["orders"]),
        (["function", "pay-*, web"], {"function": ("pay-*", "web")}, ["pay-api", "web"]),
        (["pick", (PAY.arn, NODE.arn)], {"function": ("pay-api", "web")}, ["pay-api", "web"]),
    ],
)
def test_every_way_ends_in_settings(
    answers: list[object], settings: dict[str, Value], chosen: list[str]
) -> None:
    person = Person(answers)
    found = choose_functions(ACCOUNT, person)
    assert found == settings
    assert [f.name for f in select_in(ACCOUNT, selection_of(found))] == chosen
    assert person.told[-1].startswith(f"{len(chosen)} function")


def test_back_returns_to_the_ways_and_from_there_to_the_caller() -> None:
    assert choose_functions(ACCOUNT, Person(["tag", Back, "all"])) == {"all": True}
    with pytest.raises(Back):
        choose_functions(ACCOUNT, Person([Back]))


def test_a_name_that_nothing_has_is_told_with_the_nearest_and_asked_again() -> None:
    person = Person(["function", "oders", "all"])
    assert choose_functions(ACCOUNT, person) == {"all": True}
    assert "orders" in person.told[0]


def test_two_functions_of_one_name_are_kept_apart_by_their_arns() -> None:
    other = function("orders", region="us-east-1")
    both = snapshot(lane_snapshot(ORDERS), lane_snapshot(other))
    assert choose_functions(both, Person(["pick", (other.arn,)])) == {"function": (other.arn,)}


def test_an_empty_account_says_so() -> None:
    with pytest.raises(UsageError, match="no function here"):
        choose_functions(snapshot(lane_snapshot()), Person([]))


def test_the_list_shows_what_helps_to_choose() -> None:
    person = Person(["pick", (NODE.arn,)])
    choose_functions(ACCOUNT, person)
    web = person.rows[-1]
    assert "nodejs20.x" in web.cells
    assert "runtime:nodejs20.x" in web.terms
