"""Calls about layers, log groups with their filters, and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.facts.account_policies import wanted_policy
from ddsetup.gateways.aws import function_reads, layers, logs, metrics
from ddsetup.model.states import FilterState
from tests.gateways.aws_stand import REGION
from tests.in_full.calls.world import FILTER, LANE, Call, plain

POLICY = wanted_policy("arn:aws:lambda:eu-west-1:1:function:f", ("/own",))
LOGS: Mapping[str, Call] = {
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
    "put account policy": (
        lambda aws: logs.put_account_policy(aws, LANE, POLICY),
        {"PutAccountPolicy": [{"accountPolicy": {"policyName": "p"}}]},
    ),
    "delete account policy": (
        lambda aws: logs.delete_account_policy(aws, LANE, "p"),
        {"DeleteAccountPolicy": [{}]},
    ),
    "groups written to": (
        lambda aws: plain(logs.groups_written_to(aws, LANE)),
        {"ListMetrics": [{"Metrics": [{"Dimensions": [{"Name": "LogGroupName", "Value": "/g"}]}, {}]}]},
    ),
    "filters at work": (
        lambda aws: plain(logs.filters_at_work(aws, LANE, lately=True)),
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
        lambda aws: plain(logs.filters_at_work(aws, LANE, failing=True)),
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
}
