"""A stack whose status and events are told look by look, as CloudFormation does while it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any


class Script:
    """Answers the calls about one stack; the last look goes on for ever."""

    def __init__(self) -> None:
        self._looks: list[tuple[str, int]] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def tell(self, *looks: tuple[str, int]) -> None:
        """Each look: the stack's status ("": there is none) and how many events there are by then."""
        self._looks = list(looks)

    def answer(self, operation: str) -> dict[str, Any]:
        status, events = self._looks[0]
        if operation == "DescribeStackEvents":
            if len(self._looks) > 1:
                self._looks.pop(0)
            return {"StackEvents": [_event(number) for number in range(events, 0, -1)]}
        if operation == "DescribeStacks":
            return {"Stacks": [_stack(status)] if status else []}
        if operation == "ListStackResources":
            return {"StackResourceSummaries": []}
        return {}


@contextmanager
def scripted(client: Any) -> Iterator[Script]:
    """Let a client of CloudFormation be answered by a script, without the network."""
    script = Script()

    def before_call(model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        script.sent.append((model.name, params["body"]))
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}, **script.answer(model.name)}

    client.meta.events.register_first("before-call", before_call)
    try:
        yield script
    finally:
        client.meta.events.unregister("before-call", before_call)


def _stack(status: str) -> dict[str, Any]:
    return {
        "StackName": "datadog-forwarder",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/datadog-forwarder/1",
        "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
        "StackStatus": status,
        "Parameters": [{"ParameterKey": "Colour", "ParameterValue": "red"}],
        "Tags": [{"Key": "created_by", "Value": "ddsetup"}],
    }


def _event(number: int) -> dict[str, Any]:
    return {
        "EventId": f"event-{number}",
        "Timestamp": datetime(2026, 11, 22, tzinfo=UTC),
        "LogicalResourceId": f"R{number}",
        "ResourceType": "AWS::Lambda::Function",
        "ResourceStatus": "UPDATE_IN_PROGRESS",
        "ResourceStatusReason": "because",
    }
