"""EventBridge: the rule by which Datadog hears of functions that it instruments from the AWS integration."""

from __future__ import annotations

from ddsetup.gateways.aws.errors import unreadable
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.errors import GatewayError, NotFound


def rule_enabled(aws: Aws, lane: Lane, name: str) -> bool | Unreadable:
    """Whether a rule of that name is on the region's default bus, and enabled.

    Needs events:DescribeRule.
    """
    try:
        answer = aws.call("events:DescribeRule", lane, patience=OPTIONAL, Name=name)
    except NotFound:
        return False
    except GatewayError as error:
        return unreadable(error)
    return bool(answer.get("State") != "DISABLED")
