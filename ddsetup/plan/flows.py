"""How data flows to Datadog now, and how after a plan: of each log group how often, of each function whether.

Pure. Costs are made of it, together with what CloudWatch counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    MAX_FILTERS,
    Destination,
    as_filter,
    classify,
    leads_to_datadog_by_name,
)
from ddsetup.facts.firehose import leads_to_datadog
from ddsetup.facts.recognise import extension_ships_logs, has_datadog
from ddsetup.facts.variables import SAMPLE_RATE, TRACE_ENABLED, is_on
from ddsetup.model.account import Function, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.cost import Group
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState, FunctionState, LogCollectionState, LogGroupState
from ddsetup.plan.steps.collection import subscribed
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.subscriptions.account import by_policy
from ddsetup.plan.steps.subscriptions.groups import Region, log_group_of, regions
from ddsetup.plan.steps.subscriptions.stream import leaves_out, left_out

Filters: TypeAlias = list[tuple[str, Destination]]
"""Filters of a log group by name, each with where it leads."""

_OF_FUNCTIONS = "/aws/lambda/"
"""Datadog's automatic triggers find the log groups of functions by this (Datadog's documentation, Lambda)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFlow:
    """A log group. `now` and `after` are how often each of its lines reaches Datadog; None: not known, of
    `after` it is at least once then if `forwarded_after`. `forwarded` is whether our Forwarder gets them.

    `functions` are those that write to it, `chosen` whether any of them is meant. `there`: whether it exists;
    None: that cannot be seen. `stored` is how many bytes it holds, by which the largest are found.
    """

    group: Group
    functions: tuple[Function, ...]
    chosen: bool
    now: int | None
    after: int | None
    forwarded_now: bool | None
    forwarded_after: bool
    there: bool | None = True
    stored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFlow:
    """A chosen function: which share of its invocations is traced, and whether Datadog is in it at all.
    None: not known."""

    function: Function
    traced_now: float | None
    traced_after: float | None
    monitored_now: bool
    monitored_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """All of it."""

    logs: tuple[LogFlow, ...] = ()
    functions: tuple[FunctionFlow, ...] = ()


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a plan does, by what it does it to."""

    functions: Mapping[str, FunctionState]
    added: Mapping[Group, tuple[SubscriptionFilter, ...]]
    removed: Mapping[Group, frozenset[str]]
    created: frozenset[Group]
    policies: frozenset[Lane]
    """Where a policy of the account goes."""
    left: frozenset[Lane]
    """Where a Forwarder is registered no more, so that Datadog takes its own filters out."""


def flows(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], plan: Plan) -> Flows:
    """The flows of the chosen functions, and of the log groups that Datadog subscribes beside theirs."""
    changes = _changes(plan)
    logs: list[LogFlow] = []
    for region, groups in regions(snapshot, answers, selected):
        writers = _writers(region)
        chosen = {group.name for group in groups}
        every = (*sorted(chosen), *_beyond(region, chosen))
        logs.extend(_log_flow(name, name in chosen, region, writers.get(name, ()), changes) for name in every)
    before = frozenset(lane for lane in snapshot.lanes if subscribed(lane, snapshot))
    settled = tuple(_subscribed_already(each) if each.group[0] in before else each for each in logs)
    return Flows(logs=settled, functions=tuple(_function_flow(f, answers, changes) for f in selected))


def _changes(plan: Plan) -> _Changes:
    functions: dict[str, FunctionState] = {}
    added: dict[Group, list[SubscriptionFilter]] = {}
    removed: dict[Group, set[str]] = {}
    created: set[Group] = set()
    policies: set[Lane] = set()
    left: set[Lane | None] = set()
    for change in plan.changes:
        lane = Lane(change.resource.account, change.resource.region)
        if change.resource.kind == "function" and isinstance(change.after, FunctionState):
            functions[change.resource.id] = change.after
        if change.resource.kind == "account_policy" and change.after is None:
            policies.add(lane)
        if isinstance(change.after, LogGroupState):
            created.add((lane, change.after.name))
        if change.resource.kind == LogCollectionState.KIND:
            stay = LogCollectionState.of(change.after).lambdas
            left |= {lane_of(arn) for arn in LogCollectionState.of(change.before).lambdas if arn not in stay}
        if isinstance(change.before, FilterState):
            removed.setdefault((lane, change.before.log_group), set()).add(change.before.name)
        if isinstance(change.after, FilterState):
            added.setdefault((lane, change.after.log_group), []).append(as_filter(change.after))
    return _Changes(
        functions,
        {group: tuple(found) for group, found in added.items()},
        {group: frozenset(found) for group, found in removed.items()},
        frozenset(created),
        frozenset(policies),
        frozenset(lane for lane in left if lane is not None),
    )


def _writers(region: Region) -> Mapping[str, tuple[Function, ...]]:
    found: dict[str, list[Function]] = {}
    functions = region.lane.functions
    for function in () if isinstance(functions, Unreadable) else functions:
        found.setdefault(log_group_of(function), []).append(function)
    return {name: tuple(writing) for name, writing in found.items()}


def _beyond(region: Region, chosen: Iterable[str]) -> tuple[str, ...]:
    """The log groups that come along: those of other functions, which Datadog subscribes by itself, or with
    a policy of the account all there are."""
    groups = region.lane.log_groups
    every = by_policy(region) or region.answers.streams_logs
    if not (region.triggered or every) or isinstance(groups, Unreadable):
        return ()
    out = {*chosen, *(left_out(region) if region.answers.streams_logs else region.own_groups)}
    others = (n for n, group in groups.items() if n not in out and group.log_class == "STANDARD")
    return tuple(sorted(name for name in others if every or name.startswith(_OF_FUNCTIONS)))


def _log_flow(
    name: str, chosen: bool, region: Region, writing: tuple[Function, ...], changes: _Changes
) -> LogFlow:
    groups = region.lane.log_groups
    held = None if isinstance(groups, Unreadable) else groups.get(name)
    ships = _by_extension(writing, region.answers, changes)
    filters = _filters(name, region)
    after = _filters_after(name, filters, chosen, region, changes)
    return LogFlow(
        group=(region.at, name),
        functions=writing,
        chosen=chosen,
        now=None if filters is None else sum(kind != "foreign" for _, kind in filters) + ships[0],
        after=None if filters is None else _to_datadog(after, region) + ships[1],
        forwarded_now=None if filters is None else "ours" in [kind for _, kind in filters],
        forwarded_after="ours" in after,
        there=None if isinstance(groups, Unreadable) else held is not None,
        stored=(held.stored_bytes or 0) if held else 0,
    )


def _to_datadog(filters: Iterable[Destination], region: Region) -> int:
    """How many filters lead there. A Forwarder deployed without logs sends only metrics and traces."""
    silent = not region.answers.logs and region.choice.how == "deploy"
    return sum(kind != "foreign" and not (silent and kind == "ours") for kind in filters)


def _filters_after(
    name: str, now: Filters | None, chosen: bool, region: Region, changes: _Changes
) -> list[Destination]:
    """Where the filters of a group lead afterwards; of one that was not looked at, those that are put."""
    group = (region.at, name)
    gone = changes.removed.get(group, frozenset())
    if region.at in changes.left:
        gone |= {each for each, _ in now or () if each.startswith(AUTOMATIC_PREFIX)}
    found = [kind for each, kind in now or () if each and each not in gone]
    found += [classify(each, region.forwarders) for each in changes.added.get(group, ())]
    put_late = now is None and chosen and region.answers.forwards and region.answers.subscribe == "direct"
    comes = put_late or _datadog_subscribes(group, region, changes)
    if comes and "ours" not in found and len(found) < MAX_FILTERS:
        found.append("ours")
    stays = region.policy is not None and region.at not in changes.policies
    # A policy of the account leads lines on besides all filters, to whatever these lead.
    if (by_policy(region) or stays) and name not in region.own_groups:
        found.append("ours")
    stays = _streamed(name, region) and region.at not in changes.policies
    if not leaves_out(name, region) if region.answers.streams_logs else stays:
        found.append("firehose")
    return found


def _streamed(name: str, region: Region) -> bool:
    """Whether a policy of the account leads the group to Datadog by Firehose."""
    return any(leads_to_datadog(each.destination_arn) and each.delivers(name) for each in region.policies)


def _filters(name: str, region: Region) -> Filters | None:
    """The filters of a group by name, and where they lead, as far as that is known."""
    groups = region.lane.log_groups
    if not isinstance(groups, Unreadable) and name not in groups:
        return []
    found = region.lane.filters.get(name)
    if _streamed(name, region):
        return [("", "firehose")]
    if region.policy is not None and name not in region.own_groups:
        # Without a name: whether it stays is told apart from filters.
        known = () if found is None or isinstance(found, Unreadable) else found
        return [("", "ours"), *((f.name, classify(f, region.forwarders)) for f in known)]
    if found is not None and not isinstance(found, Unreadable):
        return [(f.name, classify(f, region.forwarders)) for f in found]
    seen = region.lane.delivered
    if isinstance(seen, Mapping):
        names = seen.get(name, frozenset())
        return [(each, "ours" if leads_to_datadog_by_name(each) else "foreign") for each in sorted(names)]
    return None


def _datadog_subscribes(group: Group, region: Region, changes: _Changes) -> bool:
    """Whether Datadog's automatic triggers find the group once the plan is carried out."""
    groups = region.lane.log_groups
    if not region.triggered or group[1] in region.own_groups:
        return False
    there = not isinstance(groups, Unreadable) and group[1] in groups
    return there or group in changes.created


def _by_extension(writing: Iterable[Function], answers: Answers, changes: _Changes) -> tuple[bool, bool]:
    """Whether an Extension sends the lines of the group, now and afterwards."""
    now = after = False
    for function in writing:
        ships = extension_ships_logs(function)
        now |= ships
        changed = function.arn in changes.functions
        after |= answers.via == "extension" and answers.logs if changed else ships
    return now, after


def _subscribed_already(flow: LogFlow) -> LogFlow:
    """What is not chosen and was not looked at stays as it is: Datadog's triggers have found it before."""
    if flow.chosen or flow.now is not None:
        return flow
    return replace(flow, now=1, after=1, forwarded_now=True, forwarded_after=True)


def _function_flow(function: Function, answers: Answers, changes: _Changes) -> FunctionFlow:
    state = changes.functions.get(function.arn)
    now = has_datadog(function)
    traced = _traced(function.env, now)
    after: float | None = traced
    if state is not None:
        env = {**(function.env or {}), **state.env}
        after = _traced(env, True) if answers.traces else 0.0
    return FunctionFlow(
        function=function,
        traced_now=traced,
        traced_after=after,
        monitored_now=now,
        monitored_after=now or state is not None,
    )


def _traced(env: Mapping[str, str] | None, monitored: bool) -> float | None:
    """Which share of invocations is traced; None where the variables cannot be read."""
    if not monitored:
        return 0.0
    if env is None:
        return None
    if not is_on(env, TRACE_ENABLED):
        return 0.0
    try:
        return min(1.0, max(0.0, float(env.get(SAMPLE_RATE, "") or 1)))
    except ValueError:
        return 1.0
