"""What a role needs to deliver logs, as a command that gives it just that."""

from __future__ import annotations

import json

from ddsetup.facts.iam_documents import allow
from ddsetup.facts.kinds import DELIVER_LOGS

POLICY = "deliver-logs"
PUSH_LOGS = "AmazonAPIGatewayPushToCloudWatchLogs"
"""The managed policy for the role by which API Gateway logs (API Gateway developer guide)."""


def allow_delivery(role: str) -> str:
    """The command that lets the role of a state machine deliver logs; `role` is its ARN."""
    name = role.rsplit("/", 1)[-1] or "ROLE"
    document = json.dumps(allow(DELIVER_LOGS), separators=(",", ":"))
    return (
        f"let its role log: aws iam put-role-policy --role-name {name} --policy-name {POLICY} "
        f"--policy-document '{document}'"
    )


def name_log_role(region: str, partition: str = "aws") -> str:
    """How to give API Gateway a role by which it logs in a region."""
    managed = f"arn:{partition}:iam::aws:policy/service-role/{PUSH_LOGS}"
    return (
        f"make a role that apigateway.amazonaws.com may assume, with the policy {managed}; then: "
        f"aws apigateway update-account --region {region} "
        "--patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN"
    )
