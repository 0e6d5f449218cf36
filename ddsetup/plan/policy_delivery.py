"""The parts of the least policy that let CloudFormation make and delete stacks with a delivery stream: that
of durable executions, and those of ddsetup's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ddsetup.facts import permissions, stack_access
from ddsetup.facts.firehose import delivery_log_group
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.steps.durable import STACK

_LONGEST = 24
"""CloudFormation shortens the stack's name in names that would be too long for IAM, S3 and Firehose."""


@dataclass(frozen=True, slots=True)
class Made:
    """A stack of that name, of these types; its statements are named `sid` and more. `own`: of a template of
    ddsetup's, which later runs change, and whose roles have the path of its roles."""

    sid: str
    stack: str
    types: Sequence[str]
    own: bool = True


def durable_statements(scope: Scope, *, making: bool) -> Iterable[Json]:
    """Statements for Datadog's stack of durable executions."""
    return delivery_statements(
        Made("Durable", STACK, stack_access.DURABLE_TEMPLATE, own=False), scope, making=making
    )


def delivery_statements(made: Made, scope: Scope, *, making: bool) -> Iterable[Json]:
    """By what is made; what may be made may be deleted: a creation that fails is rolled back."""
    whole = permissions.WRITES["stack"]
    own = (*(whole.create if making else ()), *whole.delete, *permissions.LOOK_AT_EVENTS)
    own += (*whole.update, *permissions.LOOK_AT_TEMPLATE) if made.own else ()
    own += permissions.TAG_STACK
    yield statement(made.sid, own, scope.named("cloudformation", f"stack/{made.stack}/*"))
    for kind in made.types:
        part = stack_access.TYPES[kind]
        actions = (*(part.create if making else ()), *(part.update if made.own else ()), *part.delete)
        yield statement(f"{made.sid}{kind.rpartition(':')[2]}", actions, _arns(kind, made, scope))
    inside = stack_access.TYPES["AWS::S3::Bucket"].inside
    objects = f"arn:{scope.partition}:s3:::{made.stack[:_LONGEST]}*/*"
    yield statement(f"{made.sid}BucketObjects", inside, (objects,))


def _arns(kind: str, made: Made, scope: Scope) -> tuple[str, ...]:
    named = made.stack[:_LONGEST]
    match kind:
        case "AWS::IAM::Role":
            path = scope.answers.role_path if made.own else "/"
            return (f"arn:{scope.partition}:iam::{scope.account}:role{path}{named}*",)
        case "AWS::S3::Bucket" | "AWS::S3::BucketPolicy":
            return (f"arn:{scope.partition}:s3:::{named}*",)
        case "AWS::Events::Rule":
            return scope.named("events", f"rule/{named}*")
        case "AWS::CloudWatch::MetricStream":
            return scope.named("cloudwatch", f"metric-stream/{named}*")
        case "AWS::KinesisFirehose::DeliveryStream":
            return scope.named("firehose", f"deliverystream/{named}*")
    return scope.named("logs", f"log-group:{delivery_log_group(made.stack)}*")
