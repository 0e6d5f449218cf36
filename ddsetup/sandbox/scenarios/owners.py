"""Functions that somebody or something else has a say in."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddsetup.sandbox.errors import SandboxStartError
from ddsetup.sandbox.roles import create_role
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

_DATADOG_HANDLER = "datadog_lambda.handler.handler"
_STACK_SECONDS = 20.0
_CODE = "def handler(event, context):\n    print('serving', event)\n    return {'ok': True}\n"


def furnish_alias(world: World) -> None:
    """A function that is served through an alias, from a published version."""
    name = "served-by-alias"
    create(world, SampleFunction(name, traffic="orders"))
    function = world.lambda_()
    function.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    version = function.publish_version(FunctionName=name)["Version"]
    function.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    # Lambda counts invocations by alias under the dimension Resource as well; the emulator does not.
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": f"{name}:live"}]
    served = {"MetricName": "Invocations", "Dimensions": dimensions, "Value": 1.0, "Unit": "Count"}
    world.client("cloudwatch", world.region).put_metric_data(Namespace="AWS/Lambda", MetricData=[served])


def furnish_durable(world: World) -> None:
    """A function whose executions outlive its invocations."""
    create(world, SampleFunction("roasting", traffic="orders"))
    function = world.lambda_()
    function.get_waiter("function_active_v2").wait(FunctionName="roasting", WaiterConfig={"Delay": 1})
    function.update_function_configuration(
        FunctionName="roasting", DurableConfig={"ExecutionTimeout": 3600, "RetentionPeriodInDays": 14}
    )


def furnish_stack(world: World) -> None:
    """A function that a CloudFormation stack owns."""
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The coffee house's web shop",
        # Not hidden by NoEcho, as it happens: whoever reads the stack gets to see it.
        "Parameters": {"ShopPassword": {"Type": "String"}},
        "Resources": {
            "Shop": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "owned-by-stack",
                    "Runtime": "python3.12",
                    "Handler": "index.handler",
                    "Role": world.role,
                    "Code": {"ZipFile": _CODE},
                    "Tags": [{"Key": "ddsetup-sandbox", "Value": "empty"}],
                },
            }
        },
    }
    stacks = world.client("cloudformation", world.region)
    password = {"ParameterKey": "ShopPassword", "ParameterValue": "not-for-your-eyes-either"}
    stacks.create_stack(StackName="coffee-web", TemplateBody=json.dumps(template), Parameters=[password])
    deadline = time.monotonic() + _STACK_SECONDS
    while (status := _status(stacks)) != "CREATE_COMPLETE":
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            raise SandboxStartError(f"The stack coffee-web is {status}.")
        time.sleep(0.05)


def furnish_datadog_ci(world: World) -> None:
    """A function that datadog-ci instrumented and a deployment then gave its own handler back."""
    layer = f"arn:aws:lambda:{world.region}:464622532012:layer:Datadog-Python312:129"
    environment = {"DD_LAMBDA_HANDLER": "shop.main", "DD_FLUSH_TO_LOG": "true", "DD_SITE": "datadoghq.com"}
    create(
        world,
        SampleFunction(
            "stale-handler",
            layers=(layer,),
            environment=environment,
            tags={"dd_sls_ci": "v5.21.2"},
            traffic="orders",
        ),
    )


def furnish_self_reference(world: World) -> None:
    """A function whose DD_LAMBDA_HANDLER names Datadog's handler itself: it fails when it starts."""
    layer = f"arn:aws:lambda:{world.region}:464622532012:layer:Datadog-Python312:130"
    environment = {"DD_LAMBDA_HANDLER": _DATADOG_HANDLER, "DD_FLUSH_TO_LOG": "true"}
    create(
        world,
        SampleFunction("self-reference", handler=_DATADOG_HANDLER, layers=(layer,), environment=environment),
    )


def furnish_other_vendor(world: World) -> None:
    """A function that New Relic's layer wraps."""
    layer = f"arn:aws:lambda:{world.region}:451483290750:layer:NewRelicPython312:25"
    environment = {"NEW_RELIC_LAMBDA_HANDLER": "coffee.handler", "NEW_RELIC_ACCOUNT_ID": "1234567"}
    create(
        world,
        SampleFunction(
            "other-vendor",
            handler="newrelic_lambda_wrapper.handler",
            layers=(layer,),
            environment=environment,
        ),
    )


def furnish_datadog_owned(world: World) -> None:
    """Functions that Datadog itself instruments: from its AWS integration, and by remote instrumentation."""
    layers = f"arn:aws:lambda:{world.region}:464622532012:layer:"
    own = {"DD_LAMBDA_HANDLER": "shop.main", "DD_SITE": "datadoghq.com"}
    keyless = {**own, "DD_ORG_UUID": "1b2c3d4e-0000-4000-8000-0123456789ab"}
    both = (f"{layers}Datadog-Python312:130", f"{layers}Datadog-Extension:99")
    create(
        world,
        SampleFunction("by-integration", handler=_DATADOG_HANDLER, layers=both, environment=keyless),
    )
    create(
        world,
        SampleFunction(
            "by-remote",
            handler=_DATADOG_HANDLER,
            layers=both,
            environment={**own, "DD_API_KEY": "not-for-your-eyes"},
            tags={"dd_sls_remote_instrumenter_version": "1.10.0"},
        ),
    )
    pattern = {"source": ["aws.lambda"], "detail-type": ["AWS API Call via CloudTrail"]}
    world.client("events", world.region).put_rule(
        Name="datadog-agent-resource-update-rule-lambda", EventPattern=json.dumps(pattern)
    )


def furnish_edge(world: World) -> None:
    """Two functions that CloudFront runs, told by their role and by their policy, and one with such a role
    that cannot be at the edge: it has a variable."""
    services = ("lambda.amazonaws.com", "edgelambda.amazonaws.com")
    role = create_role(world.client("iam", world.region), "coffee-edge", services)
    functions = world.lambda_()
    for name, environment in (
        ("at-the-edge", {}),
        ("edge-role-only", {"MENU_URL": "https://coffee.example"}),
    ):
        create(replace(world, role=role), SampleFunction(name, environment=environment, timeout=5))
    create(world, SampleFunction("copied-to-the-edge", timeout=5))
    functions.add_permission(
        FunctionName="copied-to-the-edge",
        StatementId="replicator",
        Action="lambda:GetFunction",
        Principal="replicator.lambda.amazonaws.com",
    )


def furnish_own_settings(world: World) -> None:
    """A function with Datadog settings that its owner chose."""
    environment = {
        "DD_SERVICE": "till",
        "DD_ENV": "staging",
        "DD_LOG_LEVEL": "debug",
        "DD_TRACE_SAMPLE_RATE": "0.5",
        "MENU_URL": "https://coffee.example/menu",
    }
    create(world, SampleFunction("own-settings", environment=environment, traffic="orders"))


def _status(stacks: Any) -> str:
    return str(stacks.describe_stacks(StackName="coffee-web")["Stacks"][0]["StackStatus"])
