"""Lead the functions' log groups to the Forwarder, never by two ways, never over somebody else's filter.

With automatic triggers Datadog puts the filters; then only what keeps it from doing so is dealt with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    MAX_FILTERS,
    OWN_PREFIX,
    classify,
    filter_resource,
    group_resource,
    own_name,
)
from ddsetup.model.account import Function, Lane, LogGroup, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState, LogGroupState
from ddsetup.plan.evidence import Evidence
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.instrument.subject import function_resource
from ddsetup.plan.steps.subscriptions.account import by_policy, plan_policy, policy_id
from ddsetup.plan.steps.subscriptions.conflicts import (
    STEP,
    Conflict,
    Resolution,
    conflicts_of,
    deletion,
    key,
    resolve,
)
from ddsetup.plan.steps.subscriptions.evidence import FULL, RECORDED, UNTOUCHED, evidence
from ddsetup.plan.steps.subscriptions.groups import (
    Group,
    Region,
    can_have_filters,
    log_group_of,
    regions,
    stands_on,
)
from ddsetup.plan.steps.subscriptions.remarks import double_delivery, folded, goes_by_itself, region_warnings
from ddsetup.plan.steps.wording import cannot_see, denied_action, listed

__all__ = [
    "STEP",
    "Conflict",
    "LatePlanner",
    "conflicts",
    "groups_to_read",
    "key",
    "late_planner",
    "plan",
]

Filters: TypeAlias = tuple[SubscriptionFilter, ...] | Unreadable
LatePlanner: TypeAlias = Callable[[Lane, str, Filters], Plan]
"""From a log group and its filters to what to do about it."""


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """What is subscribed, created or taken out of the way. Every log group is in it, changed or not."""
    parts: list[Plan] = []
    for region, groups in regions(snapshot, answers, selected):
        parts.append(Plan(warnings=region_warnings(region)) + plan_policy(region, groups))
        parts.extend(_group_plan(group, region) for group in groups)
    joined = Plan.joined(parts)
    return replace(joined, warnings=folded(joined.warnings))


def groups_to_read(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], *, asked: bool = False
) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters must be known before this step can be planned.

    Groups that do not exist, cannot have filters, or of which evidence tells enough are not asked about; in
    extension mode only where a Forwarder is about, which might deliver everything twice. `asked`: somebody is
    to decide on filters that are in the way, so those must be known, too.
    """
    if answers.via == "forwarder" and answers.subscribe == "none":
        return {}
    wanted: dict[Lane, tuple[str, ...]] = {}
    for region, groups in regions(snapshot, answers, selected):
        if answers.via == "extension" and not region.lane.forwarders:
            continue
        able = (group for group in groups if can_have_filters(region.lane, group.name))
        needed = (None, FULL) if asked else (None,)
        names = tuple(group.name for group in able if evidence(region, group) in needed)
        if names:
            wanted[region.at] = names
    return wanted


def late_planner(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> LatePlanner:
    """How to plan for log groups one by one, as their filters become known.

    For a group whose filters `snapshot` lacks, this gives what `plan` would give if it had them.
    """
    places = {
        (region.at, group.name): (group, region)
        for region, groups in regions(snapshot, answers, selected)
        for group in groups
    }

    def plan_group(lane: Lane, name: str, filters: Filters) -> Plan:
        if (lane, name) not in places:
            return Plan()
        group, region = places[lane, name]
        return _group_plan(group, replace(region, lane=replace(region.lane, filters={name: filters})))

    return plan_group


def _group_plan(group: Group, region: Region) -> Plan:
    """All about one log group."""
    said = double_delivery(group, region)
    if group.functions:
        return said + _group(group, region)
    if region.answers.via == "forwarder":
        return said + _skip(group, region, "unchanged", "its logs reach Datadog through the Extension")
    return said + _left_behind(group, region)


def _left_behind(group: Group, region: Region) -> Plan:
    """Filters of ours, of functions that report through the Extension from now on; others that write to the
    group may still need them."""
    filters = region.lane.filters.get(group.name)
    functions = region.lane.functions
    if not filters or isinstance(filters, Unreadable) or isinstance(functions, Unreadable):
        return Plan()
    here = {f.arn for f in group.through_extension}
    if any(log_group_of(f) == group.name and f.arn not in here for f in functions):
        return Plan()
    needs = tuple(function_resource(f) for f in group.through_extension)
    why = "logs are not wanted, and the filter would send them all the same"
    if region.answers.logs:
        why = "the Extension sends these logs now; with the filter every line would arrive twice"
    return Plan(
        changes=tuple(
            replace(deletion(found, region.at, why), needs=needs)
            for found in filters
            if found.name.startswith(OWN_PREFIX)
        )
    )


def conflicts(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> tuple[Conflict, ...]:
    """What a user should be asked about, as long as no answer decides it already."""
    if not answers.forwards:
        return ()
    found: list[Conflict] = []
    for region, groups in regions(snapshot, answers, selected):
        for group in groups:
            filters = region.lane.filters.get(group.name)
            if group.functions and filters and not isinstance(filters, Unreadable):
                found.extend(conflicts_of(group, filters, region))
    return tuple(c for c in found if not any(key(f) in answers.conflicts for f in c.filters))


def _group(group: Group, region: Region) -> Plan:
    """One log group of functions that report through the Forwarder."""
    answers = region.answers
    if answers.subscribe == "none":
        return _skip(group, region, "unchanged", "subscriptions are left to you (--subscribe none)")
    if group.name in region.own_groups:
        return _skip(
            group, region, "skipped", "it is a Forwarder's own log group, which would feed on itself"
        )
    if region.choice.arn is None:
        reason = region.choice.reason or "no Forwarder is wanted"
        return _skip(group, region, "skipped", f"there is no Forwarder: {reason}", region.choice.fix)
    groups = region.lane.log_groups
    if isinstance(groups, Unreadable):
        return _unseen(group, region, cannot_see("which log groups exist", groups), denied_action(groups))
    found = groups.get(group.name)
    if found is None:
        return _missing(group, region)
    return _existing(group, found, region)


def _missing(group: Group, region: Region) -> Plan:
    if by_policy(region):
        return _subscribe(group, region, ())
    if not region.answers.create_log_groups:
        return _skip(
            group,
            region,
            "skipped",
            "it does not exist before the function's first invocation",
            "invoke the function once, then again; or let it be created: --create-log-groups",
        )
    create = Change(
        step=STEP,
        resource=group_resource(group.name, region.at),
        before=None,
        after=LogGroupState(name=group.name, tags=dict(region.answers.resource_tags)),
        why="only a log group that exists can be subscribed",
        note="a stack that declares this log group itself would find it taken",
    )
    return Plan(changes=(create,)) + _subscribe(group, region, (create.resource,))


def _existing(group: Group, found: LogGroup, region: Region) -> Plan:
    if found.log_class != "STANDARD":
        reason = f"its class {found.log_class} has no subscription filters, and AWS cannot change the class"
        fix = "have the function write to a log group of class STANDARD"
        return _skip(group, region, "skipped", reason, fix)
    filters = region.lane.filters.get(group.name)
    if filters is None and (known := evidence(region, group)):
        return _unread(group, known, region)
    if filters is None:
        return _skip(group, region, "skipped", "its subscription filters were not looked at yet")
    if isinstance(filters, Unreadable):
        return _unseen(group, region, cannot_see("its subscription filters", filters), denied_action(filters))
    filters = tuple(f for f in filters if not goes_by_itself(f, region))
    resolution = resolve(group, filters, region)
    ours = [f for f in filters if classify(f, region.forwarders) == "ours"]
    if ours:
        return _subscribed(group, ours, resolution, region)
    if resolution.blocked:
        return Plan(skipped=(resolution.blocked,))
    if not resolution.deletions:
        return _subscribe(group, region, ())
    return _replaced(group, filters, resolution, region)


def _unread(group: Group, known: Evidence, region: Region) -> Plan:
    """A group of which evidence tells enough."""
    reason = f"not read: {known.conclusion}"
    if known is UNTOUCHED:
        return _subscribe(group, region, (), note=f"{reason}; AWS refuses one too many")
    if known is FULL:
        fix = "delete one of them: --on-conflict replace, or choose in the guided setup"
        return _skip(group, region, "skipped", f"{reason} (--thorough reads where they lead)", fix)
    shows = "the record of an earlier run" if known is RECORDED else "CloudWatch"
    return _skip(group, region, "unchanged", f"{reason} ({shows} shows it; --thorough reads it)")


def _replaced(
    group: Group, filters: tuple[SubscriptionFilter, ...], resolution: Resolution, region: Region
) -> Plan:
    """A filter in place of others, which go only when it can stand: after it where there is room for both.

    Of a full group one goes first, and comes back at once if the put fails (`apply`).
    """
    way = _subscribe(group, region, ())
    if any(skipped.status == "skipped" for skipped in way.skipped):
        return way
    base = stands_on(region)
    if not way.changes:
        return Plan(changes=tuple(replace(each, needs=base) for each in resolution.deletions))
    if len(filters) < MAX_FILTERS:
        first = tuple(change.resource for change in way.changes)
        return way + Plan(changes=tuple(replace(each, needs=first) for each in resolution.deletions))
    deleted = tuple(replace(each, needs=base) for each in resolution.deletions)
    return Plan(changes=deleted) + _subscribe(group, region, tuple(each.resource for each in deleted))


def _subscribed(group: Group, ours: list[SubscriptionFilter], resolution: Resolution, region: Region) -> Plan:
    """A group that reaches our Forwarder already, with what is wrong about how it does."""
    warnings = [
        f"{group.name}: its filter passes only {f.pattern!r}; what it leaves out never reaches Datadog"
        for f in ours
        if f.pattern.strip()
    ]
    if resolution.blocked:
        warnings.append(
            f"{group.name}: every line is sent twice, because another filter leads to Datadog, too"
        )
    deletions = tuple(replace(each, needs=stands_on(region)) for each in resolution.deletions)
    changes = (*deletions, *_handed_over(ours, region))
    gone = {change.resource for change in changes}
    left = [f for f in ours if filter_resource(group.name, f.name, region.at) not in gone]
    if len(left) > 1:
        warnings.append(f"{group.name}: two filters lead to the same Forwarder, so every line is sent twice")
    elif by_policy(region) and left:
        warnings.append(f"{group.name}: {left[0].name} and the account's policy send every line twice")
    elif region.triggered and left and not left[0].name.startswith(AUTOMATIC_PREFIX):
        warnings.append(f"{group.name}: remove {left[0].name} once Datadog has put its own filter beside it")
    said = Plan(changes=changes, warnings=tuple(warnings))
    if changes:
        return said
    reason = f"already led to the Forwarder by {' and '.join(f.name for f in left)}"
    if resolution.blocked:
        reason += f"; but {resolution.blocked.reason}"
    return said + _skip(group, region, "unchanged", reason)


def _handed_over(ours: list[SubscriptionFilter], region: Region) -> tuple[Change, ...]:
    """Filters that ddsetup put itself, which go when Datadog's automatic triggers or a policy take over."""
    if by_policy(region):
        who, needs = "the account's policy leads here", policy_id(region)
    elif region.answers.subscribe == "automatic" and region.triggered:
        who, needs = "Datadog puts a filter of its own", collection_id(region.at.account)
    else:
        return ()
    return tuple(
        replace(
            deletion(found, region.at, f"{who}; with both every line would be sent twice"),
            needs=(needs,),
        )
        for found in ours
        if found.name.startswith(OWN_PREFIX)
    )


def _subscribe(group: Group, region: Region, needs: tuple[ResourceId, ...], note: str = "") -> Plan:
    """The way is free: a filter of our own, unless Datadog puts one. With a `note` nobody looked at the
    group's filters, so that it gets a name that none of them can have."""
    arn = region.choice.arn
    assert arn is not None
    if by_policy(region):
        return _skip(group, region, "unchanged", "the account's policy leads it to the Forwarder")
    if region.answers.subscribe == "automatic":
        if not region.triggered:
            reason = "Datadog will not subscribe it, as the Forwarder is not in the account's log collection"
            return _skip(
                group, region, "skipped", reason, "fix the log collection first; or --subscribe direct"
            )
        # A group that is created or cleared is in the plan already; the rest is said, not done.
        reason = "Datadog subscribes it by itself, within minutes"
        return Plan() if needs else _skip(group, region, "unchanged", reason)
    if region.triggered:
        reason = "Datadog's automatic triggers cover it; a second filter would send every line twice"
        return _skip(group, region, "unchanged", reason)
    if (policy := region.policy) and policy.delivers(group.name):
        reason = "an account-level subscription policy leads it to the Forwarder already"
        return _skip(group, region, "unchanged", reason)
    name = own_name(arn, region.run if note else "")
    return STEP.change(
        filter_resource(group.name, name, region.at),
        None,
        FilterState(log_group=group.name, name=name, destination_arn=arn),
        f"the Forwarder gets the log of {listed(f.name for f in group.functions)}",
        needs=(*stands_on(region), *needs),
        note=note,
    )


def _unseen(group: Group, region: Region, reason: str, permission: str) -> Plan:
    """What is in a log group cannot be seen. A permission that is missing before a run begins stops it."""
    resource = group_resource(group.name, region.at)
    return STEP.skip(resource, reason, "grant the permission, then again", permission)


def _skip(group: Group, region: Region, status: str, reason: str, fix: str = "") -> Plan:
    resource = group_resource(group.name, region.at)
    return STEP.keep(resource, reason) if status == "unchanged" else STEP.skip(resource, reason, fix)
