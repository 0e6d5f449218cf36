"""Runs the stand-in for Datadog in the test process, and calls it with the public client or without."""

# The Datadog client's constructors carry no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.model_utils import validate_and_convert_types

from ddsetup.sandbox.datadog.server import StandIn
from ddsetup.sandbox.datadog.world import build_world
from tests.gateways.referee import Referee

API_KEY, APP_KEY = "a" * 32, "b" * 40


class Clock:
    """Time that moves only when told, close to real time since the client works with real dates."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Standin:
    server: StandIn
    clock: Clock

    def client(self, api_key: str = API_KEY, app_key: str = APP_KEY) -> ApiClient:
        configuration = Configuration(host=self.server.url)
        configuration.api_key = {"apiKeyAuth": api_key, "appKeyAuth": app_key}
        return ApiClient(configuration)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, parsed body and headers of a request without the client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        sent = {
            "DD-API-KEY": API_KEY,
            "DD-APPLICATION-KEY": APP_KEY,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None, answer.headers
        finally:
            connection.close()


@contextmanager
def running(
    seed: dict[str, Any] | None = None, state_dir: Path | None = None, time_scale: float = 1.0
) -> Iterator[Standin]:
    clock = Clock()
    world = build_world((API_KEY, APP_KEY), seed or {}, clock, time_scale=time_scale, state_dir=state_dir)
    referee = Referee()
    server = StandIn(world, watch=referee)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Standin(server, clock)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert referee.wrong == [], "\n".join(sorted({str(one) for one in referee.wrong}))


def typed(model: type[Any], data: Any) -> Any:
    """A request of the client's own model, which checks what it is given."""
    return validate_and_convert_types(data, (model,), ["body"], True, True, Configuration())


def refused(call: Any, *arguments: Any, **named: Any) -> tuple[int, Any]:
    with pytest.raises(ApiException) as caught:
        call(*arguments, **named)
    body = caught.value.body
    return int(caught.value.status), body if isinstance(body, dict) else json.loads(body)
