"""What a plan makes arrive each month: what is counted, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.model.account import Lane, Unreadable

DAYS = 7
"""Days that are counted: a week holds working days and others."""
MONTH = 30
"""Days of a month."""

Group: TypeAlias = tuple[Lane, str]
"""A log group by lane and name."""
QuantityName: TypeAlias = Literal[
    "functions",
    "logs_gb",
    "log_events",
    "spans",
    "custom_metrics",
    "forwarder_invocations",
    "metric_updates",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What CloudWatch counted within `DAYS`. Whatever is absent was not asked, or is not known.

    `invocations` by function ARN, `hours` in how many hours each ran. `log_bytes` and `log_events` by log
    group. `unreadable` is why nothing is known of a lane.
    """

    invocations: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, int] = field(default_factory=dict)
    log_bytes: Mapping[Group, float] = field(default_factory=dict)
    log_events: Mapping[Group, float] = field(default_factory=dict)
    unreadable: Mapping[Lane, Unreadable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Amount:
    """How much; None: not known. `at_least`: there is more of it, of which nobody knows how much."""

    value: float | None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """What arrives (or runs) in a month of 30 days, now and after the plan."""

    name: QuantityName
    now: Amount
    after: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A way to less. `saves` says how much of what."""

    what: str
    option: str
    saves: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a plan makes of the traffic that there is.

    `automatic` are log groups that Datadog subscribes beyond those of the chosen functions, `doubled` those
    whose lines arrive more than once afterwards. `unknown` says what could not be counted, and why.
    """

    quantities: tuple[Quantity, ...] = ()
    automatic: tuple[str, ...] = ()
    automatic_gb: float | None = None
    doubled: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    unknown: tuple[str, ...] = ()
