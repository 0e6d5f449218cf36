"""Every environment variable that ddsetup sets or takes out, once.

A row says what answer a variable comes from and what the settings of deployment tools call it. What is set
directly, what files are told, what may be shown and what is taken out again are read from here, so that a
setting cannot be known to one and forgotten by another. Sources: Datadog's documentation (serverless
configuration); serverless-plugin-datadog src/env.ts, datadog-cloudformation-macro src/lambda/env.ts,
datadog-cdk-constructs src/interfaces.ts and src/env.ts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ddsetup.model.answers import Answers, KeyKind, KeySource, Via
from ddsetup.model.errors import UsageError

FileTool: TypeAlias = Literal["plugin", "macro", "cdk", "variables"]
"""What carries a setting: the three of Datadog by names of their own; others set variables one by one."""
Rule: TypeAlias = Literal["asked", "merged", "by_runtime", "elsewhere"]

SITE = "DD_SITE"
FLUSH_TO_LOG = "DD_FLUSH_TO_LOG"
LOGS_ENABLED = "DD_SERVERLESS_LOGS_ENABLED"
TRACE_ENABLED = "DD_TRACE_ENABLED"
SAMPLE_RATE = "DD_TRACE_SAMPLE_RATE"
ENHANCED_METRICS = "DD_ENHANCED_METRICS"
SERVICE = "DD_SERVICE"
APPSEC = "DD_APPSEC_ENABLED"
EXTENSION_APPSEC = "DD_SERVERLESS_APPSEC_ENABLED"
FIPS_MODE = "DD_LAMBDA_FIPS_MODE"
LOG_LEVEL = "DD_LOG_LEVEL"
KEY_SECRET_ARN = "DD_API_KEY_SECRET_ARN"
KEY_SSM_ARN = "DD_API_KEY_SSM_ARN"
DURABLE_BUFFER = "DD_LAMBDA_DURABLE_FUNCTION_LOG_BUFFER_SIZE"
MERGE_XRAY = "DD_MERGE_XRAY_TRACES"
TAGS = "DD_TAGS"
KEY_KMS = "DD_KMS_API_KEY"
ORG_UUID = "DD_ORG_UUID"
"""With it the Extension gets a key from Datadog by the function's own role, and needs no other source."""


def switch(on: bool | None) -> str:
    """A switch as Datadog's libraries read it; empty for one that was not touched."""
    return "" if on is None else "true" if on else "false"


def is_on(env: Mapping[str, str], name: str, default: bool = True) -> bool:
    """Whether a switch among a function's variables is on: all but `false` and `0`, in any letters. One that
    is not set, or is empty, is what Datadog's default is."""
    text = env.get(name, "").strip().lower()
    return text not in ("false", "0") if text else default


def means(env: Mapping[str, str], name: str, value: str) -> bool:
    """Whether a variable that a function may have says the same as `value`: of a switch `1` is `true`; one
    that is not set says nothing else."""
    row = BY_NAME.get(name)
    if row is not None and row.kind == "switch":
        return is_on(env, name, value == "true") == (value == "true")
    return env.get(name, value) == value


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable. `setting` is its option; `value` makes a text of the answers where it is not just the
    field of that name, empty for nothing.

    `rule` "asked": set as it is asked for; "merged": joined with what is there; "by_runtime": set or left by
    the function's language; "elsewhere": by the step that knows more (keys, handlers, modes). `only` names
    the one way of delivery that reads it. `tag` is the resource tag that says the same. `tools` is what the
    setting of Datadog's tools is called; `plugin`, `macro` and `cdk` where they differ or one has none;
    `kind` is how such a setting is written.
    `removable`: an instrumenter's, so it may be taken out again. `shown`: its value is known to be harmless.
    """

    name: str
    setting: str = ""
    value: Callable[[Answers], str] | None = None
    rule: Rule = "asked"
    only: Via | None = None
    tag: str = ""
    tools: str = ""
    plugin: str = ""
    macro: str = ""
    cdk: str = ""
    kind: Literal["text", "switch", "number", "mode"] = "text"
    removable: bool = True
    shown: bool = True

    def wanted(self, answers: Answers) -> str:
        """What the answers make of it: its setting's field as text, unless `value` knows better."""
        if self.value is not None:
            return self.value(answers)
        place = answers if hasattr(answers, self.setting) else answers.tracing
        found = getattr(place, self.setting, None)
        return switch(found) if self.kind == "switch" else found or ""

    def named_by(self, tool: FileTool) -> str:
        """What a tool's setting for it is called, empty where it has none."""
        if tool == "variables":
            return self.name
        return {"plugin": self.plugin, "macro": self.macro, "cdk": self.cdk}[tool] or self.tools


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def extra_tags(answers: Answers) -> dict[str, str]:
    """The tags beyond the unified ones, those of the source code among them."""
    extra = dict(answers.extra_tags)
    if answers.tracing.git_commit:
        extra["git.commit.sha"] = answers.tracing.git_commit
    if answers.tracing.git_repository:
        extra["git.repository_url"] = answers.tracing.git_repository
    return extra


def _tags(answers: Answers) -> str:
    return ",".join(f"{key}:{value}" for key, value in extra_tags(answers).items())


VARIABLES: tuple[Variable, ...] = (
    Variable(name="DD_LAMBDA_HANDLER", rule="elsewhere"),
    Variable(name=FLUSH_TO_LOG, rule="elsewhere"),
    Variable(name=SITE, rule="elsewhere", setting="site", plugin="site", macro="site", cdk="site"),
    Variable(name=KEY_SECRET_ARN, rule="elsewhere", tools="apiKeySecretArn"),
    Variable(name=KEY_SSM_ARN, rule="elsewhere", tools="apiKeySsmArn"),
    Variable(name=ORG_UUID, rule="elsewhere", only="extension"),
    Variable(
        name=KEY_KMS, rule="elsewhere", tools="apiKMSKey", cdk="apiKmsKey", removable=False, shown=False
    ),
    Variable(
        name=TRACE_ENABLED,
        setting="traces",
        plugin="enableDDTracing",
        macro="enableDDTracing",
        cdk="enableDatadogTracing",
        kind="switch",
    ),
    Variable(
        name=LOGS_ENABLED,
        setting="logs",
        only="extension",
        plugin="enableDDLogs",
        macro="enableDDLogs",
        cdk="enableDatadogLogs",
        kind="switch",
    ),
    Variable(
        name=ENHANCED_METRICS,
        setting="enhanced_metrics",
        macro="enableEnhancedMetrics",
        kind="switch",
    ),
    Variable(
        name=MERGE_XRAY,
        setting="merge_xray",
        plugin="enableXrayTracing",
        macro="enableXrayTracing",
        cdk="enableMergeXrayTraces",
        kind="switch",
    ),
    Variable(
        name=SAMPLE_RATE,
        setting="trace_sample_rate",
        value=lambda answers: answers.tracing.sample_rate or "",
        removable=False,
    ),
    Variable(
        name="DD_CAPTURE_LAMBDA_PAYLOAD",
        setting="capture_payload",
        tools="captureLambdaPayload",
        kind="switch",
    ),
    Variable(
        name=LOG_LEVEL,
        setting="log_level",
        tools="logLevel",
    ),
    Variable(name=APPSEC, rule="by_runtime", kind="switch"),
    Variable(
        name=EXTENSION_APPSEC,
        setting="appsec",
        value=lambda answers: "true" if answers.tracing.appsec else "",
        rule="by_runtime",
        only="extension",
        plugin="appSecMode",
        kind="mode",
    ),
    Variable(
        name="DD_LLMOBS_ENABLED",
        setting="llmobs",
        value=lambda answers: "true" if answers.tracing.llmobs else "",
        only="extension",
        tools="llmObsEnabled",
        kind="switch",
    ),
    Variable(
        name="DD_LLMOBS_ML_APP",
        setting="llmobs",
        value=lambda answers: answers.tracing.llmobs or "",
        only="extension",
        tools="llmObsMlApp",
    ),
    Variable(
        name="DD_LLMOBS_AGENTLESS_ENABLED",
        setting="llmobs",
        value=lambda answers: "false" if answers.tracing.llmobs else "",
        only="extension",
        tools="llmObsAgentlessEnabled",
        kind="switch",
    ),
    Variable(
        name="DD_APM_FLUSH_DEADLINE_MILLISECONDS",
        setting="apm_flush_deadline",
        value=lambda answers: _number(answers.tracing.apm_flush_deadline_ms),
        tools="apmFlushDeadline",
        kind="number",
    ),
    Variable(
        name=FIPS_MODE,
        setting="fips",
        value=lambda answers: "true" if answers.fips else "",
        only="extension",
        plugin="isFIPSEnabled",
        macro="lambdaFips",
        kind="switch",
    ),
    Variable(name=DURABLE_BUFFER, rule="elsewhere"),
    Variable(
        name=SERVICE,
        setting="service",
        tag="service",
        tools="service",
        removable=False,
    ),
    Variable(
        name="DD_ENV",
        setting="env",
        tag="env",
        tools="env",
        removable=False,
    ),
    Variable(
        name="DD_VERSION",
        setting="version_tag",
        tag="version",
        value=lambda answers: answers.version or "",
        tools="version",
        removable=False,
    ),
    Variable(
        name=TAGS,
        setting="extra_tag",
        value=_tags,
        rule="merged",
        tools="tags",
        removable=False,
    ),
)
"""The unified tags are not removable: people set those too."""

BY_NAME: Mapping[str, Variable] = {variable.name: variable for variable in VARIABLES}
KEY_VARIABLE: Mapping[KeyKind, str] = {
    "secret": KEY_SECRET_ARN,
    "ssm": KEY_SSM_ARN,
    "kms": KEY_KMS,
    "wif": ORG_UUID,
}
"""What the Extension takes the API key from, by where the key is kept."""
_DEFAULTS = Answers(site="", regions=())


def asked(answers: Answers, said: frozenset[str] = frozenset()) -> dict[str, str]:
    """What the answers ask for beyond the defaults, by variable; `said` are settings that were given, whose
    value is asked for even where it is the default. Without what other steps know better."""
    found = {row.name: row.wanted(answers) for row in VARIABLES if row.rule != "elsewhere"}
    return {
        name: value
        for name, value in found.items()
        if value and (value != BY_NAME[name].wanted(_DEFAULTS) or BY_NAME[name].setting in said)
    }


def key_setting(source: KeySource, tool: FileTool, where: str = "") -> str:
    """What a tool's setting is called that says where the API key is. Raises UsageError where it has none."""
    name = KEY_VARIABLE[source.kind]
    if setting := BY_NAME[name].named_by(tool):
        return setting
    raise UsageError(
        f"Datadog's own tool for this file has no setting for {name}, it wants an API key",
        where=where,
        fix="name a secret that holds it: --api-key-secret ARN",
    )


def carried(wanted: Mapping[str, str], via: Via, tool: FileTool) -> dict[str, str]:
    """Those of the variables that a tool has a setting for, by the name of its setting, as text."""
    return {
        BY_NAME[name].named_by(tool): value
        for name, value in wanted.items()
        if not _why_not(name, wanted, via, tool)
    }


def remainder(wanted: Mapping[str, str], via: Via, tool: FileTool) -> dict[str, str]:
    """Those that it cannot carry, each with the reason."""
    found = {name: _why_not(name, wanted, via, tool) for name in wanted}
    return {name: reason for name, reason in found.items() if reason}


def _why_not(name: str, wanted: Mapping[str, str], via: Via, tool: FileTool) -> str:
    """Why a tool cannot carry a variable, empty if it can."""
    row = BY_NAME[name]
    if row.only not in (None, via):
        return f"needs --via {row.only}"
    if row.kind == "mode" and wanted.get(TRACE_ENABLED) == "false":
        return "needs traces"
    if row.rule == "by_runtime" and tool == "variables":
        return "depends on the function's language; `ddsetup setup` sets it"
    return "" if row.named_by(tool) else "has no setting there; set the variable itself"
