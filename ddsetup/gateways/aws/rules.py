"""EventBridge: the rule by which Datadog hears of functions that it instruments from the AWS integration."""

from __future__ import annotations

from ddsetup.gateways.aws.errors import readable
from ddsetup.gateways.aws.session import OPTIONAL, Aws
from ddsetup.model.account import Lane
from ddsetup.model.errors import NotFound


@readable
def rule_enabled(aws: Aws, lane: Lane, name: str) -> bool:
    """Whether a rule of that name is on the region's default bus, and enabled.

    Needs events:DescribeRule.
    """
    try:
        answer = aws.call("events:DescribeRule", lane, patience=OPTIONAL, Name=name)
    except NotFound:
        return False
    return bool(answer.get("State") != "DISABLED")
