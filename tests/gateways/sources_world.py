"""State machines and APIs in an emulated account, made as their owners would make them."""

from __future__ import annotations

import json
from typing import Any

from tests.gateways.bench import ACCOUNT, REGION, Bench

PASS = json.dumps({"StartAt": "Serve", "States": {"Serve": {"Type": "Pass", "End": True}}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def group_arn(name: str) -> str:
    """The ARN of a log group as a state machine's settings have it."""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"


def state_machine(bench: Bench, name: str, tags: dict[str, str] | None = None, **logging: Any) -> str:
    """A state machine with a role of its own; its ARN."""
    role = bench.client("iam").create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=TRUST)
    more = {"loggingConfiguration": logging} if logging else {}
    made = bench.client("stepfunctions").create_state_machine(
        name=name,
        definition=PASS,
        roleArn=role["Role"]["Arn"],
        tags=[{"key": k, "value": v} for k, v in (tags or {}).items()],
        **more,
    )
    return str(made["stateMachineArn"])


def rest_api(bench: Bench, name: str, stage: str = "prod", **over: Any) -> str:
    """A REST API with one deployed stage; its id."""
    client = bench.client("apigateway")
    api = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(authorizationType="NONE", **where)
    client.put_integration(type="MOCK", **where)
    deployment = client.create_deployment(restApiId=api)["id"]
    client.create_stage(restApiId=api, stageName=stage, deploymentId=deployment, **over)
    return str(api)


def http_api(bench: Bench, name: str, stage: str = "$default", **over: Any) -> str:
    """An HTTP API with one stage; its id."""
    client = bench.client("apigatewayv2")
    api = client.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=api, StageName=stage, AutoDeploy=True, **over)
    return str(api)
