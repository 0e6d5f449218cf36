"""CloudTrail's event history, as far as changes made through the API go.

ministack can record calls, but names Lambda's without the version that AWS appends, takes the access key for
the user, and answers one page. Here every write is kept as CloudTrail tells it: names from the events of
Lambda's API (`UpdateFunctionConfiguration20150331v2`), `userIdentity` by kind of principal (CloudTrail user
guide, "userIdentity element"), 50 events a page, one attribute a question (botocore's `cloudtrail` model).
Nothing is delayed, where AWS takes minutes. Where a trail is on, EventBridge is told of each of them (its
user guide, "AWS service events delivered via AWS CloudTrail").
"""

from __future__ import annotations

import calendar
import json
import re
import time
from collections import deque
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

_KEPT = 2_000
"""Events kept in memory; AWS keeps 90 days."""
_PAGE = 50
_TARGET = "CloudTrail_20131101.LookupEvents"
_VERSIONED = {
    "CreateFunction": "CreateFunction20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "PublishVersion": "PublishVersion20150331",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
    "TagResource": "TagResource20170331v2",
    "UntagResource": "UntagResource20170331v2",
}
"""Lambda's event names as CloudTrail writes them, by operation."""
_FUNCTION = re.compile(r"/functions/([^/?]+)")
_TAGGED = re.compile(r"/tags/([^/?]+)")
_SECRET = frozenset({"Environment", "environment", "SecretString", "Code", "TemplateBody", "Parameters"})
"""What CloudTrail leaves out of what was asked, or what is large."""

_events: deque[dict[str, Any]] = deque(maxlen=_KEPT)


def install() -> None:
    """Answer LookupEvents from what `keep` kept."""
    from ministack.services import cloudtrail

    handle = cloudtrail.handle_request

    async def with_history(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if str(headers.get("x-amz-target", "")).endswith(_TARGET):
            return _looked_up(json.loads(body or b"{}"))
        return await handle(method, path, headers, body, query)

    cloudtrail.handle_request = with_history


def keep(record: dict[str, Any], path: str, headers: Any, body: bytes) -> None:
    """Keep a write that was answered. `record` is its line in the log of calls."""
    from ministack.core.responses import get_account_id

    service, operation = record["service"], record["operation"]
    name = _VERSIONED.get(operation, operation) if service == "lambda" else operation
    asked = _asked(service, path, body)
    event = {
        "eventVersion": "1.08",
        "userIdentity": _identity(record["principal"], record["access_key"]),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record["at"])),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": record["region"],
        "sourceIPAddress": "127.0.0.1",
        "userAgent": str(headers.get("user-agent", "")),
        "requestParameters": asked,
        "responseElements": None,
        "eventID": str(uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
    }
    if record["status"] >= 400:
        event["errorCode"] = "AccessDenied" if record["status"] == 403 else "ClientError"
    _events.append(event)
    _tell(event)


def _tell(event: dict[str, Any]) -> None:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import cloudtrail, eventbridge

    if not any(trail.get("IsLogging") for _, _, trail in cloudtrail._visible_trail_items()):
        return
    eventbridge._dispatch_event(
        {
            "EventId": str(uuid4()),
            "Source": f"aws.{event['eventSource'].partition('.')[0]}",
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(event),
            "EventBusName": "default",
            "Time": time.time(),
            "Resources": [],
            "Account": get_account_id(),
            "Region": get_region(),
        }
    )


def _asked(service: str, path: str, body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = {}
    found = {
        key[:1].lower() + key[1:]: value
        for key, value in (said.items() if isinstance(said, dict) else ())
        if key not in _SECRET
    }
    if service == "lambda" and (match := _FUNCTION.search(path)):
        found["functionName"] = unquote(match[1])
    if service == "lambda" and (match := _TAGGED.search(path)):
        found["resource"] = unquote(match[1])
    return found


def _identity(principal: str, access_key: str) -> dict[str, Any]:
    account, rest = [*principal.split(":", 5)[4:], "", ""][:2]
    plain = {"arn": principal, "accessKeyId": access_key}
    if ":assumed-role/" in principal:
        role = principal.split("/")[1]
        issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "userName": role}
        return {
            "type": "AssumedRole",
            "accountId": account,
            **plain,
            "sessionContext": {"sessionIssuer": issuer},
        }
    if rest.startswith("user/"):
        return {"type": "IAMUser", "accountId": account, "userName": rest.rsplit("/", 1)[-1], **plain}
    return {"type": "Root", "accountId": account, **plain}


def _user(identity: dict[str, Any]) -> str:
    if identity["type"] == "AssumedRole":
        return str(identity["arn"].rsplit("/", 1)[-1])
    return str(identity.get("userName", "root"))


def _looked_up(data: dict[str, Any]) -> Any:
    from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

    attributes = data.get("LookupAttributes") or []
    most = int(data.get("MaxResults") or _PAGE)
    if len(attributes) > 1:
        return error_response_json("InvalidLookupAttributesException", "Only one attribute is allowed.", 400)
    if not 1 <= most <= _PAGE:
        return error_response_json("InvalidMaxResultsException", "A value from 1 to 50 is allowed.", 400)
    here = [
        event
        for event in reversed(_events)
        if (event["recipientAccountId"], event["awsRegion"]) == (get_account_id(), get_region())
        and all(_fits(event, each["AttributeKey"], each["AttributeValue"]) for each in attributes)
        and data.get("StartTime", 0) <= _seconds(event) <= data.get("EndTime", float("inf"))
    ]
    first = int(data.get("NextToken") or 0)
    page = [_told(event) for event in here[first : first + most]]
    more = {"NextToken": str(first + most)} if len(here) > first + most else {}
    return json_response({"Events": page, **more})


def _fits(event: dict[str, Any], key: str, value: str) -> bool:
    if key == "ResourceName":
        return value in {each["ResourceName"] for each in _resources(event)}
    held = {
        "EventName": event["eventName"],
        "EventSource": event["eventSource"],
        "Username": _user(event["userIdentity"]),
        "AccessKeyId": event["userIdentity"]["accessKeyId"],
        "EventId": event["eventID"],
        "ReadOnly": "false",
    }
    return held.get(key) == value


def _resources(event: dict[str, Any]) -> list[dict[str, str]]:
    name = (event["requestParameters"] or {}).get("functionName")
    lambdas = event["eventSource"] == "lambda.amazonaws.com"
    return [{"ResourceType": "AWS::Lambda::Function", "ResourceName": name}] if name and lambdas else []


def _seconds(event: dict[str, Any]) -> int:
    return calendar.timegm(time.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ"))


def _told(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": event["userIdentity"]["accessKeyId"],
        "EventTime": _seconds(event),
        "EventSource": event["eventSource"],
        "Username": _user(event["userIdentity"]),
        "Resources": _resources(event),
        "CloudTrailEvent": json.dumps(event),
    }
