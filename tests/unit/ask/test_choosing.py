"""Which functions are meant: a rule comes out, never a list where a rule will do."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from ddsetup.ask.choosing import choose_functions
from ddsetup.ask.prompter import Back, Prompt, Row
from ddsetup.facts.recognise import is_edge
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.errors import CredentialsError, UsageError
from ddsetup.model.lines import rough
from ddsetup.observe.usage import Usage
from ddsetup.plan.select import select_in
from ddsetup.settings.fields import selection_of
from ddsetup.settings.setting import Value
from tests.builders import function, lane_snapshot, snapshot
from tests.patience import PATIENCE

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
    columns: object = ()
    told: list[str] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        self.asked.append(prompt)
        answer = self.answers.pop(0)
        if answer is Back:
            raise Back
        assert not prompt.check(answer), prompt.check(answer)
        return answer

    def pick(self, title: str, rows: Sequence[Row], **more: object) -> tuple[str, ...]:
        later = more["later"]
        self.rows, self.columns = later() if callable(later) else rows, more["columns"]
        answer = self.answers.pop(0)
        assert isinstance(answer, tuple)
        return answer

    def say(self, text: str) -> None:
        self.told.append(text)


class Hasty(Person):
    """Who does not wait for what comes later."""

    def pick(self, title: str, rows: Sequence[Row], **more: object) -> tuple[str, ...]:
        return super().pick(title, rows, **{**more, "later": None})


@pytest.mark.parametrize(
    ("answers", "settings", "chosen"),
    [
        (["all"], {"all": True}, ["orders", "pay-api", "web"]),
        (["uninstrumented"], {"all": True, "which": "uninstrumented"}, ["orders", "pay-api", "web"]),
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
    person = Person(["function", "oders", "orders"])
    assert choose_functions(ACCOUNT, person) == {"function": ("orders",)}
    assert "orders" in person.told[0]
    assert [prompt.kind for prompt in person.asked] == ["one", "text", "text"]
    assert choose_functions(ACCOUNT, Person(["function", "oders", Back, "all"])) == {"all": True}


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
    assert "?" in web.cells
    assert web.weight is None


def test_every_question_says_why_it_is_asked() -> None:
    person = Person(["runtime", Back, "tag", Back, "function", Back, Back])
    with pytest.raises(Back):
        choose_functions(ACCOUNT, person)
    assert len(person.asked) == 7
    assert all(prompt.why for prompt in person.asked)


def test_tags_that_only_one_function_can_have_are_not_offered() -> None:
    name, other = "aws:cloudformation:stack-name", "aws:cloudformation:logical-id"
    tags = {ORDERS.arn: {name: "shop", other: "Orders", "dd_sls_ci": "v5", "team": "shop"}}
    person = Person(["tag", (f"{name}=shop",)])
    choose_functions(snapshot(lane_snapshot(ORDERS, PAY, tags=tags)), person)
    assert {choice.value for choice in person.asked[1].choices} == {f"{name}=shop", "team=shop"}


def test_how_often_functions_run_is_counted_once_and_shown() -> None:
    asked: list[Sequence[str]] = []

    def count(_lane: Lane, functions: Sequence[str]) -> Mapping[str, float]:
        asked.append(functions)
        return {"orders": 1_234_567.0, "pay-api": 0.0}

    usage = Usage(ACCOUNT, count)
    person = Person(["pick", (), "pick", (ORDERS.arn,)])
    choose_functions(ACCOUNT, person, usage)
    at = list(person.columns).index("Runs/24h")  # type: ignore[call-overload]
    orders, pay, web = person.rows
    assert [row.cells[at] for row in person.rows] == ["1.2M", "0", "0"]
    assert ("traffic:some" in orders.terms, "traffic:none" in pay.terms) == (True, True)
    assert (orders.weight, web.weight) == (1_234_567.0, 0.0)
    assert asked == [("orders", "pay-api", "web")]


def test_why_it_is_not_known_how_often_they_run_is_said_once() -> None:
    denied = Unreadable("cloudwatch:GetMetricData", "not allowed: cloudwatch:GetMetricData")
    two = snapshot(lane_snapshot(ORDERS), lane_snapshot(function("orders", region="us-east-1")))
    person = Person(["pick", (ORDERS.arn,)])
    usage = Usage(two, lambda _lane, _names: denied)
    usage.wait(PATIENCE)
    choose_functions(two, person, usage)
    assert [text for text in person.told if "cloudwatch:GetMetricData" in text] == [person.told[0]]
    assert all("traffic:unknown" in row.terms and "?" in row.cells for row in person.rows)


def test_credentials_that_end_while_it_is_counted_are_not_its_business() -> None:
    def count(_lane: Lane, _names: Sequence[str]) -> Mapping[str, float]:
        raise CredentialsError("the temporary AWS credentials have expired")

    found = Usage(ACCOUNT, count).wait(PATIENCE)
    assert found
    assert all(isinstance(each, Unreadable) for each in found.values())


def test_the_list_does_not_wait_for_a_slow_answer() -> None:
    over = threading.Event()

    def count(_lane: Lane, _names: Sequence[str]) -> Mapping[str, float]:
        over.wait(PATIENCE)
        return {}

    usage, person = Usage(ACCOUNT, count), Hasty(["pick", (ORDERS.arn,)])
    assert choose_functions(ACCOUNT, person, usage) == {"function": ("orders",)}
    assert all("..." in row.cells for row in person.rows)
    over.set()
    assert not any(isinstance(each, Unreadable) for each in usage.wait(PATIENCE).values())


def test_functions_on_the_edge_cannot_be_chosen() -> None:
    edge = function("us-east-1.edge", master_arn=ORDERS.arn)
    assert is_edge(edge)
    person = Person(["pick", (PAY.arn,)])
    choose_functions(snapshot(lane_snapshot(edge, PAY)), person)
    assert {row.cells[0]: bool(row.disabled) for row in person.rows} == {
        "us-east-1.edge": True,
        "pay-api": False,
    }


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (830, "830"),
        (999, "999"),
        (1000, "1.0k"),
        (12_345, "12.3k"),
        (99_960, "100k"),
        (999_940, "1000k"),
        (999_950, "1.0M"),
        (1_234_567, "1.2M"),
        (2.5e9, "2.5G"),
    ],
)
def test_counts_take_little_room(count: float, text: str) -> None:
    assert rough(count) == text
