"""Snapshots, functions and answers for tests: say only what the test is about, the rest is a healthy default.

Every builder takes the record's own fields as keywords. The defaults describe one account
(`ACCOUNT`) in one region (`REGION`) with nothing of Datadog in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ddsetup.facts.kinds import CHOSEN
from ddsetup.model.account import (
    Forwarder,
    Function,
    Identity,
    Integration,
    Lane,
    LogGroup,
    NamespaceFilter,
    Role,
    Secret,
    Stack,
    SubscriptionFilter,
    Unreadable,
)
from ddsetup.model.answers import Answers, Selection
from ddsetup.model.services import ApiStage, StateMachine, StateMachineSettings
from ddsetup.model.snapshot import AccountSnapshot, DatadogSnapshot, LaneSnapshot, Snapshot

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "eu-west-1"
SITE = "datadoghq.eu"
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
EXTERNAL_ID = "0123456789abcdef0123456789abcdef"
DATADOG_ACCOUNT = "464622532012"
PERMISSIONS = (
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "lambda:List*",
    "logs:DeleteSubscriptionFilter",
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:PutSubscriptionFilter",
    "tag:GetResources",
)


def lane(account: str = ACCOUNT, region: str = REGION) -> Lane:
    """The account and region that all builders use unless told otherwise."""
    return Lane(account, region)


def function_arn(name: str, region: str = REGION, account: str = ACCOUNT, partition: str = "aws") -> str:
    """The unqualified ARN of a function."""
    return f"arn:{partition}:lambda:{region}:{account}:function:{name}"


def function(name: str = "orders", **over: Any) -> Function:
    """A healthy, uninstrumented python3.12 function that logs to its default group."""
    region, account = over.setdefault("region", REGION), over.setdefault("account", ACCOUNT)
    over.setdefault("arn", function_arn(name, region, account))
    over.setdefault("runtime", "python3.12")
    over.setdefault("handler", "app.handler")
    over.setdefault("role", f"arn:aws:iam::{account}:role/{name}-role")
    over.setdefault("env", {})
    over.setdefault("log_group", f"/aws/lambda/{name}")
    over.setdefault("code_size", 1_000)
    over.setdefault("revision_id", f"revision-of-{name}")
    over.setdefault("state", "Active")
    over.setdefault("last_update_status", "Successful")
    return Function(name=name, **over)


def state_machine(name: str = "brew", *, level: str = "OFF", group: str = "", **over: Any) -> StateMachine:
    """A state machine that logs nothing, or at `level` to the log group named."""
    region, account = over.setdefault("region", REGION), over.setdefault("account", ACCOUNT)
    over.setdefault("arn", f"arn:aws:states:{region}:{account}:stateMachine:{name}")
    arn = f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    settings = StateMachineSettings(
        level=level,
        include_execution_data=level == "ALL",
        destinations=(arn,) if group else (),
        role=f"arn:aws:iam::{account}:role/{name}-role",
    )
    over.setdefault("settings", settings)
    return StateMachine(name=name, **over)


def api_stage(api_name: str = "shop", **over: Any) -> ApiStage:
    """The stage `prod` of a REST API without any logs."""
    over.setdefault("api_id", f"id-of-{api_name}")
    over.setdefault("protocol", "REST")
    over.setdefault("stage", "prod")
    return ApiStage(api_name=api_name, **{"region": REGION, "account": ACCOUNT, **over})


def log_group(name: str, **over: Any) -> LogGroup:
    """A log group of class STANDARD that never expires."""
    return LogGroup(name, **over)


def log_groups_of(functions: Iterable[Function]) -> dict[str, LogGroup]:
    """The log groups that the functions write to, as if every one of them had run."""
    return {f.log_group: LogGroup(f.log_group) for f in functions}


def subscription_filter(group: str, name: str, destination_arn: str, **over: Any) -> SubscriptionFilter:
    """A subscription filter that passes everything."""
    return SubscriptionFilter(log_group=group, name=name, destination_arn=destination_arn, **over)


def forwarder(name: str = "datadog-forwarder", **over: Any) -> Forwarder:
    """A Forwarder that its tag and its stack gave away."""
    region = over.setdefault("region", REGION)
    over.setdefault("arn", function_arn(name, region))
    over.setdefault("version", "5.4.11")
    over.setdefault("stack", "datadog-forwarder")
    over.setdefault("stack_status", "CREATE_COMPLETE")
    over.setdefault("found_by", ("tag", "stack"))
    return Forwarder(name=name, **over)


def stack(name: str = "datadog-forwarder", **over: Any) -> Stack:
    """The Forwarder's stack in good health; `outputs` say which function it made."""
    over.setdefault("stack_id", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/0a1b")
    over.setdefault("status", "CREATE_COMPLETE")
    over.setdefault("description", "Pushes logs, metrics and traces from AWS to Datadog.")
    over.setdefault("outputs", {"DatadogForwarderArn": function_arn("datadog-forwarder")})
    return Stack(name=name, **over)


def secret(name: str = "ddsetup/datadog-api-key", **over: Any) -> Secret:
    """A Secrets Manager secret with the random suffix that AWS adds to its ARN."""
    over.setdefault("arn", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
    return Secret(name=name, **over)


def trust_policy(external_id: str = EXTERNAL_ID, principal: str | None = None) -> dict[str, Any]:
    """The trust policy of Datadog's documentation."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal or f"arn:aws:iam::{DATADOG_ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def policy(*actions: str) -> dict[str, Any]:
    """A policy that allows the actions on everything."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


def role(name: str = "DatadogIntegrationRole", **over: Any) -> Role:
    """A role that Datadog can assume, with `PERMISSIONS`."""
    over.setdefault("arn", f"arn:aws:iam::{ACCOUNT}:role/{name}")
    over.setdefault("trust", trust_policy())
    over.setdefault("inline", {"DatadogAWSIntegrationPolicyV2": policy(*PERMISSIONS)})
    return Role(name=name, **over)


def integration(**over: Any) -> Integration:
    """The account as integrated with Datadog in all regions, without log collection.

    The namespaces are Datadog's default: all but a few.
    """
    over.setdefault("config_id", "4ee52a3f-d0e9-487b-bde9-cd1cbc0e4cb0")
    over.setdefault("account", ACCOUNT)
    over.setdefault("role_name", "DatadogIntegrationRole")
    over.setdefault("external_id", EXTERNAL_ID)
    over.setdefault(
        "namespaces", NamespaceFilter(mode="exclude_only", names=("AWS/SQS", "AWS/ElasticMapReduce"))
    )
    return Integration(**over)


def identity(**over: Any) -> Identity:
    """An IAM user of `ACCOUNT`."""
    over.setdefault("account", ACCOUNT)
    over.setdefault("arn", f"arn:aws:iam::{over['account']}:user/operator")
    return Identity(**over)


def account_snapshot(account: str = ACCOUNT, **over: Any) -> AccountSnapshot:
    """An account that Datadog does not know yet."""
    over.setdefault("identity", identity(account=account))
    over.setdefault("permissions", PERMISSIONS)
    over.setdefault("permissions_source", "live")
    return AccountSnapshot(**over)


def lane_snapshot(*functions: Function, **over: Any) -> LaneSnapshot:
    """One region with these functions; their log groups exist and have no filters, unless `over` says.

    `forwarders` given are functions of the region as well. What there is of other services may be given by
    the name that its kind has in answers (`state_machines`).
    """
    kinds = {kind: row.field for kind, row in CHOSEN.items() if row.field in over}
    over["services"] = {kind: over.pop(field) for kind, field in kinds.items()}
    over.setdefault("lane", functions[0].lane if functions else lane())
    groups = over.setdefault("log_groups", log_groups_of(functions))
    over.setdefault("functions", functions + _functions_of(over.get("forwarders", ()), functions))
    if not isinstance(groups, Unreadable):
        over.setdefault("filters", dict.fromkeys(groups, ()))
    return LaneSnapshot(**over)


def _functions_of(
    forwarders: tuple[Forwarder, ...] | Unreadable, known: tuple[Function, ...]
) -> tuple[Function, ...]:
    if isinstance(forwarders, Unreadable):
        return ()
    arns = {f.arn for f in known}
    return tuple(
        function(
            each.name,
            arn=each.arn,
            region=each.region,
            account=each.arn.split(":")[4],
            runtime="python3.14",
            architecture="arm64",
            handler="lambda_function.lambda_handler",
            env={"DD_SITE": SITE},
        )
        for each in forwarders
        if each.arn not in arns
    )


def datadog_snapshot(**over: Any) -> DatadogSnapshot:
    """Datadog's EU1 site with the log services and namespaces that the tests use."""
    over.setdefault("site", SITE)
    over.setdefault("log_services", ("apigw-access-logs", "lambda", "s3", "states"))
    over.setdefault(
        "namespaces",
        ("AWS/ApiGateway", "AWS/DynamoDB", "AWS/ElasticMapReduce", "AWS/Lambda", "AWS/SNS", "AWS/SQS"),
    )
    return DatadogSnapshot(**over)


def snapshot(
    *lanes: LaneSnapshot,
    accounts: Iterable[AccountSnapshot] | None = None,
    datadog: DatadogSnapshot | None = None,
    at: datetime = AT,
) -> Snapshot:
    """The lanes given (one empty one by default), and the accounts they are in unless given."""
    held = lanes or (lane_snapshot(),)
    if accounts is None:
        accounts = [account_snapshot(a) for a in sorted({snap.lane.account for snap in held})]
    return Snapshot(
        accounts={a.identity.account: a for a in accounts},
        lanes={snap.lane: snap for snap in held},
        datadog=datadog or datadog_snapshot(),
        at=at,
    )


def answers(**over: Any) -> Answers:
    """Everything on, by the Forwarder, for all functions of `REGION`."""
    over.setdefault("site", SITE)
    over.setdefault("regions", (REGION,))
    over.setdefault("selection", Selection(all=True))
    return Answers(**over)
