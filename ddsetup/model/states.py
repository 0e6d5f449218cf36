"""The part of a resource that ddsetup owns, as plain data: what a change holds as `before` and `after`.

Only the owned facet is kept. A function's foreign environment, layers of other vendors or unknown settings
are read again at the moment of writing and carried over, so they never enter a plan, a journal or a report.

Mappings are *owned keys*: a key in `before` or `after` is owned, its absence on one side means "not set".
A string of the form `ref:secret:NAME`, `ref:external-id` stands for a value that a server issues while the
plan is carried out; writers replace it before the change is journalled and sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, TypeAlias, get_args

from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.model.services import ServiceState
from ddsetup.model.typed import SPARSE, decode, encode

REF_SECRET = "ref:secret:"
REF_EXTERNAL_ID = "ref:external-id"
REF_VERSION = "ref:version"
"""The version that AWS publishes while the plan is carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleState:
    """The role that Datadog assumes. `external_id` may be `REF_EXTERNAL_ID` until it is issued.

    `trust_account` is the AWS account that Datadog's site assumes roles from. `policies` are the inline
    policies that ddsetup owns, by name; `attached` the managed policies that it attaches, `managed` those
    that it makes for this role and attaches, by name. `boundary` and `tags` are given to a role that is made,
    and not changed later.
    """

    KIND: ClassVar[str] = "iam_role"
    name: str
    trust_account: str
    external_id: str
    policies: Mapping[str, Json] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    managed: Mapping[str, Json] = field(default_factory=dict)
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationState:
    """Datadog's record of the account, without log collection.

    `namespaces_mode` is "include_only", "exclude_only" or "" (Datadog's default). `regions` empty: all.
    """

    KIND: ClassVar[str] = "integration"
    aws_account_id: str
    partition: str
    role_name: str
    metrics_enabled: bool = True
    namespaces_mode: str = ""
    namespaces: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    resource_collection: bool = False
    tags: tuple[str, ...] = ()

    def differing(self, other: IntegrationState) -> tuple[str, ...]:
        """The names of the fields that mean something else. Lists are sets; where one side leaves the
        namespaces to Datadog (no mode), they equal any."""
        ours = self.namespaces_mode and other.namespaces_mode
        names = [f.name for f in fields(self) if ours or f.name not in ("namespaces", "namespaces_mode")]
        return tuple(name for name in names if _members(self, name) != _members(other, name))


def _members(state: IntegrationState, name: str) -> object:
    value = getattr(state, name)
    return frozenset(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCollectionState:
    """Forwarder ARNs and log sources registered with the integration that ddsetup adds or takes out."""

    KIND: ClassVar[str] = "log_collection"
    lambdas: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: object) -> LogCollectionState:
        """The side of a change; nothing is registered where it is None."""
        return state if isinstance(state, LogCollectionState) else cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """The Secrets Manager secret that holds the Datadog API key; the key itself is never part of it.

    `site` is the Datadog site on which the key is good; empty: that of the run.
    """

    KIND: ClassVar[str] = "secret"
    name: str
    description: str = ""
    site: str = field(default="", metadata=SPARSE)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """A stack. `parameters` holds those that ddsetup sets, the rest keep their value.

    `template` is the template of a stack of ddsetup's own, whole; others are made from one at `template_url`.
    """

    KIND: ClassVar[str] = "stack"
    name: str
    template_url: str = ""
    version: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    template: Json = field(default=None, metadata=SPARSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionState:
    """The instrumentation of a function.

    `layers` is the whole ordered list of layer ARNs: a writer applies the difference between `before` and
    `after` to the list that it finds. `env` holds owned variables only. `system_log_level` is owned only if
    it differs between the two sides. `publish_to` "LATEST_PUBLISHED", on both sides: what is written is also
    published, as calls run nothing else (managed instances).
    """

    KIND: ClassVar[str] = "function"
    handler: str | None = None
    layers: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    system_log_level: str | None = None
    publish_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasState:
    """The published version that an alias of a function serves; `REF_VERSION` until it is published."""

    KIND: ClassVar[str] = "alias"
    function: str
    alias: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsState:
    """Resource tags of a function that ddsetup owns."""

    KIND: ClassVar[str] = "function_tags"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicyState:
    """An inline policy on a function's execution role, e.g. the right to read the API key's secret."""

    KIND: ClassVar[str] = "role_policy"
    role_name: str
    policy_name: str
    document: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroupState:
    """A log group that ddsetup creates because the function has not run yet; `tags` are given to it then."""

    KIND: ClassVar[str] = "log_group"
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterState:
    """A subscription filter with everything needed to put it back to the letter."""

    KIND: ClassVar[str] = "subscription_filter"
    log_group: str
    name: str
    pattern: str = ""
    destination_arn: str = ""
    role_arn: str | None = None
    distribution: str | None = None
    apply_on_transformed_logs: bool | None = None
    emit_system_fields: tuple[str, ...] = ()
    field_selection_criteria: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicyState:
    """A subscription filter policy of an account and region, to the letter: its document (JSON) and its
    selection of log groups are kept as CloudWatch Logs has them."""

    KIND: ClassVar[str] = "account_policy"
    name: str
    document: str
    selection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTagsState:
    """Which tag keys of a metric can be queried, and whether percentiles are kept.

    Without it every tag can be queried. With it `tags` is an allow-list, or with `exclude_tags_mode` the
    list of tag keys that cannot.
    """

    KIND: ClassVar[str] = "metric_tags"
    metric: str
    metric_type: str = "distribution"
    tags: tuple[str, ...] = ()
    include_percentiles: bool | None = None
    exclude_tags_mode: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeMappingState:
    """A role from which Datadog takes data without an API key, as the ARN under which its functions run."""

    KIND: ClassVar[str] = "intake_mapping"
    arn_pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """A monitor that ddsetup made. `key` says which one it is, `scope` for what: both are tags of it.

    `options` holds those that ddsetup sets; the others keep their value.
    """

    KIND: ClassVar[str] = "monitor"
    key: str
    scope: str
    name: str
    query: str
    type: str = "query alert"
    message: str = ""
    tags: tuple[str, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloState:
    """A service level objective that ddsetup made. `key` and `scope` are tags of it, as of monitors.

    `measure` is `good` and `total`, queries of counts (type `metric`), or a `query` with the `comparator` and
    `threshold` that tell good time (type `time_slice`). `target` is in percent of a `timeframe` like `30d`.
    """

    KIND: ClassVar[str] = "slo"
    key: str
    scope: str
    name: str
    type: str
    measure: Mapping[str, Json]
    target: float
    timeframe: str
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardState:
    """A dashboard that ddsetup made; its description carries a mark by which it is found again.

    `widgets` are definitions as Datadog's API takes them, without ids.
    """

    KIND: ClassVar[str] = "dashboard"
    title: str
    description: str = ""
    layout_type: str = "ordered"
    reflow_type: str = ""
    widgets: Json = None
    template_variables: Json = None


State: TypeAlias = (
    RoleState
    | IntegrationState
    | LogCollectionState
    | SecretState
    | StackState
    | FunctionState
    | AliasState
    | TagsState
    | RolePolicyState
    | LogGroupState
    | FilterState
    | AccountPolicyState
    | ServiceState
    | IntakeMappingState
    | MetricTagsState
    | MonitorState
    | SloState
    | DashboardState
)

STATES: Mapping[str, type[State]] = {cls.KIND: cls for cls in get_args(State)}


def to_json(state: State | None) -> Json:
    """The state as JSON types, None for "not there". Keys are the field names."""
    return encode(state)


def from_json(kind: str, document: Json) -> State | None:
    """The inverse of `to_json`.

    Raises UsageError when `kind` is unknown or the document does not fit it.
    """
    if document is None:
        return None
    cls = STATES.get(kind)
    if cls is None or not isinstance(document, dict):
        raise UsageError(f"not a description of a resource: kind {kind!r}")
    return decode(cls, document, lenient=True)
