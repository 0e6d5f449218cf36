"""An account that somebody set up once, and that has since been broken in several places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.model import LAYER_ACCOUNT
from ddsetup.sandbox.scenarios import integration
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ddsetup.sandbox.scenarios.world import World

_ACCOUNT: Mapping[str, Any] = integration.SEED["accounts"][0]
_GONE = "DatadogForwarder"

SEED: Mapping[str, Any] = {
    "accounts": [
        {
            **_ACCOUNT,
            "metrics_config": {"enabled": False, "namespace_filters": {"exclude_only": ["AWS/SQS"]}},
            "logs_config": {
                "lambda_forwarder": {
                    "lambdas": [f"arn:aws:lambda:us-east-1:{_ACCOUNT['aws_account_id']}:function:{_GONE}"],
                    "sources": ["lambda"],
                }
            },
        }
    ]
}
"""Metrics are switched off, and the Forwarder that is registered was deleted."""


def furnish(world: World) -> None:
    """A role that trusts with another external id, and a function that lost its own handler's name."""
    integration.furnish(world)
    iam = world.client("iam", world.region)
    trust = iam.get_role(RoleName=integration.ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "0" * 32
    iam.update_assume_role_policy(RoleName=integration.ROLE, PolicyDocument=json.dumps(trust))
    layer = f"arn:aws:lambda:{world.region}:{LAYER_ACCOUNT}:layer:Datadog-Python312:130"
    create(
        world,
        SampleFunction(
            "lost-handler",
            handler="datadog_lambda.handler.handler",
            layers=(layer,),
            environment={"DD_FLUSH_TO_LOG": "true", "DD_SERVICE": "shop"},
            traffic="orders",
        ),
    )
