"""What is to be proven, and what the looks so far have found out of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from ddsetup.facts.searches import datadog_name
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.report import Signal, SignalName
from ddsetup.verify.expected import Expected, SignalKey, expected_signals, is_pending
from ddsetup.verify.things import Thing

Count: TypeAlias = Callable[[Sequence[tuple[Thing, int]]], Mapping[tuple[Thing, int], float]]
"""How much went on of each thing in its number of minutes, by CloudWatch, as far as it knows."""

About: TypeAlias = Callable[[Expected], bool]
"""Whether a question is about what is expected."""

Traffic: TypeAlias = Callable[[Lane, Sequence[str], int], Mapping[str, float] | Unreadable]
"""How often each of the named functions of a lane ran in the last so many minutes."""
Found: TypeAlias = Mapping[SignalKey, str]
"""The path of each signal that was seen in one answer."""


def _nobody_counts(_wanted: Sequence[tuple[Thing, int]]) -> Mapping[tuple[Thing, int], float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is to be proven: the data of these functions, monitored as the answers say, since a moment.

    What is older than `since` is no proof. `awaited` tells that somebody makes traffic of functions, also of
    those that did not run of late. `streamed` are the places whose CloudWatch metrics come by a stream.
    `things` are what else was switched on, and `count` tells what went on there. `differing` are the answers
    of accounts where they are others, `others` the names of functions there that are not watched.
    """

    functions: tuple[Function, ...]
    answers: Answers
    since: datetime
    custom_metrics: tuple[str, ...] = ()
    awaited: bool = False
    streamed: frozenset[Lane] = frozenset()
    things: tuple[Thing, ...] = ()
    count: Count = field(default=_nobody_counts, repr=False)
    differing: Mapping[str, Answers] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def answers_of(self, account: str) -> Answers:
        """How an account is monitored."""
        return self.differing.get(account, self.answers)

    def expected(self) -> tuple[Expected, ...]:
        """What should arrive, in the order in which it is told."""
        return expected_signals(self.answers_of, self.functions, self.custom_metrics, self.things)

    def by_account(self, signals: Sequence[Signal]) -> Mapping[str, Sequence[Signal]]:
        """All signals as they were told, by the account that they are of; what any may send is of all."""
        told = list(zip(self.expected(), signals, strict=True))
        found: dict[str, list[Signal]] = {e.account: [] for e, _ in told if e.account}
        for expected, signal in told:
            for account in (expected.account,) if expected.account else tuple(found):
                found[account].append(signal)
        return found

    def wanting(self, signals: Sequence[Signal]) -> frozenset[str]:
        """The ARNs of the functions of which something is not there, by all signals as they were told."""
        told = zip(self.expected(), signals, strict=True)
        without = (e.function for e, signal in told if signal.status not in ("arrived", "unreadable"))
        return frozenset(function.arn for function in without if function is not None)


def others_than(watched: Iterable[Function], there: Iterable[Function]) -> frozenset[str]:
    """The names of those of the functions `there` that are not watched: theirs may be data of namesakes."""
    arns = {function.arn for function in watched}
    return frozenset(function.name for function in there if function.arn not in arns)


@dataclass(slots=True)
class Progress:
    """What the looks so far have found out.

    `namesakes` are the watched functions by their name in Datadog; `ran` the ARNs of those that something
    arrived of, `silent` of those whose library sends nothing. `retry` is the number of seconds after which
    to repeat what failed for the moment, 0 if nothing did. `polled` are the places whose CloudWatch metrics
    are known to be read as often as usual, `went_on` what was counted of a thing in so many minutes, `lively`
    the ARNs of those idle since the start that ran within the hour before, by place.
    """

    watch: Watch
    expected: tuple[Expected, ...]
    namesakes: Mapping[str, Sequence[Function]]
    arrived: dict[SignalKey, Signal] = field(default_factory=dict)
    denied: dict[SignalKey, Unreadable] = field(default_factory=dict)
    faults: dict[SignalKey, Unreadable] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    retry: float = 0.0
    traffic_at: float = -math.inf
    totals: dict[str, float] = field(default_factory=dict)
    recent: dict[tuple[str, timedelta], float] = field(default_factory=dict)
    went_on: dict[tuple[Thing, int], float] = field(default_factory=dict)
    polled: set[Lane] = field(default_factory=set)
    lively: dict[Lane, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, watch: Watch) -> Progress:
        """Nothing asked yet."""
        namesakes: dict[str, list[Function]] = {}
        for function in watch.functions:
            namesakes.setdefault(datadog_name(function.name), []).append(function)
        return cls(watch, watch.expected(), namesakes)

    def left(self, about: About) -> list[Expected]:
        """What is still to be asked for: not seen yet, and not refused for good."""
        return [
            e for e in self.expected if about(e) and e.key not in self.arrived and e.key not in self.denied
        ]

    def goes_on(self, signals: Sequence[Signal], now: datetime) -> bool:
        """Whether it makes sense to go on waiting: not for functions that nobody calls."""
        return any(
            is_pending(signal, self.watch.since, now)
            for expected, signal in zip(self.expected, signals, strict=True)
            if signal.status != "no_traffic" or self._may_run(expected)
        )

    def _may_run(self, expected: Expected) -> bool:
        if expected.thing is not None:
            return self.watch.awaited and expected.thing.by_functions
        if self.watch.awaited:
            return True
        if expected.function is None:
            return any(self.lively.values())
        return expected.function.arn in self.lively.get(expected.function.lane, ())

    def has(self, function: Function, signal: SignalName) -> bool:
        return (function.arn, signal, "") in self.arrived
