"""CloudWatch's metric streams, which the emulator does not have: the calls, and the type of CloudFormation.

Checks, shapes and errors are those of botocore's `cloudwatch` model; a stream is made running, and keeps its
state when it is put again (CloudWatch API reference, `PutMetricStream`). What flows is in
`metric_stream_flow`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ddsetup.sandbox.emulator.refusals import Refusal

TYPE = "AWS::CloudWatch::MetricStream"
Place: TypeAlias = tuple[str, str]
_FORMATS = ("json", "opentelemetry0.7", "opentelemetry1.0")
_MOST_FILTERS = 1_000
_MOST_ON_PAGE = 500
_REQUIRED = ("Name", "FirehoseArn", "RoleArn", "OutputFormat")
_SHOWN = ("Arn", "CreationDate", "LastUpdateDate", "Name", "FirehoseArn", "State", "OutputFormat")
_MISSING, _WRONG = "MissingRequiredParameterException", "InvalidParameterValueException"
_TOLD: Mapping[str, tuple[str, int]] = {
    _MISSING: ("MissingParameter", 400),
    _WRONG: ("InvalidParameterValue", 400),
    "InvalidParameterCombinationException": ("InvalidParameterCombination", 400),
    "InvalidNextToken": ("InvalidNextToken", 400),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
}
"""By the name of the error: its code for those who know the query protocol, and the HTTP status."""
_kept: dict[Place, dict[str, dict[str, Any]]] = {}


def install() -> None:
    """Add the six calls, and the type to CloudFormation's."""
    from ministack.services import cloudwatch
    from ministack.services.cloudformation import provisioners

    cloudwatch.handle_request = beside(cloudwatch.handle_request)
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _remove}
    provisioners._STACK_TAG_PROPERTY[TYPE] = ("Tags", "list")


def beside(handle: Callable[..., Any]) -> Callable[..., Any]:
    """CloudWatch's handler with the six calls."""

    async def with_streams(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        operation = _OPERATIONS.get(str(headers.get("x-amz-target", "")).rpartition(".")[2])
        if operation is None:
            return await handle(method, path, headers, body, query)
        return _answered(operation, json.loads(body or b"{}"))

    return with_streams


def running_here(namespace: str, metric: str) -> Iterable[Mapping[str, Any]]:
    """The streams of this account and region that run and let this metric through."""
    for stream in _kept.get(_place(), {}).values():
        if stream["State"] == "running" and _carries(stream, namespace, metric):
            yield stream


def arn_of(name: str, region: str, account: str) -> str:
    """The ARN of a stream."""
    return f"arn:aws:cloudwatch:{region}:{account}:metric-stream/{name}"


def _carries(stream: Mapping[str, Any], namespace: str, metric: str) -> bool:
    def named(each: Mapping[str, Any]) -> bool:
        return each.get("Namespace") == namespace and metric in (each.get("MetricNames") or (metric,))

    if stream["IncludeFilters"]:
        return any(map(named, stream["IncludeFilters"]))
    return not any(map(named, stream["ExcludeFilters"]))


def _answered(operation: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    from ministack.services import cloudwatch

    try:
        return cloudwatch._json_ok(operation(data))
    except Refusal as refused:
        code, status = _TOLD[refused.code]
        status, headers, body = cloudwatch._error(refused.code, refused.text, status, use_json=True)
        return status, {**headers, "x-amzn-query-error": f"{code};Sender"}, body


def _put(data: dict[str, Any]) -> dict[str, Any]:
    for name in _REQUIRED:
        if not data.get(name):
            raise Refusal(_MISSING, f"The parameter {name} is required.")
    included, excluded = data.get("IncludeFilters") or [], data.get("ExcludeFilters") or []
    if included and excluded:
        text = "IncludeFilters and ExcludeFilters cannot be given together."
        raise Refusal("InvalidParameterCombinationException", text)
    if data["OutputFormat"] not in _FORMATS:
        raise Refusal(_WRONG, f"The output format must be one of {', '.join(_FORMATS)}.")
    if max(len(included), len(excluded)) > _MOST_FILTERS:
        raise Refusal(_WRONG, f"At most {_MOST_FILTERS} filters can be given.")
    account, region = _place()
    held = _kept.setdefault((account, region), {})
    before, now = held.get(data["Name"], {}), int(time.time())
    held[data["Name"]] = {
        **{name: data[name] for name in _REQUIRED},
        "Arn": arn_of(data["Name"], region, account),
        "State": before.get("State", "running"),
        "CreationDate": before.get("CreationDate", now),
        "LastUpdateDate": now,
        "IncludeFilters": included,
        "ExcludeFilters": excluded,
        "StatisticsConfigurations": data.get("StatisticsConfigurations") or [],
        "IncludeLinkedAccountsMetrics": bool(data.get("IncludeLinkedAccountsMetrics")),
    }
    return {"Arn": held[data["Name"]]["Arn"]}


def _get(data: dict[str, Any]) -> dict[str, Any]:
    name = data.get("Name")
    if not name:
        raise Refusal(_MISSING, "The parameter Name is required.")
    if name not in _kept.get(_place(), {}):
        raise Refusal("ResourceNotFoundException", f"MetricStream {name} does not exist")
    return _kept[_place()][name]


def _list(data: dict[str, Any]) -> dict[str, Any]:
    entries = [{key: each[key] for key in _SHOWN} for _, each in sorted(_kept.get(_place(), {}).items())]
    token = str(data.get("NextToken") or "0")
    if not token.isdecimal():
        raise Refusal("InvalidNextToken", "The next token specified is invalid.")
    first, most = int(token), int(data.get("MaxResults") or _MOST_ON_PAGE)
    more = {"NextToken": str(first + most)} if len(entries) > first + most else {}
    return {"Entries": entries[first : first + most], **more}


def _set_state(data: dict[str, Any], state: str) -> dict[str, Any]:
    if not data.get("Names"):
        raise Refusal(_MISSING, "The parameter Names is required.")
    held = _kept.get(_place(), {})
    for name in data["Names"]:
        if name in held:
            held[name] |= {"State": state, "LastUpdateDate": int(time.time())}
    return {}


def _delete(data: dict[str, Any]) -> dict[str, Any]:
    if not data.get("Name"):
        raise Refusal(_MISSING, "The parameter Name is required.")
    _kept.get(_place(), {}).pop(data["Name"], None)
    return {}


_OPERATIONS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "PutMetricStream": _put,
    "GetMetricStream": _get,
    "ListMetricStreams": _list,
    "StartMetricStreams": lambda data: _set_state(data, "running"),
    "StopMetricStreams": lambda data: _set_state(data, "stopped"),
    "DeleteMetricStream": _delete,
}


def _create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
    from ministack.services.cloudformation import provisioners

    name = properties.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=255)
    if name in _kept.get(_place(), {}):
        text = f"Resource of type '{TYPE}' with identifier '{name}' already exists."
        raise ValueError(f'Resource handler returned message: "{text}"')
    return _provided(str(name), properties)


def _update(physical_id: str, _before: Any, after: dict[str, Any], *_: Any, **__: Any) -> Any:
    return _provided(physical_id, after)


def _provided(name: str, properties: dict[str, Any]) -> Any:
    linked = str(properties.get("IncludeLinkedAccountsMetrics", "")).lower() == "true"
    try:
        _put({**properties, "Name": name, "IncludeLinkedAccountsMetrics": linked})
    except Refusal as refused:
        raise ValueError(f'Resource handler returned message: "{refused.text}"') from None
    stream = _kept[_place()][name]
    return name, {key: stream[key] for key in ("Arn", "State", "CreationDate", "LastUpdateDate")}


def _remove(physical_id: str, _properties: dict[str, Any], *_: Any) -> None:
    _delete({"Name": physical_id})


def _place() -> Place:
    from ministack.core.responses import get_account_id, get_region

    return get_account_id(), get_region()
