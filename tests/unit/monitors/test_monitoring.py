"""The questions of `monitors apply`: Enter keeps what is recommended, typed answers are checked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ddsetup.ask.prompter import Back, Prompt, Row
from ddsetup.model.account import Json
from ddsetup.monitors.ask import ask_for
from ddsetup.monitors.on_logs import parse_on_logs
from ddsetup.monitors.wish import Wish, parse_on_metric


class Person:
    """Answers in order; None is Enter. Nothing that a question's own check refuses gets through."""

    def __init__(self, *answers: Json) -> None:
        self.answers = list(answers)
        self.refused: list[str] = []

    def ask(self, prompt: Prompt) -> Json:
        while True:
            given = self.answers.pop(0)
            if given is Back:
                raise Back
            value = prompt.default if given is None else given
            if problem := prompt.check(value):
                self.refused.append(problem)
                continue
            return value

    def pick(self, title: str, rows: Sequence[Row], **_: object) -> tuple[str, ...]:
        raise AssertionError("nothing to pick")

    def say(self, text: str) -> None:
        raise AssertionError("nothing to say")


def test_enter_all_the_way_keeps_what_is_recommended() -> None:
    assert ask_for(Wish(), Person(*[None] * 5)) == Wish()


def test_typed_answers_are_the_same_as_flags() -> None:
    person = Person(
        ("timeout", "high_throttles"), ("timeout",), "0.9", "max:a.b>5, c.d<1", "a>1", "@slack-shop,@me"
    )
    assert ask_for(Wish(), person) == Wish(
        keys=("timeout", "high_throttles"),
        thresholds={"timeout": 0.9},
        on_metrics=(parse_on_metric("max:a.b>5"), parse_on_metric("c.d<1")),
        on_logs=(parse_on_logs("a>1"),),
        notify=("@slack-shop", "@me"),
    )


def test_wrong_answers_are_refused_where_they_are_typed() -> None:
    person = Person((), ("timeout",), ("timeout",), "x", "1", "a.b", "", ">", "", "slack", "none")
    wish = ask_for(Wish(), person)
    assert person.refused == [
        "choose at least one",
        "expected a number, e.g. timeout=1",
        "expected a metric, < or >, and a number",
        "expected a search of logs, and > and a number if not 0",
        "a handle begins with @",
    ]
    assert wish.notify == ()


def test_every_question_leads_back_to_the_one_before_with_what_was_said() -> None:
    person = Person(
        *(("timeout",), ("timeout",), Back, ("timeout",), "0.5"),
        *("a.b>1", Back, Back, None, None, None, Back, None, "status:warn", "@me"),
    )
    wish = ask_for(Wish(), person)
    assert (wish.keys, wish.thresholds, wish.notify) == (("timeout",), {"timeout": 0.5}, ("@me",))
    assert [each.metric for each in wish.on_metrics] == ["a.b"]
    assert [each.query for each in wish.on_logs] == ["status:warn"]
    assert person.answers == []
    with pytest.raises(Back):
        ask_for(Wish(), Person(Back))


def test_of_services_those_in_use_are_offered() -> None:
    offered: list[str] = []

    class Looks(Person):
        def ask(self, prompt: Prompt) -> Json:
            offered.extend(choice.value for choice in prompt.choices)
            return super().ask(prompt)

    ask_for(Wish(), Looks(*[None] * 5), ("sqs_dead_letter",))
    assert "sqs_dead_letter" in offered
    assert "step_functions_failed" not in offered
