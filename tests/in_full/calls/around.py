"""Calls about what is around functions: buckets, rules, and how they fare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from ddsetup.gateways.aws import buckets, firehose, function_writes, health, metrics, rules
from tests import builders as b
from tests.in_full.calls.world import LANE, MESSAGES, Call

DELIVERY_STREAM = {
    "DeliveryStreamName": "logs",
    "DeliveryStreamStatus": "ACTIVE",
    "VersionId": "3",
    "Destinations": [
        {
            "DestinationId": "destinationId-000000000001",
            "HttpEndpointDestinationDescription": {
                "EndpointConfiguration": {"Url": "https://x.datadoghq.com/v1/input", "Name": "Datadog"},
                "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": "/g", "LogStreamName": "s"},
                "S3DestinationDescription": {"BucketARN": "arn:aws:s3:::kept"},
                "SecretsManagerConfiguration": {"Enabled": True, "SecretARN": "arn:s"},
            },
        }
    ],
}
_SAID = "The following response was received from the endpoint destination. 403: {} of key 0123"
DELIVERY_ERRORS = (
    "no JSON: errorCode",
    json.dumps(["errorCode"]),
    json.dumps({"errorCode": "rm -rf"}),
    json.dumps({"errorCode": "HttpEndpoint.ConnectionFailed", "message": "x"}),
    json.dumps({"errorCode": "HttpEndpoint.DestinationException", "message": _SAID}),
    json.dumps({"errorCode": "HttpEndpoint.DestinationException", "message": _SAID}),
)

AROUND: Mapping[str, Call] = {
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
    "by minute": (
        lambda aws: metrics.by_minute(
            aws, LANE, [metrics.Series.of_function("fwd", each) for each in ("Invocations", "Errors")], 60
        ),
        {
            "GetMetricData": [
                {
                    "MetricDataResults": [
                        {
                            "Id": "m0",
                            "Timestamps": [b.AT + timedelta(minutes=1), b.AT],
                            "Values": [2.0, 1.0],
                        },
                        {"Id": "m1"},
                    ]
                }
            ]
        },
    ),
    "deliveries": (
        lambda aws: firehose.deliveries(aws, LANE, "logs", 60),
        {
            "DescribeDeliveryStream": [{"DeliveryStreamDescription": DELIVERY_STREAM}],
            "GetMetricData": [
                {
                    "MetricDataResults": [
                        {"Id": "m0", "Timestamps": [b.AT], "Values": [0.5]},
                        {"Id": "m1", "Timestamps": [b.AT], "Values": [61.0]},
                        {"Id": "m2", "Timestamps": [b.AT], "Values": [7.0]},
                    ]
                }
            ],
            "FilterLogEvents": [
                {"events": [{"timestamp": n, "message": said} for n, said in enumerate(DELIVERY_ERRORS)]}
            ],
        },
    ),
    "deliveries to a bucket": (
        lambda aws: firehose.deliveries(aws, LANE, "archive", 60),
        {
            "DescribeDeliveryStream": [
                {"DeliveryStreamDescription": {**DELIVERY_STREAM, "Destinations": [{"DestinationId": "d"}]}}
            ]
        },
    ),
    "sums by hour": (
        lambda aws: metrics.by_hour(
            aws,
            LANE,
            [metrics.Series("AWS/Logs", "IncomingBytes", (("LogGroupName", f"/{n}"),)) for n in "abc"],
            168,
        ),
        {
            "GetMetricData": [
                {
                    "MetricDataResults": [
                        {"Id": "m0", "StatusCode": "PartialData", "Values": [1.0]},
                        {"Id": "m1", "StatusCode": "Forbidden"},
                    ],
                    "NextToken": "t",
                },
                {"MetricDataResults": [{"Id": "m0", "StatusCode": "Complete", "Values": [2.0]}]},
            ]
        },
    ),
    "longest runs": (
        lambda aws: metrics.longest_runs(aws, LANE, ("a", "b"), 60),
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
}
