"""CloudFormation stacks, with all that can happen while one is made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddsetup.model.states import StackState, State
from ddsetup.plan.steps.forwarder_stack import LEFT_LOG_GROUP, LOSE_FAILED_EVENTS
from tests.in_full.calls.world import FUNCTION
from tests.in_full.written.case import DENIED, JUST_NOW, OURS, Case, Refusal
from tests.in_full.written.logs import GROUP

STACK = StackState(
    name="fwd",
    template_url="https://t/5.yaml",
    version="5",
    parameters={"DdSite": "datadoghq.eu", "FunctionName": "fwd"},
    tags=OURS,
)
NEWER = replace(STACK, template_url="https://t/6.yaml", version="6", parameters={"DdSite": "datadoghq.com"})


def there(
    status: str = "CREATE_COMPLETE", tags: Mapping[str, str] = OURS, **parameters: str
) -> dict[str, Any]:
    known = {"DdSite": "datadoghq.eu", "FunctionName": "fwd", "DdApiKey": "****", **parameters}
    stack = {
        "StackName": "fwd",
        "StackId": "arn:stack",
        "StackStatus": status,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in known.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {"Stacks": [stack]}


NO_STACK: Refusal = ("ValidationError", "Stack with id fwd does not exist", 400)
TAKEN: Refusal = ("AlreadyExistsException", "x", 400)


def a_stack(before: State | None, after: State | None, *live: Any, on: str = "", **answers: Any) -> Case:
    return Case("stack", "fwd", before, after, {"DescribeStacks": [*live], **answers}, precondition=on)


def happened(*events: tuple[str, str, str]) -> list[Any]:
    """What CloudFormation tells, newest first, as it grows with each look."""
    every = [
        {
            "EventId": str(number),
            "StackId": "arn:stack",
            "StackName": "fwd",
            "Timestamp": JUST_NOW,
            "LogicalResourceId": name,
            "ResourceType": "AWS::CloudFormation::Stack" if name == "fwd" else "AWS::Lambda::Function",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }
        for number, (name, status, reason) in enumerate(events)
    ]
    return [{"StackEvents": every[:number][::-1]} for number in range(1, len(every) + 1)]


BEGUN = ("fwd", "CREATE_IN_PROGRESS", "")
BROKEN = ("Forwarder", "CREATE_FAILED", "User: u is not authorized to perform: iam:PassRole on r")
BUCKET = [
    {
        "StackResourceSummaries": [
            {
                "ResourceType": kind,
                "PhysicalResourceId": name,
                "LogicalResourceId": name,
                "ResourceStatus": status,
            }
            for kind, name, status in (
                ("AWS::S3::Bucket", "b", "CREATE_COMPLETE"),
                ("AWS::S3::Bucket", "c", "DELETE_COMPLETE"),
                ("AWS::S3::Bucket", "", "CREATE_FAILED"),
                ("AWS::Lambda::Function", "f", "CREATE_COMPLETE"),
            )
        ]
    }
]
ENDED = there("DELETE_COMPLETE")
STACKS = {
    "made": a_stack(
        None,
        STACK,
        NO_STACK,
        there("CREATE_IN_PROGRESS"),
        there(),
        DescribeStackEvents=happened(
            BEGUN, ("Forwarder", "CREATE_COMPLETE", ""), ("fwd", "CREATE_COMPLETE", "")
        ),
    ),
    "made, failed": a_stack(
        None,
        STACK,
        NO_STACK,
        there("ROLLBACK_IN_PROGRESS"),
        there("ROLLBACK_COMPLETE"),
        DescribeStackEvents=happened(BEGUN, BROKEN, ("fwd", "ROLLBACK_COMPLETE", "")),
    ),
    "made, events not to be seen": a_stack(None, STACK, NO_STACK, there(), DescribeStackEvents=[DENIED]),
    "made, never done": a_stack(None, STACK, NO_STACK, there("CREATE_IN_PROGRESS")),
    "made, gone meanwhile": a_stack(None, STACK, NO_STACK, NO_STACK),
    "made, as it is": a_stack(None, STACK, there()),
    "made, with other parameters": a_stack(None, STACK, there(DdSite="x")),
    "made, theirs is there": a_stack(None, STACK, there(tags={})),
    "made, a failed one is there": a_stack(None, STACK, there("ROLLBACK_COMPLETE")),
    "made after a failed one": a_stack(
        None, STACK, there("ROLLBACK_COMPLETE", {}), ENDED, there(), on="ROLLBACK_COMPLETE"
    ),
    "made after theirs in review": a_stack(
        None, STACK, there("REVIEW_IN_PROGRESS", {}), on="REVIEW_IN_PROGRESS"
    ),
    "made after ours in review": a_stack(
        None, STACK, there("REVIEW_IN_PROGRESS"), ENDED, there(), on="REVIEW_IN_PROGRESS"
    ),
    "made after one was deleted": a_stack(None, STACK, ENDED, there()),
    "made, a log group left": a_stack(None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP),
    "made, a log group left that stays": a_stack(
        None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP, DeleteLogGroup=[DENIED]
    ),
    "made, a log group of a function that is there": a_stack(
        None, STACK, NO_STACK, there(), on=LEFT_LOG_GROUP, GetFunction=[{"Configuration": FUNCTION}]
    ),
    "made, answer lost": a_stack(
        None,
        STACK,
        NO_STACK,
        there("CREATE_IN_PROGRESS"),
        there(),
        CreateStack=[TAKEN],
    ),
    "made, answer lost, done at once": a_stack(None, STACK, NO_STACK, there(), there(), CreateStack=[TAKEN]),
    "made, taken": a_stack(None, STACK, NO_STACK, there(tags={}), CreateStack=[TAKEN]),
    "made, taken with other parameters": a_stack(
        None, STACK, NO_STACK, there(DdSite="x"), CreateStack=[TAKEN]
    ),
    "made, taken by what failed": a_stack(
        None, STACK, NO_STACK, there("ROLLBACK_COMPLETE"), CreateStack=[TAKEN]
    ),
    "made, taken and gone": a_stack(None, STACK, NO_STACK, NO_STACK, CreateStack=[TAKEN]),
    "made, as it is since an update": a_stack(None, STACK, there("UPDATE_COMPLETE")),
    "made, ours is being made": a_stack(None, STACK, there("CREATE_IN_PROGRESS")),
    "changed": a_stack(
        STACK,
        NEWER,
        there(),
        there("UPDATE_COMPLETE", DdSite="datadoghq.com"),
        GetTemplateSummary=[{"Parameters": [{"ParameterKey": "DdSite"}, {"ParameterKey": "New"}]}],
    ),
    "changed, template unread": a_stack(
        STACK, NEWER, there(), there("UPDATE_COMPLETE"), GetTemplateSummary=[DENIED]
    ),
    "changed in parameters only": a_stack(
        STACK, replace(STACK, parameters={"DdSite": "datadoghq.com"}), there(), there("UPDATE_COMPLETE")
    ),
    "changed, failed": a_stack(
        STACK,
        NEWER,
        there(),
        there("UPDATE_ROLLBACK_COMPLETE"),
        GetTemplateSummary=[{"Parameters": []}],
        DescribeStackEvents=happened(
            ("fwd", "CREATE_COMPLETE", ""),
            ("Forwarder", "UPDATE_FAILED", "no room"),
            ("fwd", "UPDATE_ROLLBACK_COMPLETE", ""),
        ),
    ),
    "changed, nothing to do": a_stack(
        STACK,
        NEWER,
        there(),
        GetTemplateSummary=[{"Parameters": []}],
        UpdateStack=[("ValidationError", "No updates are to be performed.", 400)],
    ),
    "changed, as it is": a_stack(STACK, replace(STACK, parameters={"DdApiKey": "x"}), there()),
    "changed, moved": a_stack(STACK, NEWER, there(DdSite="x")),
    "changed, gone": a_stack(STACK, NEWER, NO_STACK),
    "changed back, template unknown": a_stack(
        NEWER, replace(STACK, template_url=""), there(DdSite="datadoghq.com")
    ),
    "deleted": a_stack(STACK, None, there(), ENDED),
    "deleted, gone": a_stack(STACK, None, NO_STACK),
    "deleted, theirs": a_stack(STACK, None, there(tags={})),
    "deleted, moved": a_stack(STACK, None, there(DdSite="x")),
    "deleted, at work": a_stack(
        STACK, None, there("CREATE_IN_PROGRESS"), there("CREATE_IN_PROGRESS"), there(), there(), ENDED
    ),
    "deleted, gone while at work": a_stack(
        STACK, None, there("DELETE_IN_PROGRESS"), there("DELETE_IN_PROGRESS"), ENDED, ENDED
    ),
    "deleted, with a bucket": a_stack(
        STACK,
        None,
        there(),
        ENDED,
        ListStackResources=BUCKET,
        ListObjectVersions=[{"Versions": [{"Key": "a"}, {"Key": "b"}]}, {}],
    ),
    "deleted, with what datadog did not take": a_stack(
        STACK, None, there(), ENDED, ListStackResources=BUCKET, ListObjectsV2=[{"Contents": [{"Key": "x"}]}]
    ),
    "deleted, that may be lost": a_stack(
        STACK,
        None,
        there(),
        ENDED,
        on=LOSE_FAILED_EVENTS,
        ListStackResources=BUCKET,
        ListObjectsV2=[{"Contents": [{"Key": "x"}]}],
    ),
    "deleted, a bucket that fills again": a_stack(
        STACK,
        None,
        there(),
        there("DELETE_FAILED"),
        ENDED,
        ListStackResources=BUCKET,
        DescribeStackEvents=happened(
            ("fwd", "DELETE_IN_PROGRESS", ""),
            ("B", "DELETE_FAILED", "The bucket you tried to delete is not empty"),
            ("fwd", "DELETE_FAILED", "B"),
        ),
    ),
    "deleted, failed": a_stack(
        STACK,
        None,
        there(),
        there("DELETE_FAILED"),
        DescribeStackEvents=happened(
            ("fwd", "DELETE_IN_PROGRESS", ""),
            ("Forwarder", "DELETE_FAILED", "no"),
            ("fwd", "DELETE_FAILED", "x"),
        ),
    ),
    "another kind": Case("stack", "fwd", None, GROUP),
}
