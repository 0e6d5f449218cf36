"""A bench for writers: moto's server as AWS, a clock that does not wait, and one change at a time."""

from __future__ import annotations

import io
import json
import os
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from ddsetup.apply.run import Writer
from ddsetup.apply.writers import make_writers
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import Clock
from ddsetup.model.event import Event
from ddsetup.model.snapshot import DatadogSnapshot, LaneSnapshot, Snapshot
from ddsetup.model.states import State
from tests.gateways.moto_server import moto_server
from tests.unit.world import fake_clock

ACCOUNT = "123456789012"
REGION = "eu-west-1"
LANE = Lane(ACCOUNT, REGION)
KEYS = DatadogKeys("a" * 32, "b" * 40)


@dataclass
class Bench:
    """AWS, perhaps Datadog, and the writers on them. `snapshot` is what a run has seen."""

    aws: Aws
    clock: Clock
    dd: Datadog | None = None
    events: list[Event] = field(default_factory=list)
    refusals: list[Callable[[], None]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    seen: LaneSnapshot = field(default_factory=lambda: LaneSnapshot(lane=LANE))

    def client(self, service: str) -> Any:
        return self.aws.client(service, REGION)

    def writers(self) -> dict[str, Writer]:
        made = make_writers(self.aws, self.dd, KEYS, self.snapshot(), self.clock, self.events.append)
        return dict(made)

    def snapshot(self) -> Snapshot:
        datadog = DatadogSnapshot(site="datadoghq.eu")
        return Snapshot(accounts={}, lanes={LANE: self.seen}, datadog=datadog, at=self.clock.now())

    def write(self, *changes: Change) -> tuple[Outcome, ...]:
        """Resolve and write changes of one kind, as `apply` does."""
        writer = self.writers()[changes[0].resource.kind]
        return tuple(writer.write([writer.resolve(change) for change in changes]))

    def one(self, change: Change) -> Outcome:
        return self.write(change)[0]

    def calls(self, action: str) -> int:
        return self.aws.calls[action]

    def refuse(self, operation: str, answers: Sequence[Callable[[], AWSResponse | None]]) -> None:
        """Let the next calls of an operation be answered by these instead; None passes one through."""
        service, _, name = operation.partition(":")
        left = list(answers)

        def before_send(**_: Any) -> AWSResponse | None:
            return left.pop(0)() if left else None

        events = self.client(service).meta.events
        event = f"before-send.*.{name}"
        events.register_first(event, before_send)
        self.refusals.append(lambda: events.unregister(event, before_send))

    def lose_answer(self, operation: str) -> None:
        """Let the next call of an operation take effect, and its answer be lost on the way."""
        service, _, name = operation.partition(":")

        def before_send(request: AWSPreparedRequest, **_: Any) -> None:
            if operation not in self.lost:
                self.lost.append(operation)
                URLLib3Session().send(request)
                raise ConnectionClosedError(endpoint_url=request.url)

        events = self.client(service).meta.events
        event = f"before-send.*.{name}"
        events.register_first(event, before_send)
        self.refusals.append(lambda: events.unregister(event, before_send))

    def stop_refusing(self) -> None:
        for stop in self.refusals:
            stop()
        self.refusals.clear()


def answer(status: int, code: str, message: str = "", *, xml: bool = False) -> Callable[[], AWSResponse]:
    """An error in the JSON protocol of Lambda and CloudWatch Logs, or in IAM's XML."""
    body = json.dumps({"__type": code, "message": message}).encode()
    if xml:
        said = f"<Code>{code}</Code><Message>{message}</Message>"
        body = f"<ErrorResponse><Error>{said}</Error><RequestId>r</RequestId></ErrorResponse>".encode()

    class Raw(io.BytesIO):
        def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
            yield self.read()

    headers = HTTPHeaders()
    headers["x-amzn-errortype"] = code
    headers["content-type"] = "application/json"
    return lambda: AWSResponse("http://test", status, headers, Raw(body))


def change(kind: str, identifier: str, before: State | None, after: State | None, **over: Any) -> Change:
    region = "" if kind in ("iam_role", "role_policy", "integration", "log_collection") else REGION
    resource = ResourceId(kind, identifier, region, ACCOUNT)
    return Change(step="test", resource=resource, before=before, after=after, why="test", **over)


def zipped(source: str = "def handler(event, context):\n    return event\n") -> bytes:
    """A function's code."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", source)
    return data.getvalue()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def aws(moto_url: str) -> Iterator[Aws]:
    """One connection for all tests: making clients takes longer than using them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        yield Aws.connect(AwsOptions(), endpoint_url=moto_url, clock=fake_clock())


@pytest.fixture
def bench(moto_url: str, aws: Aws) -> Iterator[Bench]:
    """An empty account."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    aws.calls.clear()
    made = Bench(aws, aws.clock)
    yield made
    made.stop_refusing()


__all__ = ["Bench", "answer", "aws", "bench", "change", "moto_url", "zipped"]


def there_and_back(bench: Bench, forward: Change) -> None:
    """Applied, applied again, given back, given back again: each says what it did."""
    assert bench.one(forward).status == "applied"
    assert bench.one(forward).status == "unchanged"
    assert bench.one(forward.inverse()).status == "applied"
    assert bench.one(forward.inverse()).status == "unchanged"


def role_of_a_function(bench: Bench, name: str = "orders-role") -> str:
    trust = {"Version": "2012-10-17", "Statement": []}
    created = bench.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return str(created["Role"]["Arn"])
