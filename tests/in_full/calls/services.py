"""Calls about APIs and state machines, about tags, and who is asking."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.gateways.aws import apis, states, tags
from ddsetup.model.services import StateMachineSettings
from tests.gateways.aws_stand import ACCOUNT
from tests.in_full.calls.world import ARN, HTTP, LANE, MACHINE, ROLE, STAGE, WHO, Call

APIS: Mapping[str, Call] = {
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
        lambda aws: (aws.check_identity(), aws.identity(), aws.alias()),  # type: ignore[func-returns-value]
        {
            "GetCallerIdentity": [{"Account": ACCOUNT, "Arn": WHO.arn, "UserId": "u"}],
            "ListAccountAliases": [{"AccountAliases": ["shop"]}],
        },
    ),
}
