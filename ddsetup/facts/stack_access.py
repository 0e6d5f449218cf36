"""Which rights CloudFormation needs, in the name of whoever deploys, for the Forwarder's stack.

By type of resource, from the types' schemas in the CloudFormation registry (`handlers.*.permissions`,
`tagging.permissions`), without what is asked for only by properties that the template does not set. Tags of
the stack reach every resource that can have tags. The template's resources and the conditions under which
they are made are those of Datadog's template 5.4.11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployment:
    """What CloudFormation does in the caller's name to a resource of one type.

    `inside` is what it takes to empty it before its deletion, on what is in it.
    """

    create: tuple[str, ...]
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


TYPES: Mapping[str, Deployment] = {
    "AWS::IAM::Role": Deployment(
        create=(
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:TagRole",
        ),
        update=(
            "iam:DeleteRolePermissionsBoundary",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:PutRolePermissionsBoundary",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ),
        delete=(
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
    ),
    "AWS::Lambda::Function": Deployment(
        create=(
            "lambda:CreateFunction",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:PutFunctionConcurrency",
            "lambda:TagResource",
        ),
        update=(
            "lambda:DeleteFunctionConcurrency",
            "lambda:UntagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ),
        delete=("lambda:DeleteFunction", "lambda:GetFunction"),
    ),
    "AWS::Lambda::Permission": Deployment(
        create=("lambda:AddPermission", "lambda:GetPolicy"), delete=("lambda:RemovePermission",)
    ),
    "AWS::Logs::LogGroup": Deployment(
        create=("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource"),
        update=("logs:DeleteRetentionPolicy", "logs:ListTagsForResource", "logs:UntagResource"),
        delete=("logs:DeleteLogGroup",),
    ),
    "AWS::S3::Bucket": Deployment(
        create=(
            "s3:CreateBucket",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ),
        delete=("s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions"),
        inside=("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ),
    "AWS::S3::BucketPolicy": Deployment(
        create=("s3:GetBucketPolicy", "s3:PutBucketPolicy"),
        delete=("s3:DeleteBucketPolicy", "s3:GetBucketPolicy"),
    ),
    "Custom::ForwarderZip": Deployment(
        create=("lambda:InvokeFunction",),
        update=("lambda:InvokeFunction",),
        delete=("lambda:InvokeFunction",),
    ),
    "AWS::Logs::LogStream": Deployment(
        create=("logs:CreateLogStream", "logs:DescribeLogStreams"), delete=("logs:DeleteLogStream",)
    ),
    "AWS::KinesisFirehose::DeliveryStream": Deployment(
        create=(
            "firehose:CreateDeliveryStream",
            "firehose:DescribeDeliveryStream",
            "firehose:TagDeliveryStream",
        ),
        update=("firehose:UpdateDestination",),
        delete=("firehose:DeleteDeliveryStream", "firehose:DescribeDeliveryStream"),
    ),
    "AWS::CloudWatch::MetricStream": Deployment(
        # As Datadog's template grants them (`streams_main.yaml`, DatadogStreamCfnStackAssumeRole).
        create=("cloudwatch:GetMetricStream", "cloudwatch:PutMetricStream", "cloudwatch:TagResource"),
        update=("cloudwatch:UntagResource",),
        delete=("cloudwatch:DeleteMetricStream", "cloudwatch:GetMetricStream"),
    ),
    "AWS::Events::Rule": Deployment(
        create=("events:DescribeRule", "events:PutRule", "events:PutTargets", "events:TagResource"),
        delete=(
            "events:DeleteRule",
            "events:DescribeRule",
            "events:ListTargetsByRule",
            "events:RemoveTargets",
        ),
    ),
    "AWS::CodeBuild::Project": Deployment(
        # It has no schema with permissions: those of the calls that it stands for (CodeBuild user guide,
        # "AWS CodeBuild permissions reference").
        create=("codebuild:BatchGetProjects", "codebuild:CreateProject"),
        update=("codebuild:UpdateProject",),
        delete=("codebuild:DeleteProject",),
    ),
    "AWS::CloudWatch::Alarm": Deployment(
        create=("cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"),
        update=("cloudwatch:ListTagsForResource", "cloudwatch:UntagResource"),
        delete=("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
    ),
    "AWS::Scheduler::Schedule": Deployment(
        create=("scheduler:CreateSchedule", "scheduler:GetSchedule"),
        update=("scheduler:UpdateSchedule",),
        delete=("scheduler:DeleteSchedule", "scheduler:GetSchedule"),
    ),
}

LOGGED = ("s3:PutBucketLogging",)
"""What a bucket takes besides whose requests are logged (`DdForwarderBucketsAccessLogsTarget`)."""
FROM_BUCKET = ("s3:GetObject", "s3:GetObjectVersion")
"""What a function takes whose code is in a bucket, on that object."""


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """A resource of the template. `made` says by the given parameters whether there is one."""

    logical_id: str
    type: str
    made: Callable[[Mapping[str, str]], bool] = lambda _given: True


def _on(name: str, default: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda given: given.get(name, default) == "true"


def _own_bucket(given: Mapping[str, str]) -> bool:
    fetches = _on("DdFetchLambdaTags", "true")(given) or _on("DdFetchLogGroupTags", "false")(given)
    return fetches and not given.get("DdForwarderExistingBucketName")


def _copies_zip(given: Mapping[str, str]) -> bool:
    return not _on("InstallAsLayer", "true")(given) and not given.get("LayerARN")


def _retries(given: Mapping[str, str]) -> bool:
    return _on("DdStoreFailedEvents", "false")(given) and _on("DdScheduleRetryFailedEvents", "false")(given)


TEMPLATE: tuple[TemplateResource, ...] = (
    TemplateResource("ForwarderRole", "AWS::IAM::Role"),
    TemplateResource("Forwarder", "AWS::Lambda::Function"),
    TemplateResource("CloudWatchLogsInvokePermission", "AWS::Lambda::Permission"),
    TemplateResource("LogGroup", "AWS::Logs::LogGroup"),
    TemplateResource("ForwarderBucket", "AWS::S3::Bucket", _own_bucket),
    TemplateResource("ForwarderBucketPolicy", "AWS::S3::BucketPolicy", _own_bucket),
    TemplateResource("ForwarderZipCopierRole", "AWS::IAM::Role", _copies_zip),
    TemplateResource("ForwarderZipCopier", "AWS::Lambda::Function", _copies_zip),
    TemplateResource("ForwarderZip", "Custom::ForwarderZip", _copies_zip),
    TemplateResource("SchedulerRole", "AWS::IAM::Role", _retries),
    TemplateResource("Scheduler", "AWS::Scheduler::Schedule", _retries),
)
"""All but the secret with the key, which ddsetup makes itself, and handles that are nothing in AWS."""


def resources(given: Mapping[str, str]) -> Iterable[TemplateResource]:
    """Those of the template's resources that a stack with the `given` parameters has."""
    return (resource for resource in TEMPLATE if resource.made(given))


DURABLE_TEMPLATE: tuple[str, ...] = (
    "AWS::IAM::Role",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Events::Rule",
)
"""The types of Datadog's template 0.1.0 for durable executions."""

LOG_STREAM_TEMPLATE: tuple[str, ...] = (
    "AWS::IAM::Role",
    "AWS::S3::Bucket",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::KinesisFirehose::DeliveryStream",
)
"""The types of ddsetup's own template by which log groups are sent to Datadog."""
METRIC_STREAM_TEMPLATE: tuple[str, ...] = (*LOG_STREAM_TEMPLATE, "AWS::CloudWatch::MetricStream")
"""Those by which metrics are streamed to it."""

KEEPER_TEMPLATE: tuple[str, ...] = (
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::CodeBuild::Project",
    "AWS::Events::Rule",
    "AWS::CloudWatch::Alarm",
)
"""The types of ddsetup's own template, by which it runs in AWS by itself."""
