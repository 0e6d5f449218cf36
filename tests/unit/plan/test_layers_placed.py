"""Where a layer of Datadog's comes to stand in a function's list, and which others it replaces."""

from __future__ import annotations

import pytest

from ddsetup.facts.catalog import LAYER_ACCOUNTS, LayerArn, parse_layer
from ddsetup.facts.variables import asked
from ddsetup.plan.steps.instrument.layers import _placed
from tests import builders as b

DATADOGS = LAYER_ACCOUNTS["aws"]
OWN = "arn:aws:lambda:eu-west-1:111122223333:layer:deps:3"
COPY = "arn:aws:lambda:eu-west-1:111122223333:layer:Datadog-Extension:5"


def of_datadog(name: str, version: int) -> str:
    return f"arn:aws:lambda:eu-west-1:{DATADOGS}:layer:{name}:{version}"


EXTENSION, LIBRARY = of_datadog("Datadog-Extension", 90), of_datadog("Datadog-Python312", 110)


def parsed(arn: str) -> LayerArn:
    found = parse_layer(arn)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [EXTENSION]),
        ([OWN], [OWN, EXTENSION]),
        ([of_datadog("Datadog-Extension", 7), OWN], [EXTENSION, OWN]),
        ([of_datadog("Datadog-Extension-ARM", 7), OWN, EXTENSION], [EXTENSION, OWN]),
        ([LIBRARY, OWN], [LIBRARY, OWN, EXTENSION]),
        ([COPY, OWN], [COPY, OWN, EXTENSION]),
        (["no layer"], ["no layer", EXTENSION]),
    ],
)
def test_a_layer_takes_the_place_of_datadogs_for_the_same_purpose(
    before: list[str], after: list[str]
) -> None:
    assert _placed(before, parsed(EXTENSION)) == after


def test_what_is_empty_or_the_default_is_not_asked_for_unless_it_was_said() -> None:
    usual = asked(b.answers(env="", service="", version=""))
    assert all(usual.values())
    said = asked(b.answers(env="", logs=True), frozenset({"env", "service", "logs", "traces"}))
    assert all(said.values())
    assert said.keys() - usual.keys() == {"DD_SERVERLESS_LOGS_ENABLED", "DD_TRACE_ENABLED"}
