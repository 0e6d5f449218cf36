"""What is: immutable records of an AWS account and of Datadog as observed in one moment.

Nothing here talks to the network or prints. A field that could not be read holds an `Unreadable` that names
the permission or fault, never an empty value: "nothing there" and "not allowed to look" differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""A value that came from, or goes to, a JSON document."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A read that AWS or Datadog refused or failed. `action` is the IAM action or Datadog permission.

    `fix` is what to do where that is known; `region_off` says that the whole region is not enabled.
    """

    action: str
    reason: str
    denied: bool = True
    fix: str = ""
    region_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadIdentity:
    """Who sends to an organisation of Datadog without a key: the organisation's UUID, and the patterns of
    ARNs (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/*`) that it takes data from."""

    org_uuid: str
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One account in one region: the unit in which regional work is done, with quotas of its own.

    Without a region it is what all regions of the account share, as IAM.
    """

    account: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on AWS (`sts:GetCallerIdentity`)."""

    account: str
    arn: str
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer version attached to a function. `code_size` is the zipped size in bytes."""

    arn: str
    code_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The `$LATEST` configuration of a function, as `lambda:ListFunctions` returns it.

    `env` is None when AWS could not decrypt it (`Environment.Error`); such a function is never written.
    `revision_id` is the state that a write must still find. `managed_instances`: calls run what was published
    as `$LATEST.PUBLISHED`. `durable`: it has durable executions. `tenant_isolation`: calls name a tenant.
    `reserved`: the concurrency that is reserved for it, which only `lambda:GetFunction` tells.
    """

    name: str
    arn: str
    region: str
    account: str
    runtime: str | None = None
    architecture: str = "x86_64"
    package_type: str = "Zip"
    handler: str | None = None
    role: str = ""
    layers: tuple[Layer, ...] = ()
    env: Mapping[str, str] | None = field(default_factory=dict, repr=False)
    env_error: str = ""
    log_group: str = ""
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    memory: int = 128
    timeout: int = 3
    code_size: int = 0
    code_sha256: str = ""
    revision_id: str = ""
    kms_key_arn: str | None = None
    vpc: bool = False
    snap_start: str = "None"
    tracing: str = "PassThrough"
    master_arn: str | None = None
    state: str | None = None
    last_update_status: str | None = None
    last_modified: str = ""
    versions: tuple[str, ...] = ()
    managed_instances: bool = False
    durable: bool = False
    tenant_isolation: bool = False
    reserved: int | None = None

    @property
    def lane(self) -> Lane:
        return Lane(self.account, self.region)


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of a function and the published version that it serves. `weighted`: a part goes to another."""

    name: str
    version: str
    weighted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A CloudFormation stack. `parameters` never holds a NoEcho value: AWS masks those as `****`."""

    name: str
    stack_id: str = ""
    status: str
    status_reason: str = ""
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder:
    """A Datadog Forwarder function, with the ways in which it was recognised."""

    arn: str
    name: str
    region: str
    version: str | None = None
    stack: str | None = None
    stack_status: str | None = None
    nested: bool = False
    found_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A CloudWatch log group. Only the class STANDARD supports subscription filters.

    `stored_bytes` lags behind by hours; None: AWS did not tell.
    """

    name: str
    retention_days: int | None = None
    log_class: str = "STANDARD"
    stored_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFilter:
    """A subscription filter with every field that is needed to recreate it to the letter."""

    log_group: str
    name: str
    pattern: str = ""
    destination_arn: str
    role_arn: str | None = None
    distribution: str | None = None
    apply_on_transformed_logs: bool | None = None
    emit_system_fields: tuple[str, ...] = ()
    field_selection_criteria: str | None = None
    created_ms: int | None = None


def log_group_in(arn: str) -> str:
    """The name in the ARN of a log group, with or without `:*` at its end; empty for any other ARN."""
    _, found, name = arn.partition(":log-group:")
    return name.removesuffix(":*") if found else ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secrets Manager secret, without its content. `deleted` means: scheduled for deletion.

    `kms_key` is the id, ARN or alias of the key that encrypts it, empty for AWS's own.
    """

    name: str
    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    deleted_at: datetime | None = None
    kms_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role: its trust policy, inline policies by name, and the ARNs of attached managed policies.

    `managed` are those of them that Datadog's resource collection has, by name; None: it could not be read.
    """

    name: str
    arn: str
    path: str = "/"
    trust: Json = None
    inline: Mapping[str, Json] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    managed: Mapping[str, Json | None] = field(default_factory=dict)
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceFilter:
    """Which CloudWatch namespaces Datadog crawls: everything but `names`, or only `names`."""

    mode: Literal["include_only", "exclude_only"]
    names: tuple[str, ...]

    def admits(self, namespace: str) -> bool:
        return (namespace in self.names) == (self.mode == "include_only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """Datadog's record of an AWS account (`/api/v2/integration/aws/accounts`).

    `regions` None means all regions. `raw` keeps the attributes as answered, so that a write can carry over
    what ddsetup does not know.
    """

    config_id: str
    account: str
    partition: str = "aws"
    role_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    access_key_auth: bool = False
    metrics_enabled: bool = True
    namespaces: NamespaceFilter | None = None
    regions: tuple[str, ...] | None = None
    lambdas: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    resource_collection: bool = False
    raw: Mapping[str, Json] = field(default_factory=dict, repr=False)
