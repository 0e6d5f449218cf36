"""An account as plans are made of it, and short words for what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ddsetup.model.account import Function, Layer, Stack, Unreadable
from ddsetup.model.snapshot import Snapshot
from tests import builders as b

DATADOG = "464622532012"
FORWARDER = b.forwarder()
ARN = FORWARDER.arn
OLD = b.forwarder("old-datadog-forwarder", stack=None, version="2.0.0")
OURS = {"created_by": "ddsetup"}
GROUP = "/aws/lambda/orders"
KINESIS = f"arn:aws:kinesis:{b.REGION}:{b.ACCOUNT}:stream/logs"
SSM = f"arn:aws:ssm:{b.REGION}:{b.ACCOUNT}:parameter/datadog"
REGISTERED = b.integration(lambdas=(ARN,), sources=("lambda",))


def layer(name: str, version: int, account: str = DATADOG) -> Layer:
    return Layer(f"arn:aws:lambda:{b.REGION}:{account}:layer:{name}:{version}")


def refused(action: str) -> Unreadable:
    return Unreadable(action, "access denied")


@dataclass(frozen=True)
class World:
    """What is wanted, and what is there: one function, and what is said of region and account."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    function: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    lane: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[Any, ...] = ()

    def snapshot(self) -> tuple[Snapshot, tuple[Function, ...]]:
        function = b.function(**{"name": "orders", **self.function})
        lane: dict[str, Any] = {
            "forwarders": (FORWARDER,),
            "stacks": (stack(),),
            "filters": {function.log_group: self.filters},
            "log_groups": {function.log_group: b.log_group(function.log_group)},
            **self.lane,
        }
        if self.tags:
            lane["tags"] = {function.arn: dict(self.tags)}
        account = b.account_snapshot(**{"integration": REGISTERED, "role": b.role(), **self.account})
        return b.snapshot(b.lane_snapshot(function, **lane), accounts=[account]), (function,)


def stack(**over: Any) -> Stack:
    parameters = {"DdSite": b.SITE, "DdFetchLambdaTags": "true", "DdForwardLog": "true", "MemorySize": "1024"}
    return b.stack(**{"parameters": parameters, **over})


def fn(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, function=over)


def ext(**over: Any) -> World:
    return World(answers={"via": "extension", **over})


def here(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, lane=over)


def bare(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    """No Forwarder yet."""
    return World(answers=answers or {}, lane={"forwarders": (), "stacks": (), **over})


def account(answers: Mapping[str, Any] | None = None, **over: Any) -> World:
    return World(answers=answers or {}, account=over)


def subscribed(*filters: tuple[str, str], **answers: Any) -> World:
    made = tuple(b.subscription_filter(GROUP, name, to) for name, to in filters)
    return World(answers=answers, filters=made, account={"integration": b.integration()})
