"""The parts of the least policy that let CloudFormation make and delete stacks with a delivery stream: that
of durable executions, and that of a policy for all log groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ddsetup.facts import permissions, stack_access
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.steps.durable import STACK

_LONGEST = 24
"""CloudFormation shortens the stack's name in names that would be too long for IAM, S3 and Firehose."""


def durable_statements(scope: Scope, *, making: bool) -> Iterable[Json]:
    """Statements for Datadog's stack of durable executions."""
    return _statements("Durable", STACK, stack_access.DURABLE_TEMPLATE, scope, making=making)


def own_stack_statements(stack: str, scope: Scope, *, making: bool) -> Iterable[Json]:
    """Statements for ddsetup's own stack with a delivery stream."""
    return _statements("LogStream", stack, stack_access.LOG_STREAM_TEMPLATE, scope, making=making)


def _statements(sid: str, stack: str, types: Sequence[str], scope: Scope, *, making: bool) -> Iterable[Json]:
    """By what is made; what may be made may be deleted: a creation that fails is rolled back."""
    whole = permissions.WRITES["stack"]
    own = (*(whole.create if making else ()), *whole.delete, *permissions.LOOK_AT_EVENTS)
    yield statement(sid, (*own, *permissions.TAG_STACK), scope.named("cloudformation", f"stack/{stack}/*"))
    for kind in types:
        part = stack_access.TYPES[kind]
        actions = (*(part.create if making else ()), *part.delete)
        yield statement(f"{sid}{kind.rpartition(':')[2]}", actions, _arns(kind, stack, scope))
    inside = stack_access.TYPES["AWS::S3::Bucket"].inside
    objects = f"arn:{scope.partition}:s3:::{stack[:_LONGEST]}*/*"
    yield statement(f"{sid}BucketObjects", inside, (objects,))


def _arns(kind: str, stack: str, scope: Scope) -> tuple[str, ...]:
    named = stack[:_LONGEST]
    match kind:
        case "AWS::IAM::Role":
            path = scope.answers.role_path if stack != STACK else "/"
            return (f"arn:{scope.partition}:iam::{scope.account}:role{path}{named}*",)
        case "AWS::S3::Bucket" | "AWS::S3::BucketPolicy":
            return (f"arn:{scope.partition}:s3:::{named}*",)
        case "AWS::Events::Rule":
            return scope.named("events", f"rule/{named}*")
        case "AWS::KinesisFirehose::DeliveryStream":
            return scope.named("firehose", f"deliverystream/{named}*")
    return scope.named("logs", f"log-group:/aws/kinesisfirehose/{stack}*")
