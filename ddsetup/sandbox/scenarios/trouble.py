"""Functions that fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.model import FAILED
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World


def furnish(world: World) -> None:
    """One that raises an exception every time, one that runs into its timeout."""
    create(world, SampleFunction("grinder-stuck", "failing", traffic="empty"))
    create(world, SampleFunction("roaster-slow", "slow", timeout=2, traffic="empty"))


def furnish_failed(world: World) -> None:
    """A function that AWS could not bring up."""
    create(world, SampleFunction("espresso-failed", more={"Description": FAILED}))


def furnish_silent(world: World) -> None:
    """A function whose role may not write logs, so there never are any."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = world.client("iam", world.region)
    role = iam.create_role(RoleName="silent-function", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    create(world, SampleFunction("silent-role", traffic="orders", more={"Role": role["Arn"]}))
