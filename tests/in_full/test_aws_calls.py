"""Every call of AWS's APIs to the letter: what is asked, what becomes of the answer, and of each refusal.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ddsetup.gateways.aws import (
    apis,
    buckets,
    function_reads,
    function_writes,
    health,
    layers,
    logs,
    metrics,
    permissions,
    roles,
    rules,
    secrets,
    stacks,
    states,
    tags,
)
from ddsetup.gateways.aws.functions import FunctionUpdate
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import ApiStage, Identity, Lane, StateMachineSettings
from ddsetup.model.errors import DdsetupError, GatewayError
from ddsetup.model.states import FilterState, SecretState
from tests.gateways.aws_stand import ACCOUNT, REGION, FakeTime, connect
from tests.in_full.told import shown
from tests.unit.show.test_render import matches_golden

LANE = Lane(ACCOUNT, REGION)
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/orders-role"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:brew"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:key-AbCdEf"
SERVICES = (
    *("apigateway", "apigatewayv2", "cloudformation", "cloudwatch", "events", "iam", "lambda", "logs"),
    *("s3", "secretsmanager", "states", "sts", "tag"),
)
Answer = Mapping[str, Any]

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


def _now(**over: str) -> Answer:
    return {"Configuration": {**FUNCTION, **over}}


CALLS: dict[str, tuple[Callable[[Aws], Any], dict[str, list[Answer]]]] = {
    "functions": (
        lambda aws: function_reads.list_functions(aws, LANE),
        {"ListFunctions": [{"Functions": [FUNCTION, BARE], "NextMarker": "m"}, {"Functions": [SEALED]}]},
    ),
    "function": (
        lambda aws: function_reads.read_function(aws, LANE, "orders"),
        {"GetFunctionConfiguration": [FUNCTION], "GetFunction": [{"Configuration": FUNCTION}]},
    ),
    "function is there": (
        lambda aws: function_reads.function_exists(aws, LANE, "orders"),
        {"GetFunction": [{"Configuration": FUNCTION}], "GetFunctionConfiguration": [FUNCTION]},
    ),
    "aliases": (
        lambda aws: function_reads.list_aliases(aws, LANE, "orders"),
        {
            "ListAliases": [
                {"Aliases": [{"Name": "live", "FunctionVersion": "3"}], "NextMarker": "m"},
                {"Aliases": []},
            ]
        },
    ),
    "versions": (
        lambda aws: function_reads.published_versions(aws, LANE, "orders"),
        {
            "ListVersionsByFunction": [
                {"Versions": [{**FUNCTION, "Version": v} for v in ("$LATEST", "1", "2")]}
            ]
        },
    ),
    "headroom": (
        lambda aws: function_reads.concurrency_headroom(aws, LANE),
        {"GetAccountSettings": [{"AccountLimit": {"UnreservedConcurrentExecutions": 900}}]},
    ),
    "resource policy": (
        lambda aws: function_reads.resource_policy(aws, LANE, "orders"),
        {"GetPolicy": [{"Policy": '{"Statement": [{"Sid": "x"}]}'}]},
    ),
    "empty resource policy": (
        lambda aws: function_reads.resource_policy(aws, LANE, "orders"),
        {"GetPolicy": [{}]},
    ),
    "update": (
        lambda aws: function_writes.update_function(
            aws,
            LANE,
            "orders",
            FunctionUpdate(
                revision_id="r1", handler="h", layers=("a",), env={"A": "b"}, logging={"LogFormat": "JSON"}
            ),
        ),
        {"UpdateFunctionConfiguration": [{**FUNCTION, "RevisionId": "r2"}]},
    ),
    "update of nothing": (
        lambda aws: function_writes.update_function(
            aws, LANE, "orders", FunctionUpdate(revision_id="r1", layers=())
        ),
        {"UpdateFunctionConfiguration": [FUNCTION]},
    ),
    "wait": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [_now(LastUpdateStatus="InProgress"), _now(State="Pending"), _now()]},
    ),
    "wait in vain": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [_now(LastUpdateStatus="InProgress")]},
    ),
    "wait for a failure": (
        lambda aws: function_writes.wait_updated(aws, LANE, "orders", clock=aws.clock),
        {"GetFunction": [_now(LastUpdateStatus="Failed", LastUpdateStatusReasonCode="DisabledKMSKey")]},
    ),
    "invoke": (
        lambda aws: function_writes.invoke(aws, LANE, "orders", b'{"a": 1}'),
        {"Invoke": [{"StatusCode": 200, "Payload": b"{}", "ResponseMetadata": {"RequestId": "q"}}]},
    ),
    "invoke in vain": (
        lambda aws: function_writes.invoke(aws, LANE, "orders"),
        {
            "Invoke": [
                {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b'{"errorType": "KeyError"}'}
            ]
        },
    ),
    "publish": (
        lambda aws: function_writes.publish_version(aws, LANE, "orders"),
        {"PublishVersion": [{**FUNCTION, "Version": "8"}]},
    ),
    "publish this code": (
        lambda aws: function_writes.publish_version(aws, LANE, "orders", "sha", "LATEST_PUBLISHED"),
        {"PublishVersion": [{**FUNCTION, "Version": "8"}]},
    ),
    "wait for a version": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [_now(State="Pending"), _now(State="Pending"), _now()]},
    ),
    "wait for a version in vain": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [_now(State="Pending")]},
    ),
    "wait for a version that fails": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [_now(State="Failed", StateReasonCode="FunctionError")]},
    ),
    "wait for a version that fails without a word": (
        lambda aws: function_writes.wait_published(aws, LANE, "orders", "8", aws.clock),
        {"GetFunction": [_now(State="Failed")]},
    ),
    "move an alias": (
        lambda aws: function_writes.move_alias(aws, LANE, "orders", "live", "8", "r1"),
        {"UpdateAlias": [{}]},
    ),
    "move an alias blindly": (
        lambda aws: function_writes.move_alias(aws, LANE, "orders", "live", "8", ""),
        {"UpdateAlias": [{}]},
    ),
    **{
        f"invoke in vain, {payload!r}": (
            lambda aws: function_writes.invoke(aws, LANE, "orders"),
            {"Invoke": [{"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}]},
        )
        for payload in (b"", b"oops", b"[1]", b'{"errorType": null}')
    },
    "is something in a bucket": (
        lambda aws: buckets.has_objects(aws, LANE, "b", "failed/"),
        {"ListObjectsV2": [{"Contents": [{"Key": "failed/1"}]}]},
    ),
    "is nothing in a bucket": (
        lambda aws: buckets.has_objects(aws, LANE, "b", "failed/"),
        {"ListObjectsV2": [{}]},
    ),
    "empty a bucket": (
        lambda aws: buckets.empty(aws, LANE, "b"),
        {
            "ListObjectVersions": [
                {
                    "Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "b"}],
                    "DeleteMarkers": [{"Key": "c", "VersionId": "2"}],
                },
                {"Versions": [{"Key": "d", "VersionId": "null"}]},
                {},
            ],
            "DeleteObjects": [{}],
        },
    ),
    "empty a bucket in vain": (
        lambda aws: buckets.empty(aws, LANE, "b"),
        {
            "ListObjectVersions": [{"Versions": [{"Key": "a"}, {"Key": "b"}]}],
            "DeleteObjects": [{"Errors": [{"Key": "a", "Code": "AccessDenied"}, {"Key": "b", "Code": "x"}]}],
        },
    ),
    "rule": (lambda aws: rules.rule_enabled(aws, LANE, "r"), {"DescribeRule": [{"State": "ENABLED"}]}),
    "rule that is off": (
        lambda aws: rules.rule_enabled(aws, LANE, "r"),
        {"DescribeRule": [{"State": "DISABLED"}]},
    ),
    "allow logs": (
        lambda aws: function_writes.add_logs_permission(aws, LANE, "fwd"),
        {"AddPermission": [{}]},
    ),
    "take leave back": (
        lambda aws: function_writes.remove_permission(aws, LANE, "fwd"),
        {"RemovePermission": [{}]},
    ),
    "telling lines": (
        lambda aws: health.telling_lines(aws, LANE, "/g", 60),
        {
            "FilterLogEvents": [
                {
                    "events": [{"timestamp": n, "message": m} for n, m in enumerate(MESSAGES)],
                    "nextToken": "t",
                },
                {"events": [{"timestamp": 9, "message": "No module named 'x'"}]},
            ]
        },
    ),
    "log tail": (
        lambda aws: health.log_tail(aws, LANE, "/g", 5, 2),
        {"FilterLogEvents": [{"events": [{"timestamp": n, "message": m} for n, m in enumerate(MESSAGES)]}]},
    ),
    "counts": (
        lambda aws: health.counts(aws, LANE, "fwd", ("Invocations", "Errors"), 60),
        {"GetMetricData": [{"MetricDataResults": [{"Id": "m0", "Values": [1.0, 2.0]}, {"Id": "m1"}]}]},
    ),
    "longest runs": (
        lambda aws: health.longest_runs(aws, LANE, ("a", "b"), 60),
        {"GetMetricData": [{"MetricDataResults": [{"Id": "m0", "Values": [10.0, 20.0]}]}]},
    ),
    "reserved": (
        lambda aws: health.reserved_concurrency(aws, LANE, "fwd"),
        {"GetFunctionConcurrency": [{"ReservedConcurrentExecutions": 5}]},
    ),
    "server date": (
        health.server_date,
        {
            "GetCallerIdentity": [
                {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 09:00:00 GMT"}}}
            ]
        },
    ),
    "layer version": (
        lambda aws: layers.layer_version_exists(
            aws, LANE, f"arn:aws:lambda:{REGION}:464622532012:layer:Datadog-Python312:9"
        ),
        {"GetLayerVersionByArn": [{}], "GetLayerVersion": [{}]},
    ),
    "log groups": (
        lambda aws: logs.list_log_groups(aws, LANE),
        {
            "DescribeLogGroups": [
                {
                    "logGroups": [{"logGroupName": "/a", "retentionInDays": 7, "logGroupClass": "DELIVERY"}],
                    "nextToken": "t",
                },
                {"logGroups": [{"logGroupName": "/b"}]},
            ]
        },
    ),
    "filters": (
        lambda aws: logs.list_filters(aws, LANE, "/g"),
        {"DescribeSubscriptionFilters": [{"subscriptionFilters": [FILTER, {"filterName": "bare"}]}]},
    ),
    "put filter": (
        lambda aws: logs.put_filter(
            aws, LANE, FilterState(log_group="/g", name="f", destination_arn="arn:d")
        ),
        {"PutSubscriptionFilter": [{}]},
    ),
    "delete filter": (
        lambda aws: logs.delete_filter(aws, LANE, "/g", "f"),
        {"DeleteSubscriptionFilter": [{}]},
    ),
    "create group": (lambda aws: logs.create_log_group(aws, LANE, "/g"), {"CreateLogGroup": [{}]}),
    "delete group": (lambda aws: logs.delete_log_group(aws, LANE, "/g"), {"DeleteLogGroup": [{}]}),
    "empty group": (
        lambda aws: logs.log_group_is_empty(aws, LANE, "/g"),
        {"DescribeLogStreams": [{"logStreams": []}]},
    ),
    "group with logs": (
        lambda aws: logs.log_group_is_empty(aws, LANE, "/g"),
        {"DescribeLogStreams": [{"logStreams": [{"logStreamName": "s"}]}]},
    ),
    "account policies": (
        lambda aws: logs.account_filter_policies(aws, LANE),
        {"DescribeAccountPolicies": [{"accountPolicies": [{"policyName": "p"}]}]},
    ),
    "filters at work": (
        lambda aws: _plain(logs.filters_at_work(aws, LANE, lately=True)),
        {
            "ListMetrics": [
                {
                    "Metrics": [
                        {
                            "Dimensions": [
                                {"Name": "LogGroupName", "Value": "/g"},
                                {"Name": "FilterName", "Value": "f"},
                            ]
                        }
                    ]
                },
            ]
        },
    ),
    "filters that fail": (
        lambda aws: _plain(logs.filters_at_work(aws, LANE, failing=True)),
        {"ListMetrics": [{"Metrics": [{"Dimensions": [{"Name": "LogGroupName", "Value": "/g"}]}, {}]}]},
    ),
    "invocations": (
        lambda aws: metrics.invocations(aws, LANE, ("a", "b", "a"), 60),
        {"GetMetricData": [{"MetricDataResults": [{"Id": "m0", "Values": [1.0, 2.0]}]}]},
    ),
    "invocations of a day": (
        lambda aws: metrics.invocations(aws, LANE, ("a",), 1440),
        {"GetMetricData": [{"MetricDataResults": []}]},
    ),
    "invocations of two weeks": (
        lambda aws: metrics.invocations(aws, LANE, ("a",), 20_160),
        {"GetMetricData": [{"MetricDataResults": []}]},
    ),
    "provisioned": (
        lambda aws: function_reads.provisioned_concurrency(aws, LANE, "f"),
        {
            "ListProvisionedConcurrencyConfigs": [
                {
                    "ProvisionedConcurrencyConfigs": [
                        {"FunctionArn": f"arn:f:{q}", "RequestedProvisionedConcurrentExecutions": n}
                        for q, n in (("live", 5), ("3", 1))
                    ]
                }
            ]
        },
    ),
    "namespaces": (
        lambda aws: metrics.namespaces_in_use(aws, LANE, ("AWS/SQS",)),
        {"ListMetrics": [{"Metrics": [{}, {}]}]},
    ),
    "qualifiers": (
        lambda aws: metrics.invoked_by_qualifier(aws, LANE),
        {
            "ListMetrics": [
                {
                    "Metrics": [
                        {"Dimensions": [{"Name": "Resource", "Value": v}, {"Name": "X", "Value": "y:z"}]}
                        for v in ("a:live", "b", "a:7")
                    ]
                }
            ]
        },
    ),
    "simulate": (
        lambda aws: permissions.simulate(
            aws, WHO, [v["EvalActionName"] for v in VERDICTS], {"iam:CreateRole": (ROLE,)}
        ),
        {"SimulatePrincipalPolicy": [{"EvaluationResults": VERDICTS}]},
    ),
    "role may": (
        lambda aws: permissions.role_may(aws, ROLE, ("iam:TagRole", "lambda:ListFunctions")),
        {"SimulatePrincipalPolicy": [{"EvaluationResults": VERDICTS}]},
    ),
    "role": (
        lambda aws: roles.read_role(aws, ACCOUNT, "r"),
        {
            "GetRole": [
                {
                    "Role": {
                        "RoleName": "r",
                        "Arn": ROLE,
                        "Path": "/service/",
                        "AssumeRolePolicyDocument": json.dumps(POLICY),
                        "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:b"},
                        "Tags": [{"Key": "k", "Value": "v"}],
                    }
                }
            ],
            "ListRolePolicies": [{"PolicyNames": ["p"], "Marker": "m"}, {"PolicyNames": ["q"]}],
            "GetRolePolicy": [{"PolicyDocument": '{"Statement": []}'}],
            "ListAttachedRolePolicies": [{"AttachedPolicies": [{"PolicyArn": "arn:p"}]}],
        },
    ),
    "create role": (
        lambda aws: roles.create_role(aws, ACCOUNT, "r", POLICY, {"k": "v"}),
        {"CreateRole": [{"Role": {"Arn": ROLE}}]},
    ),
    "trust": (lambda aws: roles.update_trust(aws, ACCOUNT, "r", POLICY), {"UpdateAssumeRolePolicy": [{}]}),
    "put policy": (
        lambda aws: roles.put_role_policy(aws, ACCOUNT, "r", "p", POLICY),
        {"PutRolePolicy": [{}]},
    ),
    "delete policy": (
        lambda aws: roles.delete_role_policy(aws, ACCOUNT, "r", "p"),
        {"DeleteRolePolicy": [{}]},
    ),
    "attach": (lambda aws: roles.attach_role_policy(aws, ACCOUNT, "r", "arn:p"), {"AttachRolePolicy": [{}]}),
    "detach": (lambda aws: roles.detach_role_policy(aws, ACCOUNT, "r", "arn:p"), {"DetachRolePolicy": [{}]}),
    "delete role": (lambda aws: roles.delete_role(aws, ACCOUNT, "r"), {"DeleteRole": [{}]}),
    "secret": (
        lambda aws: secrets.read_secret(aws, LANE, "key"),
        {
            "DescribeSecret": [
                {"Name": "key", "ARN": SECRET, "Tags": [{"Key": "k", "Value": "v"}], "DeletedDate": AT}
            ]
        },
    ),
    "secret's value": (
        lambda aws: secrets.read_secret_value(aws, SECRET),
        {"GetSecretValue": [{"SecretString": "v"}]},
    ),
    "no secret's arn": (lambda aws: secrets.read_secret_value(aws, "key"), {}),
    "create secret": (
        lambda aws: secrets.create_secret(
            aws, LANE, SecretState(name="key", description="d", tags={"k": "v"}), "x"
        ),
        {"CreateSecret": [{"ARN": SECRET}]},
    ),
    "restore secret": (
        lambda aws: secrets.restore_secret(aws, LANE, "key"),
        {"RestoreSecret": [{"ARN": SECRET}]},
    ),
    "fill secret": (lambda aws: secrets.put_secret_value(aws, LANE, "key", "x"), {"PutSecretValue": [{}]}),
    "delete secret": (
        lambda aws: secrets.delete_secret(aws, LANE, "key", force=True),
        {"DeleteSecret": [{}]},
    ),
    "stacks": (
        lambda aws: stacks.list_stacks(aws, LANE),
        {"DescribeStacks": [{"Stacks": [STACK], "NextToken": "t"}, {"Stacks": [{"StackName": "bare"}]}]},
    ),
    "stack": (lambda aws: stacks.read_stack(aws, LANE, "s"), {"DescribeStacks": [{"Stacks": [STACK]}]}),
    "template": (
        lambda aws: stacks.template_parameters(aws, LANE, "https://t"),
        {"GetTemplateSummary": [{"Parameters": [{"ParameterKey": "A"}]}]},
    ),
    "create stack": (
        lambda aws: stacks.create_stack(aws, LANE, "s", "https://t", {"A": "b"}, {"k": "v"}),
        {"CreateStack": [{"StackId": "arn:stack"}]},
    ),
    "update stack": (
        lambda aws: stacks.update_stack(aws, LANE, "s", "", {"A": None, "B": "c"}, {}),
        {"UpdateStack": [{}]},
    ),
    "upgrade stack": (
        lambda aws: stacks.update_stack(aws, LANE, "s", "https://t", {}, {"k": "v"}),
        {"UpdateStack": [{}]},
    ),
    "delete stack": (lambda aws: stacks.delete_stack(aws, LANE, "s"), {"DeleteStack": [{}]}),
    "events": (
        lambda aws: stacks.stack_events(aws, LANE, "s"),
        {"DescribeStackEvents": [{"StackEvents": EVENTS[:2], "NextToken": "t"}, {"StackEvents": EVENTS[2:]}]},
    ),
    "newer events": (
        lambda aws: stacks.stack_events(aws, LANE, "s", "e2"),
        {"DescribeStackEvents": [{"StackEvents": EVENTS}]},
    ),
    "stages": (
        lambda aws: apis.list_api_stages(aws, LANE),
        {
            "GetRestApis": [{"items": [{"id": "a1", "name": "shop", "tags": {"k": "v"}}]}],
            "GetApis": [{"Items": [{"ApiId": "a2", "Name": "menu", "ProtocolType": "HTTP", "Tags": {}}]}],
            "GetStages": [
                {
                    "item": [
                        {
                            "stageName": "prod",
                            "accessLogSettings": {"destinationArn": "arn:d", "format": "$x"},
                            "methodSettings": {"*/*": {"loggingLevel": "INFO"}},
                            "tags": {"s": "t"},
                        },
                        {"stageName": "bare"},
                    ],
                    "Items": [
                        {
                            "StageName": "$default",
                            "AccessLogSettings": {"DestinationArn": "arn:d", "Format": "$y"},
                            "DefaultRouteSettings": {"LoggingLevel": "ERROR"},
                        }
                    ],
                }
            ],
        },
    ),
    "stage": (lambda aws: apis.read_api_stage(aws, STAGE), {"GetStage": [{"stageName": "prod"}]}),
    "http stage": (lambda aws: apis.read_api_stage(aws, HTTP), {"GetStage": [{"StageName": "$default"}]}),
    "log role": (lambda aws: apis.api_log_role(aws, LANE), {"GetAccount": [{"cloudwatchRoleArn": ROLE}]}),
    "no log role": (lambda aws: apis.api_log_role(aws, LANE), {"GetAccount": [{}]}),
    "access log": (lambda aws: apis.set_access_log(aws, STAGE, "arn:d", "$x"), {"UpdateStage": [{}]}),
    "no access log": (lambda aws: apis.set_access_log(aws, STAGE, "", ""), {"UpdateStage": [{}]}),
    "http access log": (lambda aws: apis.set_access_log(aws, HTTP, "arn:d", "$x"), {"UpdateStage": [{}]}),
    "no http access log": (
        lambda aws: apis.set_access_log(aws, HTTP, "", ""),
        {"DeleteAccessLogSettings": [{}]},
    ),
    "state machines": (
        lambda aws: states.list_state_machines(aws, LANE),
        {
            "ListStateMachines": [
                {"stateMachines": [{"name": "brew", "stateMachineArn": MACHINE, "type": "EXPRESS"}]},
            ],
            "GetResources": [
                {"ResourceTagMappingList": [{"ResourceARN": MACHINE, "Tags": [{"Key": "k", "Value": "v"}]}]}
            ],
            "DescribeStateMachine": [
                {
                    "roleArn": ROLE,
                    "loggingConfiguration": {
                        "level": "ALL",
                        "includeExecutionData": True,
                        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:g"}}, {}],
                    },
                }
            ],
        },
    ),
    "machine's settings": (
        lambda aws: states.read_settings(aws, LANE, MACHINE),
        {"DescribeStateMachine": [{}]},
    ),
    "machine's tags": (
        lambda aws: states.read_tags(aws, LANE, MACHINE),
        {"ListTagsForResource": [{"tags": [{"key": "k", "value": "v"}, {"key": "bare"}]}]},
    ),
    "machine's logging": (
        lambda aws: states.set_logging(
            aws,
            LANE,
            MACHINE,
            StateMachineSettings(level="ALL", include_execution_data=True, destinations=("arn:g",)),
        ),
        {"UpdateStateMachine": [{}]},
    ),
    "tag machine": (
        lambda aws: states.tag_state_machine(aws, LANE, MACHINE, {"k": "v"}),
        {"TagResource": [{}]},
    ),
    "untag machine": (
        lambda aws: states.untag_state_machine(aws, LANE, MACHINE, ("k",)),
        {"UntagResource": [{}]},
    ),
    "tags": (
        lambda aws: tags.function_tags(aws, LANE),
        {
            "GetResources": [
                {
                    "ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "k", "Value": "v"}]}],
                    "PaginationToken": "t",
                },
                {"ResourceTagMappingList": [{"ResourceARN": f"{ARN}2", "Tags": []}], "PaginationToken": ""},
            ]
        },
    ),
    "tag functions": (
        lambda aws: tags.tag_functions(aws, LANE, (ARN, f"{ARN}2"), {"k": "v"}),
        {
            "TagResources": [
                {"FailedResourcesMap": {ARN: {"StatusCode": 400, "ErrorCode": "C", "ErrorMessage": "m"}}}
            ]
        },
    ),
    "untag functions": (
        lambda aws: tags.untag_functions(aws, LANE, (ARN,), ("k",)),
        {"UntagResources": [{}]},
    ),
    "identity": (
        lambda aws: (aws.check_identity(), aws.identity()),  # type: ignore[func-returns-value]
        {
            "GetCallerIdentity": [{"Account": ACCOUNT, "Arn": WHO.arn, "UserId": "u"}],
            "ListAccountAliases": [{"AccountAliases": ["shop"]}],
        },
    ),
}


def _plain(found: Any) -> Any:
    if isinstance(found, frozenset):
        return sorted(found)
    return {k: sorted(v) for k, v in found.items()} if isinstance(found, Mapping) else found


class Script:
    """Answers operations by name, each list in order and its last one for ever; keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, list[Answer]] = {}
        self.refusal: tuple[str, str, int] | None = None

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        shown = {k: v for k, v in sorted(params.items()) if k != "ClientRequestToken"}
        self.asked.append(f"  {model.service_model.service_name}:{model.name} {shown}")

    def reply(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        if self.refusal is not None:
            code, message, status = self.refusal
            error = {
                "Error": {"Code": code, "Message": message},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            return SimpleNamespace(status_code=status), error
        left = self.answers[model.name]
        answer = dict(left.pop(0) if len(left) > 1 else left[0])
        if isinstance(answer.get("Payload"), bytes):
            answer["Payload"] = io.BytesIO(answer["Payload"])
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}, **answer}


@contextmanager
def scripted(aws: Aws) -> Iterator[Script]:
    script = Script()
    aws.calls.clear()
    emitters = [aws.client(service, REGION).meta.events for service in SERVICES]
    emitters += [aws.client("lambda", REGION, 910).meta.events]
    for events in emitters:
        events.register_first("provide-client-params", script.note)
        events.register_first("before-call", script.reply)
    try:
        yield script
    finally:
        for events in emitters:
            events.unregister("provide-client-params", script.note)
            events.unregister("before-call", script.reply)


def told(aws: Aws, time: FakeTime, script: Script, call: Callable[[Aws], Any]) -> list[str]:
    script.asked.clear()
    time.slept.clear()
    try:
        result = f"= {shown(call(aws))}"
    except DdsetupError as error:
        action = f" ({error.action})" if isinstance(error, GatewayError) and error.action else ""
        fix = f"; fix: {error.fix}" if error.fix else ""
        result = f"! {type(error).__name__}{action}: {error.what}{fix}"
    waited = [f"  waited {sum(time.slept):g} s"] if time.slept else []
    result = re.sub(r"0x[0-9a-f]+", "0x0", result)
    asked = sorted(script.asked, key=_side_by_side)
    counted = [
        f"{line} x {asked.count(line)}" if asked.count(line) > 1 else line for line in dict.fromkeys(asked)
    ]
    return [*counted, *waited, result]


def _side_by_side(line: str) -> str:
    """What goes out from several threads comes in any order."""
    return line if "GetStages" in line else ""


@pytest.fixture(scope="module")
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture(scope="module")
def aws(time: FakeTime) -> Iterator[Aws]:
    """One connection for all: making clients takes longer than using them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        yield connect("http://127.0.0.1:9", time)


def test_calls_and_answers(aws: Aws, time: FakeTime) -> None:
    lines: list[str] = []
    with scripted(aws) as script:
        for name, (call, answers) in CALLS.items():
            script.answers = {operation: list(each) for operation, each in answers.items()}
            lines += [f"[{name}]", *told(aws, time, script, call), ""]
    matches_golden("aws/calls", "\n".join(lines))


REFUSALS = {
    "denied": ("AccessDeniedException", "User: arn:x is not authorized to perform: a:B on resource: r", 403),
    "denied-explicitly": (
        "AccessDenied",
        "User: arn:x is not authorized ... with an explicit deny in a boundary",
        403,
    ),
    "not-there": ("ResourceNotFoundException", "no such thing", 404),
    "exists": ("ResourceAlreadyExistsException", "it exists", 409),
    "conflict": ("ResourceConflictException", "An update is in progress for resource", 409),
    "limit": ("LimitExceededException", "too many", 400),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired", 403),
    "invalid": ("ValidationException", "1 validation error detected: Value 'secret-value' at 'x'", 400),
    "moved": ("PreconditionFailedException", "The Revision Id provided does not match", 412),
    "throttled": ("ThrottlingException", "Rate exceeded", 400),
    "broken": ("ServiceException", "oops", 500),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals(aws: Aws, time: FakeTime, refusal: str) -> None:
    lines: list[str] = []
    with scripted(aws) as script:
        script.refusal = REFUSALS[refusal]
        for name, (call, _) in CALLS.items():
            *asked, result = told(aws, time, script, call)
            waited = "".join(line for line in asked if line.startswith("  waited"))
            lines.append(f"[{name}] {len(script.asked)} calls{waited} {result}")
    matches_golden(f"aws/{refusal}", "\n".join([*lines, ""]))
