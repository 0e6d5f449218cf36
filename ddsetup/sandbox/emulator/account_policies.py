"""Account-level subscription filter policies of CloudWatch Logs, which the emulator does not have.

One policy of that type an account and region may have. They are kept and described; nothing is delivered by
them.
"""

from __future__ import annotations

import json
import time
from typing import Any

_TYPE = "SUBSCRIPTION_FILTER_POLICY"
_TARGET = "Logs_20140328."


def install() -> None:
    """Add PutAccountPolicy, DescribeAccountPolicies and DeleteAccountPolicy."""
    from ministack.services import cloudwatch_logs

    handle = cloudwatch_logs.handle_request
    kept: dict[tuple[str, str], dict[str, Any]] = {}
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
        return operation(kept, json.loads(body or b"{}"))

    cloudwatch_logs.handle_request = with_account_policies


def _put(kept: dict[tuple[str, str], dict[str, Any]], data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json, json_response

    if data.get("policyType") != _TYPE:
        text = f"The sandbox keeps account policies of type {_TYPE} only."
        return error_response_json("InvalidParameterException", text, 400)
    place = _place()
    if place in kept and kept[place]["policyName"] != data["policyName"]:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    kept[place] = {
        "policyName": data["policyName"],
        "policyDocument": data["policyDocument"],
        "policyType": _TYPE,
        "scope": data.get("scope", "ALL"),
        "selectionCriteria": data.get("selectionCriteria", ""),
        "accountId": place[0],
        "lastUpdatedTime": int(time.time() * 1000),
    }
    return json_response({"accountPolicy": kept[place]})


def _describe(kept: dict[tuple[str, str], dict[str, Any]], data: dict[str, Any]) -> Any:
    from ministack.core.responses import json_response

    policy = kept.get(_place())
    matches = (
        policy is not None
        and data.get("policyType") == _TYPE
        and data.get("policyName") in {None, policy["policyName"]}
    )
    return json_response({"accountPolicies": [policy] if matches else []})


def _delete(kept: dict[tuple[str, str], dict[str, Any]], data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json, json_response

    policy = kept.get(_place())
    if policy is None or policy["policyName"] != data.get("policyName"):
        return error_response_json("ResourceNotFoundException", "The specified policy does not exist.", 400)
    del kept[_place()]
    return json_response({})


def _place() -> tuple[str, str]:
    from ministack.core.responses import get_account_id, get_region

    return get_account_id(), get_region()
