"""What stands on the things that would be taken away, and is no part of what goes. Pure.

Told from the account, since another machine may have set it up, or another tool.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from ddsetup.facts.filters import AUTOMATIC_PREFIX, filter_resource
from ddsetup.facts.forwarders import ARN_OUTPUT
from ddsetup.facts.ownership import MARKER, is_datadogs_own
from ddsetup.facts.recognise import has_datadog, mode_of
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import (
    FunctionState,
    IntegrationState,
    LogCollectionState,
    RoleState,
    SecretState,
    StackState,
    TagsState,
)
from ddsetup.plan.steps.api_key import reading, reads_it_no_more
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.instrument.subject import function_resource
from ddsetup.plan.steps.subscriptions.groups import can_have_filters, log_group_of

READ_ALL = 20
"""So many log groups of a region are read one by one; of more, those that something tells of."""


@dataclass(frozen=True)
class Going:
    """What goes: `changes` in an account, made by runs of which the first began at `since`.

    `known` is what those changes and the runs that are remembered are about: whoever else relies on what goes
    is nobody's whom a journal knows.
    """

    snapshot: Snapshot
    changes: tuple[Change, ...]
    known: frozenset[ResourceId]
    since: datetime

    @cached_property
    def forwarders(self) -> Mapping[Lane, tuple[ResourceId, str]]:
        """By lane, the stack that goes and the ARN of its Forwarder."""
        found: dict[Lane, tuple[ResourceId, str]] = {}
        for change in self.changes:
            lane = Lane(change.resource.account, change.resource.region)
            if isinstance(change.before, StackState) and change.after is None and lane in self.snapshot.lanes:
                stacks = self.snapshot.lanes[lane].stacks
                for stack in () if isinstance(stacks, Unreadable) else stacks:
                    if stack.name == change.resource.id and ARN_OUTPUT in stack.outputs:
                        found[lane] = change.resource, stack.outputs[ARN_OUTPUT]
        return found

    def others(self, lane: LaneSnapshot) -> Iterator[Function]:
        """Functions with Datadog that somebody else has changed since; Datadog's own are none."""
        for function in () if isinstance(lane.functions, Unreadable) else lane.functions:
            if function_resource(function) in self.known or is_datadogs_own(function, lane):
                continue
            carries = has_datadog(function) or MARKER in lane.tags_of(function)
            if carries and _changed_after(function, self.since):
                yield function


def lanes_with_many(going: Going) -> tuple[Lane, ...]:
    """Lanes with so many log groups that what delivers there is asked in bulk first."""
    return tuple(
        lane for lane in going.forwarders if len(_groups(going.snapshot.lanes[lane], going)) > READ_ALL
    )


def groups_to_read(going: Going) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters may lead to a Forwarder that goes, of functions that no journal knows."""
    wanted: dict[Lane, tuple[str, ...]] = {}
    for lane, (_, arn) in going.forwarders.items():
        held = going.snapshot.lanes[lane]
        groups = _groups(held, going)
        if len(groups) > READ_ALL:
            likely = {log_group_of(function) for function in going.others(held)}
            at_work = {} if isinstance(held.delivered, Unreadable) else held.delivered or {}
            name = arn.rsplit(":", 1)[-1]
            likely |= {g for g, filters in at_work.items() if any(_may_lead(f, name) for f in filters)}
            groups = tuple(group for group in groups if group in likely)
        wanted[lane] = groups
    return wanted


def relied_on(going: Going) -> Mapping[ResourceId, tuple[str, ...]]:
    """What goes and is relied on, with the names of what does."""
    found: dict[ResourceId, tuple[str, ...]] = {}
    for lane, (stack, arn) in going.forwarders.items():
        found[stack] = tuple(dict.fromkeys(_senders(going.snapshot.lanes[lane], arn, going)))
    for change in going.changes:
        if change.after is not None:
            continue
        if isinstance(change.before, SecretState):
            found[change.resource] = tuple(_readers(change.resource, going))
        elif isinstance(change.before, IntegrationState):
            found[change.resource] = tuple(_watched(change.resource.account, going))
        elif isinstance(change.before, RoleState):
            found[change.resource] = tuple(_assuming(change.before, change.resource.account, going))
    return _with_registration({resource: names for resource, names in found.items() if names}, going)


def _with_registration(
    found: dict[ResourceId, tuple[str, ...]], going: Going
) -> Mapping[ResourceId, tuple[str, ...]]:
    """A Forwarder that others rely on stays registered, too."""
    arns = {arn: found[stack] for stack, arn in going.forwarders.values() if stack in found}
    for change in going.changes:
        if change.resource.kind == LogCollectionState.KIND:
            leaving = LogCollectionState.of(change.before).lambdas
            names = [name for arn in leaving for name in arns.get(arn, ())]
            if names:
                found[change.resource] = tuple(names)
    return found


def _groups(lane: LaneSnapshot, going: Going) -> tuple[str, ...]:
    """The log groups of functions that no journal knows, each once."""
    functions = () if isinstance(lane.functions, Unreadable) else lane.functions
    groups = (log_group_of(f) for f in functions if function_resource(f) not in going.known)
    return tuple(group for group in dict.fromkeys(groups) if can_have_filters(lane, group))


def _may_lead(name: str, forwarder: str) -> bool:
    """Whether a filter at work may be one that somebody put for the Forwarder. Datadog's own are told by the
    functions that they are on."""
    return not name.startswith(AUTOMATIC_PREFIX) and ("datadog" in name.lower() or forwarder in name)


def _senders(lane: LaneSnapshot, arn: str, going: Going) -> Iterator[str]:
    """Functions and filters that lead to a Forwarder and that no journal knows."""
    others = list(going.others(lane))
    elsewhere, here = set[str](), set[str]()
    for group, filters in lane.filters.items():
        for found in () if isinstance(filters, Unreadable) else filters:
            if found.destination_arn != arn:
                elsewhere.add(group) if ":lambda:" in found.destination_arn else None
            elif found.name.startswith(AUTOMATIC_PREFIX):
                here.add(group)
            elif filter_resource(group, found.name, lane.lane) not in going.known:
                yield f"filter {found.name} of {group}"
    for function in others:
        group = log_group_of(function)
        waits = MARKER in lane.tags_of(function) and mode_of(function) == "forwarder"
        if group in here or (waits and group not in elsewhere):
            yield f"function {function.name}"


def _readers(secret: ResourceId, going: Going) -> Iterator[str]:
    lane = going.snapshot.lanes.get(Lane(secret.account, secret.region))
    held = None if lane is None or isinstance(lane.secrets, Unreadable) else lane.secrets.get(secret.id)
    if lane is None or held is None:
        return
    readers = reading(lane, held)
    leaving = {arn for _, arn in going.forwarders.values()}
    for function in () if isinstance(lane.functions, Unreadable) else lane.functions:
        known = function.arn in leaving or function_resource(function) in going.known
        if function.arn in readers and not known:
            yield f"function {function.name}"
    gone = {change.resource for change in going.changes if change.after is None or reads_it_no_more(change)}
    for stack in () if isinstance(lane.stacks, Unreadable) else lane.stacks:
        if stack.name in readers and stack_id(lane.lane, stack.name) not in gone:
            yield f"stack {stack.name}"


def _watched(account: str, going: Going) -> Iterator[str]:
    """What Datadog would hear nothing of any more: Forwarders that stay registered, and functions."""
    live = going.snapshot.accounts[account].integration if account in going.snapshot.accounts else None
    taken = {
        arn
        for change in going.changes
        if change.resource.kind == LogCollectionState.KIND
        for arn in LogCollectionState.of(change.before).lambdas
    }
    if isinstance(live, Integration):
        yield from (f"Forwarder {arn}" for arn in live.lambdas if arn not in taken and lane_of(arn))
    for lane in going.snapshot.lanes.values():
        if lane.lane.account == account:
            marked = (f for f in going.others(lane) if MARKER in lane.tags_of(f))
            yield from (f"function {f.name}" for f in marked)


def _assuming(role: RoleState, account: str, going: Going) -> Iterator[str]:
    """Datadog's record of the account, where it names the role and stays."""
    live = going.snapshot.accounts[account].integration if account in going.snapshot.accounts else None
    leaves = any(change.resource.kind == IntegrationState.KIND for change in going.changes)
    if isinstance(live, Integration) and live.role_name == role.name and not leaves:
        yield f"Datadog's record of account {account}"


def _changed_after(function: Function, since: datetime) -> bool:
    """Whether a function was changed after that; one that does not tell may have been."""
    try:
        return datetime.fromisoformat(function.last_modified) > since
    except (ValueError, TypeError):
        return True


def remembered(traces: Iterable[ResourceId], changes: Collection[Change]) -> frozenset[ResourceId]:
    """What journals know of, as functions and filters: a function is known by its tags, too."""
    every = {*traces, *(change.resource for change in changes)}
    tagged = {replace(r, kind=FunctionState.KIND) for r in every if r.kind == TagsState.KIND}
    return frozenset(every | tagged)
