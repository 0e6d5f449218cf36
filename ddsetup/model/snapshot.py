"""One moment of an account, of its regions and of Datadog: everything that a run looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ddsetup.model.account import (
    Alias,
    Forwarder,
    Function,
    Identity,
    Integration,
    Json,
    Lane,
    LogGroup,
    Role,
    Secret,
    Stack,
    SubscriptionFilter,
    Unreadable,
    WorkloadIdentity,
)
from ddsetup.model.change import Change, ResourceId
from ddsetup.model.metric_stream import MetricStream
from ddsetup.model.services import Service

T = TypeVar("T", bound=Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """What is global to an account: the integration on Datadog's side and its role on AWS's.

    `integration`/`role` None: looked, and not there. `permissions` is the list of actions that Datadog wants
    on its role, `permissions_source` "live" or "bundled". `collection` are those that it wants for the
    collection of resources, policy by policy; empty: not asked for. `simulated` maps an IAM action that we
    need to "allowed", "denied" or "unknown".
    """

    identity: Identity
    integration: Integration | Unreadable | None = None
    role: Role | Unreadable | None = None
    permissions: tuple[str, ...] = ()
    permissions_source: str = "bundled"
    collection: tuple[tuple[str, ...], ...] = ()
    simulated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSnapshot:
    """What is in one region of one account.

    `tags` by function ARN; a function that never had a tag is absent. `filters` holds only the log groups
    that were looked at. `secrets` holds those that ddsetup asked for, by name. `newest_layers` maps a layer
    name to the newest version seen to exist in this region (empty: not probed, use the bundled baseline).
    `published` maps function ARNs to their aliases. `forwarder_layer` says whether the layer of the newest
    Forwarder known can be used here; None: not looked at. `log_delivery` maps the roles of state machines to
    "allowed", "denied" or "unknown": whether they may deliver logs. `api_log_role` is the role by which API
    Gateway writes logs of REST and WebSocket APIs here, "" if there is none; None: not looked at.
    `datadog_rule` says whether Datadog instruments functions here from its AWS integration; None: not looked
    at. `versions` are published versions that aliases serve, by `ARN:VERSION`. `edge_roles` are the ARNs of
    roles that CloudFront's edges may assume, `replicated` those of functions that they may copy, of those
    that were looked at. `qualifiers` are the aliases and versions by which functions were called within two
    weeks, by the function's name; None: not looked at. `provisioned` is how many environments are kept warm,
    by ARN and alias or version, of functions that were looked at. `delivered` are the filters that delivered
    something within two weeks, by log group, `delivering` those within three hours; `receiving` are the log
    groups that something was written to within three hours. None: not asked. `template_version` is what the
    Forwarder's template deploys; empty: not looked at, or it does not say. `services` by kind.
    `metric_streams` are those that lead to Datadog, None: not looked at; `metric_stream_template` is the
    template of ddsetup's own.
    """

    lane: Lane
    functions: tuple[Function, ...] | Unreadable = ()
    tags: Mapping[str, Mapping[str, str]] | Unreadable = field(default_factory=dict)
    stacks: tuple[Stack, ...] | Unreadable = ()
    forwarders: tuple[Forwarder, ...] | Unreadable = ()
    log_groups: Mapping[str, LogGroup] | Unreadable = field(default_factory=dict)
    filters: Mapping[str, tuple[SubscriptionFilter, ...] | Unreadable] = field(default_factory=dict)
    secrets: Mapping[str, Secret] | Unreadable = field(default_factory=dict)
    aliases: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    versions: Mapping[str, Function | Unreadable] = field(default_factory=dict)
    qualifiers: Mapping[str, tuple[str, ...]] | Unreadable | None = None
    provisioned: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    delivered: Mapping[str, frozenset[str]] | Unreadable | None = None
    delivering: Mapping[str, frozenset[str]] | Unreadable | None = None
    receiving: frozenset[str] | Unreadable | None = None
    newest_layers: Mapping[str, int] = field(default_factory=dict)
    account_filter_policies: tuple[Json, ...] | Unreadable = ()
    unreserved_concurrency: int | Unreadable | None = None
    datadog_rule: bool | Unreadable | None = None
    edge_roles: frozenset[str] | Unreadable = frozenset()
    replicated: frozenset[str] = frozenset()
    template_parameters: tuple[str, ...] | Unreadable = ()
    template_version: str | Unreadable = ""
    forwarder_layer: bool | Unreadable | None = None
    resources: Mapping[str, int] = field(default_factory=dict)
    services: Mapping[str, tuple[Service, ...] | Unreadable] = field(default_factory=dict)
    log_delivery: Mapping[str, str] = field(default_factory=dict)
    api_log_role: str | Unreadable | None = None
    metric_streams: tuple[MetricStream, ...] | Unreadable | None = None
    metric_stream_template: Json | Unreadable = None

    def listed(self, kind: type[T]) -> tuple[T, ...] | Unreadable:
        """What there is of a kind of other services."""
        found = self.services.get(kind.KIND, ())
        return found if isinstance(found, Unreadable) else tuple(s for s in found if isinstance(s, kind))

    def tags_of(self, function: Function) -> Mapping[str, str]:
        """The function's resource tags; none where they cannot be read."""
        return {} if isinstance(self.tags, Unreadable) else self.tags.get(function.arn, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSnapshot:
    """What Datadog offers to this organisation. Lists fall back to bundled ones; `fallbacks` says so.

    `workload_identity` None: not looked at.
    """

    site: str
    log_services: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    workload_identity: WorkloadIdentity | Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment of everything that a run looks at.

    `left_out` are regions in which nothing can be looked at, while others can. `key_secret` is the user's own
    secret with the API key,
    if functions are to read one and it was looked at. `applied` is what earlier runs left in force, by
    resource: what ddsetup may take back; None: no run of this account is known. `key_policies` are the
    policies by which functions' roles read the API key, by the role's ARN; absent: not looked at.
    """

    accounts: Mapping[str, AccountSnapshot]
    lanes: Mapping[Lane, LaneSnapshot]
    datadog: DatadogSnapshot
    at: datetime
    left_out: Mapping[Lane, Unreadable] = field(default_factory=dict)
    key_secret: Secret | Unreadable | None = None
    applied: Mapping[ResourceId, Change] | None = None
    key_policies: Mapping[str, Json | Unreadable] = field(default_factory=dict)

    def functions(self) -> tuple[Function, ...]:
        """Every function that could be read, in the order of lanes and names."""
        found: list[Function] = []
        for lane in sorted(self.lanes):
            functions = self.lanes[lane].functions
            if not isinstance(functions, Unreadable):
                found.extend(sorted(functions, key=lambda f: f.name))
        return tuple(found)
