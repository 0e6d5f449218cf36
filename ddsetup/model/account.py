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
    alias: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachineSettings:
    """What `states:DescribeStateMachine` tells of a state machine's logging. `role` is its IAM role.

    `level` is "ALL", "ERROR", "FATAL" or "OFF"; `destinations` are ARNs of log groups, at most one, each
    ending in `:*`.
    """

    level: str = "OFF"
    include_execution_data: bool = False
    destinations: tuple[str, ...] = ()
    role: str = ""

    @property
    def log_group(self) -> str:
        """The name of the log group that is logged to, empty if none is."""
        return log_group_in(self.destinations[0]) if self.destinations else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine:
    """A state machine of Step Functions. `settings` None: not looked at.

    `type` is "STANDARD" or "EXPRESS".
    """

    name: str
    arn: str
    region: str
    account: str
    type: str = "STANDARD"
    tags: Mapping[str, str] | Unreadable = field(default_factory=dict)
    settings: StateMachineSettings | Unreadable | None = None

    @property
    def lane(self) -> Lane:
        return Lane(self.account, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStage:
    """A stage of an API of API Gateway. `protocol` is "REST", "HTTP" or "WEBSOCKET".

    `destination` is the ARN of the log group or Firehose stream that access logs go to, in `format`.
    `execution_level` is the level of execution logs ("OFF", "ERROR", "INFO") for all of the stage's methods
    or routes; HTTP APIs have none. `stage` empty stands for an API whose stages were not looked at.
    """

    api_id: str
    api_name: str
    protocol: str
    stage: str
    region: str
    account: str
    destination: str = ""
    format: str = ""
    execution_level: str = "OFF"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def lane(self) -> Lane:
        return Lane(self.account, self.region)

    @property
    def id(self) -> str:
        """The API's id and the stage, `a1b2c3/prod`: names of APIs may be the same."""
        return f"{self.api_id}/{self.stage}"

    @property
    def log_group(self) -> str:
        """The name of the log group of its access logs, empty if they go elsewhere or nowhere."""
        return log_group_in(self.destination)


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
