"""Whether what came back is an answer of AWS at all, before anything is read from it.

botocore takes an empty body, a text and a proxy's page for an answer without members, or fails while it
parses them. Taken for an answer, they would say "nothing there" of things that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ddsetup.model.account import Json

NEEDED: Mapping[str, str] = {
    "iam:CreateRole": "Role",
    "iam:GetRole": "Role",
    "iam:GetRolePolicy": "PolicyDocument",
    "iam:ListAttachedRolePolicies": "AttachedPolicies",
    "iam:ListRolePolicies": "PolicyNames",
    "iam:SimulatePrincipalPolicy": "EvaluationResults",
    "cloudformation:CreateStack": "StackId",
    "cloudformation:DescribeStackEvents": "StackEvents",
    "cloudformation:DescribeStacks": "Stacks",
    "cloudformation:ListStackResources": "StackResourceSummaries",
    "cloudwatch:GetMetricData": "MetricDataResults",
    "cloudwatch:ListMetrics": "Metrics",
    "lambda:AddPermission": "Statement",
    "lambda:GetAccountSettings": "AccountLimit",
    "lambda:GetFunction": "Configuration",
    "lambda:GetLayerVersion": "LayerVersionArn",
    "lambda:GetPolicy": "Policy",
    "lambda:ListAliases": "Aliases",
    "lambda:ListFunctions": "Functions",
    "lambda:ListTags": "Tags",
    "lambda:ListVersionsByFunction": "Versions",
    "lambda:UpdateFunctionConfiguration": "FunctionArn",
    "logs:DescribeAccountPolicies": "accountPolicies",
    "logs:DescribeLogGroups": "logGroups",
    "logs:DescribeLogStreams": "logStreams",
    "logs:DescribeSubscriptionFilters": "subscriptionFilters",
    "logs:FilterLogEvents": "events",
    "secretsmanager:CreateSecret": "ARN",
    "secretsmanager:DeleteSecret": "ARN",
    "secretsmanager:DescribeSecret": "ARN",
    "secretsmanager:GetSecretValue": "ARN",
    "secretsmanager:PutSecretValue": "ARN",
    "secretsmanager:RestoreSecret": "ARN",
    "states:DescribeStateMachine": "stateMachineArn",
    "states:ListStateMachines": "stateMachines",
    "states:ListTagsForResource": "tags",
    "states:UpdateStateMachine": "updateDate",
    "sts:GetCallerIdentity": "Account",
    "tag:GetResources": "ResourceTagMappingList",
}
"""The member that every answer of an operation has, by IAM prefix and operation: lists are sent when they are
empty, too (AWS's API references and recorded answers)."""

_JSON = frozenset({"json", "rest-json"})


class NotAws(Exception):
    """What came back is no answer of AWS; `status` is its HTTP status, 0 where that says nothing."""

    def __init__(self, said: str, status: int = 0) -> None:
        super().__init__(said)
        self.said = said
        self.status = status


def check_bytes(response: Mapping[str, Any], operation: Any) -> None:
    """Raise NotAws when the body cannot be an answer to the operation. For botocore's `before-parse`."""
    status, body = int(response["status_code"]), response.get("body")
    protocol = operation.service_model.resolved_protocol
    if protocol == "rest-xml" or not isinstance(
        body, bytes
    ):  # S3 redirects to other regions, and says little
        return
    if 300 <= status < 400:
        raise NotAws(f"answered with {status}, a redirect", status)
    if status < 300 and _has_payload(operation):
        return
    text = body.lstrip()[:1]
    if protocol == "query":
        good, wanted = text == b"<" and not body.lstrip().lower().startswith((b"<html", b"<!doctype")), "XML"
    elif protocol in _JSON:
        needed = status < 300 and _has_members(operation)
        good, wanted = text == b"{" or not (text or needed), "JSON"
    else:
        return
    if not good:
        what = f"with something else than {wanted}" if text else "without content"
        raise NotAws(f"answered {status} {what}: not AWS, but something on the way", status)


def answered(method: Callable[..., Json], name: str, parameters: Mapping[str, Any]) -> Json:
    """Make one attempt; what is streamed is read to its end, as the attempt has failed if that fails.

    Raises NotAws for an answer that is none, and what botocore raises.
    """
    from botocore.exceptions import IncompleteReadError, ResponseStreamingError

    try:
        answer = method(**parameters)
        streams = {key: value for key, value in answer.items() if hasattr(value, "read")}
        answer |= {key: stream.read() for key, stream in streams.items()}
    except IncompleteReadError as error:
        raise ResponseStreamingError(error=error) from None
    except Exception as error:
        if not _unparsed(error):
            raise
        raise NotAws("answered something that cannot be read") from None
    _check_members(answer, name)
    return answer


def _check_members(answer: Json, name: str) -> None:
    """Raise NotAws when the member is missing that the operation always answers."""
    needed = NEEDED.get(name)
    if needed is not None and needed not in answer:
        raise NotAws(f"the answer has no {needed}")


def _unparsed(error: Exception) -> bool:
    """Whether an exception comes from the inside of botocore's parsers: the answer has another shape."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "botocore.parsers":
            return True
        trace = trace.tb_next
    return False


def _has_payload(operation: Any) -> bool:
    """Whether the body is not a document but a blob, as what a function returned is."""
    shape = operation.output_shape
    return shape is not None and "payload" in shape.serialization


def _has_members(operation: Any) -> bool:
    """Whether the operation answers anything in its body."""
    shape = operation.output_shape
    return shape is not None and any("location" not in one.serialization for one in shape.members.values())
