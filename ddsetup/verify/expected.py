"""Which data each function should have in Datadog, and what to make of it when it is not there (yet)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from ddsetup.facts.catalog import family_of
from ddsetup.facts.signals import BY_NAME, CLOUDWATCH_DELAY, FORWARDER_DELAY, KINDS
from ddsetup.facts.variables import is_on
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.clock import hour
from ddsetup.model.report import Signal, SignalName, SignalStatus
from ddsetup.verify.things import Thing

CLOUDWATCH_FIRST = timedelta(minutes=75)
"""A metric that nobody has queried for 30 days is read once an hour until somebody does, which asking for it
here is (adaptive CloudWatch polling guide)."""
STREAM_DELAY = timedelta(minutes=5)
"""A CloudWatch metric stream delivers within two to three minutes (metric streams guide)."""
INVOCATIONS_DELAY = timedelta(minutes=3)
"""How long CloudWatch itself may take to count an invocation."""


SignalKey: TypeAlias = tuple[str, SignalName, str]
"""A function's ARN, the signal, the custom metric's name; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One kind of data that should arrive. `function` is None for a metric that any function may send, and
    for what is expected of another `thing`."""

    signal: SignalName
    function: Function | None = None
    metric: str = ""
    thing: Thing | None = None

    @property
    def key(self) -> SignalKey:
        if self.thing is not None:
            return (f"{self.thing.resource.kind} {self.thing.resource.id}", self.signal, "")
        return (self.function.arn if self.function else "", self.signal, self.metric)

    @property
    def account(self) -> str:
        """Where it is expected from; empty for what any may send."""
        if self.thing is not None:
            return self.thing.resource.account
        return self.function.account if self.function else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one expected signal.

    `path` None: not seen. `invocations` since the start of the window, None: unknown; `settled` tells that
    some of them are older than the usual delay. `fault` is why Datadog could not be asked. `hint` is what
    may explain it. `warm` tells that invocations were seen, and none of them a cold start.
    """

    path: str | None = None
    invocations: float | None = None
    settled: bool = False
    fault: Unreadable | None = None
    hint: str = ""
    warm: bool = False


def expected_signals(
    answers_of: Callable[[str], Answers],
    functions: Sequence[Function],
    custom_metrics: Sequence[str] = (),
    things: Sequence[Thing] = (),
) -> tuple[Expected, ...]:
    """What should arrive, by function and runtime, for the way of monitoring that the answers of its account
    describe; and of what else was switched on."""
    found = [
        Expected(kind.name, function)
        for function in functions
        for kind in KINDS
        if kind.expected(function, answers_of(function.account))
    ]
    found += [Expected("durable_executions", function) for function in functions if function.durable]
    found += [Expected("custom_metric", metric=metric) for metric in custom_metrics]
    return (*found, *(Expected(thing.signal, thing=thing) for thing in things))


def usual_delay(
    signal: SignalName, answers: Answers, *, polled: bool = False, streamed: bool = False
) -> timedelta:
    """How long after an invocation this kind of data usually is there.

    `polled` tells that Datadog is known to read the metrics of CloudWatch there as often as usual,
    `streamed` that a metric stream brings them.
    """
    of_cloudwatch = signal in ("cloudwatch_metrics", "durable_executions")
    if of_cloudwatch and streamed:
        return STREAM_DELAY
    if of_cloudwatch and not polled:
        return CLOUDWATCH_FIRST
    if signal == "forwarder_metrics":
        return FORWARDER_DELAY
    if of_cloudwatch:
        return CLOUDWATCH_DELAY
    # A custom metric comes the way of the library's own.
    return BY_NAME["enhanced_metrics" if signal == "custom_metric" else signal].delay(answers)


def judge(expected: Expected, evidence: Evidence, delay: timedelta, since: datetime, now: datetime) -> Signal:
    """The state of one signal from what is known of it. `since` is the start of the window."""
    if evidence.path is not None:
        return _signal(expected, "arrived", path=evidence.path, at=_iso(now))
    if evidence.fault is not None:
        return _signal(expected, "unreadable", reason=_why_unreadable(evidence.fault))
    young = now - since <= delay
    if evidence.warm and not young:
        return _signal(expected, "no_traffic", reason="every invocation since then ran in a warm environment")
    if evidence.invocations == 0:
        lag = ", which it may do some minutes late" if now - since <= INVOCATIONS_DELAY else ""
        reason = f"CloudWatch counts no {_counted(expected)} since {hour(since)}{lag}"
        return _signal(expected, "no_traffic", reason=reason)
    thing = expected.thing
    if thing is not None and evidence.invocations is None and not (young and thing.countable):
        reason = f"none is there; nothing tells whether there was {thing.idle}"
        return _signal(expected, "no_traffic", reason=reason)
    minutes = int(delay.total_seconds() // 60)
    if young or (evidence.invocations is not None and not evidence.settled):
        reason = f"usually there within {minutes} minutes of {_an(_counted(expected))}"
        return _signal(expected, "waiting", reason=_joined(evidence.hint, reason))
    known = "invoked" if evidence.invocations is not None else "it is unknown whether it was invoked"
    if expected.thing is not None:
        known = f"CloudWatch counts {_an(expected.thing.idle)}"
    reason = f"{known}, and not there after more than the usual {minutes} minutes"
    return _signal(expected, "missing", reason=_joined(evidence.hint, reason))


def _counted(expected: Expected) -> str:
    if expected.thing is not None:
        return expected.thing.idle
    return "durable execution" if expected.signal == "durable_executions" else "invocation"


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def is_pending(signal: Signal, since: datetime, now: datetime) -> bool:
    """Whether it makes sense to go on waiting for this signal.

    Not for a function that is not invoked, once CloudWatch has had the time to count; nor for what a
    missing permission hides, nor for what is long overdue.
    """
    if signal.status == "no_traffic":
        return now - since <= INVOCATIONS_DELAY
    return signal.status == "waiting"


def hint_for(signal: SignalName, function: Function) -> str:
    """What keeps this data of the function back and is the function's own: a setting, or its runtime."""
    kind = BY_NAME.get(signal)
    if kind is not None and kind.switch and not is_on(function.env or {}, kind.switch):
        return f"{kind.switch} is false on the function"
    family = family_of(function.runtime)
    by_library = kind is None or kind.by_library
    if by_library and family is not None and family.name in ("ruby", "custom"):
        return "for this runtime the library has to be called in the function's own code"
    return ""


def _signal(
    expected: Expected, status: SignalStatus, *, path: str = "", at: str = "", reason: str = ""
) -> Signal:
    function, thing = expected.function, expected.thing
    return Signal(
        function=function.name if function else "",
        region=function.region if function else thing.resource.region if thing else "",
        resource=thing.resource if thing else None,
        signal=expected.signal,
        status=status,
        path=path,
        at=at,
        reason=reason,
        metric=expected.metric,
    )


def _why_unreadable(fault: Unreadable) -> str:
    if fault.denied and fault.action:
        return f"the application key lacks the permission {fault.action}"
    return fault.reason


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
