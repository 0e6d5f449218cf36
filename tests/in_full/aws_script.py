"""An AWS that answers by a script: one connection, and what was asked of it."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from ddsetup.gateways.aws.session import Aws
from tests.gateways.aws_stand import REGION, FakeTime, connect
from tests.in_full.calls.world import Answer

SERVICES = (
    *(
        "apigateway",
        "apigatewayv2",
        "cloudformation",
        "cloudtrail",
        "cloudwatch",
        "codebuild",
        "events",
        "firehose",
    ),
    *("iam", "lambda", "logs", "organizations", "s3", "secretsmanager", "states", "sts", "tag"),
)


class Script:
    """Answers operations by name, each list in order and its last one for ever; keeps what was asked.

    A name may be followed by a value that is asked for: `ListAccountsForParent ou-1`. An answer may be
    `{"refused": (code, message, status)}`.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, list[Answer]] = {}
        self.refusal: tuple[str, str, int] | None = None
        self._about = threading.local()

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        shown = {k: v for k, v in sorted(params.items()) if k != "ClientRequestToken"}
        self.asked.append(f"  {model.service_model.service_name}:{model.name} {shown}")
        self._about.values = [value for value in params.values() if isinstance(value, str)]

    def reply(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        if self.refusal is not None:
            return _refused(*self.refusal)
        named = (f"{model.name} {value}" for value in self._about.values)
        left = self.answers[next((name for name in named if name in self.answers), model.name)]
        answer = dict(left.pop(0) if len(left) > 1 else left[0])
        if "refused" in answer:
            return _refused(*answer["refused"])
        if isinstance(answer.get("Payload"), bytes):
            answer["Payload"] = io.BytesIO(answer["Payload"])
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}, **answer}


def _refused(code: str, message: str, status: int) -> tuple[Any, dict[str, Any]]:
    error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return SimpleNamespace(status_code=status), error


@contextmanager
def scripted(aws: Aws) -> Iterator[Script]:
    script = Script()
    aws.calls.clear()
    emitters = [aws.client(service, REGION).meta.events for service in SERVICES]
    emitters += [aws.client("lambda", REGION, 910).meta.events]
    for events in emitters:
        events.register_first("provide-client-params", script.note)
        events.register_first("before-call", script.reply)
    try:
        yield script
    finally:
        for events in emitters:
            events.unregister("provide-client-params", script.note)
            events.unregister("before-call", script.reply)


@pytest.fixture(scope="module")
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(scope="module")
def aws(time: FakeTime) -> Iterator[Aws]:
    """One connection for all: making clients takes longer than using them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        yield connect("http://127.0.0.1:9", time)
