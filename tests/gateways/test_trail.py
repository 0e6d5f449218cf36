"""CloudTrail's events: who, when and through what, of answers as AWS writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ddsetup.gateways.aws.trail import Event, last_deeds
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.trail import Deed
from tests.gateways.aws_stand import ACCOUNT, REGION, Reply, ScriptedAws, connect, fault

LANE = Lane(ACCOUNT, REGION)
EVENT: Event = "UpdateFunctionConfiguration20150331v2"
STACKS = "cloudformation.amazonaws.com"


def event(function: str, at: int, **over: Any) -> dict[str, Any]:
    """An event as LookupEvents answers it (botocore's model: times are seconds, the record is a string)."""
    said = {
        "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/run-7"},
        "userAgent": "[aws-sdk-go/1.44 (go1.19; linux; amd64) APN/1.0 HashiCorp/1.0]",
        "requestParameters": {"functionName": function},
        "responseElements": None,
        **over,
    }
    return {"EventTime": at, "EventName": EVENT, "Username": "run-7", "CloudTrailEvent": json.dumps(said)}


def test_the_newest_change_of_each_function_counts(script: ScriptedAws) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:prod"
    by_stack = {"invokedBy": STACKS, "arn": f"arn:aws:iam::{ACCOUNT}:user/ann"}
    script.script(
        Reply({"Events": [event(arn, 200), event("orders", 100)], "NextToken": "more"}),
        Reply({"Events": [event("stock", 50, userIdentity=by_stack), {"EventTime": 1}]}),
    )
    deeds = last_deeds(connect(script.url), LANE, EVENT)
    assert deeds == {
        "orders": Deed(
            "orders", "assumed-role/Deploy/run-7", datetime.fromtimestamp(200, UTC), "aws-sdk-go/1.44"
        ),
        "stock": Deed("stock", "user/ann", datetime.fromtimestamp(50, UTC), STACKS),
    }
    assert script.sent()["LookupAttributes"] == [{"AttributeKey": "EventName", "AttributeValue": EVENT}]
    assert script.sent()["NextToken"] == "more"


def test_what_failed_changed_nothing_and_our_own_calls_are_known(script: ScriptedAws) -> None:
    ours = "Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux ddsetup/0.1.0"
    script.script(
        Reply({"Events": [event("a", 9, errorCode="AccessDenied"), event("b", 8, userAgent=ours)]}),
    )
    deeds = last_deeds(connect(script.url), LANE, EVENT)
    assert not isinstance(deeds, Unreadable)
    assert {name: deed.ours for name, deed in deeds.items()} == {"b": True}


def test_what_may_not_be_read_is_unknown(script: ScriptedAws) -> None:
    script.script(fault("AccessDeniedException", "no", 403))
    deeds = last_deeds(connect(script.url), LANE, EVENT)
    assert isinstance(deeds, Unreadable)
    assert deeds.action == "cloudtrail:LookupEvents"
