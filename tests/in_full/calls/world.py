"""What AWS has in these calls: a function, a role, a stack, a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Identity, Lane
from ddsetup.model.services import ApiStage
from tests.gateways.aws_stand import ACCOUNT, REGION

LANE = Lane(ACCOUNT, REGION)
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/orders-role"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:brew"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:key-AbCdEf"
Answer: TypeAlias = Mapping[str, Any]
Call: TypeAlias = tuple[Callable[[Aws], Any], Mapping[str, list[Answer]]]
"""A call, and what AWS answers to each operation, in order."""

FUNCTION = {
    "FunctionName": "orders",
    "FunctionArn": f"{ARN}:$LATEST",
    "Runtime": "python3.12",
    "Handler": "app.handler",
    "Role": ROLE,
    "Layers": [{"Arn": "arn:layer:1", "CodeSize": 5}, {"Arn": "arn:layer:2"}],
    "Environment": {"Variables": {"A": "b"}},
    "LoggingConfig": {
        "LogGroup": "/g",
        "LogFormat": "JSON",
        "SystemLogLevel": "WARN",
        "ApplicationLogLevel": "INFO",
    },
    "Architectures": ["arm64"],
    "MemorySize": 256,
    "Timeout": 9,
    "CodeSize": 7,
    "CodeSha256": "sha",
    "RevisionId": "r1",
    "KMSKeyArn": "arn:kms",
    "VpcConfig": {"SubnetIds": ["s"], "VpcId": "v"},
    "SnapStart": {"ApplyOn": "PublishedVersions"},
    "TracingConfig": {"Mode": "Active"},
    "MasterArn": "arn:master",
    "PackageType": "Zip",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "LastModified": "2026-11-22T09:00:00.000+0000",
}
BARE = {
    "FunctionName": "bare",
    "FunctionArn": f"{ARN}-bare",
    "PackageType": "Image",
    "Runtime": "",
    "Handler": "",
}
SEALED = {
    **BARE,
    "FunctionName": "sealed",
    "Environment": {"Error": {"ErrorCode": "KMSAccessDenied", "Message": "m"}},
}
STACK = {
    "StackName": "s",
    "StackId": "arn:stack",
    "StackStatus": "CREATE_COMPLETE",
    "StackStatusReason": "why",
    "Description": "d",
    "ParentId": "arn:parent",
    "Parameters": [{"ParameterKey": "A", "ParameterValue": "b"}, {"ParameterKey": "C"}],
    "Outputs": [{"OutputKey": "O", "OutputValue": "v"}],
    "Tags": [{"Key": "k", "Value": "v"}],
}
EVENTS = [
    {
        "EventId": f"e{n}",
        "Timestamp": AT,
        "LogicalResourceId": "L",
        "ResourceType": "T",
        "ResourceStatus": "S",
    }
    for n in (3, 2, 1)
]
FILTER = {
    "logGroupName": "/g",
    "filterName": "f",
    "filterPattern": "p",
    "destinationArn": "arn:d",
    "roleArn": "arn:r",
    "distribution": "Random",
    "applyOnTransformedLogs": True,
    "emitSystemFields": ["@aws.account"],
    "fieldSelectionCriteria": "c",
    "creationTime": 1,
}
POLICY = {"Statement": [{"Effect": "Allow"}]}
MESSAGES = ("[ERROR] KeyError: x", "Task timed out after 3.00 seconds", "ok", "AccessDeniedException: user")
STAGE = ApiStage(api_id="a1", api_name="shop", protocol="REST", stage="prod", region=REGION, account=ACCOUNT)
HTTP = ApiStage(
    api_id="a2", api_name="menu", protocol="HTTP", stage="$default", region=REGION, account=ACCOUNT
)
WHO = Identity(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/me", partition="aws")
VERDICTS: list[dict[str, Any]] = [
    {"EvalActionName": "lambda:ListFunctions", "EvalDecision": "implicitDeny"},
    {"EvalActionName": "iam:CreateRole", "EvalDecision": "explicitDeny"},
    {"EvalActionName": "iam:TagRole", "EvalDecision": "allowed"},
    {"EvalActionName": "iam:PassRole", "EvalDecision": "allowed", "MissingContextValues": ["x"]},
]


def now(**over: str) -> Answer:
    return {"Configuration": {**FUNCTION, **over}}


def plain(found: Any) -> Any:
    if isinstance(found, frozenset):
        return sorted(found)
    return {k: sorted(v) for k, v in found.items()} if isinstance(found, Mapping) else found
