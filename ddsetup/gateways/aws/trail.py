"""CloudTrail: who changed a function or took a filter away, which AWS keeps for 90 days; and whether a trail
tells EventBridge of such changes as they happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ddsetup.gateways.aws.errors import readable
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Lane
from ddsetup.model.trail import Deed

Event: TypeAlias = Literal[
    "UpdateFunctionConfiguration20150331v2", "CreateFunction20150331", "DeleteSubscriptionFilter"
]
"""Names of events as CloudTrail writes them: Lambda's end with the version of its API."""
TAGGING = (
    "TagResource20170331v2",
    "UntagResource20170331v2",
    "TagResources",
    "UntagResources",
    "CreateFunction20150331",
)
"""All by which tags of functions come to be others: Lambda's own calls, those of the tagging API, and a
function that takes the place of one that was deleted."""
_PAGES = 4
"""Pages of 50 events that are read of one kind, the newest first: AWS allows two calls a second."""
_AGENT = 40


@readable
def last_deeds(aws: Aws, lane: Lane, event: Event) -> Mapping[str, Deed]:
    """The newest successful call of that name for each function or log group, among the last 200.

    What is not in it was not changed so, or longer ago, or within the last minutes, which CloudTrail takes.
    Needs cloudtrail:LookupEvents.
    """
    found: dict[str, Deed] = {}
    asked: dict[str, Any] = {}
    for _ in range(_PAGES):
        page = _events(aws, lane, event, **asked)
        for item in page.get("Events") or ():
            deed = _deed(item)
            if deed is not None:
                found.setdefault(deed.subject, deed)
        if not page.get("NextToken"):
            break
        asked = {"NextToken": page["NextToken"]}
    return found


@readable
def tagged_since(aws: Aws, lane: Lane, since: datetime) -> bool:
    """Whether any of `TAGGING` happened since then, to whatever resource, as far as CloudTrail knows by now.

    Needs cloudtrail:LookupEvents.
    """
    return any(_happened(aws, lane, event, since) for event in TAGGING)


def _happened(aws: Aws, lane: Lane, event: str, since: datetime) -> bool:
    page = _events(aws, lane, event, StartTime=since, MaxResults=1)
    # A page may be empty before the last one.
    return bool(page.get("Events") or page.get("NextToken"))


def _events(aws: Aws, lane: Lane, name: str, **asked: Any) -> Mapping[str, Any]:
    """A page of the events of that name, the newest first."""
    attribute = {"AttributeKey": "EventName", "AttributeValue": name}
    page: Mapping[str, Any] = aws.call(
        "cloudtrail:LookupEvents", lane, patience=OPTIONAL, LookupAttributes=[attribute], **asked
    )
    return page


def _deed(item: Mapping[str, Any]) -> Deed | None:
    """The event as a deed; None for a call that failed, or that does not say of what it was."""
    try:
        said = json.loads(item.get("CloudTrailEvent") or "{}")
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("errorCode"):
        return None
    subject = _subject(said)
    if not subject:
        return None
    identity = said.get("userIdentity") or {}
    service = identity.get("invokedBy") or ""
    return Deed(
        subject=subject,
        who=_who(identity) or str(item.get("Username") or "somebody"),
        at=item["EventTime"],
        through=str(service or _agent(str(said.get("userAgent") or ""))),
    )


def _subject(said: Mapping[str, Any]) -> str:
    answered, asked = (said.get(key) or {} for key in ("responseElements", "requestParameters"))
    named = answered.get("functionName") or asked.get("functionName") or asked.get("logGroupName") or ""
    # A function may be called by its ARN, or by a part of it, with a qualifier behind.
    return str(named).partition(":function:")[2].partition(":")[0] or str(named)


def _who(identity: Mapping[str, Any]) -> str:
    arn = str(identity.get("arn") or "")
    return arn.split(":", 5)[-1] if arn.count(":") >= 5 else ""


def _agent(said: str) -> str:
    """The program among all that a user agent tells: ddsetup by its name, others by how they begin."""
    ours = next((word for word in said.split() if word.startswith("ddsetup/")), "")
    return ours or said.strip("[]").partition(" ")[0][:_AGENT]


@readable
def tells_of_changes(aws: Aws, lane: Lane) -> bool:
    """Whether a trail records in this region what changes resources. Without one EventBridge hears of no call
    (its user guide, "AWS service events delivered via AWS CloudTrail").

    Needs cloudtrail:DescribeTrails, cloudtrail:GetTrailStatus and cloudtrail:GetEventSelectors.
    """
    trails = aws.call("cloudtrail:DescribeTrails", lane, patience=OPTIONAL).get("trailList") or ()
    return any(_records(aws, lane, trail) for trail in trails)


def _records(aws: Aws, lane: Lane, trail: Mapping[str, Any]) -> bool:
    name = trail.get("TrailARN") or trail.get("Name")
    status = aws.call("cloudtrail:GetTrailStatus", lane, patience=OPTIONAL, Name=name)
    if not status.get("IsLogging"):
        return False
    if not trail.get("HasCustomEventSelectors"):
        return True
    found = aws.call("cloudtrail:GetEventSelectors", lane, patience=OPTIONAL, TrailName=name)
    plain = any(
        each.get("IncludeManagementEvents", True) and each.get("ReadWriteType", "All") != "ReadOnly"
        for each in found.get("EventSelectors") or ()
    )
    return plain or any(map(_selects_changes, found.get("AdvancedEventSelectors") or ()))


def _selects_changes(selector: Mapping[str, Any]) -> bool:
    fields = {each.get("Field"): each.get("Equals") or [] for each in selector.get("FieldSelectors") or ()}
    return "Management" in fields.get("eventCategory", ()) and fields.get("readOnly", ["false"]) == ["false"]
