"""What else of an account has logs for Datadog: state machines and API stages, as rows, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ddsetup.facts.ownership import owner_of
from ddsetup.model.account import ApiStage, StateMachine, StateMachineSettings, Unreadable
from ddsetup.model.lines import counted
from ddsetup.model.snapshot import LaneSnapshot, Snapshot

TRACE_TAG = "DD_TRACE_ENABLED"
"""The tag of a state machine that has Datadog make traces of its logs (Datadog's Step Functions page)."""

STATES, ACCESS_LOGS, EXECUTION_LOGS = "states", "apigw-access-logs", "apigw-execution-logs"
"""Datadog's ids of the log sources (`GET /api/v2/integration/aws/logs/services`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachineRow:
    """One state machine. `level` is empty where it was not looked at; `traced`: it has the tag for traces."""

    state_machine: str
    region: str
    type: str
    level: str = ""
    execution_data: bool = False
    log_group: str = ""
    traced: bool = False
    owner: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStageRow:
    """One stage of an API. `access_logs` is the ARN that they go to, empty if there are none."""

    api: str
    api_id: str
    protocol: str
    stage: str
    region: str
    access_logs: str = ""
    execution_level: str = "OFF"
    owner: str = ""


def state_machine_rows(snapshot: Snapshot) -> tuple[StateMachineRow, ...]:
    """A row for every state machine that could be listed."""
    return tuple(_machine_row(machine) for machine in state_machines(snapshot))


def api_stage_rows(snapshot: Snapshot) -> tuple[ApiStageRow, ...]:
    """A row for every stage that could be listed."""
    return tuple(_stage_row(stage) for stage in api_stages(snapshot))


def state_machines(snapshot: Snapshot) -> tuple[StateMachine, ...]:
    """All state machines that could be listed, in the order of lanes."""
    lanes = (snapshot.lanes[lane].state_machines for lane in sorted(snapshot.lanes))
    return tuple(m for found in lanes if not isinstance(found, Unreadable) for m in found)


def api_stages(snapshot: Snapshot) -> tuple[ApiStage, ...]:
    """All stages that could be listed, in the order of lanes."""
    return tuple(stage for stage in _listed_apis(snapshot) if stage.stage)


def unread_apis(snapshot: Snapshot) -> tuple[ApiStage, ...]:
    """The APIs whose stages were not looked at."""
    return tuple(stage for stage in _listed_apis(snapshot) if not stage.stage)


def _listed_apis(snapshot: Snapshot) -> Iterable[ApiStage]:
    lanes = (snapshot.lanes[lane].api_stages for lane in sorted(snapshot.lanes))
    return (s for found in lanes if not isinstance(found, Unreadable) for s in found)


def source_groups(lane: LaneSnapshot) -> tuple[str, ...]:
    """The log groups that the state machines and stages of a lane are known to write to."""
    machines = () if isinstance(lane.state_machines, Unreadable) else lane.state_machines
    stages = () if isinstance(lane.api_stages, Unreadable) else lane.api_stages
    settings = (machine.settings for machine in machines)
    groups = [held.log_group for held in settings if isinstance(held, StateMachineSettings)]
    return tuple(dict.fromkeys(name for name in (*groups, *(s.log_group for s in stages)) if name))


def state_machines_text(rows: Iterable[Mapping[str, object]]) -> str:
    """`3 state machines, 1 with logging at ALL`, from rows as `status` has them."""
    held = list(rows)
    full = sum(row["level"] == "ALL" for row in held)
    return f"{counted(len(held), 'state machine')}, {full or 'none'} with logging at ALL"


def api_stages_text(rows: Iterable[Mapping[str, object]]) -> str:
    """`2 API stages, 1 with access logs`, from rows as `status` has them."""
    held = list(rows)
    logged = sum(bool(row["access_logs"]) for row in held)
    executed = sum(row["execution_level"] != "OFF" for row in held)
    more = f", {executed} with execution logs" if executed else ""
    return f"{counted(len(held), 'API stage')}, {logged or 'none'} with access logs{more}"


def tags_of(machine: StateMachine) -> Mapping[str, str]:
    """Its tags; none where they cannot be read."""
    return {} if isinstance(machine.tags, Unreadable) else machine.tags


def _machine_row(machine: StateMachine) -> StateMachineRow:
    tags = tags_of(machine)
    owned_by = owner_of(machine.name, tags)
    row = StateMachineRow(
        state_machine=machine.name,
        region=machine.region,
        type=machine.type,
        traced=tags.get(TRACE_TAG) == "true",
        owner=str(owned_by) if owned_by else "",
        note=f"cannot be read: {machine.settings.reason}" if isinstance(machine.settings, Unreadable) else "",
    )
    return row if not isinstance(machine.settings, StateMachineSettings) else _logged(row, machine.settings)


def _logged(row: StateMachineRow, settings: StateMachineSettings) -> StateMachineRow:
    return replace(
        row,
        level=settings.level,
        execution_data=settings.include_execution_data,
        log_group=settings.log_group,
    )


def _stage_row(stage: ApiStage) -> ApiStageRow:
    owned_by = owner_of(stage.api_name, stage.tags)
    return ApiStageRow(
        api=stage.api_name,
        api_id=stage.api_id,
        protocol=stage.protocol,
        stage=stage.stage,
        region=stage.region,
        access_logs=stage.destination,
        execution_level=stage.execution_level,
        owner=str(owned_by) if owned_by else "",
    )
