"""How fast each AWS API may be called, and the buckets that keep us to it.

A quota belongs to an account, a region and a class of operations, so one bucket serves every thread that
calls into that class. Sources: the quotas pages of AWS Lambda, CloudWatch Logs, API Gateway and Step
Functions. Services that publish no rate get a modest one of ours; those are marked.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ddsetup.model.clock import Clock

RATES: Mapping[str, float] = {
    # Lambda: one quota for the whole control plane but these two.
    "lambda": 15,
    "lambda:GetFunction": 100,
    "lambda:GetPolicy": 15,
    "lambda:Invoke": 100,  # ours: bound by concurrency, not by rate
    # CloudWatch Logs: one quota per operation.
    "logs": 5,  # ours, for what is not listed
    "logs:DescribeLogGroups": 10,
    "logs:CreateLogGroup": 10,
    "logs:DescribeLogStreams": 25,
    "logs:DescribeSubscriptionFilters": 5,
    "logs:PutSubscriptionFilter": 5,
    "logs:DeleteSubscriptionFilter": 5,
    # API Gateway: one quota for all that manages APIs.
    "apigateway": 10,
    # Step Functions: one quota per operation, each with a burst of at least a hundred.
    "states": 5,  # ours, for what is not listed
    "states:DescribeStateMachine": 20,
    "states:ListStateMachines": 5,
    "states:UpdateStateMachine": 1,
    "states:TagResource": 1,
    "states:UntagResource": 1,
    # CloudTrail: its API reference, of LookupEvents.
    "cloudtrail": 2,
    # Not published: modest rates of ours.
    "cloudformation": 5,
    "cloudwatch": 20,
    "events": 5,
    "iam": 5,
    "s3": 50,
    "secretsmanager": 10,
    "sts": 10,
    "tag": 5,
}
DEFAULT_RATE = 5.0
"""Calls per second for a service that `RATES` does not know."""


class Bucket:
    """Lets `rate` calls a second pass, evenly spaced, whichever threads they come from.

    Others deploy into the same account and share its quota: `throttled` tells the bucket that AWS refused a
    call. It then slows down to 0.7 of its pace (at most once a second, never below an eighth of `rate`) and
    regains speed with every call that passes.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        self.rate = rate
        self._clock = clock
        self._pace = rate
        self._next = float("-inf")
        self._slowed = float("-inf")
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for the next free slot. Slots are given out in the order of asking."""
        with self._lock:
            now = self._clock.monotonic()
            slot = max(now, self._next)
            self._next = slot + 1 / self._pace
            self._pace = min(self.rate, self._pace + self.rate / 100)
        if slot > now:
            self._clock.sleep(slot - now)

    def throttled(self) -> None:
        """Slow down: AWS said that calls come too fast."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._slowed >= 1:
                self._slowed = now
                self._pace = max(self.rate / 8, self._pace * 0.7)

    @property
    def pace(self) -> float:
        """Calls per second at this moment."""
        return self._pace


class Limits:
    """The buckets of one account. `scale` multiplies every rate (a raised quota, or a test)."""

    def __init__(self, clock: Clock, scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def bucket(self, service: str, operation: str, region: str) -> Bucket:
        """The bucket of an operation; `service` is the IAM prefix, e.g. "logs"."""
        name = f"{service}:{operation}"
        group = name if name in RATES else service
        with self._lock:
            key = (region, group)
            if key not in self._buckets:
                rate = RATES.get(group, DEFAULT_RATE) * self._scale
                self._buckets[key] = Bucket(rate, self._clock)
            return self._buckets[key]
