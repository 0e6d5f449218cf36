"""What a question offers and preselects, by what the account has."""

from __future__ import annotations

import pytest

from ddsetup.ask.questions import QUESTIONS, Question
from ddsetup.model.account import Unreadable
from ddsetup.model.snapshot import LaneSnapshot
from tests import builders as b

NAMESPACES: Question = next(q for q in QUESTIONS if q.key == "integration_namespace")


def preselected(lane: LaneSnapshot) -> object:
    assert NAMESPACES.suggest is not None
    return NAMESPACES.suggest(b.snapshot(lane), {})


def test_services_that_are_in_use_are_preselected() -> None:
    assert preselected(b.lane_snapshot()) == ()
    assert preselected(b.lane_snapshot(resources={"AWS/SQS": 3, "AWS/SNS": 0})) == ("sqs",)
    assert preselected(b.lane_snapshot(state_machines=(b.state_machine(),))) == ("stepfunctions",)
    assert preselected(b.lane_snapshot(api_stages=(b.api_stage(),))) == ("apigateway",)


def test_what_cannot_be_read_preselects_nothing() -> None:
    denied = Unreadable("states:ListStateMachines", "no")
    assert preselected(b.lane_snapshot(state_machines=denied)) == ()


@pytest.mark.parametrize(
    ("metrics", "hint"),
    [
        (0, "queues"),
        (1, "queues: 1 metric here in the last two weeks"),
        (40, "queues: 40 metrics here in the last two weeks"),
        (500, "queues: 500 or more metrics here in the last two weeks"),
    ],
)
def test_it_says_what_the_metrics_are_about_and_how_many_there_are(metrics: int, hint: str) -> None:
    choices = NAMESPACES.choices(b.snapshot(b.lane_snapshot(resources={"AWS/SQS": metrics})), {})
    assert {choice.value: choice.hint for choice in choices}["sqs"] == hint


def test_every_question_says_why_it_is_asked() -> None:
    assert all(question.why and question.text for question in QUESTIONS)
