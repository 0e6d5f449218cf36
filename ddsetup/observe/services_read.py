"""A closer look at the state machines and stages of APIs that are chosen: what has no bulk call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ddsetup.facts.kinds import CHOSEN, DELIVER_LOGS
from ddsetup.facts.services import unread_apis
from ddsetup.gateways.aws import apis, logs, permissions, states
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import all_of
from ddsetup.gateways.overlap import each as each_of
from ddsetup.model.account import Integration, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.services import ApiStage, Service, StateMachine, StateMachineSettings
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.plan.select_services import all_chosen

_AT_ONCE = 8
_DELIVER = tuple(action for action in DELIVER_LOGS if action in permissions.WITHOUT_RESOURCES)
"""The simulator cannot be asked about logs:DescribeLogGroups without naming log groups."""
_READERS: Mapping[str, Callable[[Aws, Lane], Any]] = {
    "state_machine": states.list_state_machines,
    "api_stage": apis.list_api_stages,
}


def source_reads(aws: Aws, lane: Lane) -> Mapping[str, Callable[[], Any]]:
    """How the other services of a lane are read, by field, in bulk as far as AWS lets it."""
    return {CHOSEN[kind].field: partial(read, aws, lane) for kind, read in _READERS.items()}


def look_at_sources(aws: Aws, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """Add what a plan for the chosen state machines and stages depends on; nothing where none is chosen.

    Settings of those beyond the first hundred, whether their roles may deliver logs, the role by which API
    Gateway logs, and the subscription filters of their log groups, unless Datadog sees to these already.
    """
    snapshot = _with_chosen_apis(aws, snapshot, answers)
    meant = all_chosen(snapshot, answers)

    def look(lane: Lane) -> LaneSnapshot:
        here = each_of(partial(_described, aws), (each for each in meant if each.lane == lane), _AT_ONCE)
        machines = [each for each in here if isinstance(each, StateMachine)]
        stages = any(isinstance(each, ApiStage) for each in here)
        held = _with_machines(snapshot.lanes[lane], machines)
        groups = (
            s.log_group for s in here if not _subscribed(snapshot, answers, lane, CHOSEN[s.KIND].sources[0])
        )
        return replace(
            held,
            log_delivery={**held.log_delivery, **_delivery(aws, machines)},
            api_log_role=apis.api_log_role(aws, lane) if stages else held.api_log_role,
            filters={**held.filters, **_filters(aws, held, groups)},
        )

    lanes = dict.fromkeys(each.lane for each in meant)
    seen = zip(lanes, each_of(look, lanes), strict=True)
    return replace(snapshot, lanes={**snapshot.lanes, **dict(seen)})


def _with_chosen_apis(aws: Aws, snapshot: Snapshot, answers: Answers) -> Snapshot:
    """With the stages of those APIs that were too many to look at, as far as they are chosen."""
    left = [a for a in unread_apis(snapshot) if any(a.meant_by(p) for p in answers.api_stages)]
    lanes = dict.fromkeys(api.lane for api in left)

    def look(lane: Lane) -> LaneSnapshot:
        here = [api for api in left if api.lane == lane]
        found, listed = apis.read_api_stages(aws, lane, here), snapshot.lanes[lane].listed(ApiStage)
        if not isinstance(found, Unreadable) and not isinstance(listed, Unreadable):
            found = (*(stage for stage in listed if stage not in here), *found)
        return _with(snapshot.lanes[lane], ApiStage, found)

    seen = zip(lanes, each_of(look, lanes), strict=True)
    return replace(snapshot, lanes={**snapshot.lanes, **dict(seen)})


def _described(aws: Aws, service: Service) -> Service:
    if not isinstance(service, StateMachine) or service.settings is not None:
        return service
    return replace(service, settings=states.read_settings(aws, service.lane, service.arn))


def _with_machines(held: LaneSnapshot, seen: Iterable[StateMachine]) -> LaneSnapshot:
    fresh, listed = {machine.arn: machine for machine in seen}, held.listed(StateMachine)
    if isinstance(listed, Unreadable):
        return held
    return _with(held, StateMachine, tuple(fresh.get(m.arn, m) for m in listed))


def _with(held: LaneSnapshot, kind: type[Service], found: tuple[Service, ...] | Unreadable) -> LaneSnapshot:
    return replace(held, services={**held.services, kind.KIND: found})


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


def _filters(
    aws: Aws, held: LaneSnapshot, groups: Iterable[str]
) -> Mapping[str, tuple[SubscriptionFilter, ...] | Unreadable]:
    fresh = [group for group in dict.fromkeys(groups) if group and group not in held.filters]
    return all_of({group: partial(logs.list_filters, aws, held.lane, group) for group in fresh}, _AT_ONCE)
