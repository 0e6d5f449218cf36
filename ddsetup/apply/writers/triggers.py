"""The subscription filters that Datadog made for a forwarder, taken back when the forwarder is taken out.

Datadog removes its filters itself once the forwarder's ARN is no longer registered (its guide to AWS log
triggers), but some time later, and no more once the integration or its role is gone: then they would be left
behind, pointing at nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from ddsetup.facts.filters import AUTOMATIC_PREFIX
from ddsetup.facts.services import source_groups
from ddsetup.gateways.aws.logs import delete_filter, list_filters
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Lane, SubscriptionFilter, Unreadable
from ddsetup.model.errors import NotFound
from ddsetup.model.snapshot import LaneSnapshot, Snapshot

FEW = 20
"""So many log groups take a few seconds at AWS's rate."""


def take_back(
    aws: Aws, snapshot: Snapshot, account: str, forwarders: Collection[str], *, few: bool = False
) -> tuple[str, ...]:
    """Delete Datadog's own filters to these forwarders from the log groups of the account's functions, state
    machines and stages of APIs; with `few` only where there are not many, else Datadog is left to do it.

    Returns what could not be looked at or deleted, as `GROUP: reason`.
    """
    regions = {arn.split(":")[3] for arn in forwarders}
    groups = [
        (lane, group)
        for lane, seen in snapshot.lanes.items()
        if lane.account == account and lane.region in regions
        for group in _groups(seen)
    ]
    if few and len(groups) > FEW:
        return ()
    problems = each(lambda place: _clear(aws, *place, forwarders), groups, at_once=8)
    return tuple(problem for problem in problems if problem)


def _groups(lane: LaneSnapshot) -> list[str]:
    """The log groups that functions and other sources of the lane write to, as far as they exist."""
    if isinstance(lane.functions, Unreadable):
        return []
    named = {function.log_group for function in lane.functions} | set(source_groups(lane))
    return sorted(named if isinstance(lane.log_groups, Unreadable) else named & set(lane.log_groups))


def _clear(aws: Aws, lane: Lane, group: str, forwarders: Collection[str]) -> str:
    found = list_filters(aws, lane, group)
    if isinstance(found, Unreadable):
        return f"{group}: {found.reason}"
    for one in found:
        if _made_by_datadog(one) and one.destination_arn in forwarders:
            try:
                delete_filter(aws, lane, group, one.name)
            except NotFound:
                continue
    return ""


def _made_by_datadog(one: SubscriptionFilter) -> bool:
    return one.name == f"{AUTOMATIC_PREFIX}{one.log_group}"
