"""Log groups that others read, are shared, or feed a forwarder of the old days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

SHARED_GROUP = "/coffee/shared"
OLD_FORWARDER = "DatadogLambdaLogForwarder"


def furnish_foreign(world: World) -> None:
    """A function whose log group has one foreign filter, and one whose group has two, all it may have."""
    create(world, SampleFunction("log-archiver", "archiver"))
    _let_logs_invoke(world, "log-archiver")
    archiver = world.function_arn("log-archiver")
    stream = f"arn:aws:firehose:{world.region}:{world.account}:deliverystream/security-archive"
    for name in ("till-one-filter", "till-two-filters"):
        create(world, SampleFunction(name, traffic="orders"))
        _put_filter(world, f"/aws/lambda/{name}", "archive-orders", archiver, "order")
    logs = world.client("logs", world.region)
    logs.put_subscription_filter(
        logGroupName="/aws/lambda/till-two-filters",
        filterName="security-audit",
        filterPattern="",
        destinationArn=stream,
        roleArn=f"arn:aws:iam::{world.account}:role/logs-to-firehose",
        distribution="Random",
    )


def furnish_shared_group(world: World) -> None:
    """Two functions that write to one log group of the user's choice."""
    world.client("logs", world.region).create_log_group(logGroupName=SHARED_GROUP)
    for name in ("shared-menu", "shared-tables"):
        more = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": SHARED_GROUP}}
        create(world, SampleFunction(name, "kitchen", traffic="kitchen", more=more))


def furnish_quiet_logs(world: World) -> None:
    """A function whose JSON logs leave out the platform's INFO events, so no report can be derived."""
    name = "quiet-platform"
    config = {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "WARN",
        "LogGroup": f"/aws/lambda/{name}",
    }
    create(world, SampleFunction(name, traffic="orders", more={"LoggingConfig": config}))


def furnish_old_forwarder(world: World) -> None:
    """A forwarder from before the template had versions, with the key in its environment, still fed."""
    environment = {"DD_API_KEY": "0" * 32, "DD_SITE": "datadoghq.com", "DD_TAGS": "env:prod"}
    forwarder = SampleFunction(
        OLD_FORWARDER,
        "lambda_function",
        runtime="python3.7",
        handler="lambda_function.lambda_handler",
        environment=environment,
        timeout=120,
        memory=1024,
        more={"Description": "Pushes logs, metrics and traces from AWS to Datadog."},
    )
    create(world, forwarder)
    _let_logs_invoke(world, OLD_FORWARDER)
    create(world, SampleFunction("till-old-forwarder", traffic="orders"))
    destination = world.function_arn(OLD_FORWARDER)
    _put_filter(world, "/aws/lambda/till-old-forwarder", "datadog", destination, "")


def _put_filter(world: World, group: str, name: str, destination: str, pattern: str) -> None:
    logs = world.client("logs", world.region)
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=destination
    )


def _let_logs_invoke(world: World, name: str) -> None:
    world.lambda_().add_permission(
        FunctionName=name,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceAccount=world.account,
    )
