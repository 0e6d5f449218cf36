"""Which data each function should have in Datadog, and what to make of it when it is not there (yet)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from ddsetup.facts.catalog import family_of
from ddsetup.facts.recognise import active_vendor, stays_as_it_starts
from ddsetup.facts.variables import is_on
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.report import Signal, SignalName, SignalStatus

CLOUDWATCH_DELAY = timedelta(minutes=25)
"""Datadog crawls CloudWatch every 10 minutes, after up to 10 for a new account (cloud metric delay guide)."""
CLOUDWATCH_FIRST = timedelta(minutes=75)
"""A metric that nobody has queried for 30 days is read once an hour until somebody does, which asking for it
here is (adaptive CloudWatch polling guide)."""
STREAM_DELAY = timedelta(minutes=5)
"""A CloudWatch metric stream delivers within two to three minutes (metric streams guide)."""
FORWARDER_DELAY = timedelta(minutes=5)
"""The Forwarder takes one to two minutes; Datadog's first automatic subscription some more."""
EXTENSION_DELAY = timedelta(minutes=3)
"""The Extension sends within seconds."""
INVOCATIONS_DELAY = timedelta(minutes=3)
"""How long CloudWatch itself may take to count an invocation."""


SignalKey: TypeAlias = tuple[str, SignalName, str]
"""A function's ARN, the signal, the custom metric's name; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One kind of data that should arrive. `function` is None for a metric that any function may send."""

    signal: SignalName
    function: Function | None = None
    metric: str = ""

    @property
    def key(self) -> SignalKey:
        return (self.function.arn if self.function else "", self.signal, self.metric)


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
    answers: Answers, functions: Sequence[Function], custom_metrics: Sequence[str] = ()
) -> tuple[Expected, ...]:
    """What should arrive, by function and runtime, for the way of monitoring that the answers describe.

    Without the Extension, the libraries for Java, .NET and custom runtimes report nothing, and ddsetup
    cannot put a library into a container image: of those only logs and CloudWatch metrics are expected; and
    where the library cannot be put before the handler, no traces.
    """
    found = [Expected(signal, f) for f in functions for signal in _signals_of(f, answers)]
    return (*found, *(Expected("custom_metric", metric=metric) for metric in custom_metrics))


def _signals_of(function: Function, answers: Answers) -> Iterator[SignalName]:
    yield "cloudwatch_metrics"
    if reports(function, answers):
        if answers.enhanced_metrics:
            yield "enhanced_metrics"
            yield "cold_start"
        if answers.traces and not stays_as_it_starts(function):
            yield "traces"
    forwarded = answers.forwards
    if answers.logs and (forwarded or reports(function, answers)):
        yield "logs"


def reports(function: Function, answers: Answers) -> bool:
    """Whether something in the function itself reports to Datadog: a library, or the Extension."""
    if function.package_type == "Image" or active_vendor(function):
        return False
    if answers.via == "forwarder" and stays_as_it_starts(function):
        return False
    family = family_of(function.runtime)
    return family is not None and (answers.via == "extension" or family.forwarder)


def usual_delay(
    signal: SignalName, answers: Answers, *, polled: bool = False, streamed: bool = False
) -> timedelta:
    """How long after an invocation this kind of data usually is there.

    `polled` tells that Datadog is known to read the metrics of CloudWatch there as often as usual,
    `streamed` that a metric stream brings them.
    """
    if signal == "cloudwatch_metrics":
        if streamed:
            return STREAM_DELAY
        return CLOUDWATCH_DELAY if polled else CLOUDWATCH_FIRST
    return EXTENSION_DELAY if answers.via == "extension" else FORWARDER_DELAY


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
        reason = f"CloudWatch counts no invocation since {_clock(since)}{lag}"
        return _signal(expected, "no_traffic", reason=reason)
    minutes = int(delay.total_seconds() // 60)
    if young or (evidence.invocations is not None and not evidence.settled):
        reason = f"usually there within {minutes} minutes of an invocation"
        return _signal(expected, "waiting", reason=_joined(evidence.hint, reason))
    known = "invoked" if evidence.invocations is not None else "it is unknown whether it was invoked"
    reason = f"{known}, and not there after more than the usual {minutes} minutes"
    return _signal(expected, "missing", reason=_joined(evidence.hint, reason))


def is_pending(signal: Signal, since: datetime, now: datetime) -> bool:
    """Whether it makes sense to go on waiting for this signal.

    Not for a function that is not invoked, once CloudWatch has had the time to count; nor for what a
    missing permission hides, nor for what is long overdue.
    """
    if signal.status == "no_traffic":
        return now - since <= INVOCATIONS_DELAY
    return signal.status == "waiting"


def hint_for(signal: SignalName, function: Function) -> str:
    """A setting of the function's own that keeps this data back, if it has one."""
    name = _SWITCHES.get(signal, "")
    env: Mapping[str, str] = function.env or {}
    if name and not is_on(env, name):
        return f"{name} is false on the function"
    family = family_of(function.runtime)
    if signal != "logs" and family is not None and family.name in ("ruby", "custom"):
        return "for this runtime the library has to be called in the function's own code"
    return ""


_SWITCHES: Mapping[SignalName, str] = {
    "enhanced_metrics": "DD_ENHANCED_METRICS",
    "cold_start": "DD_ENHANCED_METRICS",
    "traces": "DD_TRACE_ENABLED",
}


def _signal(
    expected: Expected, status: SignalStatus, *, path: str = "", at: str = "", reason: str = ""
) -> Signal:
    function = expected.function
    return Signal(
        function=function.name if function else "",
        region=function.region if function else "",
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


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M UTC")
