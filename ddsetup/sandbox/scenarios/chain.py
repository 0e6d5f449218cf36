"""Functions that call each other, so that one request is one trace across all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.roles import create_role
from ddsetup.sandbox.scenarios.functions import CALLS_TAG, SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

COUNTER, ROASTER, LEDGER = "chain-counter", "chain-roaster", "chain-ledger"
_ROLE = "chain-functions"
_MAY = {"call": ("logs:*", "lambda:InvokeFunction", "sqs:*", "sns:Publish", "events:PutEvents")}


def furnish(world: World) -> None:
    """A counter that calls a roaster, which runs into its timeout, and tells a ledger in three ways."""
    queue, topic = _queue(world), world.client("sns", world.region).create_topic(Name="chain-news")
    role = create_role(world.client("iam", world.region), _ROLE, "lambda.amazonaws.com", _MAY)
    settings = {"RECEIPTS": queue[0], "NEWS": topic["TopicArn"]}
    calls = {CALLS_TAG: f"{ROASTER} {LEDGER}"}
    more = {"Role": role}
    create(world, SampleFunction(ROASTER, "slow", timeout=2, more=more))
    create(world, SampleFunction(LEDGER, "ledger", more=more))
    create(
        world,
        SampleFunction(COUNTER, "counter", environment=settings, tags=calls, traffic="orders", more=more),
    )
    world.lambda_().create_event_source_mapping(
        FunctionName=LEDGER, EventSourceArn=queue[1], BatchSize=1, Enabled=True
    )
    _tell_ledger(world, topic["TopicArn"])


def _queue(world: World) -> tuple[str, str]:
    """URL and ARN of the queue of receipts."""
    sqs = world.client("sqs", world.region)
    url = sqs.create_queue(QueueName="chain-receipts")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def _tell_ledger(world: World, topic: str) -> None:
    """Subscribe it to the topic and to what the counter puts on the bus."""
    ledger, functions = world.function_arn(LEDGER), world.lambda_()
    for service in ("sns", "events"):
        functions.add_permission(
            FunctionName=LEDGER,
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )
    world.client("sns", world.region).subscribe(TopicArn=topic, Protocol="lambda", Endpoint=ledger)
    bus = world.client("events", world.region)
    bus.put_rule(Name="chain-orders", EventPattern=json.dumps({"source": ["coffee.counter"]}))
    bus.put_targets(Rule="chain-orders", Targets=[{"Id": "ledger", "Arn": ledger}])
