"""What ddsetup does to one function, in as few AWS calls as possible: for tests of the sandbox itself."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any
from urllib.parse import quote

from ddsetup.sandbox import aws
from ddsetup.sandbox.model import Sandbox
from tests.patience import PATIENCE, until

OPERATOR_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "cloudformation:*",
                "cloudwatch:*",
                "iam:*",
                "lambda:*",
                "logs:*",
                "s3:*",
                "secretsmanager:*",
                "tag:*",
            ],
            "Resource": "*",
        },
        {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    ],
}


def operator(sandbox: Sandbox, service: str) -> Any:
    """A client with the operator's credentials in the sandbox's first region."""
    return aws.client(service, sandbox.aws_endpoint_url, sandbox.regions[0], sandbox.operator)


def root(sandbox: Sandbox, service: str) -> Any:
    """A client that may do everything."""
    return aws.client(service, sandbox.aws_endpoint_url, sandbox.regions[0])


def deploy_forwarder(sandbox: Sandbox, stack: str, **parameters: str) -> dict[str, str]:
    """Create the stack from the sandbox's template; returns its outputs once it is complete."""
    stacks = operator(sandbox, "cloudformation")
    values = {"FunctionName": stack, "DdSite": sandbox.site, **parameters}
    stacks.create_stack(
        StackName=stack,
        TemplateURL=sandbox.forwarder_template_url,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
    )

    def finished() -> Any:
        described = stacks.describe_stacks(StackName=stack)["Stacks"][0]
        return None if described["StackStatus"].endswith("IN_PROGRESS") else described

    described = until(finished)
    assert described["StackStatus"] == "CREATE_COMPLETE", stacks.describe_stack_events(StackName=stack)
    return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


def instrument(sandbox: Sandbox, name: str, layer: str) -> None:
    """Put the Datadog library on a function, in one call on the revision that was read."""
    functions = operator(sandbox, "lambda")
    config = functions.get_function_configuration(FunctionName=name)
    functions.update_function_configuration(
        FunctionName=name,
        RevisionId=config["RevisionId"],
        Handler="datadog_lambda.handler.handler",
        Layers=[f"arn:aws:lambda:{sandbox.regions[0]}:464622532012:layer:{layer}"],
        Environment={
            "Variables": {
                "DD_LAMBDA_HANDLER": config["Handler"],
                "DD_FLUSH_TO_LOG": "true",
                "DD_TRACE_ENABLED": "true",
            }
        },
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def subscribe(sandbox: Sandbox, name: str, destination: str) -> None:
    """Send the function's log group, which is made if it does not exist, to the destination."""
    logs = operator(sandbox, "logs")
    group = f"/aws/lambda/{name}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.put_subscription_filter(
        logGroupName=group, filterName="test", filterPattern="", destinationArn=destination
    )


def messages(sandbox: Sandbox, group: str) -> list[str]:
    """Every event of a log group; empty when it does not exist."""
    logs = root(sandbox, "logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    return [each["message"] for each in logs.filter_log_events(logGroupName=group)["events"]]


def datadog(sandbox: Sandbox, method: str, path: str, body: Any = None) -> Any:
    """A call of the stand-in's API with the sandbox's keys; None where the answer is empty."""
    headers = {
        "DD-API-KEY": sandbox.api_key,
        "DD-APPLICATION-KEY": sandbox.app_key,
        "Content-Type": "application/json",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sandbox.datadog_url + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def metric(sandbox: Sandbox, query: str) -> list[Any]:
    """The series that a metric query finds in the last quarter of an hour."""
    now = int(time.time())
    path = f"/api/v1/query?from={now - 900}&to={now + 60}&query={quote(query)}"
    series: list[Any] = datadog(sandbox, "GET", path)["series"]
    return series
