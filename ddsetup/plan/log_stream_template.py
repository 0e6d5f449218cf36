"""The stack by which a policy of the account sends log groups to Datadog: a delivery stream and its roles.

What it holds is what Datadog's guide on account-level log subscriptions has people make by hand. The key is
put into the stream by CloudFormation, from its secret.
"""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.facts.catalog import sites
from ddsetup.facts.firehose import STACK, delivery_log_group, logs_url
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.steps.api_key import SECRET_PARAMETER, SITE_PARAMETER

BUFFER_SECONDS, BUFFER_MB = 60, 2
"""Lines are there about a minute later; of single lines the guide recommends buffers of 2 MB."""
KEPT_DAYS = 30
"""How long it is kept what Datadog did not take; CloudWatch has it as well."""


def template(*, role_path: str = "/", role_boundary: str = "") -> Json:
    """The template, as JSON types. The names of the stream and of the role of CloudWatch Logs are told."""
    kept = {"BucketARN": _of("Bucket"), "RoleARN": _of("DeliveryRole")}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Sends log groups to Datadog by Amazon Data Firehose. Made by ddsetup; a subscription "
        "policy of the account leads to it.",
        "Parameters": {SECRET_PARAMETER: {"Type": "String"}, SITE_PARAMETER: {"Type": "String"}},
        "Mappings": {"Sites": {each.site: {"Url": logs_url(each.site)} for each in sites()}},
        "Resources": {
            "Bucket": _bucket(),
            "Log": _log(),
            "LogStream": {
                "Type": "AWS::Logs::LogStream",
                "Properties": {"LogGroupName": {"Ref": "Log"}, "LogStreamName": "HttpEndpointDelivery"},
            },
            "DeliveryRole": _role("firehose", _delivering(), {}, role_path, role_boundary),
            "DeliveryStream": {
                "Type": "AWS::KinesisFirehose::DeliveryStream",
                "Properties": {
                    "DeliveryStreamName": STACK,
                    "DeliveryStreamType": "DirectPut",
                    "HttpEndpointDestinationConfiguration": {
                        "EndpointConfiguration": {
                            "Name": "Datadog",
                            "Url": {"Fn::FindInMap": ["Sites", {"Ref": SITE_PARAMETER}, "Url"]},
                            "AccessKey": {
                                "Fn::Sub": f"{{{{resolve:secretsmanager:${{{SECRET_PARAMETER}}}}}}}"
                            },
                        },
                        "RequestConfiguration": {"ContentEncoding": "GZIP"},
                        "BufferingHints": {"IntervalInSeconds": BUFFER_SECONDS, "SizeInMBs": BUFFER_MB},
                        "RetryOptions": {"DurationInSeconds": BUFFER_SECONDS},
                        "CloudWatchLoggingOptions": {
                            "Enabled": True,
                            "LogGroupName": {"Ref": "Log"},
                            "LogStreamName": {"Ref": "LogStream"},
                        },
                        "RoleARN": _of("DeliveryRole"),
                        "S3BackupMode": "FailedDataOnly",
                        "S3Configuration": {**kept, "CompressionFormat": "UNCOMPRESSED"},
                    },
                },
            },
            "LogsRole": _role("logs", _putting(), _of_this_region(), role_path, role_boundary, STACK),
        },
        "Outputs": {"DeliveryStreamArn": {"Value": _of("DeliveryStream")}},
    }


def _of(logical_id: str, name: str = "Arn") -> Json:
    return {"Fn::GetAtt": [logical_id, name]}


def _bucket() -> Json:
    block = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    expire = {"Id": "expire", "Status": "Enabled", "ExpirationInDays": KEPT_DAYS}
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "PublicAccessBlockConfiguration": dict.fromkeys(block, True),
            "LifecycleConfiguration": {"Rules": [expire]},
        },
    }


def _log() -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"LogGroupName": delivery_log_group(), "RetentionInDays": 7},
    }


def _role(
    service: str, allowed: Sequence[Json], condition: Json, path: str, boundary: str, name: str = ""
) -> Json:
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        **({"Condition": condition} if condition else {}),
    }
    document = {"Version": "2012-10-17", "Statement": list(allowed)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Path": path,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [{"PolicyName": "delivery", "PolicyDocument": document}],
            **({"RoleName": {"Fn::Sub": f"{name}-${{AWS::Region}}"}} if name else {}),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        },
    }


def _of_this_region() -> Json:
    source = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
    return {"StringLike": {"aws:SourceArn": {"Fn::Sub": source}}}


def _putting() -> Sequence[Json]:
    return (
        {
            **statement("Put", ("firehose:PutRecord", "firehose:PutRecordBatch"), ()),
            "Resource": _of("DeliveryStream"),
        },
    )


def _delivering() -> Sequence[Json]:
    """To keep what Datadog did not take, and to say why (Firehose developer guide, "Controlling access")."""
    bucket = (
        *("s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject"),
        *("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject"),
    )
    objects = {"Fn::Sub": "${Bucket.Arn}/*"}
    return (
        {**statement("Keep", bucket, ()), "Resource": [_of("Bucket"), objects]},
        {**statement("Say", ("logs:PutLogEvents",), ()), "Resource": _of("Log")},
    )
