"""Somebody else's filters: each is named with owner, destination and age before it is decided about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Row
from ddsetup.flow.conflicts import Open, decisions, on_tag
from ddsetup.model.account import Json, SubscriptionFilter
from ddsetup.plan.steps.instrument.own_tags import Taken
from ddsetup.plan.steps.subscriptions.conflicts import Conflict
from tests import builders as b
from tests.unit.terminal.test_console import console


@dataclass
class Person:
    """Answers in turn; remembers what was asked."""

    answers: list[object]
    asked: list[Prompt] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        self.asked.append(prompt)
        answer = self.answers.pop(0)
        if answer is Back:
            raise Back
        assert answer in [choice.value for choice in prompt.choices]
        return answer

    def pick(self, title: str, rows: Sequence[Row], **_: object) -> tuple[str, ...]:
        raise AssertionError("no list expected")

    def say(self, text: str) -> None:
        raise AssertionError("nothing to say expected")


def opened(group: str, kind: Literal["duplicate", "limit"], *names: str) -> list[Open]:
    filters = tuple(
        SubscriptionFilter(
            log_group=group,
            name=name,
            pattern="ERROR" if name == "audit" else "",
            destination_arn=f"arn:aws:kinesis:eu-west-1:111122223333:stream/{name}",
            created_ms=1_700_000_000_000,
        )
        for name in names
    )
    conflict = Conflict(lane=b.lane(), group=group, kind=kind, filters=filters)
    return [Open(conflict, found) for found in filters]


def decide(
    open_ones: list[Open], person: Person, dialogue: Dialogue | None = None
) -> tuple[dict[str, str], str]:
    shown, _, err = console()
    decided = decisions(shown, dialogue or Dialogue(), open_ones, person)
    return dict(decided), err.text


def test_one_filter_is_told_with_all_that_matters_and_asked_about() -> None:
    person = Person(["add"])
    decided, text = decide(opened("/pay", "duplicate", "audit"), person)
    assert decided == {"/pay:audit": "add"}
    for part in ("/pay", "audit", "stream/audit", "since 2023-11-14", "lines that match 'ERROR'"):
        assert part in text
    assert "arrive twice" in person.asked[0].why
    lost = next(choice.hint for choice in person.asked[0].choices if choice.value == "replace")
    assert lost.startswith("the Kinesis stream audit gets nothing more")


@pytest.mark.parametrize(
    ("destination", "reader"),
    [
        ("lambda:eu-west-1:111122223333:function:archive", "the Lambda function archive"),
        ("lambda:eu-west-1:111122223333:function:archive:live", "the Lambda function archive"),
        ("lambda:eu-west-1:111122223333:function:datadog-forwarder", "the Datadog Forwarder"),
        ("firehose:eu-west-1:111122223333:deliverystream/audit", "the Firehose stream audit"),
        ("logs:eu-west-1:111122223333:destination:central", "the CloudWatch Logs destination central"),
    ],
)
def test_who_reads_a_filter_is_said_as_people_call_it(destination: str, reader: str) -> None:
    (one,) = opened("/pay", "limit", "audit")
    one = Open(one.conflict, replace(one.found, destination_arn=f"arn:aws:{destination}"))
    person = Person(["replace"])
    _, text = decide([one], person)
    assert reader in text
    assert any(choice.hint.startswith(reader) for choice in person.asked[0].choices)


def test_all_of_a_kind_are_decided_at_once() -> None:
    open_ones = [*opened("/a", "duplicate", "x"), *opened("/b", "duplicate", "y")]
    person = Person(["replace"])
    assert decide(open_ones, person)[0] == {"/a:x": "replace", "/b:y": "replace"}
    assert "2 log groups" in person.asked[0].text


def test_kinds_are_decided_apart_and_one_by_one_if_that_is_wanted() -> None:
    open_ones = [
        *opened("/a", "duplicate", "x"),
        *opened("/b", "duplicate", "y"),
        *opened("/c", "limit", "p", "q"),
    ]
    person = Person(["each", "skip", "add", "skip"])
    assert decide(open_ones, person)[0] == {"/a:x": "skip", "/b:y": "add", "/c:p": "skip", "/c:q": "skip"}


def test_nothing_that_doubles_data_is_offered_where_there_is_no_room() -> None:
    person = Person(["each", "skip", "skip"])
    decide(opened("/c", "limit", "p", "q"), person)
    offered = [{choice.value for choice in prompt.choices} for prompt in person.asked]
    assert len(offered) == 3
    assert "add" not in set.union(*offered)


def test_once_there_is_room_the_other_filter_stays_unasked() -> None:
    person = Person(["each", "replace"])
    assert decide(opened("/c", "limit", "p", "q"), person)[0] == {"/c:p": "replace", "/c:q": "skip"}


def test_what_was_decided_before_is_not_asked_again() -> None:
    open_ones, dialogue = opened("/c", "limit", "p", "q"), Dialogue()
    first = decide(open_ones, Person(["each", "skip", "replace"]), dialogue)[0]
    assert decide(open_ones, Person([]), dialogue)[0] == first
    assert dialogue.back() == "conflict:/c:q"
    assert decide(open_ones, Person(["skip"]), dialogue)[0] == {"/c:p": "skip", "/c:q": "skip"}


def test_going_back_is_passed_on() -> None:
    with pytest.raises(Back):
        decide(opened("/pay", "duplicate", "audit"), Person([Back]))


def test_hundreds_are_not_all_described() -> None:
    open_ones = [one for n in range(300) for one in opened(f"/g{n:03}", "duplicate", "x")]
    decided, text = decide(open_ones, Person(["skip"]))
    assert len(decided) == 300
    assert "and 294 more like these" in text
    assert len(text.splitlines()) < 30


def test_a_tag_that_somebody_else_set_is_asked_about_once_with_who_has_it() -> None:
    dialogue, person = Dialogue(), Person(["replace"])
    tag = Taken("team", "shop", {"old": ("orders", "lists")})
    assert on_tag(dialogue, tag, person) == "replace"
    assert on_tag(dialogue, tag, person) == "replace"
    (asked,) = person.asked
    assert (asked.default, asked.text) == (
        "skip",
        "Tag team has another value on 2 functions. What about it?",
    )
    assert "old on orders, lists" in asked.why
    assert dialogue.values() == {"conflict": ("tag:team=replace",)}
