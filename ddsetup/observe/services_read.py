"""A closer look at the state machines and stages of APIs that are chosen: what has no bulk call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ddsetup.facts.kinds import DELIVER_LOGS
from ddsetup.facts.services import ACCESS_LOGS, STATES, unread_apis
from ddsetup.gateways.aws import apis, logs, permissions, states
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import all_of, each
from ddsetup.model.account import (
    ApiStage,
    Integration,
    Lane,
    StateMachine,
    StateMachineSettings,
    SubscriptionFilter,
    Unreadable,
)
from ddsetup.model.answers import Answers
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select_services import chosen_api_stages, chosen_state_machines, matches_api

_AT_ONCE = 8
_DELIVER = tuple(action for action in DELIVER_LOGS if action in permissions.WITHOUT_RESOURCES)
"""The simulator cannot be asked about logs:DescribeLogGroups without naming log groups."""


def source_reads(aws: Aws, lane: Lane) -> Mapping[str, Callable[[], Any]]:
    """How the fields of a LaneSnapshot about other sources are read, in bulk as far as AWS lets it."""
    return {
        "state_machines": lambda: states.list_state_machines(aws, lane),
        "api_stages": lambda: apis.list_api_stages(aws, lane),
    }


def look_at_sources(aws: Aws, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """Add what a plan for the chosen state machines and stages depends on; nothing where none is chosen.

    Settings of those beyond the first hundred, whether their roles may deliver logs, the role by which API
    Gateway logs, and the subscription filters of their log groups, unless Datadog sees to these already.
    """
    snapshot = _with_chosen_apis(aws, snapshot, answers)
    machines, stages = chosen_state_machines(snapshot, answers), chosen_api_stages(snapshot, answers)
    lanes = dict.fromkeys((*(m.lane for m in machines), *(s.lane for s in stages)))

    def look(lane: Lane) -> LaneSnapshot:
        of_lane = each(partial(_described, aws), (m for m in machines if m.lane == lane), _AT_ONCE)
        here = [s for s in stages if s.lane == lane]
        held = _with_machines(snapshot.lanes[lane], of_lane)
        groups = (
            *(() if _subscribed(snapshot, answers, lane, STATES) else _groups_of_machines(of_lane)),
            *(() if _subscribed(snapshot, answers, lane, ACCESS_LOGS) else _groups_of_stages(here)),
        )
        return replace(
            held,
            log_delivery={**held.log_delivery, **_delivery(aws, of_lane)},
            api_log_role=apis.api_log_role(aws, lane) if here else held.api_log_role,
            filters={**held.filters, **_filters(aws, held, groups)},
        )

    seen = zip(lanes, each(look, lanes), strict=True)
    return replace(snapshot, lanes={**snapshot.lanes, **dict(seen)})


def _with_chosen_apis(aws: Aws, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """With the stages of those APIs that were too many to look at, as far as they are chosen."""
    left = [a for a in unread_apis(snapshot) if any(matches_api(a, p) for p in answers.api_stages)]
    lanes = dict.fromkeys(api.lane for api in left)

    def look(lane: Lane) -> LaneSnapshot:
        here = [api for api in left if api.lane == lane]
        found, listed = apis.read_api_stages(aws, lane, here), snapshot.lanes[lane].api_stages
        if not isinstance(found, Unreadable) and not isinstance(listed, Unreadable):
            found = (*(stage for stage in listed if stage not in here), *found)
        return replace(snapshot.lanes[lane], api_stages=found)

    seen = zip(lanes, each(look, lanes), strict=True)
    return replace(snapshot, lanes={**snapshot.lanes, **dict(seen)})


def _described(aws: Aws, machine: StateMachine) -> StateMachine:
    if machine.settings is not None:
        return machine
    return replace(machine, settings=states.read_settings(aws, machine.lane, machine.arn))


def _with_machines(held: LaneSnapshot, seen: Iterable[StateMachine]) -> LaneSnapshot:
    if isinstance(held.state_machines, Unreadable):
        return held
    fresh = {machine.arn: machine for machine in seen}
    return replace(held, state_machines=tuple(fresh.get(m.arn, m) for m in held.state_machines))


def _delivery(aws: Aws, machines: Iterable[StateMachine]) -> Mapping[str, str]:
    """Of the roles of state machines that log nothing yet; the others have shown that they may."""
    roles = {
        m.settings.role
        for m in machines
        if isinstance(m.settings, StateMachineSettings) and not m.settings.destinations and m.settings.role
    }
    return all_of(
        {role: partial(permissions.role_may, aws, role, _DELIVER) for role in sorted(roles)}, _AT_ONCE
    )


def _subscribed(snapshot: Snapshot, answers: Answers, lane: Lane, source: str) -> bool:
    """Whether Datadog subscribes the source by itself already: then no filter of its groups matters."""
    if not answers.datadog_subscribes:
        return False
    account = snapshot.accounts.get(lane.account)
    live = account.integration if account else None
    return isinstance(live, Integration) and source in live.sources


def _groups_of_machines(machines: Iterable[StateMachine]) -> Iterable[str]:
    settings = (m.settings for m in machines)
    return [s.log_group for s in settings if isinstance(s, StateMachineSettings) and s.log_group]


def _groups_of_stages(stages: Iterable[ApiStage]) -> Iterable[str]:
    return [stage.log_group for stage in stages if stage.log_group]


def _filters(
    aws: Aws, held: LaneSnapshot, groups: Iterable[str]
) -> Mapping[str, tuple[SubscriptionFilter, ...] | Unreadable]:
    fresh = [group for group in dict.fromkeys(groups) if group not in held.filters]
    return all_of({group: partial(logs.list_filters, aws, held.lane, group) for group in fresh}, _AT_ONCE)
