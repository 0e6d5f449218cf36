"""What a function by itself reports to Datadog."""

from __future__ import annotations

from typing import Any

import pytest

from ddsetup.facts.signals import reports
from ddsetup.model.account import Layer
from tests import builders as b

NEW_RELIC = {
    "handler": "newrelic_lambda_wrapper.handler",
    "env": {"NEW_RELIC_LAMBDA_HANDLER": "app.handler"},
    "layers": (Layer(f"arn:aws:lambda:{b.REGION}:451483290750:layer:NewRelicPython312:5"),),
}


@pytest.mark.parametrize(
    ("function", "forwarder", "extension"),
    [
        ({}, True, True),
        ({"runtime": "nodejs22.x"}, True, True),
        ({"runtime": "java21"}, False, True),
        ({"runtime": "dotnet8"}, False, True),
        ({"runtime": "provided.al2023"}, False, True),
        ({"runtime": None, "package_type": "Image"}, False, False),
        ({"runtime": "cobol"}, False, False),
        (NEW_RELIC, False, False),
        ({"env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}}, False, False),
        ({"env": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"}, "handler": "run.sh"}, False, True),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_reports_depends_on_the_runtime_and_on_who_runs_it(
    function: dict[str, Any], forwarder: bool, extension: bool
) -> None:
    made = b.function("orders", **function)
    assert reports(made, b.answers(via="forwarder")) is forwarder
    assert reports(made, b.answers(via="extension")) is extension
