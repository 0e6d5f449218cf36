"""Resource tags in bulk, by the Resource Groups Tagging API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddsetup.gateways.aws.errors import Refused, readable, unreadable
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.errors import GatewayError

PAGE = 100
"""Resources in an answer of GetResources, at most (Tagging API reference)."""
BATCH = 20
"""ARNs per TagResources or UntagResources call (Tagging API reference)."""

_READ = "tag:GetResources"
_ROUNDS = 6
"""How often resources that were throttled one by one are tried again."""


def function_tags(aws: Aws, lane: Lane) -> Mapping[str, Mapping[str, str]] | Unreadable:
    """Tags by function ARN; a function that never had a tag is absent. Needs tag:GetResources."""
    return resource_tags(aws, lane, "lambda:function")


def resource_tags(aws: Aws, lane: Lane, of_type: str) -> Mapping[str, Mapping[str, str]] | Unreadable:
    """Tags by ARN of all resources of one type ("states:stateMachine"); one that never had a tag is absent.

    Needs tag:GetResources. Pages may be short or empty: only an empty token ends the list. A token that
    ended on the way starts the list anew.
    """
    tags: dict[str, dict[str, str]] = {}
    token = ""
    while True:
        try:
            page = aws.call(
                _READ,
                lane,
                ResourceTypeFilters=[of_type],
                ResourcesPerPage=PAGE,
                PaginationToken=token,
            )
        except GatewayError as error:
            if token and isinstance(error, Refused) and error.code == "PaginationTokenExpiredException":
                token = ""
                continue
            return unreadable(error)
        for item in page.get("ResourceTagMappingList") or ():
            pairs = {tag["Key"]: tag.get("Value") or "" for tag in item.get("Tags") or ()}
            if pairs:
                tags[item["ResourceARN"]] = pairs
        token = page.get("PaginationToken") or ""
        if not token:
            return tags


@readable
def tags_now(aws: Aws, lane: Lane, arn: str) -> Mapping[str, str]:
    """The tags of one function as Lambda knows them: the index of the tagging API lags behind.

    Needs lambda:ListTags.
    """
    return dict(aws.call("lambda:ListTags", lane, Resource=arn).get("Tags") or {})


def tag_functions(aws: Aws, lane: Lane, arns: Sequence[str], tags: Mapping[str, str]) -> Mapping[str, str]:
    """Set these tags on at most 20 functions; the answer holds what failed, by ARN, with the reason.

    Needs tag:TagResources and lambda:TagResource. Raises GatewayError when the whole call was refused.
    """
    return _each(aws, lane, "tag:TagResources", arns, {"Tags": dict(tags)})


def untag_functions(aws: Aws, lane: Lane, arns: Sequence[str], keys: Sequence[str]) -> Mapping[str, str]:
    """Remove these tag keys from at most 20 functions; the answer holds what failed, as `tag_functions`.

    Needs tag:UntagResources and lambda:UntagResource.
    """
    return _each(aws, lane, "tag:UntagResources", arns, {"TagKeys": list(keys)})


def _each(
    aws: Aws, lane: Lane, action: str, arns: Sequence[str], parameters: Mapping[str, Json]
) -> Mapping[str, str]:
    """The call for all `arns`, repeated for those that were throttled one by one."""
    left = list(arns)
    failed: dict[str, str] = {}
    busy: Mapping[str, str] = {}
    for round_ in range(_ROUNDS):
        answer = aws.call(action, lane, ResourceARNList=left, **parameters)
        faults: Mapping[str, Mapping[str, Json]] = answer.get("FailedResourcesMap") or {}
        busy = {arn: _reason(fault) for arn, fault in faults.items() if _too_fast(fault)}
        failed |= {arn: _reason(fault) for arn, fault in faults.items() if arn not in busy}
        if not busy:
            break
        left = list(busy)
        aws.clock.sleep(float(2**round_))
    return {**failed, **busy}


def _too_fast(fault: Mapping[str, Json]) -> bool:
    text = str(fault.get("ErrorMessage") or "")
    return fault.get("StatusCode") == 429 or "Throttl" in text or "TooManyRequests" in text


def _reason(fault: Mapping[str, Json]) -> str:
    code = str(fault.get("ErrorCode") or "failed")
    text = str(fault.get("ErrorMessage") or "").strip()
    return f"{code}: {text}" if text else code
