"""State machines of which traces are wanted: do they log all that Datadog needs, and does it get there."""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.change import ResourceId
from ddsetup.checks.case import Case
from ddsetup.checks.check import Blind, Problem, Result, check
from ddsetup.model import Integration, LaneSnapshot, StateMachine, StateMachineSettings, Unreadable
from ddsetup.select_sources import matches_machine
from ddsetup.sources import STATES, TRACE_TAG, tags_of
from ddsetup.steps.sources.state_machines import LEVEL, machine_resource

GUIDE = "https://docs.datadoghq.com/serverless/step_functions/troubleshooting/"
_READ = ("states:ListStateMachines", "states:DescribeStateMachine", "tag:GetResources")


def _meant(case: Case) -> Iterator[tuple[LaneSnapshot, StateMachine]]:
    """Those that were chosen, and those whose tag says that traces are wanted of them."""
    patterns = case.answers.state_machines
    for place in case.places:
        found = place.lane.state_machines
        for machine in () if isinstance(found, Unreadable) else found:
            chosen = any(matches_machine(machine, pattern) for pattern in patterns)
            if chosen or tags_of(machine).get(TRACE_TAG) == "true":
                yield place.lane, machine


def _setup(machine: StateMachine) -> str:
    return f"ddsetup setup --region {machine.region} --state-machine {machine.name}"


@check(
    "state-machine-logging",
    "state machines that are traced log every event with its data",
    "collection",
    "warning",
    needs=_READ,
    link=GUIDE,
)
def logging(case: Case) -> Iterator[Result]:
    """Datadog makes traces of a state machine's log. What is not logged is missing in them: the level must be
    ALL, with execution data."""
    for place in case.places:
        if isinstance(place.lane.state_machines, Unreadable) and case.answers.state_machines:
            where = ResourceId("state_machine", "*", place.at.region, place.at.account)
            yield Blind(where, place.lane.state_machines)
    for _, machine in _meant(case):
        settings = machine.settings
        if isinstance(settings, Unreadable):
            yield Blind(machine_resource(machine), settings)
        elif settings is not None and (settings.level != LEVEL or not settings.include_execution_data):
            data = "" if settings.level != LEVEL else ", without execution data"
            yield Problem(
                resource=machine_resource(machine),
                what=f"its log level is {settings.level}{data}",
                fix="let it log everything",
                command=_setup(machine),
                about=frozenset({machine.arn}),
            )


@check(
    "state-machine-source",
    "logs of state machines that are traced reach the Forwarder",
    "collection",
    "warning",
    needs=("aws_configuration_read", *_READ),
    link=GUIDE,
    because_of=("integration-exists", "forwarder-registered"),
)
def source(case: Case) -> Iterator[Result]:
    """The log source `states` is switched off, so Datadog does not subscribe what state machines log to, and no
    other filter is known to lead it to the Forwarder."""
    for lane, machine in _meant(case):
        live = case.snapshot.accounts[machine.account].integration
        settings = machine.settings
        if not isinstance(live, Integration) or not isinstance(settings, StateMachineSettings):
            continue
        if STATES in live.sources or not settings.log_group:
            continue
        filters = lane.filters.get(settings.log_group)
        if filters is None or isinstance(filters, Unreadable) or not filters:
            yield Problem(
                resource=machine_resource(machine),
                what=f"the log source {STATES} is not switched on, and no filter of its log group is known",
                fix="switch it on",
                command=_setup(machine),
                about=frozenset({machine.arn}),
            )


CHECKS = (logging, source)
