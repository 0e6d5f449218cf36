"""Filters that are in the way: two of somebody else's fill a log group, another Forwarder's doubles it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ddsetup.facts.filters import (
    AUTOMATIC_PREFIX,
    MAX_FILTERS,
    OWN_PREFIX,
    classify,
    describe,
    filter_owner,
    filter_resource,
    filter_state,
    group_resource,
)
from ddsetup.model.account import Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import OnConflict
from ddsetup.model.change import Change, Skipped, Step
from ddsetup.plan.steps.subscriptions.groups import Group, Region

STEP = Step("subscriptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """What a user has to decide about a log group.

    "duplicate": `filters` lead to another Datadog Forwarder or stream, so each line would arrive twice.
    "limit": `filters` are somebody else's and fill the group; one of them would have to go. The decision
    about a filter is kept under its `key`.
    """

    lane: Lane
    group: str
    kind: Literal["duplicate", "limit"]
    filters: tuple[SubscriptionFilter, ...]

    @property
    def what(self) -> str:
        """The conflict in one sentence, with owner and destination of every filter."""
        listed = "; ".join(describe(f) for f in self.filters)
        if self.kind == "duplicate":
            return f"logs of {self.group} are sent to Datadog already, by {listed}"
        return f"{self.group} has {MAX_FILTERS} filters, the most that AWS allows: {listed}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is deleted to make way, and why the group must be left alone if it must."""

    deletions: tuple[Change, ...] = ()
    blocked: Skipped | None = None


def key(found: SubscriptionFilter) -> str:
    """Under what a decision about the filter is kept in the answers."""
    return f"{found.log_group}:{found.name}"


def conflicts_of(group: Group, filters: Sequence[SubscriptionFilter], region: Region) -> tuple[Conflict, ...]:
    """The conflicts in one log group; a full one is none once one of its filters leads to our Forwarder."""
    by_kind = {f.name: classify(f, region.forwarders) for f in filters}
    doubled = tuple(f for f in filters if by_kind[f.name] in ("forwarder", "firehose"))
    found = []
    if doubled:
        found.append(Conflict(lane=region.at, group=group.name, kind="duplicate", filters=doubled))
    foreign = tuple(f for f in filters if by_kind[f.name] == "foreign")
    # A policy of the account takes no place among a group's filters.
    room = "ours" in by_kind.values() or region.answers.subscribe == "account"
    if len(foreign) >= MAX_FILTERS and not room:
        found.append(Conflict(lane=region.at, group=group.name, kind="limit", filters=foreign))
    return tuple(found)


def resolve(group: Group, filters: Sequence[SubscriptionFilter], region: Region) -> Resolution:
    """Carries the decisions out: deletions with all that undo needs, or the reason to leave the group."""
    deletions: list[Change] = []
    for conflict in conflicts_of(group, filters, region):
        if conflict.kind == "duplicate":
            one = _resolve_duplicate(conflict, region)
        else:
            one = _resolve_limit(conflict, region)
        if one.blocked:
            return one
        deletions.extend(one.deletions)
    ours = any(classify(f, region.forwarders) == "ours" for f in filters)
    free = ours or region.answers.subscribe == "account"
    if not free and not deletions and len(filters) >= MAX_FILTERS:
        return Resolution(blocked=_blocked(group.name, region, f"it is full: {_listed(filters)}"))
    return Resolution(tuple(deletions))


def _resolve_duplicate(conflict: Conflict, region: Region) -> Resolution:
    deletions = []
    for found in conflict.filters:
        # A filter of our own, to a Forwarder that is no longer the one, is nobody else's to decide on.
        decision = "replace" if found.name.startswith(OWN_PREFIX) else _decision(found, region)
        if decision == "add":
            continue
        if decision != "replace":
            return Resolution(blocked=_blocked(conflict.group, region, conflict.what))
        leaves = found.destination_arn in region.leaving
        if leaves and found.name.startswith(AUTOMATIC_PREFIX):
            continue
        if found.name.startswith(AUTOMATIC_PREFIX) and found.destination_arn in region.registered:
            skipped = _blocked(conflict.group, region, f"Datadog would put {found.name} back at once")
            fix = f"take {found.destination_arn} out of the account's log collection in Datadog first"
            return Resolution(blocked=replace(skipped, fix=fix))
        deletions.append(deletion(found, region.at, "its logs would reach Datadog twice"))
    return Resolution(tuple(deletions))


def _resolve_limit(conflict: Conflict, region: Region) -> Resolution:
    """At most one filter goes, and only one that the user gave away.

    One decided on by name comes first, then one whose destination is gone, then the first by name.
    """
    given = [f for f in conflict.filters if _decision(f, region) == "replace"]
    if not given:
        return Resolution(blocked=_blocked(conflict.group, region, conflict.what))
    chosen = min(
        given, key=lambda f: (key(f) not in region.answers.conflicts, not _is_dead(f, region), f.name)
    )
    return Resolution((deletion(chosen, region.at, f"AWS allows {MAX_FILTERS} filters, and both are taken"),))


def deletion(found: SubscriptionFilter, lane: Lane, why: str) -> Change:
    """The removal of a filter, holding all of it; its owner and destination are named for the reader."""
    owner = filter_owner(found)
    return Change(
        step=STEP,
        resource=filter_resource(found.log_group, found.name, lane),
        before=filter_state(found),
        after=None,
        why=why,
        note=f"removes {describe(found)}"
        + ("; its stack's next deploy may bring it back" if "CloudFormation" in owner else ""),
    )


def _decision(found: SubscriptionFilter, region: Region) -> OnConflict:
    return region.answers.conflicts.get(key(found), region.answers.on_conflict)


def _is_dead(found: SubscriptionFilter, region: Region) -> bool:
    """Whether the filter leads to a function of this region that does not exist any more."""
    functions = region.lane.functions
    parts = found.destination_arn.split(":")
    if isinstance(functions, Unreadable) or parts[2:3] != ["lambda"]:
        return False
    here = parts[3:5] == [region.at.region, region.at.account]
    unqualified = ":".join(parts[:7])
    return here and all(f.arn != unqualified for f in functions)


def _blocked(group: str, region: Region, reason: str) -> Skipped:
    return Skipped(
        resource=group_resource(group, region.at),
        status="skipped",
        reason=reason,
        fix="delete one of them: --on-conflict replace, or choose in the guided setup",
        step=STEP,
    )


def _listed(filters: Sequence[SubscriptionFilter]) -> str:
    return "; ".join(describe(f) for f in filters)
