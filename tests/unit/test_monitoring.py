"""The questions of `monitors apply`: Enter keeps what is recommended, typed answers are checked."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.cli.monitoring import ask_for
from ddsetup.model import Json
from ddsetup.monitors.wish import Wish
from ddsetup.prompter import Prompt, Row


class Person:
    """Answers in order; None is Enter. Nothing that a question's own check refuses gets through."""

    def __init__(self, *answers: Json) -> None:
        self.answers = list(answers)
        self.refused: list[str] = []

    def ask(self, prompt: Prompt) -> Json:
        while True:
            given = self.answers.pop(0)
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
    assert ask_for(Wish(), Person(None, None, None)) == Wish()


def test_typed_answers_are_the_same_as_flags() -> None:
    wish = ask_for(Wish(), Person(("timeout",), "timeout=0.9, high_throttles=0.1", "@slack-shop,@me"))
    assert wish.keys == ("timeout",)
    assert wish.thresholds == {"timeout": 0.9, "high_throttles": 0.1}
    assert wish.notify == ("@slack-shop", "@me")


def test_wrong_answers_are_refused_where_they_are_typed() -> None:
    person = Person((), ("timeout",), "timeot=1", "", "slack", "none")
    wish = ask_for(Wish(), person)
    assert len(person.refused) == 3
    assert wish.notify == ()
