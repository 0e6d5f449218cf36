"""A live probe: a log, a metric and a span of our own through the Forwarder, until Datadog finds them."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ddsetup.gateways.aws.functions import invoke
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Json, Lane
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError
from ddsetup.verify.probe_forms import FUNCTION, Marked, Said, Signal, ask_all, forms, lines

GROUP = f"/aws/lambda/{FUNCTION}"
"""The log group that the event pretends to come from; it need not exist."""
PATIENCE = 180.0
"""Seconds to wait for the event; one to two minutes are usual."""
PAUSE = 5.0

_LEGS: Mapping[Signal, str] = {
    "log": "Datadog indexes it",
    "metric": "the metric arrives",
    "span": "the span arrives",
}


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the way, how long it took in seconds, and what came of it."""

    name: str
    ok: bool
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the probe came to; `forms` are the ways in which what arrived was asked for."""

    forwarder: str
    legs: tuple[Leg, ...] = field(default_factory=tuple)
    forms: tuple[Said, ...] = ()

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
            "forms": [said.record() for said in self.forms],
        }


def probe(aws: Aws, dd: Datadog, lane: Lane, forwarder: str, *, patience: float = PATIENCE) -> ProbeResult:
    """Send the data, wait for it, and ask for it in every form. Needs lambda:InvokeFunction on the Forwarder,
    and `logs_read_data`, `timeseries_query` and `apm_read`.

    It leaves one log, one point and one span in Datadog. Never raises for what fails on the way.
    """
    clock, marked = aws.clock, Marked(lane, f"ddsetup-probe-{uuid.uuid4().hex[:12]}")
    started, since = clock.monotonic(), clock.now()
    try:
        done = invoke(aws, lane, forwarder, event(marked, int(since.timestamp() * 1000)))
    except GatewayError as error:
        leg = Leg("the Forwarder takes it", False, clock.monotonic() - started, error.what)
        return ProbeResult(forwarder=forwarder, legs=(leg,))
    sent = clock.monotonic() - started
    first = Leg("the Forwarder takes it", not done.error, sent, done.error or "it ran without an error")
    if done.error:
        return ProbeResult(forwarder=forwarder, legs=(first,))
    legs = _arrivals(dd, clock, since, marked, patience)
    arrived = {signal for signal, leg in legs.items() if leg.ok}
    wanted = [form for form in forms(marked) if form.signal in arrived]
    said = ask_all(dd, _window(since, clock), wanted)
    return ProbeResult(forwarder=forwarder, legs=(first, *legs.values()), forms=said)


def _arrivals(
    dd: Datadog, clock: Clock, since: datetime, marked: Marked, patience: float
) -> Mapping[Signal, Leg]:
    """Wait for each of the three by the plainest of its forms, `patience` seconds in all."""
    plain = {form.signal: form for form in reversed(forms(marked))}
    legs: dict[Signal, Leg] = {}
    began = clock.monotonic()
    while True:
        for signal, name in _LEGS.items():
            if signal in legs and legs[signal].ok:
                continue
            answer = ask_all(dd, _window(since, clock), (plain[signal],))[0].answer
            waited, found = clock.monotonic() - began, answer == "found"
            detail = "found by a search" if found else f"{answer} after {waited:.0f} s"
            legs[signal] = Leg(name, found, waited, detail)
        waited = clock.monotonic() - began
        if waited >= patience or all(leg.ok for leg in legs.values()):
            return legs
        clock.sleep(min(PAUSE, max(0.1, patience - waited)))


def _window(since: datetime, clock: Clock) -> Window:
    return Window(since - timedelta(minutes=1), clock.now() + timedelta(minutes=1))


def event(marked: Marked, at_ms: int) -> bytes:
    """What CloudWatch Logs would send to the Forwarder for three lines of a function's log."""
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": marked.lane.account,
        "logGroup": GROUP,
        "logStream": f"probe/[$LATEST]{uuid.uuid4().hex}",
        "subscriptionFilters": ["ddsetup-probe"],
        "logEvents": [
            {"id": str(number), "timestamp": at_ms, "message": f"{text}\n"}
            for number, text in enumerate(lines(marked, at_ms))
        ],
    }
    data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    return json.dumps({"awslogs": {"data": data}}).encode()
