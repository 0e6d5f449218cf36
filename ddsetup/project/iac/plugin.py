"""What serverless-plugin-datadog is to be told: keys and defaults are those of its release 5.134.

The values of the guide that started many installations (`addLayers`, `flushMetricsToLogs`, `logLevel`,
`enableDDTracing`) are kept. Since release 4 the plugin adds the Extension unless it is told not to, so
`addExtension` is always written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.facts.variables import LOG_LEVEL, TRACE_ENABLED, VARIABLES, FileTool, carried, key_setting
from ddsetup.model.answers import Via
from ddsetup.model.errors import UsageError
from ddsetup.project.iac.model import AnswerMissing, Wish
from ddsetup.project.iac.settings_block import Block
from ddsetup.project.iac.yamltext import Plain, Quoted

NAME = "serverless-plugin-datadog"
KEY_SETTINGS = ("apiKeySecretArn", "apiKeySsmArn", "apiKMSKey", "apiKey")
"""Where the plugin takes the API key from; one of them, unless DATADOG_API_KEY is set at each deployment."""
REFUSED: Mapping[str, str] = {
    "subscribeToApiGatewayLogs": "subscribeToAccessLogs",
    "subscribeToHttpApiLogs": "subscribeToAccessLogs",
    "subscribeToWebsocketLogs": "subscribeToAccessLogs",
}
"""Settings that today's plugin refuses, with what replaces them."""
STEP_FUNCTIONS: dict[str, Plain] = {"subscribeToStepFunctionLogs": True, "enableStepFunctionsTracing": True}
"""What state machines need; both work through a Forwarder only."""
_EXTENSION_SINCE = 4
"""The release since which the plugin adds the Extension by default."""
_MODERN = frozenset(
    {
        *("captureLambdaPayload", "enableDDLogs", "enableColdStartTracing", "minColdStartTraceDuration"),
        *("coldStartTraceSkipLibs", "enableProfiling", "encodeAuthorizerContext", "decodeAuthorizerContext"),
        *("apmFlushDeadline", "enableASM", "appSecMode", "isFIPSEnabled", "llmObsEnabled", "llmObsMlApp"),
        *("enableSourceCodeIntegration", "uploadGitMetadata", "propagateUpstreamTrace", "apiKeySsmArn"),
        *("enableStepFunctionsTracing", "skipCloudformationOutputs"),
    }
)
"""Settings that only releases with the Extension know."""
COMES_BEFORE = ("serverless-plugin-warmup",)
COMES_AFTER = ("serverless-plugin-typescript", "serverless-typescript")
"""Plugins that have to stand above it, and below it (README of the plugin)."""


def via_of(existing: Mapping[str, Plain | None], wanted: Wish, major: int | None = None) -> Via:
    """How data shall get to Datadog: as asked, else as the file has it, else through the Forwarder.

    Since release 4, which `major` tells of, the plugin adds the Extension to whatever block it finds. Where
    the release is not known, a block without `addExtension`, any key, and any setting of that time is from
    the time before the Extension.
    """
    if wanted.via is not None:
        return wanted.via
    if existing.get("addExtension") is not None:
        return "extension" if existing["addExtension"] is True else "forwarder"
    if any(name in existing for name in KEY_SETTINGS):
        return "extension"
    by_forwarder = {"forwarder", "forwarderArn", "flushMetricsToLogs"} & set(existing)
    if not existing or by_forwarder:
        return "forwarder"
    modern = major >= _EXTENSION_SINCE if major is not None else bool(_MODERN & set(existing))
    return "extension" if modern else "forwarder"


def key_by_environment(existing: Mapping[str, Plain | None], wanted: Wish) -> bool:
    """Whether a block lets the API key come from DATADOG_API_KEY when the service is deployed."""
    return wanted.key_source is None and wanted.via is None and not set(KEY_SETTINGS) & set(existing)


def block(
    existing: Mapping[str, Plain | None],
    wanted: Wish,
    *,
    region: str,
    where: str,
    major: int | None = None,
) -> Block:
    """The settings for a service that is deployed to `region` (empty if that is not known).

    Raises AnswerMissing for what neither the file nor the user says, UsageError for a Forwarder of another
    region.
    """
    via = via_of(existing, wanted, major)
    must: dict[str, Plain] = {}
    if wanted.answers.site:
        must["site"] = wanted.answers.site
    elif "site" not in existing:
        raise AnswerMissing("the Datadog site is not known", setting="site", fix="--site SITE", where=where)
    must["addExtension"] = via == "extension"
    if via == "extension":
        if not (existing and key_by_environment(existing, wanted)):
            must |= key_settings(existing, wanted, where)
    elif "forwarder" not in existing or "forwarderArn" in existing:
        arn = forwarder_for(wanted.answers.forwarder_arns, region, where)
        must |= {"forwarderArn": arn} if arn else {}
    must |= said(wanted, via, "plugin")
    may: dict[str, Plain] = {"addLayers": True}
    if not wanted.library:
        must |= {"addLayers": False, "redirectHandlers": False}
    if via == "forwarder":
        may["flushMetricsToLogs"] = True
    asked = wanted.asked
    may |= {"logLevel": Quoted("INFO")} if LOG_LEVEL not in asked else {}
    may |= {"enableDDTracing": True} if TRACE_ENABLED not in asked else {}
    return Block(must, may)


def key_settings(existing: Mapping[str, Plain | None], wanted: Wish, where: str) -> dict[str, Plain]:
    """Where the Extension takes the API key from, as a setting; nothing if the file says it already.

    Raises AnswerMissing when nobody says it, UsageError when it would be said twice.
    """
    present = [name for name in KEY_SETTINGS if name in existing]
    if wanted.key_source is None:
        if not present:
            raise AnswerMissing(
                "the Extension needs the API key, and the file does not say where it is",
                setting="api_key_secret",
                fix="--api-key-secret ARN of a secret that holds it (or --api-key-ssm, --api-key-kms)",
                where=where,
            )
        return {}
    name = key_setting(wanted.key_source, "plugin", where)
    others = [each for each in present if each != name]
    if others:
        raise UsageError(
            f"the file already takes the API key from `{others[0]}`",
            where=where,
            fix=f"remove it to use `{name}`",
        )
    return {name: wanted.key_source.value}


def forwarder_for(arns: Sequence[str], region: str, where: str) -> str:
    """The Forwarder of a region, empty if none was given; CloudWatch Logs delivers within a region only.

    Raises UsageError when those given are all of other regions.
    """
    regions = {arn.split(":")[3]: arn for arn in arns if arn.count(":") >= 6}
    if not region:
        return arns[0] if len(arns) == 1 else ""
    if arns and region not in regions:
        raise UsageError(
            f"the service is deployed to {region}, and the Forwarder is in {', '.join(sorted(regions))}",
            where=where,
            fix=f"give the Forwarder of {region} with --forwarder-arn",
        )
    return regions.get(region, "")


def said(wanted: Wish, via: Via, tool: FileTool) -> dict[str, Plain]:
    """What was asked for by name, and therefore wins over what a file has, by the tool's settings."""
    kinds = {row.named_by(tool): row.kind for row in VARIABLES}
    return {name: _written(value, kinds[name]) for name, value in carried(wanted.asked, via, tool).items()}


def _written(value: str, kind: str) -> Plain:
    if kind == "switch":
        return value == "true"
    if kind == "number":
        return int(value)
    return "on" if kind == "mode" else value
