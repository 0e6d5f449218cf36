"""Reading Lambda functions: the bulk list, one function, and what hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Alias, Function, Json, Lane, Layer, Unreadable
from ddsetup.model.errors import NotFound


@readable
def list_functions(aws: Aws, lane: Lane, seen: Callable[[], object] = lambda: None) -> tuple[Function, ...]:
    """Every function's `$LATEST`, in the order of AWS. Needs lambda:ListFunctions; 50 a page.

    Their states are not in it: `function_state` tells. `seen` is called as soon as there is one.
    """
    items = aws.each("lambda:ListFunctions", lane, "Functions", token=("NextMarker", "Marker"), MaxItems=50)
    found = []
    for item in items:
        seen()
        found.append(parse_function(lane, item))
    return tuple(found)


def read_function(aws: Aws, lane: Lane, name: str) -> Function:
    """One function by name or ARN. Needs lambda:GetFunction, which has a quota of its own (100 a second).

    Raises NotFound, Denied or GatewayError.
    """
    return parse_function(lane, function_configuration(aws, lane, name))


def function_configuration(aws: Aws, lane: Lane, name: str, version: str = "") -> Mapping[str, Json]:
    """The configuration as AWS words it, of `$LATEST` or of a version; raises like `read_function`."""
    qualifier: dict[str, Json] = {"Qualifier": version} if version else {}
    return _function(aws, lane, name, **qualifier)["Configuration"]


def _function(aws: Aws, lane: Lane, name: str, **qualifier: Json) -> Mapping[str, Mapping[str, Json]]:
    answer: Mapping[str, Mapping[str, Json]] = aws.call(
        "lambda:GetFunction", lane, FunctionName=name, **qualifier
    )
    return answer


@readable
def function_state(aws: Aws, lane: Lane, name: str) -> Function:
    """One function with its state, that of its last update, and its reserved concurrency, which ListFunctions
    leaves out.

    Needs lambda:GetFunction.
    """
    answer = _function(aws, lane, name)
    reserved = (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions")
    return replace(parse_function(lane, answer["Configuration"]), reserved=reserved)


@readable
def read_version(aws: Aws, lane: Lane, name: str, version: str) -> Function:
    """A published version of a function. Needs lambda:GetFunction."""
    return parse_function(lane, function_configuration(aws, lane, name, version))


@dataclass(frozen=True, slots=True)
class LiveAlias:
    """An alias as it is, and the revision that a change of it must still find."""

    alias: Alias
    revision_id: str


def read_alias(aws: Aws, lane: Lane, name: str, alias: str) -> LiveAlias:
    """One alias. Raises NotFound, Denied or GatewayError. Needs lambda:GetAlias."""
    item = aws.call("lambda:GetAlias", lane, FunctionName=name, Name=alias)
    return LiveAlias(_alias(item), item.get("RevisionId") or "")


def _alias(item: Mapping[str, Json]) -> Alias:
    weights = (item.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    return Alias(name=item["Name"], version=item["FunctionVersion"], weighted=bool(weights))


def function_exists(aws: Aws, lane: Lane, name: str) -> bool:
    """Whether there is a function of that name. Needs lambda:GetFunction; raises Denied or GatewayError."""
    try:
        function_configuration(aws, lane, name)
    except NotFound:
        return False
    return True


@readable
def list_aliases(aws: Aws, lane: Lane, name: str) -> tuple[Alias, ...]:
    """The aliases of a function. Needs lambda:ListAliases."""
    items = aws.pages(
        "lambda:ListAliases", lane, "Aliases", token=("NextMarker", "Marker"), FunctionName=name
    )
    return tuple(_alias(item) for item in items)


@readable
def provisioned_concurrency(aws: Aws, lane: Lane, name: str) -> Mapping[str, int]:
    """How many environments are kept warm, by alias or version, of a function.

    Needs lambda:ListProvisionedConcurrencyConfigs.
    """
    items = aws.pages(
        "lambda:ListProvisionedConcurrencyConfigs",
        lane,
        "ProvisionedConcurrencyConfigs",
        token=("NextMarker", "Marker"),
        patience=OPTIONAL,
        FunctionName=name,
    )
    kept = ((i, i.get("RequestedProvisionedConcurrentExecutions")) for i in items)
    return {str(i["FunctionArn"]).rpartition(":")[2]: int(number or 0) for i, number in kept}


@readable
def published_versions(aws: Aws, lane: Lane, name: str) -> Mapping[int, Function]:
    """The configuration of each published version, newest first. Needs lambda:ListVersionsByFunction."""
    items = aws.pages(
        "lambda:ListVersionsByFunction",
        lane,
        "Versions",
        token=("NextMarker", "Marker"),
        patience=OPTIONAL,
        FunctionName=name,
    )
    # Not every version is a number: on managed instances there is $LATEST.PUBLISHED as well.
    published = {int(item["Version"]): item for item in items if str(item.get("Version")).isdecimal()}
    return {number: parse_function(lane, published[number]) for number in sorted(published, reverse=True)}


@readable
def concurrency_headroom(aws: Aws, lane: Lane) -> int | Unreadable:
    """Concurrent executions that no function has reserved. Needs lambda:GetAccountSettings."""
    return _of_account(aws, lane, "AccountLimit", "UnreservedConcurrentExecutions")


@readable
def count_functions(aws: Aws, lane: Lane) -> int | Unreadable:
    """How many functions the account has in a region, by one call. Needs lambda:GetAccountSettings."""
    return _of_account(aws, lane, "AccountUsage", "FunctionCount")


def _of_account(aws: Aws, lane: Lane, part: str, name: str) -> int | Unreadable:
    action = "lambda:GetAccountSettings"
    value = (aws.call(action, lane, patience=OPTIONAL).get(part) or {}).get(name)
    return int(value) if value is not None else Unreadable(action, f"{action}: no answer", denied=False)


@readable_or_none
def resource_policy(aws: Aws, lane: Lane, name: str) -> Json:
    """The function's resource policy as a document, None if it has none. Needs lambda:GetPolicy."""
    text = aws.call("lambda:GetPolicy", lane, patience=OPTIONAL, FunctionName=name).get("Policy") or "{}"
    document = json.loads(text)
    return document if document.get("Statement") else None


def parse_function(lane: Lane, item: Mapping[str, Json]) -> Function:
    """A `FunctionConfiguration` of AWS as our record. Empty texts (container images) count as absent."""
    environment, logging, vpc = (
        item.get(part) or {} for part in ("Environment", "LoggingConfig", "VpcConfig")
    )
    fault, name = environment.get("Error"), item["FunctionName"]
    return Function(
        name=name,
        arn=_unqualified(item["FunctionArn"]),
        region=lane.region,
        account=lane.account,
        runtime=item.get("Runtime") or None,
        architecture=(item.get("Architectures") or ["x86_64"])[0],
        package_type=item.get("PackageType") or "Zip",
        handler=item.get("Handler") or None,
        role=item.get("Role") or "",
        layers=tuple(Layer(layer["Arn"], layer.get("CodeSize") or 0) for layer in item.get("Layers") or ()),
        env=None if fault else dict(environment.get("Variables") or {}),
        env_error=_env_error(fault),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{name}",
        log_format=logging.get("LogFormat") or "Text",
        application_log_level=logging.get("ApplicationLogLevel") or None,
        system_log_level=logging.get("SystemLogLevel") or None,
        memory=item.get("MemorySize") or 128,
        timeout=item.get("Timeout") or 3,
        code_size=item.get("CodeSize") or 0,
        code_sha256=item.get("CodeSha256") or "",
        revision_id=item.get("RevisionId") or "",
        kms_key_arn=item.get("KMSKeyArn") or None,
        vpc=bool(vpc.get("SubnetIds") or vpc.get("VpcId")),
        snap_start=(item.get("SnapStart") or {}).get("ApplyOn") or "None",
        tracing=(item.get("TracingConfig") or {}).get("Mode") or "PassThrough",
        master_arn=item.get("MasterArn") or None,
        state=item.get("State") or None,
        last_update_status=item.get("LastUpdateStatus") or None,
        last_modified=item.get("LastModified") or "",
        managed_instances=bool(item.get("CapacityProviderConfig")),
        durable=bool(item.get("DurableConfig")),
        tenant_isolation=bool(item.get("TenancyConfig")),
    )


def _unqualified(arn: str) -> str:
    """The ARN without `:$LATEST`, which some answers add."""
    return arn.removesuffix(":$LATEST")


def _env_error(fault: Mapping[str, str] | None) -> str:
    if not fault:
        return ""
    return f"{fault.get('ErrorCode') or 'Error'}: {fault.get('Message') or 'no reason given'}"
