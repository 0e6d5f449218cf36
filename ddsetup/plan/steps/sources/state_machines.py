"""State machines log every event with its data to a log group that leads to the Forwarder.

Settings, the name of the log group and the tag are those of Datadog's Step Functions page and of datadog-ci
(`stepfunctions instrument`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ddsetup.facts.services import STATES, TRACE_TAG, tags_of
from ddsetup.model.account import StateMachine, StateMachineSettings, Unreadable
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.states import StateMachineState
from ddsetup.plan.steps.instrument.tags import MAX_TAGS, wanted_tags
from ddsetup.plan.steps.sources.delivery import allow_delivery
from ddsetup.plan.steps.sources.reaching import (
    STEP,
    Refusal,
    Way,
    group_arn,
    left_alone,
    left_to_its_owner,
    made_group,
    owner_note,
    subscribed,
    waits_for,
)
from ddsetup.plan.steps.wording import cannot_see

LEVEL = "ALL"
_LOGGABLE = re.compile(r"[0-9A-Za-z_-]+")
"""Names with which Step Functions can log (API reference, `name` of a state machine)."""


def machine_resource(machine: StateMachine) -> ResourceId:
    """A state machine as a resource."""
    return ResourceId("state_machine", machine.arn, machine.region, machine.account)


def default_group(name: str) -> str:
    """The log group of a state machine that logs nothing yet. Its prefix keeps it out of the policy of
    CloudWatch Logs, whose length is limited, and tells the Forwarder where it is from."""
    return f"/aws/vendedlogs/states/{name}-Logs"


def plan_machine(machine: StateMachine, way: Way | Refusal, partition: str) -> Plan:
    """What is changed about one state machine, or why it is left alone."""
    if isinstance(way, Refusal):
        return left_alone(machine_resource(machine), way)
    settings = machine.settings
    if not isinstance(settings, StateMachineSettings):
        unread = settings or Unreadable("states:DescribeStateMachine", "not looked at", denied=False)
        reason = cannot_see("how it logs", unread)
        return left_alone(machine_resource(machine), Refusal(reason, "grant the permission, then again"))
    refusal = _refusal(machine, settings, way)
    if refusal:
        return left_alone(machine_resource(machine), refusal)
    name = settings.log_group or default_group(machine.name)
    group = made_group(name, way)
    if isinstance(group, Refusal):
        return left_alone(machine_resource(machine), group)
    filters = subscribed(name, STATES, way, group)
    if isinstance(filters, Refusal):
        return left_alone(machine_resource(machine), filters)
    change = _change(machine, settings, way, f"{group_arn(name, way.at, partition)}:*")
    if change is None:
        return group + filters + _unchanged(machine, name)
    needs = (*(made.resource for made in group.changes), *waits_for(way))
    return group + filters + Plan(changes=(replace(change, needs=needs),))


def _refusal(machine: StateMachine, settings: StateMachineSettings, way: Way) -> Refusal | None:
    answers = way.answers
    if not answers.logs and not answers.traces:
        return Refusal("neither logs nor traces are wanted", "leave out --no-logs or --no-traces")
    owned = left_to_its_owner(machine.name, machine.tags, answers)
    if owned:
        return owned
    if not _LOGGABLE.fullmatch(machine.name):
        return Refusal("its name has characters with which Step Functions cannot log", "make it anew")
    if not settings.destinations and way.lane.log_delivery.get(settings.role) == "denied":
        return Refusal("its role may not deliver logs", allow_delivery(settings.role))
    return None


def _change(
    machine: StateMachine, settings: StateMachineSettings, way: Way, destination: str
) -> Change | None:
    before, after = _tags(machine, way)
    state_before = StateMachineState(
        level=settings.level,
        include_execution_data=settings.include_execution_data,
        destinations=settings.destinations,
        tags=before,
    )
    state_after = StateMachineState(
        level=LEVEL,
        include_execution_data=True,
        destinations=settings.destinations or (destination,),
        tags=after,
    )
    if state_before == state_after:
        return None
    traced = " and makes traces of it" if way.answers.traces else ""
    return Change(
        step=STEP,
        resource=machine_resource(machine),
        before=state_before,
        after=state_after,
        why=f"Datadog gets every event of its executions{traced}",
        note="; ".join(_notes(machine, settings, way)),
    )


def _tags(machine: StateMachine, way: Way) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The owned tags before and after. Nothing is tagged whose tags cannot be read, or beyond AWS's limit."""
    if isinstance(machine.tags, Unreadable):
        return {}, {}
    wanted = dict(wanted_tags(way.answers)) | ({TRACE_TAG: "true"} if way.answers.traces else {})
    has = tags_of(machine)
    fresh = {key: value for key, value in wanted.items() if has.get(key) != value}
    if len({*has, *fresh}) > MAX_TAGS:
        return {}, {}
    return {key: has[key] for key in fresh if key in has}, fresh


def _notes(machine: StateMachine, settings: StateMachineSettings, way: Way) -> list[str]:
    notes = []
    if not settings.include_execution_data:
        notes.append("its log will hold the inputs and outputs of executions")
    if settings.level == "OFF":
        notes.append("AWS bills what it logs as vended logs")
    unknown = way.lane.log_delivery.get(settings.role, "unknown") == "unknown"
    if not settings.destinations and unknown:
        notes.append("whether its role may deliver logs is unknown; if not, Step Functions refuses this")
    if isinstance(machine.tags, Unreadable) and way.answers.traces:
        notes.append(f"it gets no tag {TRACE_TAG}")
    owned = owner_note(machine.name, machine.tags)
    return [*notes, owned] if owned else notes


def _unchanged(machine: StateMachine, group: str) -> Plan:
    reason = f"it logs everything to {group}"
    return STEP.keep(machine_resource(machine), reason)
