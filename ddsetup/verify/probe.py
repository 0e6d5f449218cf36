"""A live probe: one log event of our own through the Forwarder, until it is found in Datadog."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ddsetup.gateways.aws.functions import invoke
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.health import log_is_there
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json, Lane
from ddsetup.model.errors import GatewayError

GROUP = "/aws/lambda/ddsetup-probe"
"""The log group that the event pretends to come from; it need not exist."""
PATIENCE = 180.0
"""Seconds to wait for the event; one to two minutes are usual."""
PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the way, how long it took in seconds, and what came of it."""

    name: str
    ok: bool
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the probe came to."""

    forwarder: str
    legs: tuple[Leg, ...] = field(default_factory=tuple)

    @property
    def arrived(self) -> bool:
        return bool(self.legs) and all(leg.ok for leg in self.legs)

    def record(self) -> Mapping[str, Json]:
        """As JSON."""
        return {
            "forwarder": self.forwarder,
            "arrived": self.arrived,
            "legs": [
                {"leg": leg.name, "ok": leg.ok, "seconds": round(leg.seconds, 3), "detail": leg.detail}
                for leg in self.legs
            ],
        }


def probe(aws: Aws, dd: Datadog, lane: Lane, forwarder: str, *, patience: float = PATIENCE) -> ProbeResult:
    """Send the event and wait for it. Needs lambda:InvokeFunction on the Forwarder, and `logs_read_data`.

    It leaves one log in Datadog, which says what it is. Never raises for what fails on the way.
    """
    words = f"ddsetup-probe-{uuid.uuid4().hex[:12]}"
    clock = aws.clock
    started, since = clock.monotonic(), clock.now()
    try:
        done = invoke(aws, lane, forwarder, event(lane, words, int(since.timestamp() * 1000)))
    except GatewayError as error:
        leg = Leg("the Forwarder takes it", False, clock.monotonic() - started, error.what)
        return ProbeResult(forwarder=forwarder, legs=(leg,))
    sent = clock.monotonic() - started
    first = Leg("the Forwarder takes it", not done.error, sent, done.error or "it ran without an error")
    if done.error:
        return ProbeResult(forwarder=forwarder, legs=(first,))
    asked = clock.monotonic()
    second = "not found"
    while True:
        window = Window(since - timedelta(minutes=1), clock.now() + timedelta(minutes=1))
        try:
            found = log_is_there(dd, window, words)
        except GatewayError as error:
            found, second = False, error.what
        waited = clock.monotonic() - asked
        if found or waited >= patience:
            break
        clock.sleep(min(PAUSE, max(0.1, patience - waited)))
    detail = "found by a search" if found else f"{second} after {waited:.0f} s"
    return ProbeResult(forwarder=forwarder, legs=(first, Leg("Datadog indexes it", found, waited, detail)))


def event(lane: Lane, words: str, at_ms: int) -> bytes:
    """What CloudWatch Logs would send to the Forwarder for one line of a function's log."""
    message = f"[INFO] {words}: a test of the way through the Datadog Forwarder, sent by ddsetup\n"
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": lane.account,
        "logGroup": GROUP,
        "logStream": f"probe/[$LATEST]{uuid.uuid4().hex}",
        "subscriptionFilters": ["ddsetup-probe"],
        "logEvents": [{"id": "0", "timestamp": at_ms, "message": message}],
    }
    data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    return json.dumps({"awslogs": {"data": data}}).encode()
