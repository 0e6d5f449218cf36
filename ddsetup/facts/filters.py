"""Subscription filters: where one leads, who made it, how it is written down.

Filter names are those that the tools document or are known to use; the destination always decides first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from ddsetup.facts.recognise import forwarder_like
from ddsetup.model.account import Forwarder, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.change import ResourceId
from ddsetup.model.states import FilterState

Destination: TypeAlias = Literal["ours", "forwarder", "firehose", "foreign"]
"""Our Forwarder, another Datadog Forwarder, a Firehose stream to Datadog, or something of somebody else's."""

MAX_FILTERS = 2
"""Filters per log group, which AWS does not raise (CloudWatch Logs quotas page)."""
AUTOMATIC_PREFIX = "DD_LOG_SUBSCRIPTION_FILTER_"
OWN_PREFIX = "ddsetup-"
FORWARDER_FILTERS = (AUTOMATIC_PREFIX, "datadog-ci-filter")
"""Names of filters that Datadog and its tools put only for Forwarders."""

_DATADOG_NAMES = (
    AUTOMATIC_PREFIX,
    OWN_PREFIX,
    "datadog-ci-filter",
    "datadog-serverless-macro-filter",
    "datadog_log_subscription_filter",
)
"""How the names begin of filters that Datadog's tools, ddsetup and Terraform's module put."""

_OWNERS: tuple[tuple[str, str], ...] = (
    (rf"{AUTOMATIC_PREFIX}.*", "Datadog's automatic triggers"),
    (rf"{OWN_PREFIX}.*", "ddsetup"),
    (r"datadog-ci-filter", "datadog-ci"),
    (r"datadog-serverless-macro-filter", "Datadog's CloudFormation macro"),
    (r"datadog_log_subscription_filter", "Terraform"),
    (r"NewRelic(Otel)?LogStreaming", "New Relic"),
    (r"LambdaStream_.*", "the AWS console"),
    (r".*Subscription\w*-\w+", "a CloudFormation stack"),
)


@dataclass(frozen=True, slots=True)
class Forwarders:
    """The Forwarder that a region uses (None: none yet) and all others that are known there."""

    ours: str | None
    others: frozenset[str]

    @classmethod
    def among(cls, ours: str | None, known: Iterable[Forwarder] | Unreadable) -> Forwarders:
        """Ours, by its ARN, and the others of those that are known; none where they cannot be read."""
        arns = () if isinstance(known, Unreadable) else (forwarder.arn for forwarder in known)
        return cls(ours, frozenset(arns) - {ours})


def own_name(forwarder: str, run: str = "") -> str:
    """The name of a filter that ddsetup puts for a Forwarder, whose ARN is given.

    `run`: six hexadecimal digits that make it a name of one run's own, which no filter has yet.
    """
    return f"{OWN_PREFIX}{forwarder.rsplit(':', 1)[-1]}" + (f"-{run}" if run else "")


def is_own_name(name: str, forwarder: str) -> bool:
    """Whether it is the name of a filter that ddsetup puts for this Forwarder, in this or another run."""
    return re.fullmatch(f"{re.escape(own_name(forwarder))}(-[0-9a-f]{{6}})?", name) is not None


def is_new_name(name: str, forwarder: str) -> bool:
    """Whether it is a name of one run's own."""
    return name != own_name(forwarder) and is_own_name(name, forwarder)


def classify(found: SubscriptionFilter, forwarders: Forwarders) -> Destination:
    """Where the filter leads. A Firehose stream is Datadog's if its name says so."""
    arn = found.destination_arn
    if arn == forwarders.ours:
        return "ours"
    service, name = arn.split(":")[2:3], arn.split(":")[-1]
    named = forwarder_like(name) or found.name.startswith(FORWARDER_FILTERS)
    if arn in forwarders.others or (service == ["lambda"] and named):
        return "forwarder"
    return "firehose" if service == ["firehose"] and "datadog" in name.lower() else "foreign"


def leads_to_datadog_by_name(name: str) -> bool:
    """Whether a filter of that name leads to a Datadog Forwarder, as far as a name tells."""
    return name.startswith(_DATADOG_NAMES)


def filter_owner(found: SubscriptionFilter) -> str:
    """Who made the filter, as far as its name tells."""
    for pattern, who in _OWNERS:
        if re.fullmatch(pattern, found.name):
            return who
    return "unknown owner"


def describe(found: SubscriptionFilter) -> str:
    """The filter with its owner, destination and pattern: what a user must see before it is touched."""
    pattern = f", pattern {found.pattern!r}" if found.pattern else ""
    return f"{found.name} ({filter_owner(found)}) to {found.destination_arn}{pattern}"


def filter_resource(group: str, name: str, lane: Lane) -> ResourceId:
    """A filter as a resource."""
    return ResourceId("subscription_filter", f"{group}:{name}", lane.region, lane.account)


def group_resource(group: str, lane: Lane) -> ResourceId:
    """A log group as a resource."""
    return ResourceId("log_group", group, lane.region, lane.account)


def group_of(resource: ResourceId) -> str:
    """The log group that a filter, or the group itself, as a resource is about."""
    return resource.id.partition(":")[0]


def as_filter(state: FilterState) -> SubscriptionFilter:
    """The filter as it is read, of which only this is known."""
    return SubscriptionFilter(**{each.name: getattr(state, each.name) for each in fields(state)})


def filter_state(found: SubscriptionFilter) -> FilterState:
    """All that is needed to put the filter back to the letter."""
    return FilterState(
        log_group=found.log_group,
        name=found.name,
        pattern=found.pattern,
        destination_arn=found.destination_arn,
        role_arn=found.role_arn,
        distribution=found.distribution,
        apply_on_transformed_logs=found.apply_on_transformed_logs,
        emit_system_fields=found.emit_system_fields,
        field_selection_criteria=found.field_selection_criteria,
    )
