"""Account-level subscription filter policies of CloudWatch Logs, which the emulator does not have.

One policy of that type an account and region may have, beside the filters of its log groups; of these it
leaves out those that its selection names (CloudWatch Logs API reference, `PutAccountPolicy`). `delivery` asks
for the one that is in force.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

_TYPE = "SUBSCRIPTION_FILTER_POLICY"
_TARGET = "Logs_20140328."
_MOST_DOCUMENT, _MOST_SELECTION = 30_720, 25_000
_SELECTION = re.compile(r"LogGroupName NOT IN (\[.*\])", re.DOTALL)
_UNREACHED = (
    "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in "
    "ACTIVE state."
)
"""What CloudWatch Logs says of a stream that its role cannot reach, too."""
_kept: dict[tuple[str, str], dict[str, Any]] = {}


def install() -> None:
    """Add PutAccountPolicy, DescribeAccountPolicies and DeleteAccountPolicy."""
    from ministack.services import cloudwatch_logs

    handle = cloudwatch_logs.handle_request
    operations = {
        "PutAccountPolicy": _put,
        "DescribeAccountPolicies": _describe,
        "DeleteAccountPolicy": _delete,
    }

    async def with_account_policies(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        target = str(headers.get("x-amz-target", ""))
        operation = operations.get(target.removeprefix(_TARGET))
        if operation is None:
            return await handle(method, path, headers, body, query)
        data = json.loads(body or b"{}")
        return (operation is _put and _not_passed(data, headers, query)) or operation(data)

    cloudwatch_logs.handle_request = with_account_policies


def in_force(group: str) -> dict[str, Any] | None:
    """The policy of this account and region as a subscription filter, if it takes in this log group."""
    policy = _kept.get(_place())
    if policy is None or group in _left_out(policy["selectionCriteria"]):
        return None
    document = json.loads(policy["policyDocument"])
    return {
        "filterName": policy["policyName"],
        "filterPattern": document.get("FilterPattern", ""),
        "destinationArn": document["DestinationArn"],
        "roleArn": document.get("RoleArn", ""),
    }


def _left_out(selection: str) -> list[str]:
    found = _SELECTION.fullmatch(selection)
    return list(json.loads(found.group(1))) if found else []


def _not_passed(data: dict[str, Any], headers: Any, query: Any) -> Any:
    """The refusal of a caller who may not hand the policy's role to CloudWatch Logs, else None."""
    from ministack.core.responses import error_response_json
    from ministack.core.router import extract_access_key_id

    from ddsetup.sandbox.emulator import stack_rights

    role = _document(data).get("RoleArn")
    key = extract_access_key_id(headers, query) or ""
    passing = {"passed_to": "logs.amazonaws.com"}
    if not role or not stack_rights.refusal(key, "iam:PassRole", str(role), **passing):
        return None
    text = f"User is not authorized to perform: iam:PassRole on resource: {role}"
    return error_response_json("AccessDeniedException", text, 400)


def _document(data: dict[str, Any]) -> dict[str, Any]:
    try:
        document = json.loads(str(data.get("policyDocument", "")))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _wrong(data: dict[str, Any]) -> str:
    """What AWS refuses of a policy; empty if nothing."""
    from ministack.services import firehose, lambda_svc

    from ddsetup.sandbox.emulator.delivery import may_invoke, may_put

    if data.get("policyType") != _TYPE:
        return f"The sandbox keeps account policies of type {_TYPE} only."
    text, selection = str(data.get("policyDocument", "")), str(data.get("selectionCriteria", ""))
    try:
        destination = str(json.loads(text)["DestinationArn"])
        _left_out(selection)
    except (ValueError, KeyError, TypeError):
        return "The policy document or the selection criteria cannot be read."
    named_well = not str(data.get("policyName") or "aws/").startswith("aws/")
    selects = not selection or _SELECTION.fullmatch(selection)
    fits = len(text) <= _MOST_DOCUMENT and len(selection.encode()) <= _MOST_SELECTION
    if not (named_well and selects and fits):
        return "1 validation error detected."
    if ":deliverystream/" in destination:
        stream = firehose._streams.get(destination.rpartition("/")[2]) or {}
        ready = stream.get("status") == "ACTIVE" and may_put(
            str(_document(data).get("RoleArn", "")), destination
        )
        return "" if ready else _UNREACHED
    function = lambda_svc._functions.get(destination.rpartition(":function:")[2].split(":")[0])
    if ":function:" in destination and (function is None or not may_invoke(function, "*")):
        return (
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission "
            "to execute your function."
        )
    return ""


def _put(data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json, json_response

    if text := _wrong(data):
        return error_response_json("InvalidParameterException", text, 400)
    place = _place()
    if place in _kept and _kept[place]["policyName"] != data["policyName"]:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    _kept[place] = {
        "policyName": data["policyName"],
        "policyDocument": data["policyDocument"],
        "policyType": _TYPE,
        "scope": data.get("scope", "ALL"),
        "selectionCriteria": data.get("selectionCriteria", ""),
        "accountId": place[0],
        "lastUpdatedTime": int(time.time() * 1000),
    }
    return json_response({"accountPolicy": _kept[place]})


def _describe(data: dict[str, Any]) -> Any:
    from ministack.core.responses import json_response

    policy = _kept.get(_place())
    matches = (
        policy is not None
        and data.get("policyType") == _TYPE
        and data.get("policyName") in {None, policy["policyName"]}
    )
    return json_response({"accountPolicies": [policy] if matches else []})


def _delete(data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json, json_response

    policy = _kept.get(_place())
    if policy is None or policy["policyName"] != data.get("policyName"):
        return error_response_json("ResourceNotFoundException", "The specified policy does not exist.", 400)
    del _kept[_place()]
    return json_response({})


def _place() -> tuple[str, str]:
    from ministack.core.responses import get_account_id, get_region

    return get_account_id(), get_region()
