"""State machines log every event with its data to a log group that leads to the Forwarder.

Settings, the name of the log group and the tag are those of Datadog's Step Functions page and of datadog-ci
(`stepfunctions instrument`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ddsetup.facts.services import resource_of
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Plan
from ddsetup.model.services import TRACE_TAG, StateMachine, StateMachineSettings, StateMachineState
from ddsetup.plan.steps.instrument.own_tags import key_of, staying
from ddsetup.plan.steps.instrument.tags import MAX_TAGS, wanted_tags
from ddsetup.plan.steps.sources.delivery import allow_delivery
from ddsetup.plan.steps.sources.reaching import STEP, Planner, Refusal, Way, left_to_its_owner, owner_note
from ddsetup.plan.steps.wording import cannot_see

LEVEL = "ALL"
_LOGGABLE = re.compile(r"[0-9A-Za-z_-]+")
"""Names with which Step Functions can log (API reference, `name` of a state machine)."""


def _refusal(machine: StateMachine, way: Way, _partition: str) -> Refusal | None:
    answers, settings = way.answers, machine.settings
    if not isinstance(settings, StateMachineSettings):
        unread = settings or Unreadable("states:DescribeStateMachine", "not looked at", denied=False)
        return Refusal(cannot_see("how it logs", unread), "grant the permission, then again")
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


def _change(machine: StateMachine, way: Way, group: str) -> Plan:
    before, after = _tags(machine, way)
    settings = machine.known
    state_before = StateMachineState(
        level=settings.level,
        include_execution_data=settings.include_execution_data,
        destinations=settings.destinations,
        tags=before,
    )
    state_after = StateMachineState(
        level=LEVEL,
        include_execution_data=True,
        destinations=settings.destinations or (f"{group}:*",),
        tags=after,
    )
    if state_before == state_after:
        return STEP.keep(resource_of(machine), f"it logs everything to {machine.group}")
    traced = " and makes traces of it" if way.answers.traces else ""
    return STEP.change(
        resource_of(machine),
        state_before,
        state_after,
        f"Datadog gets every event of its executions{traced}",
        note="; ".join(_notes(machine, settings, way)),
    )


def _tags(machine: StateMachine, way: Way) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The owned tags before and after. Nothing is tagged whose tags cannot be read, or beyond AWS's limit."""
    if isinstance(machine.tags, Unreadable):
        return {}, {}
    wanted = dict(wanted_tags(way.answers)) | ({TRACE_TAG: "true"} if way.answers.traces else {})
    has, kept = machine.known_tags, _staying(machine, way)
    fresh = {key: value for key, value in wanted.items() if has.get(key) != value and key not in kept}
    if len({*has, *fresh}) > MAX_TAGS:
        return {}, {}
    return {key: has[key] for key in fresh if key in has}, fresh


def _staying(machine: StateMachine, way: Way) -> dict[str, str]:
    """Its tags that stay as somebody else set them."""
    record = way.applied.get(resource_of(machine))
    after = record.after if record else None
    ours = after.tags if isinstance(after, StateMachineState) else ()
    return staying(machine.known_tags, ours, way.answers)


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
    notes += [
        f"keeps its tag {key}={value}, which somebody else set (--conflict {key_of(key)}=replace sets it)"
        for key, value in _staying(machine, way).items()
    ]
    owned = owner_note(machine.name, machine.tags)
    return [*notes, owned] if owned else notes


PLANNER = Planner(refusal=_refusal, change=_change)
