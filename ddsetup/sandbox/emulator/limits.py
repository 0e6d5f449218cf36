"""What AWS enforces and the emulator does not.

Two subscription filters a log group, and only to destinations that CloudWatch Logs may invoke; five layers
and 4 KB of environment a function; no second update while one is in progress; environment variables that
cannot be read without the key; no policy is an error; a layer that was never published is denied; 500 metrics
a call of GetMetricData; and the tagging API does not know resources without tags.

Texts are AWS's where they are known, else shortened to what they say.
"""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any
from urllib.parse import unquote

from ddsetup.sandbox.model import FAILED

_MAX_FILTERS = 2
_MAX_LAYERS = 5
_MAX_ENVIRONMENT_BYTES = 4096
_MAX_METRIC_QUERIES = 500
_WRITES = {"UpdateFunctionConfiguration", "UpdateFunctionCode", "CreateFunction"}
_CONFIGURATION_READS = {"GetFunction", "GetFunctionConfiguration", "ListFunctions", "ListVersionsByFunction"}
_NOT_IN_LISTS = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "MasterArn",
)
"""What ListFunctions leaves out: "use GetFunction" (API reference of AWS Lambda, as botocore has it)."""
_FAILED = {
    "State": "Failed",
    "StateReason": "The function's VPC configuration names a subnet that is not there.",
    "StateReasonCode": "InvalidSubnet",
}
_UNREADABLE = {
    "ErrorCode": "AccessDeniedException",
    "Message": (
        "Lambda was unable to decrypt your environment variables because the KMS access was denied. "
        "Please check your KMS permissions."
    ),
}


def install(layer_account: str) -> None:
    """Enforce all of it."""
    from ministack.services import cloudwatch_logs, lambda_svc

    _limit_filters(cloudwatch_logs, lambda_svc)
    _deny_unknown_layers(lambda_svc, layer_account)
    _keep_older_layers(lambda_svc, layer_account)
    _check_function_requests(lambda_svc)
    _leave_out_untagged_resources()
    _limit_metric_queries()


def _limit_metric_queries() -> None:
    from ministack.services import cloudwatch

    answer = cloudwatch._get_metric_data

    def answer_within_limits(params: Any, document: Any, is_cbor: bool, is_json: bool = False) -> Any:
        told = is_cbor or is_json
        queries = document.get("MetricDataQueries", []) if told else [k for k in params if k.endswith(".Id")]
        if len(queries) <= _MAX_METRIC_QUERIES:
            return answer(params, document, is_cbor, is_json)
        text = f"The collection MetricDataQueries must not have a size greater than {_MAX_METRIC_QUERIES}."
        return cloudwatch._error("ValidationError", text, 400, is_json, is_cbor)

    cloudwatch._get_metric_data = answer_within_limits


def _leave_out_untagged_resources() -> None:
    from ministack.services import tagging

    handle = tagging.handle_request

    async def tagged_only(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        response = await handle(method, path, headers, body, query)
        if response[0] != 200 or not str(headers.get("x-amz-target", "")).endswith(".GetResources"):
            return response
        document = json.loads(response[2])
        tagged = [each for each in document["ResourceTagMappingList"] if each.get("Tags")]
        document["ResourceTagMappingList"] = tagged
        return response[0], response[1], json.dumps(document).encode()

    tagging.handle_request = tagged_only


def _limit_filters(cloudwatch_logs: Any, lambda_svc: Any) -> None:
    put = cloudwatch_logs._put_subscription_filter

    def put_within_limits(data: dict[str, Any]) -> Any:
        group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
        if group is not None:
            refusal = _filter_refusal(group, data, lambda_svc)
            if refusal is not None:
                return refusal
        response = put(data)
        if group is not None and response[0] == 200:
            _keep_all_fields(group["subscriptionFilters"][data["filterName"]], data)
        return response

    cloudwatch_logs._put_subscription_filter = put_within_limits


def _filter_refusal(group: dict[str, Any], data: dict[str, Any], lambda_svc: Any) -> Any:
    from ministack.core.responses import error_response_json

    from ddsetup.sandbox.emulator.delivery import may_invoke

    filters = group["subscriptionFilters"]
    if data.get("filterName") not in filters and len(filters) >= _MAX_FILTERS:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    destination = str(data.get("destinationArn", ""))
    if ":function:" not in destination:
        return None
    name = destination.rpartition(":function:")[2].split(":")[0]
    function = lambda_svc._functions.get(name)
    if function is None or not may_invoke(function, str(data.get("logGroupName"))):
        text = (
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission "
            "to execute your function."
        )
        return error_response_json("InvalidParameterException", text, 400)
    return None


def _keep_all_fields(stored: dict[str, Any], data: dict[str, Any]) -> None:
    if not stored.get("roleArn"):
        stored.pop("roleArn", None)
    for name in ("applyOnTransformedLogs", "emitSystemFields", "fieldSelectionCriteria"):
        if name in data:
            stored[name] = data[name]


def _deny_unknown_layers(lambda_svc: Any, layer_account: str) -> None:
    resolve = lambda_svc._resolve_cross_account_layer

    def resolve_published(layer_arn: str, spec: Any, name_and_version: tuple[str, int]) -> Any:
        name = name_and_version[0]
        known = lambda_svc._layers.get_scoped(spec.account_id, spec.region, name) is not None
        if spec.account_id == layer_account and not known:
            return lambda_svc._layer_access_denied(layer_arn)
        return resolve(layer_arn, spec, name_and_version)

    lambda_svc._resolve_cross_account_layer = resolve_published


def _keep_older_layers(lambda_svc: Any, layer_account: str) -> None:
    """Every version of Datadog's layers up to the newest is there, as on AWS: functions carry old ones.

    Only the newest are published at the start; an older one is when it is asked for.
    """
    find = lambda_svc._find_layer_version

    def find_older(
        name: str, version: int, account_id: str | None = None, region: str | None = None, **options: Any
    ) -> Any:
        stored = (
            lambda_svc._layers.get_scoped(account_id, region, name) if account_id == layer_account else None
        )
        versions = stored["versions"] if stored else []
        held = {each["Version"] for each in versions}
        if versions and version not in held and 0 < version < max(held):
            arn = f"{versions[0]['LayerArn']}:{version}"
            policy = copy.deepcopy(versions[0]["_policy"])
            policy["Statement"][0]["Resource"] = arn
            older = {"Version": version, "LayerVersionArn": arn, "_policy": policy}
            versions.append({**versions[0], **older, "_policy_revision_id": str(uuid.uuid4())})
        return find(name, version, account_id, region, **options)

    lambda_svc._find_layer_version = find_older


def _check_function_requests(lambda_svc: Any) -> None:
    from ministack.core.iam_actions import extract_iam_action

    handle = lambda_svc.handle_request

    async def checked(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = extract_iam_action("lambda", method, path, headers, body, query) or ""
        operation = action.partition(":")[2]
        name = _function_name(path)
        if operation in _WRITES:
            refusal = _function_refusal(lambda_svc, operation, name, _document(body))
            if refusal is not None:
                return refusal
        function = lambda_svc._functions.get(name)
        state = function["config"].get("State") if function else None
        response = await handle(method, path, headers, body, query)
        if operation in _WRITES and state == "Active" and function and response[0] == 200:
            response = _stay_active(function["config"], response)
        return _as_aws_answers(operation, response)

    lambda_svc.handle_request = checked


def _stay_active(config: dict[str, Any], response: Any) -> Any:
    """A function that is updated stays active; only its `LastUpdateStatus` says so."""
    active = {"State": "Active", "StateReason": "", "StateReasonCode": ""}
    config.update(active)
    document = json.loads(response[2]) | active
    return response[0], response[1], json.dumps(document).encode()


def _function_name(path: str) -> str:
    parts = unquote(path).split("/")
    if "functions" not in parts[:-1]:
        return ""
    name = parts[parts.index("functions") + 1]
    return name.partition(":function:")[2].split(":")[0] if name.startswith("arn:") else name.split(":")[0]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _function_refusal(lambda_svc: Any, operation: str, name: str, data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json

    function = lambda_svc._functions.get(name)
    if (
        operation != "CreateFunction"
        and function
        and function["config"].get("LastUpdateStatus") == "InProgress"
    ):
        arn = function["config"]["FunctionArn"]
        text = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        return error_response_json("ResourceConflictException", text, 409)
    if len(data.get("Layers") or ()) > _MAX_LAYERS:
        text = f"Cannot reference more than {_MAX_LAYERS} layers."
        return error_response_json("InvalidParameterValueException", text, 400)
    variables = (data.get("Environment") or {}).get("Variables") or {}
    if (
        sum(len(key.encode()) + len(str(value).encode()) for key, value in variables.items())
        > _MAX_ENVIRONMENT_BYTES
    ):
        text = (
            "Lambda was unable to configure your environment variables because the environment variables "
            "you have provided exceeded the 4KB limit."
        )
        return error_response_json("InvalidParameterValueException", text, 400)
    return None


def _as_aws_answers(operation: str, response: Any) -> Any:
    from ministack.core.responses import error_response_json

    if response[0] != 200 or operation not in {*_CONFIGURATION_READS, *_WRITES, "GetPolicy"}:
        return response
    document = json.loads(response[2])
    if operation == "GetPolicy":
        if json.loads(document["Policy"])["Statement"]:
            return response
        text = "The resource you requested does not exist."
        return error_response_json("ResourceNotFoundException", text, 404)
    changed = operation == "ListFunctions"
    for config in _configurations(document):
        if operation == "ListFunctions":
            for name in _NOT_IN_LISTS:
                config.pop(name, None)
        elif config.get("Description") == FAILED:
            config.update(_FAILED)
            changed = True
        if _is_unreadable(config.get("KMSKeyArn")) and "Environment" in config:
            config["Environment"] = {"Error": _UNREADABLE}
            changed = True
    return (response[0], response[1], json.dumps(document).encode()) if changed else response


def _configurations(document: dict[str, Any]) -> list[dict[str, Any]]:
    for key in ("Functions", "Versions"):
        if isinstance(document.get(key), list):
            return list(document[key])
    return [document.get("Configuration", document)]


def _is_unreadable(key_arn: str | None) -> bool:
    """Whether the key's own policy denies decryption to everyone."""
    from ministack.services import kms

    if not key_arn:
        return False
    key = kms._keys.get(key_arn.rpartition("/")[2])
    if key is None:
        return True
    policy = key.get("Policy") or key.get("policy") or "{}"
    document = json.loads(policy) if isinstance(policy, str) else policy
    return any(
        each.get("Effect") == "Deny" and "kms:Decrypt" in each.get("Action", ())
        for each in document.get("Statement", ())
    )
