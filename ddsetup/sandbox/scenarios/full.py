"""Functions at a limit, or with something that cannot be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.layers import placeholder_archive
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

_ENVIRONMENT_LIMIT = 4096
_ROOM_LEFT = 40


def furnish_layers(world: World) -> None:
    """A function that has all five layers already."""
    names = ("shared-auth", "shared-db", "shared-http", "shared-i18n", "shared-json")
    arns = []
    for name in names:
        content = {"ZipFile": placeholder_archive(name)}
        version = world.lambda_().publish_layer_version(LayerName=name, Content=content)
        arns.append(version["LayerVersionArn"])
    create(world, SampleFunction("full-layers", layers=tuple(arns), traffic="orders"))


def furnish_environment(world: World) -> None:
    """A function whose environment has next to no room left of its 4 KB."""
    taken = {"MENU": "x" * (_ENVIRONMENT_LIMIT - len("MENU") - _ROOM_LEFT)}
    create(world, SampleFunction("full-environment", environment=taken, traffic="orders"))


def furnish_unreadable(world: World) -> None:
    """A function whose environment is encrypted with a key that nobody may decrypt with."""
    everyone = {"AWS": "*"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {"Effect": "Deny", "Principal": everyone, "Action": ["kms:Decrypt"], "Resource": "*"},
        ],
    }
    key = world.client("kms", world.region).create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    secret = {"TILL_PASSWORD": "not-for-your-eyes", "DD_SERVICE": "vault"}
    create(world, SampleFunction("vault-unreadable", environment=secret, more={"KMSKeyArn": key}))
