"""What the doctor knows beyond the snapshot: how the Forwarder does, what arrives, what the logs say.

Immutable records; `gather` fills them. A part that could not be read holds an `Unreadable`, one that was not
looked at is absent or None: neither passes for healthy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.model.account import Function, Json, Role, Unreadable
from ddsetup.model.delivery import Deliveries
from ddsetup.model.points import Points
from ddsetup.model.report import Signal

KeyState: TypeAlias = Literal["valid", "invalid", "malformed", "missing", "deleted", "unknown"]
"""What Datadog says to the API key that something else holds; the key itself is never kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """This machine. `clock_skew` is its clock minus AWS's, in seconds. `endpoints` and `proxies` by variable,
    without passwords. `misfits` are installed libraries of a version that ddsetup does not support."""

    python: str = ""
    misfits: tuple[str, ...] = ()
    clock_skew: float | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """That a function carried Datadog once. `how`: a "run" of ddsetup instrumented it, or a published
    "version" of it still does; `name` is the run's id or the version's number, `at` when that was."""

    how: Literal["run", "version"]
    name: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Something that was left out of a look: `what`, which `items` of it, and `why`. `checks` are those that
    might have said more about it; they passed only as far as they could see."""

    what: str
    items: tuple[str, ...]
    why: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why credentials did not do. `kind`: "aws", "keys" or "unreachable" (Datadog)."""

    kind: Literal["aws", "keys", "unreachable"]
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How far to look. `minutes` back; `deep`: at every log group, role and log. `faults` are those of
    credentials that are known already, `history` what is known of functions that are bare now, by ARN."""

    environ: Mapping[str, str]
    minutes: int = 60
    deep: bool = False
    faults: tuple[Fault, ...] = ()
    history: Mapping[str, Past | Unreadable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderHealth:
    """How one Forwarder does. None: not looked at.

    `counts` are sums of CloudWatch's AWS/Lambda metrics within the window, by metric name, `by_minute` what
    they are sums of. `lines` are the
    newest lines of its log that tell of trouble, without anything secret. `policy_read` tells whether
    `policy` None means "has none".
    """

    reserved: int | Unreadable | None = None
    policy: Json | Unreadable | None = None
    policy_read: bool = False
    counts: Mapping[str, float] | Unreadable = field(default_factory=dict)
    by_minute: Mapping[str, Points] = field(default_factory=dict)
    lines: tuple[str, ...] | Unreadable = ()
    key: KeyState = "unknown"
    key_reason: str = ""
    key_unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIndex:
    """An index of Datadog's logs. `limited`: its daily quota is used up. `exclusions` are the queries of its
    active exclusion filters, with the share that each drops (1.0: all)."""

    name: str
    query: str = ""
    limited: bool = False
    exclusions: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything beyond the snapshot that a check may look at.

    `roles` are execution roles by ARN, `lines` the telling log lines of functions by ARN; only those of
    functions whose data does not arrive were read. `traffic` maps function ARNs to invocations within the
    last `minutes`, None: not looked at. `longest` maps them to their longest run in milliseconds. `unseen` is
    what was left out on purpose, `history` the past of functions that are bare now, by ARN. `published` are
    the versions of functions that an alias leads to, by ARN and version. `states` are functions as one by one
    they tell of themselves, by ARN: lists of functions do not tell their state. `deliveries` are those of
    delivery streams to Datadog, by ARN.
    """

    local: Local = field(default_factory=Local)
    faults: tuple[Fault, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    forwarders: Mapping[str, ForwarderHealth] = field(default_factory=dict)
    roles: Mapping[str, Role | Unreadable | None] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, ...] | Unreadable] = field(default_factory=dict)
    traffic: Mapping[str, float] | Unreadable | None = None
    longest: Mapping[str, float] | Unreadable = field(default_factory=dict)
    minutes: int = 60
    signals: tuple[Signal, ...] = ()
    indexes: tuple[LogIndex, ...] | Unreadable = ()
    exhausted: tuple[str, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    history: Mapping[str, Past | Unreadable] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, Function] | Unreadable] = field(default_factory=dict)
    states: Mapping[str, Function | Unreadable] = field(default_factory=dict)
    deliveries: Mapping[str, Deliveries] = field(default_factory=dict)

    def state_of(self, function: Function) -> Function | Unreadable:
        """The function with its state, if that was looked at; else as it is known."""
        return self.states.get(function.arn, function)

    def fault(self, kind: str) -> Fault | None:
        """The fault of that kind, if there is one."""
        return next((fault for fault in self.faults if fault.kind == kind), None)
