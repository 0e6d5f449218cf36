"""An account whose log groups go to Datadog by Amazon Data Firehose, with a key that was revoked since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddsetup.sandbox.roles import create_role
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

_NAME = "datadog-logs"
_URL = "https://aws-kinesis-http-intake.logs.datadoghq.com/v1/input"


def furnish(world: World) -> None:
    """The delivery stream with its bucket, roles and error log, and the policy that leads all else to it."""
    group, log_stream = f"/aws/kinesisfirehose/{_NAME}", "HttpEndpointDelivery"
    logs = world.client("logs", world.region)
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=log_stream)
    bucket = f"{_NAME}-failed-{world.account}"
    world.client("s3", world.region).create_bucket(Bucket=bucket)
    iam, keep = world.client("iam", world.region), {"delivery": ("s3:PutObject",)}
    role = create_role(iam, "datadog-logs-delivery", "firehose.amazonaws.com", keep)
    stream = world.client("firehose", world.region).create_delivery_stream(
        DeliveryStreamName=_NAME,
        DeliveryStreamType="DirectPut",
        HttpEndpointDestinationConfiguration={
            "EndpointConfiguration": {"Url": _URL, "Name": "Datadog", "AccessKey": "0" * 32},
            "RoleARN": role,
            "CloudWatchLoggingOptions": {
                "Enabled": True,
                "LogGroupName": group,
                "LogStreamName": log_stream,
            },
            "S3Configuration": {"BucketARN": f"arn:aws:s3:::{bucket}", "RoleARN": role},
        },
    )["DeliveryStreamARN"]
    put = {"delivery": ("firehose:PutRecord", "firehose:PutRecordBatch")}
    document = {
        "DestinationArn": stream,
        "RoleArn": create_role(iam, "datadog-logs-from-cloudwatch", "logs.amazonaws.com", put),
        "FilterPattern": "",
        "Distribution": "Random",
    }
    logs.put_account_policy(
        policyName="all-logs-to-datadog",
        policyType="SUBSCRIPTION_FILTER_POLICY",
        policyDocument=json.dumps(document),
        selectionCriteria=f"LogGroupName NOT IN {json.dumps([group])}",
    )
    create(world, SampleFunction("till-by-firehose", traffic="orders"))
