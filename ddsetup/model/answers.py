"""What is wanted: the answers that flags, environment, file, prompts and defaults add up to.

`Answers` knows nothing of where an answer came from, nor whether anybody was asked: the same answers give
the same plan in every mode. It never holds a key, only where a key is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Via: TypeAlias = Literal["forwarder", "extension"]
Subscribe: TypeAlias = Literal["automatic", "account", "direct", "none"]
Metrics: TypeAlias = Literal["poll", "stream"]
OnConflict: TypeAlias = Literal["ask", "replace", "add", "skip"]
Part: TypeAlias = Literal[
    "functions", "filters", "policies", "collection", "forwarder", "secret", "integration", "role"
]
"""What a teardown takes down, part by part."""
Owned: TypeAlias = Literal["change", "skip", "source", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which functions. `names` are names, ARNs or globs; a function is in if it matches any name (or `all`
    is set) and every other rule given, and no pattern of `exclude`.

    `state` "uninstrumented" takes only those without Datadog.
    """

    names: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    runtimes: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    all: bool = False
    state: Literal["any", "uninstrumented", "instrumented"] = "any"

    @property
    def given(self) -> bool:
        """Whether anything was said at all about which functions are meant."""
        return bool(self.all or self.names or self.tags or self.runtimes or self.stacks)


KeyKind: TypeAlias = Literal["secret", "ssm", "kms", "wif"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where functions and the Forwarder find the Datadog API key (never the key itself).

    `kind` "secret": a Secrets Manager ARN in `value`, or "" for the secret that ddsetup makes in each
    region. "ssm": a parameter's ARN. "kms": base64 ciphertext. "wif": nowhere,
    functions get one from Datadog by their role (workload identity federation); the UUID of the organisation,
    or "" for that of the keys.
    """

    kind: KeyKind = "secret"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """Settings of the library beyond on and off. None: leave as it is, or the library's default.

    `sample_rate` is the share of traces that is kept, as text: 0 to 1.
    """

    log_level: str | None = None
    sample_rate: str | None = None
    capture_payload: bool | None = None
    merge_xray: bool | None = None
    appsec: bool = False
    llmobs: str | None = None
    apm_flush_deadline_ms: int | None = None
    git_commit: str | None = None
    git_repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything that a plan depends on besides the snapshot.

    Versions are "baseline" (the bundled, dated table), "latest" (probed in the region), "none", or a number.
    `service` None means: the function's own name, unless it carries a `service` tag.
    `owned` is what becomes of functions that a deployment tool owns; "source": they are left alone, and the
    files of their project are changed; "all": changed, and so are those that Datadog itself instruments.
    `publish`: a version is published of what was instrumented, and aliases serve it. `replace_log_group`: the
    log group that Lambda made anew for a Forwarder that is gone is deleted before a new one's is made.
    `durable_events`: Datadog's stack that tells how durable executions end is made. `metrics`: how those of
    CloudWatch get to Datadog. `thorough`: what evidence says need not be read is read, too. `prune`: what
    ddsetup set and is no longer wanted is removed. `exclude_at_match`: lines that match are not forwarded.
    """

    site: str
    regions: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    via: Via = "forwarder"
    logs: bool = True
    traces: bool = True
    enhanced_metrics: bool = True
    env: str | None = None
    service: str | None = None
    version: str | None = None
    extra_tags: tuple[tuple[str, str], ...] = ()
    layer_version: str = "baseline"
    extension_version: str = "baseline"
    fips: bool = False
    tracing: Tracing = field(default_factory=Tracing)
    key_source: KeySource = field(default_factory=KeySource)
    grant_key_access: bool = True
    role_name: str = "DatadogIntegrationRole"
    role_boundary: str = ""
    role_path: str = "/"
    resource_tags: tuple[tuple[str, str], ...] = ()
    resource_collection: bool = False
    integration_namespaces: tuple[str, ...] = ()
    forwarder_arns: tuple[str, ...] = ()
    forwarder_stack: str = "datadog-forwarder"
    forwarder_function: str = "datadog-forwarder"
    forwarder_version: str = "latest"
    forwarder_params: Mapping[str, str] = field(default_factory=dict)
    exclude_at_match: str = ""
    forwarder_upgrade: bool = False
    replace_log_group: bool = True
    metrics: Metrics = "poll"
    durable_events: bool = False
    durable_template_url: str = ""
    thorough: bool = False
    template_url: str = ""
    log_sources: tuple[str, ...] = ("lambda",)
    state_machines: tuple[str, ...] = ()
    api_stages: tuple[str, ...] = ()
    subscribe: Subscribe = "automatic"
    create_log_groups: bool = True
    on_conflict: OnConflict = "skip"
    conflicts: Mapping[str, OnConflict] = field(default_factory=dict)
    owned: Owned = "change"
    publish: bool = False
    prune: bool = False

    def tags_of_ours(self, mark: Mapping[str, str]) -> dict[str, str]:
        """The tags of what ddsetup makes in AWS: those that were asked for, and the mark it is known by."""
        return {**dict(self.resource_tags), **mark}

    @property
    def stack_params(self) -> Mapping[str, str]:
        """The parameters that are wanted of the Forwarder's stack; those that are named win."""
        excluded = {"ExcludeAtMatch": self.exclude_at_match} if self.exclude_at_match else {}
        return excluded | dict(self.forwarder_params)

    @property
    def changes_owned(self) -> bool:
        """Whether functions are changed beside the deployment tool that owns them."""
        return self.owned in ("change", "all")

    @property
    def forwards(self) -> bool:
        """Whether a Forwarder reads log groups: not with the Extension, nor where nobody subscribes it."""
        return self.via == "forwarder" and self.subscribe != "none"

    @property
    def streams_logs(self) -> bool:
        """Whether a policy of the account leads log groups to Datadog by Firehose, beside the Extension."""
        return self.via == "extension" and self.subscribe == "account" and self.logs

    @property
    def datadog_subscribes(self) -> bool:
        """Whether Datadog's automatic triggers put the subscription filters."""
        return self.via == "forwarder" and self.subscribe == "automatic"
