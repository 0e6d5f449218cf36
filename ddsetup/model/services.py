"""What other services have that is chosen by name, so that Datadog gets its logs: state machines, for one.

Of each kind: what is there, how that is told, and what ddsetup owns of it. What else there is to say of it is
its row in `facts/kinds`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar, TypeAlias

from ddsetup.model.account import Json, Lane, Unreadable, log_group_in
from ddsetup.model.lines import Span, counted

EVERY = ("all", "*")
"""What means every one of a kind."""
TRACE_TAG = "DD_TRACE_ENABLED"
"""The tag of a state machine that has Datadog make traces of its logs (Datadog's Step Functions page)."""

Row: TypeAlias = Mapping[str, Json]
"""One of them as the report of `status` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(ABC):
    """One of them. `TITLES` are those of the table in which `status` shows it."""

    KIND: ClassVar[str]
    TITLES: ClassVar[tuple[str, ...]]
    region: str
    account: str
    tags: Mapping[str, str] | Unreadable = field(default_factory=dict)

    @property
    def lane(self) -> Lane:
        return Lane(self.account, self.region)

    @property
    def known_tags(self) -> Mapping[str, str]:
        """Its tags; none where they cannot be read."""
        return {} if isinstance(self.tags, Unreadable) else self.tags

    @property
    def looked_at(self) -> bool:
        """Whether it is one of its kind, and does not stand for some that were not looked at."""
        return True

    @property
    def offered(self) -> bool:
        """Whether it may be chosen from a list."""
        return True

    @property
    @abstractmethod
    def id(self) -> str:
        """What tells it from all others of its region."""

    @property
    @abstractmethod
    def called(self) -> str:
        """Its name, as people know it."""

    @property
    def answer(self) -> str:
        """What chooses it, and no other of its region."""
        return self.called

    @property
    @abstractmethod
    def log_group(self) -> str:
        """The name of the log group that it is known to write to, empty if there is none."""

    @property
    def group(self) -> str:
        """That log group, or the one that it shall write to; empty if its logs go elsewhere."""
        return self.log_group or self.default_group

    @property
    @abstractmethod
    def default_group(self) -> str:
        """The log group for one that logs nothing yet, so that Datadog knows where it is from."""

    @property
    @abstractmethod
    def logging(self) -> str:
        """How it logs, in a few words."""

    @abstractmethod
    def meant_by(self, pattern: str) -> bool:
        """Whether what somebody gave means this one."""

    @abstractmethod
    def row(self, owner: str) -> Row:
        """What `status` reports of it; `owner` is the deployment tool that owns it."""

    @staticmethod
    @abstractmethod
    def cells(row: Row) -> Sequence[Span]:
        """The row under `TITLES`."""

    @staticmethod
    @abstractmethod
    def told(rows: Sequence[Row]) -> str:
        """How many there are, and how many of them log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachineSettings:
    """What `states:DescribeStateMachine` tells of a state machine's logging. `role` is its IAM role.

    `level` is "ALL", "ERROR", "FATAL" or "OFF"; `destinations` are ARNs of log groups, at most one, each
    ending in `:*`.
    """

    level: str = "OFF"
    include_execution_data: bool = False
    destinations: tuple[str, ...] = ()
    role: str = ""

    @property
    def log_group(self) -> str:
        """The name of the log group that is logged to, empty if none is."""
        return log_group_in(self.destinations[0]) if self.destinations else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine(Service):
    """A state machine of Step Functions. `settings` None: not looked at.

    `type` is "STANDARD" or "EXPRESS". It is chosen by its name or ARN, with globs.
    """

    KIND: ClassVar[str] = "state_machine"
    TITLES: ClassVar[tuple[str, ...]] = ("State machine", "Region", "Logging", "Traces", "Remarks")
    name: str
    arn: str
    type: str = "STANDARD"
    settings: StateMachineSettings | Unreadable | None = None

    @property
    def id(self) -> str:
        return self.arn

    @property
    def called(self) -> str:
        return self.name

    @property
    def known(self) -> StateMachineSettings:
        """Its settings; of no level where they are not known."""
        found = self.settings
        return found if isinstance(found, StateMachineSettings) else StateMachineSettings(level="")

    @property
    def log_group(self) -> str:
        return self.known.log_group

    @property
    def default_group(self) -> str:
        """Its prefix keeps it out of the policy of CloudWatch Logs, whose length is limited."""
        return f"/aws/vendedlogs/states/{self.name}-Logs"

    @property
    def logging(self) -> str:
        said = {"": "its logging cannot be read", "OFF": "logs nothing", "ALL": "logs everything"}
        return said.get(self.known.level, f"logs {self.known.level}")

    def meant_by(self, pattern: str) -> bool:
        return pattern in EVERY or fnmatchcase(self.arn if pattern.startswith("arn:") else self.name, pattern)

    def row(self, owner: str) -> Row:
        unread = self.settings if isinstance(self.settings, Unreadable) else None
        return {
            "state_machine": self.name,
            "region": self.region,
            "type": self.type,
            "level": self.known.level,
            "execution_data": self.known.include_execution_data,
            "log_group": self.log_group,
            "traced": self.known_tags.get(TRACE_TAG) == "true",
            "owner": owner,
            "note": f"cannot be read: {unread.reason}" if unread else "",
        }

    @staticmethod
    def cells(row: Row) -> Sequence[Span]:
        level = f"{row['level']} with data" if row["execution_data"] else row["level"]
        return (
            Span(row["state_machine"]),
            Span(row["region"]),
            Span(level or "?", "good" if row["level"] == "ALL" else ""),
            Span("tag is set" if row["traced"] else "-"),
            _remarks(row["note"], row),
        )

    @staticmethod
    def told(rows: Sequence[Row]) -> str:
        full = sum(row["level"] == "ALL" for row in rows)
        return f"{counted(len(rows), 'state machine')}, {full or 'none'} with logging at ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStage(Service):
    """A stage of an API of API Gateway. `protocol` is "REST", "HTTP" or "WEBSOCKET".

    `destination` is the ARN of the log group or Firehose stream that access logs go to, in `format`.
    `execution_level` is the level of execution logs ("OFF", "ERROR", "INFO") for all of the stage's methods
    or routes; HTTP APIs have none. `stage` empty stands for an API whose stages were not looked at.
    It is chosen by `API/STAGE`, the API by its name or id, with globs.
    """

    KIND: ClassVar[str] = "api_stage"
    TITLES: ClassVar[tuple[str, ...]] = (
        *("API and stage", "Region", "Protocol"),
        *("Access logs", "Execution logs", "Remarks"),
    )
    api_id: str
    api_name: str
    protocol: str
    stage: str
    destination: str = ""
    format: str = ""
    execution_level: str = "OFF"

    @property
    def looked_at(self) -> bool:
        return bool(self.stage)

    @property
    def offered(self) -> bool:
        return self.protocol in ("REST", "HTTP")

    @property
    def id(self) -> str:
        """The API's id and the stage, `a1b2c3/prod`: names of APIs may be the same."""
        return f"{self.api_id}/{self.stage}"

    @property
    def called(self) -> str:
        return f"{self.api_name}/{self.stage}"

    @property
    def answer(self) -> str:
        return self.id

    @property
    def log_group(self) -> str:
        """That of its access logs, empty if they go elsewhere or nowhere."""
        return log_group_in(self.destination)

    @property
    def default_group(self) -> str:
        """The `$` of `$default` is no character for it."""
        return "" if self.destination else f"api-gateway/{self.api_id}/{self.stage.replace('$', '')}"

    @property
    def logging(self) -> str:
        return "has access logs" if self.destination else f"{self.protocol}, no access logs"

    def meant_by(self, pattern: str) -> bool:
        """Of an API whose stages were not looked at: whether one of these may be meant."""
        names = (self.called, self.id)
        if not self.looked_at:
            names, pattern = (self.api_name, self.api_id), pattern.partition("/")[0]
        return pattern in EVERY or any(fnmatchcase(name, pattern) for name in names)

    def row(self, owner: str) -> Row:
        return {
            "api": self.api_name,
            "api_id": self.api_id,
            "protocol": self.protocol,
            "stage": self.stage,
            "region": self.region,
            "access_logs": self.destination,
            "execution_level": self.execution_level,
            "owner": owner,
        }

    @staticmethod
    def cells(row: Row) -> Sequence[Span]:
        return (
            Span(f"{row['api']}/{row['stage']}"),
            Span(row["region"]),
            Span(row["protocol"]),
            Span("yes" if row["access_logs"] else "-", "good" if row["access_logs"] else ""),
            Span(row["execution_level"]),
            _remarks(row["api_id"], row),
        )

    @staticmethod
    def told(rows: Sequence[Row]) -> str:
        logged = sum(bool(row["access_logs"]) for row in rows)
        executed = sum(row["execution_level"] != "OFF" for row in rows)
        more = f", {executed} with execution logs" if executed else ""
        return f"{counted(len(rows), 'API stage')}, {logged or 'none'} with access logs{more}"


SERVICE_KINDS: Mapping[str, type[Service]] = {cls.KIND: cls for cls in (StateMachine, ApiStage)}


def _remarks(first: str, row: Row) -> Span:
    owned = f"managed by {row['owner']}" if row["owner"] else ""
    return Span("; ".join(part for part in (first, owned) if part), "dim")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachineState:
    """How a state machine logs, and those of its tags that ddsetup owns.

    `destinations` are ARNs of log groups as Step Functions has them, at most one, ending in `:*`.
    """

    KIND: ClassVar[str] = "state_machine"
    level: str = "OFF"
    include_execution_data: bool = False
    destinations: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStageState:
    """Where the access logs of an API's stage go, and their format; both empty: there are none.

    `api` is the API's name, `protocol` "REST" or "HTTP"; neither is ever changed.
    """

    KIND: ClassVar[str] = "api_stage"
    api: str
    protocol: str
    destination: str = ""
    format: str = ""


ServiceState: TypeAlias = StateMachineState | ApiStageState
