"""What is broken in an account that is set up, by root, and how it is put right again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.conftest import Place
from tests.patience import until
from tests.sandbox_chain import datadog

FORWARDER = "datadog-forwarder"
FUNCTION = "coffee-orders"
SECRET = "ddsetup/datadog-api-key"
ROLE = "DatadogIntegrationRole"


@dataclass(frozen=True)
class Breakage:
    """Something broken by root, and how root puts it right again."""

    check: str
    harm: Callable[[Place], object]
    heal: Callable[[Place], object]
    mended: bool = False


def lambda_of(place: Place) -> Any:
    return place.world.client("lambda")


def update(place: Place, name: str, **settings: Any) -> None:
    """Change a function's configuration as root, once an update that is under way is done."""
    client = lambda_of(place)

    def updated() -> bool:
        try:
            client.update_function_configuration(FunctionName=name, **settings)
        except client.exceptions.ResourceConflictException:
            return False
        return True

    until(updated, f"the end of an update of {name}")


def _fail_to_start(place: Place) -> None:
    set_env(place, DD_LAMBDA_HANDLER="gone.handler")
    _invoke(place)


def set_env(place: Place, **env: str | None) -> None:
    held = {**place.world.env_of(FUNCTION), **env}
    variables = {k: v for k, v in held.items() if v is not None}
    update(place, FUNCTION, Environment={"Variables": variables})


def _invoke(place: Place) -> None:
    client = lambda_of(place)
    client.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
    client.invoke(FunctionName=FUNCTION, Payload=b"{}")


def set_handler(place: Place, handler: str) -> None:
    update(place, FUNCTION, Handler=handler)


def put_key(place: Place, key: str) -> None:
    place.world.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=key)


def _record(place: Place, **attributes: Any) -> None:
    """Change Datadog's record of the account, as somebody would in its web application."""
    (account,) = place.world.integrations()
    number = account["attributes"]["aws_account_id"]
    body = {"data": {"type": "account", "attributes": {"aws_account_id": number, **attributes}}}
    datadog(place.sandbox, "PATCH", f"/api/v2/integration/aws/accounts/{account['id']}", body)


def _trust(place: Place, external_id: str) -> None:
    iam = place.world.client("iam")
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = external_id
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))


def _external_id(place: Place) -> str:
    (account,) = place.world.integrations()
    issued: str = account["attributes"]["auth_config"]["external_id"]
    return issued


def _reserve(place: Place, number: int) -> None:
    lambda_of(place).put_function_concurrency(FunctionName=FORWARDER, ReservedConcurrentExecutions=number)


def _unreserve(place: Place) -> None:
    lambda_of(place).delete_function_concurrency(FunctionName=FORWARDER)


def _loop(place: Place) -> None:
    place.world.client("logs").put_subscription_filter(
        logGroupName=f"/aws/lambda/{FORWARDER}",
        filterName="by-hand",
        filterPattern="never-matches-anything",
        destinationArn=f"arn:aws:lambda:us-east-1:{place.sandbox.account}:function:{FORWARDER}",
    )


def _unloop(place: Place) -> None:
    logs = place.world.client("logs")
    group = f"/aws/lambda/{FORWARDER}"
    for each in logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]:
        logs.delete_subscription_filter(logGroupName=group, filterName=each["filterName"])


def _quiet(place: Place, level: str) -> None:
    update(
        place,
        FUNCTION,
        LoggingConfig={
            "LogFormat": "JSON" if level == "WARN" else "Text",
            **({"ApplicationLogLevel": "INFO", "SystemLogLevel": level} if level == "WARN" else {}),
            "LogGroup": f"/aws/lambda/{FUNCTION}",
        },
    )


BREAKAGES = (
    Breakage(
        "forwarder-key",
        lambda p: put_key(p, "0123456789abcdef0123456789abcdef"),
        lambda p: put_key(p, p.sandbox.api_key),
    ),
    Breakage(
        "forwarder-concurrency",
        lambda p: _reserve(p, 0),
        _unreserve,
    ),
    Breakage("forwarder-loop", _loop, _unloop, mended=True),
    Breakage(
        "handler-redirected",
        lambda p: set_handler(p, "coffee.handler"),
        lambda p: set_handler(p, "datadog_lambda.handler.handler"),
        mended=True,
    ),
    Breakage(
        "handler-known",
        lambda p: set_env(p, DD_LAMBDA_HANDLER=None),
        lambda p: set_env(p, DD_LAMBDA_HANDLER="coffee.handler"),
    ),
    Breakage(
        "flush-to-log",
        lambda p: set_env(p, DD_FLUSH_TO_LOG="false"),
        lambda p: set_env(p, DD_FLUSH_TO_LOG="true"),
        mended=True,
    ),
    Breakage(
        "function-starts",
        _fail_to_start,
        lambda p: set_env(p, DD_LAMBDA_HANDLER="coffee.handler"),
    ),
    Breakage("system-log-level", lambda p: _quiet(p, "WARN"), lambda p: _quiet(p, "INFO"), mended=True),
    Breakage(
        "role-trust",
        lambda p: _trust(p, "of-somebody-else"),
        lambda p: _trust(p, _external_id(p)),
        mended=True,
    ),
    Breakage(
        "metrics-enabled",
        lambda p: _record(p, metrics_config={"enabled": False}),
        lambda p: _record(p, metrics_config={"enabled": True}),
        mended=True,
    ),
    Breakage(
        "lambda-namespace",
        lambda p: _record(p, metrics_config={"namespace_filters": {"exclude_only": ["AWS/Lambda"]}}),
        lambda p: _record(p, metrics_config={"namespace_filters": {"exclude_only": ["AWS/SQS"]}}),
        mended=True,
    ),
)
