"""What CloudFormation may do in the name of whoever works on a stack.

The emulator makes a stack's resources without asking whether the caller may. Here each resource takes the
rights that its handler names in its schema (CloudFormation registry, `handlers.*.permissions`; those that
only properties ask for that the resource does not have are left out), and tags of the stack take the
resource's tagging right as well.
"""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_caller: contextvars.ContextVar[str] = contextvars.ContextVar("stack_caller", default="")

Arn = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class _Rights:
    """Actions by what is done to a resource; `properties` are asked for when the resource has them."""

    arn: Arn
    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, way: str, properties: Mapping[str, Any]) -> Iterator[str]:
        yield from {"create": self.create, "update": self.update, "delete": self.delete}[way]
        if way != "delete":
            for name, actions in self.properties.items():
                if properties.get(name):
                    yield from actions


def install() -> None:
    """Ask for the rights before a stack's resource is changed or deleted, and right after it is made: only
    then its name is known. What may not be made is gone again at once."""
    from ministack.core.router import extract_access_key_id
    from ministack.services import cloudformation
    from ministack.services.cloudformation import provisioners

    handle = cloudformation.handle_request

    async def remembered(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        _caller.set(extract_access_key_id(headers, query) or "")
        return await handle(method, path, headers, body, query)

    cloudformation.handle_request = remembered
    makers = provisioners._RESOURCE_HANDLERS
    provisioners._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")
    for kind, rights in _RIGHTS.items():
        makers[kind] = _guarded(makers[kind], rights)


@contextmanager
def with_all_rights() -> Iterator[None]:
    """What is begun meanwhile is begun by the emulator, which may do all, not by whoever called."""
    token = _caller.set("")
    try:
        yield
    finally:
        _caller.reset(token)


def _guarded(maker: Mapping[str, Any], rights: _Rights) -> dict[str, Any]:
    create, update, delete = maker["create"], maker.get("update"), maker["delete"]

    def made(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        physical_id, attributes = create(logical_id, properties, stack_name)
        try:
            _check(rights, "create", physical_id, properties)
        except ValueError:
            delete(physical_id, properties)
            raise
        return physical_id, attributes

    def updated(physical_id: str, before: Any, after: dict[str, Any], *rest: Any, **named: Any) -> Any:
        _check(rights, "update", physical_id, after)
        assert update is not None
        return update(physical_id, before, after, *rest, **named)

    def deleted(physical_id: str, properties: dict[str, Any], *rest: Any) -> Any:
        _check(rights, "delete", physical_id, properties)
        return delete(physical_id, properties, *rest)

    guarded = {**maker, "create": made, "delete": deleted}
    return {**guarded, "update": updated} if update else guarded


def _check(rights: _Rights, way: str, physical_id: str, properties: Mapping[str, Any]) -> None:
    """Raise ValueError with CloudFormation's words when the caller lacks one of the rights."""
    for action in rights.of(way, properties):
        arn = _passed(properties) if action == "iam:PassRole" else rights.arn(physical_id, properties)
        refused = refusal_of_caller(action, arn)
        if refused:
            raise ValueError(refused)


def _passed(properties: Mapping[str, Any]) -> str:
    """The role that a resource is given, or its first destination."""
    for name in ("Role", "ServiceRole", "RoleArn"):
        if properties.get(name):
            return str(properties[name])
    nested = (value.get("RoleARN") for value in properties.values() if isinstance(value, Mapping))
    return str(next(filter(None, nested), ""))


def refusal_of_caller(action: str, arn: str) -> str:
    """Why whoever called CloudFormation may not do it, empty if it may."""
    return refusal(_caller.get(), action, arn)


def refusal(key: str, action: str, arn: str, *, passed_to: str = "lambda.amazonaws.com") -> str:
    """Why the owner of this access key may not do it, empty if it may. Root and the emulator may all."""
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region

    account = get_account_id()
    principal = iam_evaluator.resolve_principal(key, account) if key else None
    if principal is None or isinstance(principal, iam_evaluator.AuthError) or principal.policies is None:
        return ""
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=account,
        action=action,
        resource_arn=arn,
        region=get_region(),
        service_context={"iam:passedtoservice": passed_to} if action == "iam:PassRole" else {},
    )
    if iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision == "Allow":
        return ""
    service = action.partition(":")[0]
    return (
        f'Resource handler returned message: "User: {principal.arn} is not authorized to perform: {action} '
        f"on resource: {arn} because no identity-based policy allows the {action} action (Service: "
        f'{service.capitalize()}, Status Code: 403, Request ID: {uuid.uuid4()})" (RequestToken: '
        f"{uuid.uuid4()}, HandlerErrorCode: AccessDenied)"
    )


def _regional(service: str, tail: str) -> Arn:
    def arn(physical_id: str, _properties: Mapping[str, Any]) -> str:
        from ministack.core.responses import get_account_id, get_region

        return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{tail}{physical_id.rpartition(':')[2]}"

    return arn


def _role(physical_id: str, properties: Mapping[str, Any]) -> str:
    from ministack.core.responses import get_account_id

    return f"arn:aws:iam::{get_account_id()}:role{properties.get('Path') or '/'}{physical_id}"


def _bucket(physical_id: str, properties: Mapping[str, Any]) -> str:
    return f"arn:aws:s3:::{properties.get('Bucket') or physical_id}"


def _function_of(_physical_id: str, properties: Mapping[str, Any]) -> str:
    name = str(properties["FunctionName"])
    return name if name.startswith("arn:") else _regional("lambda", "function:")(name, properties)


def _log_group(physical_id: str, properties: Mapping[str, Any]) -> str:
    return f"{_regional('logs', 'log-group:')(physical_id, properties)}:*"


def _stream_group(_physical_id: str, properties: Mapping[str, Any]) -> str:
    return _log_group(str(properties["LogGroupName"]), properties)


def _rule(physical_id: str, properties: Mapping[str, Any]) -> str:
    return _regional("events", "rule/")(physical_id.rpartition("|")[2].rpartition("/")[2], properties)


def _secret(physical_id: str, _properties: Mapping[str, Any]) -> str:
    return physical_id


def _schedule(physical_id: str, properties: Mapping[str, Any]) -> str:
    return _regional("scheduler", "schedule/default/")(physical_id, properties)


_RIGHTS: Mapping[str, _Rights] = {
    "AWS::Lambda::Function": _Rights(
        _regional("lambda", "function:"),
        create=("lambda:CreateFunction", "lambda:GetFunction", "iam:PassRole"),
        update=(
            "lambda:GetFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "iam:PassRole",
        ),
        delete=("lambda:DeleteFunction", "lambda:GetFunction"),
        properties={
            "Tags": ("lambda:TagResource",),
            "ReservedConcurrentExecutions": ("lambda:PutFunctionConcurrency",),
        },
    ),
    "AWS::Lambda::Permission": _Rights(
        _function_of,
        create=("lambda:AddPermission",),
        update=("lambda:AddPermission", "lambda:RemovePermission"),
        delete=("lambda:RemovePermission",),
    ),
    "AWS::IAM::Role": _Rights(
        _role,
        create=("iam:CreateRole", "iam:GetRole"),
        update=(
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
        delete=(
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
        properties={
            "Policies": ("iam:PutRolePolicy", "iam:GetRolePolicy"),
            "ManagedPolicyArns": ("iam:AttachRolePolicy",),
            "Tags": ("iam:TagRole",),
        },
    ),
    "AWS::Logs::LogGroup": _Rights(
        _log_group,
        create=("logs:CreateLogGroup", "logs:DescribeLogGroups"),
        update=("logs:DescribeLogGroups", "logs:ListTagsForResource"),
        delete=("logs:DeleteLogGroup", "logs:DescribeLogGroups"),
        properties={"RetentionInDays": ("logs:PutRetentionPolicy",), "Tags": ("logs:TagResource",)},
    ),
    "AWS::SecretsManager::Secret": _Rights(
        _secret,
        create=("secretsmanager:CreateSecret", "secretsmanager:DescribeSecret"),
        update=("secretsmanager:UpdateSecret", "secretsmanager:DescribeSecret"),
        delete=("secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"),
        properties={"Tags": ("secretsmanager:TagResource",)},
    ),
    "AWS::S3::Bucket": _Rights(
        _bucket,
        create=("s3:CreateBucket",),
        update=(),
        delete=("s3:DeleteBucket",),
        properties={
            "Tags": ("s3:PutBucketTagging",),
            "BucketEncryption": ("s3:PutEncryptionConfiguration",),
            "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
            "LifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
            "LoggingConfiguration": ("s3:PutBucketLogging",),
        },
    ),
    "AWS::S3::BucketPolicy": _Rights(
        _bucket,
        create=("s3:GetBucketPolicy", "s3:PutBucketPolicy"),
        update=("s3:GetBucketPolicy", "s3:PutBucketPolicy"),
        delete=("s3:GetBucketPolicy", "s3:DeleteBucketPolicy"),
    ),
    "AWS::Logs::LogStream": _Rights(
        _stream_group, create=("logs:CreateLogStream",), update=(), delete=("logs:DeleteLogStream",)
    ),
    "AWS::KinesisFirehose::DeliveryStream": _Rights(
        _regional("firehose", "deliverystream/"),
        create=("firehose:CreateDeliveryStream", "firehose:DescribeDeliveryStream", "iam:PassRole"),
        update=("firehose:UpdateDestination", "firehose:DescribeDeliveryStream", "iam:PassRole"),
        delete=("firehose:DeleteDeliveryStream", "firehose:DescribeDeliveryStream"),
        properties={"Tags": ("firehose:TagDeliveryStream",)},
    ),
    "AWS::CloudWatch::MetricStream": _Rights(
        _regional("cloudwatch", "metric-stream/"),
        create=("cloudwatch:PutMetricStream", "cloudwatch:GetMetricStream", "iam:PassRole"),
        update=("cloudwatch:PutMetricStream", "cloudwatch:GetMetricStream", "iam:PassRole"),
        delete=("cloudwatch:DeleteMetricStream", "cloudwatch:GetMetricStream"),
        properties={"Tags": ("cloudwatch:TagResource",)},
    ),
    "AWS::Events::Rule": _Rights(
        _rule,
        create=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
        update=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
        delete=("events:DeleteRule", "events:DescribeRule", "events:RemoveTargets"),
        properties={"Tags": ("events:TagResource",)},
    ),
    "AWS::CodeBuild::Project": _Rights(
        _regional("codebuild", "project/"),
        create=("codebuild:CreateProject", "iam:PassRole"),
        update=("codebuild:UpdateProject", "iam:PassRole"),
        delete=("codebuild:DeleteProject",),
    ),
    "AWS::CloudWatch::Alarm": _Rights(
        _regional("cloudwatch", "alarm:"),
        create=("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"),
        update=("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"),
        delete=("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
        properties={"Tags": ("cloudwatch:TagResource",)},
    ),
    "AWS::Scheduler::Schedule": _Rights(
        _schedule,
        create=("scheduler:CreateSchedule", "scheduler:GetSchedule"),
        update=("scheduler:UpdateSchedule", "scheduler:GetSchedule"),
        delete=("scheduler:DeleteSchedule", "scheduler:GetSchedule"),
    ),
}
"""By type, for the types of the templates of the Forwarder, of durable executions and of ddsetup's own."""
