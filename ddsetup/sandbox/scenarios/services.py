"""State machines and APIs beside the functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ddsetup.sandbox.roles import create_role
from ddsetup.sandbox.scenarios.functions import SAMPLE_TAG, SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

_DEFINITION = {
    "StartAt": "Grind",
    "States": {
        "Grind": {"Type": "Pass", "Next": "Brew"},
        "Brew": {"Type": "Pass", "Result": {"served": True}, "End": True},
    },
}
_DELIVER = {"deliver-logs": ("logs:*",)}
_OWNED = {"aws:cloudformation:stack-name": "coffee-warehouse"}


def furnish(world: World) -> None:
    """A function, four state machines that differ in how they log, and two APIs without access logs."""
    create(world, SampleFunction("barista", traffic="orders"))
    _state_machine(world, "brewing", tags={SAMPLE_TAG: "orders", "team": "bar"})
    _state_machine(world, "stocktaking", level="ERROR")
    _state_machine(world, "delivering", may_log=False)
    _state_machine(world, "restocking", tags=_OWNED)
    _rest_api(world, "shop")
    _http_api(world, "menu")


def _state_machine(
    world: World, name: str, *, tags: dict[str, str] | None = None, level: str = "", may_log: bool = True
) -> None:
    iam, states = world.client("iam", world.region), world.client("stepfunctions", world.region)
    role = create_role(iam, f"{name}-role", "states.amazonaws.com", _DELIVER if may_log else None)
    parameters: dict[str, Any] = {}
    if level:
        parameters["loggingConfiguration"] = _logging(world, f"/coffee/{name}", level)
    states.create_state_machine(
        name=name,
        definition=json.dumps(_DEFINITION),
        roleArn=role,
        tags=[{"key": key, "value": value} for key, value in (tags or {}).items()],
        **parameters,
    )


def _logging(world: World, group: str, level: str) -> dict[str, Any]:
    world.client("logs", world.region).create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{world.region}:{world.account}:log-group:{group}:*"
    return {
        "level": level,
        "includeExecutionData": False,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }


def _rest_api(world: World, name: str) -> None:
    """A REST API that answers by itself, in an account whose API Gateway has a role to log by."""
    gateway, iam = world.client("apigateway", world.region), world.client("iam", world.region)
    role = create_role(iam, "apigateway-logs", "apigateway.amazonaws.com")
    gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    api = gateway.create_rest_api(name=name, tags={SAMPLE_TAG: "prod/"})["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(authorizationType="NONE", **method)
    gateway.put_integration(
        type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **method
    )
    gateway.put_method_response(statusCode="200", **method)
    gateway.put_integration_response(statusCode="200", **method)
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName="prod", deploymentId=deployment)


def _http_api(world: World, name: str) -> None:
    """An HTTP API that leads to the function."""
    gateway = world.client("apigatewayv2", world.region)
    target = world.function_arn("barista")
    tags = {SAMPLE_TAG: "$default/menu"}
    api = gateway.create_api(Name=name, ProtocolType="HTTP", Tags=tags)["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=target, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="GET /menu", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
