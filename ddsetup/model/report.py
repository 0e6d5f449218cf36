"""What a command has to say when it is done: one record for text, JSON and exit code alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ddsetup.model.account import Json
from ddsetup.model.change import Outcome, Plan, ResourceId
from ddsetup.model.typed import SPARSE

SCHEMA = "ddsetup/1"

SignalName: TypeAlias = Literal[
    "cloudwatch_metrics",
    "enhanced_metrics",
    "cold_start",
    "durable_executions",
    "logs",
    "traces",
    "custom_metric",
    "forwarder_metrics",
]
SignalStatus: TypeAlias = Literal["arrived", "waiting", "no_traffic", "missing", "unreadable"]
Severity: TypeAlias = Literal["error", "warning", "info"]


_KINDS: Mapping[str, str] = {"api_stage": "API stage", "forwarder": "Forwarder"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Whether one kind of data of one function arrived in Datadog, or of what else was switched on.

    `resource` is what it is about where that is no function: a state machine, a stage of an API, a namespace
    of CloudWatch, a log source, a Forwarder. Then `function` is empty, and so it is for a custom metric.

    `path` tells what carried it: "cloudwatch", "forwarder", "extension" or "" if unknown. `at` is when the
    newest datum was seen, as ISO 8601 in UTC. `reason` explains every status but "arrived".
    """

    function: str
    region: str
    signal: SignalName
    status: SignalStatus
    path: str = ""
    at: str = ""
    reason: str = field(default="", metadata=SPARSE)
    metric: str = field(default="", metadata=SPARSE)
    resource: ResourceId | None = field(default=None, metadata=SPARSE)

    @property
    def subject(self) -> str:
        """What it is about, as people call it."""
        if self.resource is not None:
            return f"{self.kind} {self.resource.name}"
        return self.function or self.metric

    @property
    def kind(self) -> str:
        """What kind of thing that is."""
        if self.resource is not None:
            return _KINDS.get(self.resource.kind, self.resource.kind.replace("_", " "))
        return "function" if self.function else "custom metric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be. `command` can be typed as it stands."""

    check: str
    severity: Severity
    resource: ResourceId
    what: str
    fix: str = ""
    command: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a command. `data` holds what only this command has (e.g. the rows of `status`)."""

    command: str
    exit_code: int = 0
    account: str = ""
    regions: tuple[str, ...] = ()
    plan: Plan = field(default_factory=Plan)
    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    signals: tuple[Signal, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    run: str = ""
    sandbox: bool = False
    next: tuple[str, ...] = ()
    data: Mapping[str, Json] = field(default_factory=dict)
    error: Mapping[str, str] | None = field(default=None, metadata=SPARSE)

    @property
    def undo(self) -> str:
        """The command line that gives back what the run changed; empty where nothing was changed.

        `data` has it where more has to be said than which run: whose, and where runs are remembered.
        """
        return str(self.data.get("undo", f"{undo_of(self.command)} {self.run}")) if self.run else ""

    @property
    def status(self) -> Literal["ok", "partial", "failed"]:
        if self.exit_code in (0, 3):
            return "ok"
        return "partial" if self.exit_code in (5, 6) else "failed"


def undo_of(command: str) -> str:
    """The command that gives back what runs of `command` changed."""
    return "ddsetup org undo" if command.startswith("org ") else "ddsetup undo"


def unproven(signals: Sequence[Signal]) -> tuple[tuple[str, str], ...]:
    """Name and region of what did not run, so that nothing of it can be seen: functions and all else."""
    statuses: dict[tuple[str, str], set[SignalStatus]] = {}
    for signal in signals:
        statuses.setdefault((signal.subject, signal.region), set()).add(signal.status)
    return tuple(place for place, found in statuses.items() if found == {"no_traffic"})


def left_alone(plan: Plan) -> tuple[Outcome, ...]:
    """What a plan does not change, as outcomes with reasons, so that nothing is left out silently."""
    return tuple(
        Outcome(resource=s.resource, status=s.status, reason=s.reason, fix=s.fix, step=s.step)
        for s in plan.skipped
    )
