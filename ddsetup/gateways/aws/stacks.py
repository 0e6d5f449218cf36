"""CloudFormation stacks."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.request import urlopen

from ddsetup.gateways.aws.errors import Refused, readable
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Json, Lane, Stack, Unreadable
from ddsetup.model.errors import NotFound

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
"""What the Forwarder's template asks for (its README); the last is harmless where it is not needed."""

_TOKEN = ("NextToken", "NextToken")
_TEMPLATE_SECONDS = 10.0
_MOST_BYTES = 1_000_000
"""A template in a bucket has at most so many (CloudFormation quotas page)."""
_VERSION = re.compile(r"DdForwarder:\s+(?:LayerVersion:.*\s+)?Version:\s*[\"']?(\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history. `status` is a resource status such as CREATE_FAILED."""

    at: datetime
    logical_id: str
    resource_type: str
    status: str
    reason: str
    event_id: str


@readable
def list_stacks(aws: Aws, lane: Lane) -> tuple[Stack, ...]:
    """Every stack that is not deleted. Needs cloudformation:DescribeStacks."""
    items = aws.pages("cloudformation:DescribeStacks", lane, "Stacks", token=_TOKEN)
    return tuple(_stack(item) for item in items)


def read_stack(aws: Aws, lane: Lane, name: str) -> Stack | None:
    """A stack by name or id, None if there is none. (By id, a deleted one answers DELETE_COMPLETE.)

    Raises Denied or GatewayError.
    """
    try:
        answer = aws.call("cloudformation:DescribeStacks", lane, StackName=name)
    except NotFound:
        return None
    items = answer.get("Stacks") or ()
    return _stack(items[0]) if items else None


@readable
def template_parameters(aws: Aws, lane: Lane, url: str) -> tuple[str, ...]:
    """The names of a template's parameters. Needs cloudformation:GetTemplateSummary."""
    answer = aws.call("cloudformation:GetTemplateSummary", lane, TemplateURL=url)
    return tuple(parameter["ParameterKey"] for parameter in answer.get("Parameters") or ())


@readable
def hidden_parameters(aws: Aws, lane: Lane, **of: Json) -> tuple[str, ...]:
    """The names of the NoEcho parameters of a template, `of` StackName or TemplateURL. Needs
    cloudformation:GetTemplateSummary."""
    answer = aws.call("cloudformation:GetTemplateSummary", lane, **of)
    return tuple(each["ParameterKey"] for each in answer.get("Parameters") or () if each.get("NoEcho"))


def template_version(url: str) -> str | Unreadable:
    """The version of the Forwarder that a template deploys, from its mapping `Constants.DdForwarder`; empty
    if it has none. Read as anybody can read it: no call of AWS tells."""
    if not url.startswith(("https://", "http://")):
        return ""
    try:
        with urlopen(url, timeout=_TEMPLATE_SECONDS) as answer:  # noqa: S310 - looked at above
            text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        return Unreadable(action="", reason=f"{url} cannot be read: {error}")
    found = _VERSION.search(text)
    return found.group(1) if found else ""


@readable
def read_template(aws: Aws, lane: Lane, name: str) -> Json:
    """The template of a stack as it was given, if it is JSON; else None. Needs cloudformation:GetTemplate."""
    body = aws.call("cloudformation:GetTemplate", lane, StackName=name).get("TemplateBody")
    try:
        return json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))
    except ValueError:
        return None


def create_stack(
    aws: Aws,
    lane: Lane,
    name: str,
    template: str | Mapping[str, Json],
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Start to create a stack; return its id. Raises AlreadyExists, Denied or GatewayError.

    `template` is the address of its template, or the template itself.

    The request carries a token, so that a repeat after a dropped connection is the same request to AWS.
    """
    answer = aws.call(
        "cloudformation:CreateStack",
        lane,
        StackName=name,
        **_template(template),
        Parameters=parameters_of(parameters),
        Tags=tags_of(tags),
        Capabilities=list(CAPABILITIES),
        ClientRequestToken=_request_token(),
    )
    return str(answer["StackId"])


def update_stack(
    aws: Aws,
    lane: Lane,
    name: str,
    template: str | Mapping[str, Json],
    parameters: Mapping[str, str | None],
    tags: Mapping[str, str],
) -> bool:
    """Start to update a stack; False if AWS finds nothing to update.

    A parameter of None keeps its value, one that is not named falls back to the template's default. An empty
    `template` keeps the one that it has, empty `tags` keep the tags.
    """
    marked: Mapping[str, Json] = {"Tags": tags_of(tags)} if tags else {}
    try:
        aws.call(
            "cloudformation:UpdateStack",
            lane,
            StackName=name,
            Parameters=parameters_of(parameters),
            Capabilities=list(CAPABILITIES),
            ClientRequestToken=_request_token(),
            **_template(template),
            **marked,
        )
    except Refused as error:
        if "No updates are to be performed" in error.what:
            return False
        raise
    return True


def _template(template: str | Mapping[str, Json]) -> Mapping[str, Json]:
    if not template:
        return {"UsePreviousTemplate": True}
    return {"TemplateURL": template} if isinstance(template, str) else {"TemplateBody": json.dumps(template)}


def delete_stack(aws: Aws, lane: Lane, name: str) -> None:
    """Start to delete a stack. AWS says nothing if there is none."""
    aws.call("cloudformation:DeleteStack", lane, StackName=name, ClientRequestToken=_request_token())


def stack_resources(aws: Aws, lane: Lane, name: str, kind: str) -> tuple[str, ...]:
    """The physical ids of a stack's resources of one type that are still there.

    Raises NotFound, Denied or GatewayError. Needs cloudformation:ListStackResources.
    """
    items = aws.pages(
        "cloudformation:ListStackResources", lane, "StackResourceSummaries", token=_TOKEN, StackName=name
    )
    return tuple(
        item["PhysicalResourceId"]
        for item in items
        if item["ResourceType"] == kind
        and item.get("PhysicalResourceId")
        and item["ResourceStatus"] != "DELETE_COMPLETE"
    )


def stack_events(aws: Aws, lane: Lane, name: str, after: str = "") -> tuple[StackEvent, ...]:
    """A stack's events, newest last; with `after`, only those younger than the event of that id.

    Raises NotFound, Denied or GatewayError. Needs cloudformation:DescribeStackEvents.
    """
    found: list[StackEvent] = []
    parameters: dict[str, Json] = {"StackName": name}
    while True:
        page = aws.call("cloudformation:DescribeStackEvents", lane, **parameters)
        for item in page.get("StackEvents") or ():
            if after and item["EventId"] == after:
                return tuple(reversed(found))
            found.append(_event(item))
        if not page.get("NextToken"):
            return tuple(reversed(found))
        parameters["NextToken"] = page["NextToken"]


def _stack(item: Mapping[str, Json]) -> Stack:
    return Stack(
        name=item["StackName"],
        stack_id=item.get("StackId") or "",
        status=item.get("StackStatus") or "",
        status_reason=" ".join((item.get("StackStatusReason") or "").split()),
        description=item.get("Description") or "",
        parameters={p["ParameterKey"]: p.get("ParameterValue") or "" for p in item.get("Parameters") or ()},
        outputs={o["OutputKey"]: o.get("OutputValue") or "" for o in item.get("Outputs") or ()},
        parent_id=item.get("ParentId") or None,
        tags={tag["Key"]: tag.get("Value") or "" for tag in item.get("Tags") or ()},
    )


def _event(item: Mapping[str, Json]) -> StackEvent:
    return StackEvent(
        at=item["Timestamp"],
        logical_id=item.get("LogicalResourceId") or "",
        resource_type=item.get("ResourceType") or "",
        status=item.get("ResourceStatus") or "",
        reason=" ".join((item.get("ResourceStatusReason") or "").split()),
        event_id=item["EventId"],
    )


def parameters_of(parameters: Mapping[str, str | None]) -> list[dict[str, Json]]:
    """Parameters as CloudFormation takes them; None keeps a value."""
    return [
        {"ParameterKey": key, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": key, "ParameterValue": value}
        for key, value in parameters.items()
    ]


def tags_of(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as CloudFormation takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _request_token() -> str:
    return f"ddsetup-{uuid.uuid4()}"
