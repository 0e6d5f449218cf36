"""The parts of a template by which Amazon Data Firehose brings something to Datadog. Pure.

The key is put into the delivery stream by CloudFormation, from its secret: it is in no template, no parameter
and no plan. What Datadog does not take is kept in a bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddsetup.facts.catalog import sites
from ddsetup.facts.firehose import delivery_log_group
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.steps.api_key import SECRET_PARAMETER, SITE_PARAMETER

KEPT_DAYS = 30
"""How long it is kept what Datadog did not take; CloudWatch has it as well."""
LOG_DAYS = 7
_LOG_STREAM = "HttpEndpointDelivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery stream of that `name`, which brings what is put to it to the `intake` of a site.

    It hands on what it has after `seconds`, or as soon as that is `megabytes`, `compressed` if so.
    `role_path` and `role_boundary` are those of its roles.
    """

    name: str
    intake: Callable[[str], str]
    seconds: int = 60
    megabytes: int = 4
    compressed: bool = False
    role_path: str = "/"
    role_boundary: str = ""

    def template(self, description: str, further: Json) -> Json:
        """The whole template, as JSON types, with `further` resources."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": description,
            "Parameters": {SECRET_PARAMETER: {"Type": "String"}, SITE_PARAMETER: {"Type": "String"}},
            "Mappings": {"Sites": {each.site: {"Url": self.intake(each.site)} for each in sites()}},
            "Resources": {**self._resources(), **further},
            "Outputs": {"DeliveryStreamArn": {"Value": arn_of("DeliveryStream")}},
        }

    def role(
        self, service: str, allowed: Sequence[Json], *, condition: Json = None, name: Json = None
    ) -> Json:
        """A role that a service of AWS takes on; its `name` is CloudFormation's unless there is one."""
        trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trusted |= {"Condition": condition} if condition else {}
        boundary = {"PermissionsBoundary": self.role_boundary} if self.role_boundary else {}
        document = {"Version": "2012-10-17", "Statement": list(allowed)}
        return {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Path": self.role_path,
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
                "Policies": [{"PolicyName": "delivery", "PolicyDocument": document}],
                **({"RoleName": name} if name else {}),
                **boundary,
            },
        }

    def _resources(self) -> Json:
        return {
            "Bucket": _bucket(),
            "Log": _log(delivery_log_group(self.name)),
            "LogStream": {
                "Type": "AWS::Logs::LogStream",
                "Properties": {"LogGroupName": {"Ref": "Log"}, "LogStreamName": _LOG_STREAM},
            },
            "DeliveryRole": self.role("firehose.amazonaws.com", _delivering()),
            "DeliveryStream": {
                "Type": "AWS::KinesisFirehose::DeliveryStream",
                "Properties": {
                    "DeliveryStreamName": self.name,
                    "DeliveryStreamType": "DirectPut",
                    "HttpEndpointDestinationConfiguration": self._destination(),
                },
            },
        }

    def _destination(self) -> Json:
        secret = f"{{{{resolve:secretsmanager:${{{SECRET_PARAMETER}}}}}}}"
        return {
            "EndpointConfiguration": {
                "Name": "Datadog",
                "Url": {"Fn::FindInMap": ["Sites", {"Ref": SITE_PARAMETER}, "Url"]},
                "AccessKey": {"Fn::Sub": secret},
            },
            **({"RequestConfiguration": {"ContentEncoding": "GZIP"}} if self.compressed else {}),
            "BufferingHints": {"IntervalInSeconds": self.seconds, "SizeInMBs": self.megabytes},
            "RetryOptions": {"DurationInSeconds": self.seconds},
            "CloudWatchLoggingOptions": {
                "Enabled": True,
                "LogGroupName": {"Ref": "Log"},
                "LogStreamName": {"Ref": "LogStream"},
            },
            "RoleARN": arn_of("DeliveryRole"),
            "S3BackupMode": "FailedDataOnly",
            "S3Configuration": {
                "BucketARN": arn_of("Bucket"),
                "RoleARN": arn_of("DeliveryRole"),
                "CompressionFormat": "UNCOMPRESSED",
            },
        }


def arn_of(logical_id: str) -> Json:
    """The ARN of another resource of the template."""
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def putting() -> Json:
    """The right to put something to the delivery stream."""
    put = statement("Put", ("firehose:PutRecord", "firehose:PutRecordBatch"), ())
    return {**put, "Resource": arn_of("DeliveryStream")}


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


def _log(name: str) -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"LogGroupName": name, "RetentionInDays": LOG_DAYS},
    }


def _delivering() -> Sequence[Json]:
    """To keep what Datadog did not take, and to say why (Firehose developer guide, "Controlling access")."""
    bucket = (
        *("s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject"),
        *("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject"),
    )
    objects = {"Fn::Sub": "${Bucket.Arn}/*"}
    return (
        {**statement("Keep", bucket, ()), "Resource": [arn_of("Bucket"), objects]},
        {**statement("Say", ("logs:PutLogEvents",), ()), "Resource": arn_of("Log")},
    )
