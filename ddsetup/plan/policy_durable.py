"""The part of the least policy that lets CloudFormation make and delete the stack of durable executions."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts import permissions, stack_access
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.steps.durable import STACK

_NAMED = STACK[:24]
"""CloudFormation shortens the stack's name in names that would be too long for IAM, S3 and Firehose."""


def durable_statements(scope: Scope, *, making: bool) -> Iterable[Json]:
    """Statements by what is made; what may be made may be deleted: a creation that fails is rolled back."""
    whole = permissions.WRITES["stack"]
    own = (*(whole.create if making else ()), *whole.delete, *permissions.LOOK_AT_EVENTS)
    yield statement(
        "Durable", (*own, *permissions.TAG_STACK), scope.named("cloudformation", f"stack/{STACK}/*")
    )
    for kind in stack_access.DURABLE_TEMPLATE:
        part = stack_access.TYPES[kind]
        actions = (*(part.create if making else ()), *part.delete)
        yield statement(f"Durable{kind.rpartition(':')[2]}", actions, _arns(kind, scope))
    inside = stack_access.TYPES["AWS::S3::Bucket"].inside
    yield statement("DurableBucketObjects", inside, (f"arn:{scope.partition}:s3:::{_NAMED}*/*",))


def _arns(kind: str, scope: Scope) -> tuple[str, ...]:
    match kind:
        case "AWS::IAM::Role":
            return (f"arn:{scope.partition}:iam::{scope.account}:role/{_NAMED}*",)
        case "AWS::S3::Bucket" | "AWS::S3::BucketPolicy":
            return (f"arn:{scope.partition}:s3:::{_NAMED}*",)
        case "AWS::Events::Rule":
            return scope.named("events", f"rule/{_NAMED}*")
        case "AWS::KinesisFirehose::DeliveryStream":
            return scope.named("firehose", f"deliverystream/{_NAMED}*")
    return scope.named("logs", f"log-group:/aws/kinesisfirehose/{STACK}*")
