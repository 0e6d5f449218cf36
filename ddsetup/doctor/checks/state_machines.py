"""State machines of which traces are wanted: do they log all that Datadog needs, and does it get there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ddsetup.doctor.checks.case import Case, Place
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.facts.services import STATES, resource_of
from ddsetup.model.account import Integration, Lane, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.services import TRACE_TAG, StateMachine
from ddsetup.plan.steps.sources.state_machines import LEVEL

GUIDE = "https://docs.datadoghq.com/serverless/step_functions/troubleshooting/"
MOST_GROUPS = 20
_READ = ("states:ListStateMachines", "states:DescribeStateMachine", "tag:GetResources")
check = Checks("collection")


def _meant(case: Case) -> Iterator[tuple[Place, StateMachine]]:
    """Those that were chosen, and those whose tag says that traces are wanted of them."""
    patterns = case.answers.state_machines
    for place in case.places:
        found = place.lane.listed(StateMachine)
        for machine in () if isinstance(found, Unreadable) else found:
            chosen = any(machine.meant_by(pattern) for pattern in patterns)
            if chosen or machine.known_tags.get(TRACE_TAG) == "true":
                yield place, machine


def _setup(machine: StateMachine) -> str:
    return f"ddsetup setup --region {machine.region} --state-machine {machine.name}"


@check(
    "state-machine-logging",
    "state machines that are traced log every event with its data",
    "warning",
    needs=_READ,
    link=GUIDE,
)
def logging(case: Case) -> Iterator[Result]:
    """Datadog makes traces of a state machine's log. What is not logged is missing in them: the level must be
    ALL, with execution data."""
    for place in case.places:
        found = place.lane.listed(StateMachine)
        if isinstance(found, Unreadable) and case.answers.state_machines:
            yield Blind(ResourceId("state_machine", "*", place.at.region, place.at.account), found)
    for _, machine in _meant(case):
        settings = machine.settings
        if isinstance(settings, Unreadable):
            yield Blind(resource_of(machine), settings)
        elif settings is not None and (settings.level != LEVEL or not settings.include_execution_data):
            data = "" if settings.level != LEVEL else ", without execution data"
            yield Problem(
                resource=resource_of(machine),
                what=f"its log level is {settings.level}{data}",
                fix="let it log everything",
                command=_setup(machine),
                about=frozenset({machine.arn}),
            )


@check(
    "state-machine-source",
    "logs of state machines that are traced reach the Forwarder",
    "warning",
    needs=("aws_configuration_read", "logs:DescribeSubscriptionFilters", *_READ),
    link=GUIDE,
    proves="log source",
)
def source(case: Case) -> Iterator[Result]:
    """The log source `states` is switched off, so Datadog does not subscribe what state machines log to, and
    no other filter leads it to the Forwarder."""
    for place, machine, group in _unsubscribed(case):
        filters = place.filters_of(group)
        if isinstance(filters, Unreadable):
            yield Blind(resource_of(machine), filters)
        elif filters is not None and not place.leads_here(group):
            yield Problem(
                resource=resource_of(machine),
                what=f"nothing leads its log group {group} to the Forwarder",
                fix=f"switch the log source {STATES} on",
                command=_setup(machine),
                about=frozenset({machine.arn}),
            )


def groups_in_doubt(case: Case) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters have to be read to tell; a few of them, as each takes a call."""
    found: dict[Lane, dict[str, None]] = {}
    for place, _, group in _unsubscribed(case):
        found.setdefault(place.at, {})[group] = None
    return {lane: tuple(groups)[:MOST_GROUPS] for lane, groups in found.items()}


def _unsubscribed(case: Case) -> Iterator[tuple[Place, StateMachine, str]]:
    """State machines that log, and their log groups, where Datadog does not subscribe these by itself."""
    for place, machine in _meant(case):
        live = case.snapshot.accounts[machine.account].integration
        logs = machine.log_group
        if logs and isinstance(live, Integration) and STATES not in live.sources:
            yield place, machine, logs
