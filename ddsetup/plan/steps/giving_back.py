"""Giving back a run, on what is there now. Pure.

Some of it is as it was already, some has somebody changed since, and some has to stay for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ddsetup.facts.filters import group_of
from ddsetup.facts.recognise import has_datadog
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.change import Change, Outcome, ResourceId, Status
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import (
    FilterState,
    FunctionState,
    IntegrationState,
    LogCollectionState,
    RolePolicyState,
    SecretState,
    StackState,
    TagsState,
)
from ddsetup.plan.steps.api_key import SECRET_NAME
from ddsetup.plan.steps.compared import compare
from ddsetup.plan.steps.instrument.key_access import policy_resource
from ddsetup.plan.steps.integration import state_of
from ddsetup.plan.steps.subscriptions.groups import log_group_of

_GONE = "it is not there any more"
_OF_A_FUNCTION = ("function", "function_tags", "alias")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a resource stands to what would be given back: "unchanged" (nothing is left to do) or
    "changed_since"."""

    status: Status
    reason: str


def standings(changes: Iterable[Change], snapshot: Snapshot) -> Mapping[ResourceId, Standing]:
    """Those of the resources that need no write, or must get none. What bulk reads do not tell is left to the
    writer, which looks right before it writes."""
    found: dict[ResourceId, Standing] = {}
    live = {function.arn: function for function in snapshot.functions()}
    for change in changes:
        lane = snapshot.lanes.get(Lane(change.resource.account, change.resource.region))
        standing = _regional(change, lane, live) if lane else _of_account(change, snapshot)
        if standing is not None:
            found[change.resource] = standing
    return found


def sending(
    changes: Iterable[Change], found: Mapping[ResourceId, Standing], snapshot: Snapshot
) -> tuple[Function, ...]:
    """The functions that were changed since, and still carry Datadog."""
    moved = {c.resource.id for c in changes if _moved(found.get(c.resource))}
    return tuple(f for f in snapshot.functions() if f.arn in moved and has_datadog(f))


def carried_by(changes: Iterable[Change], functions: Iterable[Function]) -> Mapping[ResourceId, str]:
    """What the data of these functions goes through, and the tags that say what is in them."""
    return {
        change.resource: f"it stays, as {function.name} was changed since, and still sends data"
        for function in functions
        for change in changes
        if _carries(change.resource, function)
    }


def _carries(resource: ResourceId, function: Function) -> bool:
    if resource.kind == TagsState.KIND:
        return resource.id == function.arn
    if resource.kind == FilterState.KIND:
        return group_of(resource) == log_group_of(function) and resource.region == function.region
    if resource.kind == RolePolicyState.KIND:
        return resource == policy_resource(function)
    shared = resource.kind in (StackState.KIND, SecretState.KIND, LogCollectionState.KIND)
    return shared and resource.account == function.account and resource.region in ("", function.region)


@dataclass(frozen=True, slots=True)
class Divided:
    """What is left to give back; what needs no write any more, and what is left alone: each with what is to
    be said of it."""

    left: tuple[Change, ...]
    settled: tuple[tuple[Change, Outcome], ...]
    alone: tuple[Outcome, ...]


def divided(
    changes: Sequence[Change], found: Mapping[ResourceId, Standing], kept: Mapping[ResourceId, str]
) -> Divided:
    """The changes by what is to become of them.

    What is `kept` stays, with the reason, and so does whatever could only go after it.
    """
    reasons = dict(kept)
    while fallen := {
        change.resource: f"it stays, as {need.name} does"
        for change in changes
        if change.resource not in reasons
        for need in change.needs
        if need in reasons
    }:
        reasons |= fallen
    left, settled, alone = list[Change](), list[tuple[Change, Outcome]](), list[Outcome]()
    for change in changes:
        standing = found.get(change.resource)
        if standing is not None and standing.status == "unchanged":
            settled.append((change, change.outcome("unchanged", standing.reason)))
        elif standing is not None:
            alone.append(change.outcome(standing.status, standing.reason))
        elif change.resource in reasons:
            # Nothing has failed: it is in use.
            alone.append(change.outcome("unchanged", reasons[change.resource]))
        else:
            left.append(change)
    return Divided(tuple(left), tuple(settled), tuple(alone))


def _moved(standing: Standing | None) -> bool:
    return standing is not None and standing.status == "changed_since"


def _regional(change: Change, lane: LaneSnapshot, functions: Mapping[str, Function]) -> Standing | None:
    if change.resource.kind in _OF_A_FUNCTION:
        return None if isinstance(lane.functions, Unreadable) else _function(change, functions)
    return Standing("unchanged", _GONE) if change.after is None and _is_gone(change.resource, lane) else None


def _function(change: Change, functions: Mapping[str, Function]) -> Standing | None:
    # An alias is `ARN:NAME`.
    live = functions.get(":".join(change.resource.id.split(":")[:7]))
    if live is None:
        return Standing("unchanged", _GONE)
    before, after = change.before, change.after
    if isinstance(before, FunctionState) and isinstance(after, FunctionState):
        return _configuration(live, before, after)
    return None


def _configuration(live: Function, before: FunctionState, after: FunctionState) -> Standing | None:
    if live.env is None or after.publish_to:
        return None
    compared = compare(live, before, after)
    if not compared.not_after:
        return Standing("unchanged", "it is as it was before")
    if compared.not_before:
        return Standing("changed_since", f"changed since: {', '.join(compared.not_before)}")
    return None


def _is_gone(resource: ResourceId, lane: LaneSnapshot) -> bool:
    """Whether it can be told that something that would be deleted is not there."""
    if resource.kind in ("log_group", "subscription_filter"):
        return not isinstance(lane.log_groups, Unreadable) and group_of(resource) not in lane.log_groups
    if resource.kind == "stack":
        return not isinstance(lane.stacks, Unreadable) and all(
            s.name != resource.id or s.status == "DELETE_COMPLETE" for s in lane.stacks
        )
    if resource.kind == "secret" and not isinstance(lane.secrets, Unreadable):
        live = lane.secrets.get(resource.id)
        if live is None and resource.id != SECRET_NAME:
            # Secrets of further sites are looked at only where something reads them.
            return False
        return live is None or live.deleted
    return False


def _of_account(change: Change, snapshot: Snapshot) -> Standing | None:
    account = snapshot.accounts.get(change.resource.account)
    live = account.integration if account else None
    if account is None or isinstance(live, Unreadable):
        return None
    if change.resource.kind == LogCollectionState.KIND:
        after = LogCollectionState.of(change.after)
        ended = live is None and not (after.lambdas or after.sources)
        return Standing("unchanged", _GONE) if ended else None
    return _integration(change, live) if change.resource.kind == IntegrationState.KIND else None


def _integration(change: Change, live: Integration | None) -> Standing | None:
    before, after = change.before, change.after
    if live is None:
        gone = isinstance(before, IntegrationState)
        return Standing("unchanged" if after is None else "changed_since", _GONE) if gone else None
    if isinstance(before, IntegrationState) and after is None:
        differing = before.differing(state_of(live))
        return Standing("changed_since", f"changed since: {', '.join(differing)}") if differing else None
    return None
