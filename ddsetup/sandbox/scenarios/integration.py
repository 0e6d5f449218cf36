"""An account that somebody else has already integrated with Datadog."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.model import ACCOUNT, LAYER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ddsetup.sandbox.scenarios.world import World

ROLE = "DatadogIntegrationRole"
EXTERNAL_ID = "4e2f1c0d9b8a47669d3c5e7f8a1b2c3d"
_ALLOWED = (
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "ec2:DescribeRegions",
    "lambda:List*",
    "tag:GetResources",
)

TRUST: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{LAYER_ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ],
}
POLICY: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": list(_ALLOWED), "Resource": "*"}],
}

SEED: Mapping[str, Any] = {
    "accounts": [
        {
            "id": "7d1c3f6e-2b5a-4c8d-9e0f-1a2b3c4d5e6f",
            "aws_account_id": ACCOUNT,
            "aws_partition": "aws",
            "auth_config": {"role_name": ROLE, "external_id": EXTERNAL_ID},
            "account_tags": ["team:platform"],
            "aws_regions": {"include_all": True},
            "metrics_config": {"enabled": True, "namespace_filters": {"exclude_only": ["AWS/SQS"]}},
            "resources_config": {"cloud_security_posture_management_collection": False},
        }
    ]
}


def furnish(world: World) -> None:
    """The role that the registered integration names, with a part of the permissions it should have."""
    iam = world.client("iam", world.region)
    iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": "made-by", "Value": "platform-team"}],
    )
    iam.put_role_policy(RoleName=ROLE, PolicyName="DatadogAWSIntegration", PolicyDocument=json.dumps(POLICY))
