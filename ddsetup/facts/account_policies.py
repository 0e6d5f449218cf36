"""Subscription filter policies: one filter for all log groups of an account and region.

CloudWatch Logs API reference, `PutAccountPolicy`: one such policy for an account and region, beside the
filters of each log group; it counts for groups that come later, too; of groups it can only leave out those
that its selection names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ddsetup.facts.filters import OWN_PREFIX, own_name
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.states import AccountPolicyState

_SELECTION = re.compile(r"\s*LogGroupName\s+NOT\s+IN\s+(\[.*\])\s*", re.DOTALL)
MOST_SELECTION = 25_000
"""Bytes of a selection (`PutAccountPolicy`: 25 KB)."""


@dataclass(frozen=True, slots=True)
class FilterPolicy:
    """A subscription filter policy that is there. `excluded` are the log groups that it leaves out; None: its
    selection is not understood."""

    state: AccountPolicyState
    destination_arn: str
    pattern: str
    excluded: tuple[str, ...] | None

    @property
    def own(self) -> bool:
        """Whether ddsetup put it, by its name."""
        return self.state.name.startswith(OWN_PREFIX)

    def delivers(self, group: str) -> bool:
        """Whether it takes in a log group."""
        return self.excluded is not None and group not in self.excluded

    def without(self, *groups: str) -> AccountPolicyState:
        """What it becomes when it leaves out these groups as well."""
        return replace(self.state, selection=selection_without((*(self.excluded or ()), *groups)))


def policies_of(items: Iterable[Json] | Unreadable) -> tuple[FilterPolicy, ...]:
    """The policies that `DescribeAccountPolicies` tells of; none where they cannot be read."""
    return () if isinstance(items, Unreadable) else tuple(policy_of(item) for item in items)


def policy_to(arn: str | None, items: Iterable[Json] | Unreadable) -> FilterPolicy | None:
    """The policy among these that leads to a function, if any does."""
    return next((policy for policy in policies_of(items) if arn and policy.destination_arn == arn), None)


def policy_of(item: Json) -> FilterPolicy:
    """One policy. A document that is no JSON, or has no destination, leads nowhere."""
    text, selection = str(item.get("policyDocument") or ""), str(item.get("selectionCriteria") or "")
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    document = document if isinstance(document, dict) else {}
    return FilterPolicy(
        state=AccountPolicyState(name=str(item.get("policyName") or ""), document=text, selection=selection),
        destination_arn=str(document.get("DestinationArn") or ""),
        pattern=str(document.get("FilterPattern") or ""),
        excluded=_excluded(selection),
    )


def wanted_policy(forwarder: str, excluded: Iterable[str]) -> AccountPolicyState:
    """The policy that leads all log groups but these to a Forwarder, whose ARN is given."""
    document = {"DestinationArn": forwarder, "FilterPattern": "", "Distribution": "Random"}
    return AccountPolicyState(
        name=own_name(forwarder), document=json.dumps(document), selection=selection_without(excluded)
    )


def stream_policy(name: str, stream: str, role: str, excluded: Iterable[str]) -> AccountPolicyState:
    """The policy that leads all log groups but these to a delivery stream, by a role of CloudWatch Logs."""
    document = {"RoleArn": role, "DestinationArn": stream, "FilterPattern": "", "Distribution": "Random"}
    return AccountPolicyState(name=name, document=json.dumps(document), selection=selection_without(excluded))


def selection_without(groups: Iterable[str]) -> str:
    """The selection of all log groups but these."""
    return f"LogGroupName NOT IN {json.dumps(sorted(set(groups)))}"


def policy_resource(name: str, lane: Lane) -> ResourceId:
    """A policy as a resource."""
    return ResourceId("account_policy", name, lane.region, lane.account)


def _excluded(selection: str) -> tuple[str, ...] | None:
    if not selection.strip():
        return ()
    found = _SELECTION.fullmatch(selection)
    try:
        names = json.loads(found.group(1)) if found else None
    except ValueError:
        names = None
    return tuple(map(str, names)) if isinstance(names, list) else None
