"""A connection to the stand-in with a clock that waits for nobody, and data as a function sends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.model.account import Function
from ddsetup.model.clock import Clock
from ddsetup.sandbox.datadog.tags import all_normalised
from tests.gateways.standin import API_KEY, APP_KEY, Standin, running

KEYS = DatadogKeys(API_KEY, APP_KEY)


@dataclass
class World:
    """The stand-in, a connection to it, and how long the connection has slept in all."""

    standin: Standin
    slept: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=lambda: self.standin.clock.now, sleep=self.sleep)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.standin.clock.now, UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.standin.clock.now += seconds

    def connect(
        self, api_key: str = API_KEY, app_key: str = APP_KEY, *, url: str = "", **options: Any
    ) -> Datadog:
        """A connection, to another `url` if that is said."""
        keys = DatadogKeys(api_key, app_key)
        where = url or self.standin.server.url
        return Datadog.connect("datadoghq.eu", keys, where, clock=self.clock, **options)

    def calls(self, path: str = "") -> list[dict[str, Any]]:
        """The requests so far, of one path or all."""
        entries = self.standin.server.world.requests.entries()
        return [entry for entry in entries if path in entry["path"]]

    def queries(self) -> int:
        """How many requests asked for telemetry."""
        return len(self.calls("/query/")) + len(self.calls("/analytics/"))

    def fault(self, path: str, **described: Any) -> None:
        self.standin.server.world.faults.add([{"path": path, **described}])


@contextmanager
def datadog(seed: dict[str, Any] | None = None, **options: Any) -> Iterator[World]:
    with running(seed, **options) as standin:
        yield World(standin)


def tags_of(function: Function, *, forwarded: bool) -> list[str]:
    name = function.name.lower()
    tags = [f"functionname:{name}", f"region:{function.region}", f"aws_account:{function.account}"]
    return [*tags, "forwardername:datadog-forwarder"] if forwarded else tags


def invocation(world: World, function: Function, *, cold: bool = True, forwarded: bool = True) -> None:
    """All that a healthy invocation leaves in Datadog, except what is read from CloudWatch."""
    library_metric(world, function, cold=cold, forwarded=forwarded)
    log(world, function, forwarded=forwarded)
    span(world, function, forwarded=forwarded)


def library_metrics(world: World, functions: Iterable[Function]) -> None:
    """A cold start of each function, as the Forwarder sends it."""
    second = int(world.standin.clock.now)
    described = [
        {
            "metric": "aws.lambda.enhanced.invocations",
            "points": [[second, [1.0]]],
            "tags": [*tags_of(one, forwarded=True), "cold_start:true"],
        }
        for one in functions
    ]
    for start in range(0, len(described), 1000):
        post(world, "/api/v1/distribution_points", {"series": described[start : start + 1000]})


def library_metric(world: World, function: Function, *, cold: bool = False, forwarded: bool = True) -> None:
    tags = [*tags_of(function, forwarded=forwarded), f"cold_start:{str(cold).lower()}"]
    metric(world, "aws.lambda.enhanced.invocations", 1, tags)


def metric(world: World, name: str, value: float, tags: list[str]) -> None:
    metrics(world, [name], tags, value)


def metrics(world: World, names: Iterable[str], tags: list[str], value: float = 1.0) -> None:
    """A value of each, in one request."""
    points = [[int(world.standin.clock.now), [value]]]
    series = [{"metric": name, "points": points, "tags": tags} for name in names]
    post(world, "/api/v1/distribution_points", {"series": series})


def cloudwatch_metric(world: World, function: Function) -> None:
    """A minute of `aws.lambda.invocations` as Datadog's crawler stores it, stamped with its start."""
    cloudwatch_metrics(world, [function])


def cloudwatch_metrics(world: World, functions: Iterable[Function]) -> None:
    minute = int(world.standin.clock.now) // 60 * 60
    telemetry = world.standin.server.world.telemetry
    for one in functions:
        tags = all_normalised(tags_of(one, forwarded=False))
        telemetry.add_points("aws.lambda.invocations", "count", tags, [(minute, [1.0])])


def log(world: World, function: Function, *, forwarded: bool = True, message: str = "hello") -> None:
    post(world, "/api/v2/logs", [_log(world, function, forwarded, message)])


def logs(world: World, functions: Iterable[Function], *, each: int = 1) -> None:
    """Some logs of each function, in requests as large as the intake takes."""
    described = [_log(world, one, True, "hello") for one in functions for _ in range(each)]
    for start in range(0, len(described), 1000):
        post(world, "/api/v2/logs", described[start : start + 1000])


def _log(world: World, function: Function, forwarded: bool, message: str) -> dict[str, Any]:
    return {
        "ddsource": "lambda",
        "ddtags": ",".join(tags_of(function, forwarded=forwarded)),
        "message": message,
        "timestamp": int(world.standin.clock.now * 1000),
        "service": function.name,
    }


def span(world: World, function: Function, *, forwarded: bool = True) -> None:
    if forwarded:
        spans(world, [function])
        return
    # The Extension makes the span itself, and what it knows of the function are tags.
    tags = [*tags_of(function, forwarded=False), f"function_arn:{function.arn.lower()}"]
    described = _span(world, function) | {"meta": {"request_id": "r1"}}
    _send_traces(world, {"traces": [[described]], "_dd.tags.function": ",".join(tags)})


def spans(world: World, functions: Iterable[Function]) -> None:
    """A span of each function, as its library makes it and a Forwarder sends it."""
    traces = [[_span(world, one)] for one in functions]
    _send_traces(world, {"traces": traces, "tags": ["forwardername:datadog-forwarder"]})


def _span(world: World, function: Function) -> dict[str, Any]:
    return {
        "trace_id": "1f",
        "span_id": "2e",
        "parent_id": "0",
        "name": "aws.lambda",
        "resource": function.name,
        "service": function.name,
        "start": int(world.standin.clock.now * 1e9),
        "duration": 1_000_000,
        "meta": {"functionname": function.name.lower(), "function_arn": function.arn.lower()},
    }


def _send_traces(world: World, body: dict[str, Any]) -> None:
    post(world, "/api/v0.2/traces", body, Content_Type="application/json")


def post(world: World, path: str, body: Any, **headers: str) -> None:
    """Send something, which is taken."""
    status, answer, _ = world.standin.call("POST", path, body, **headers)
    assert status in (200, 202), answer
