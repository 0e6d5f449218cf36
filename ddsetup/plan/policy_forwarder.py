"""The part of the least policy that lets CloudFormation make, change and delete the Forwarder's stack."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts import stack_access
from ddsetup.facts.permissions import statement
from ddsetup.facts.stack_access import Deployment, TemplateResource
from ddsetup.model.account import Json
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.steps.forwarder_stack import role_path

_PLACES = {
    "AWS::IAM::Role": "Role",
    "AWS::Lambda::Function": "Function",
    "AWS::Lambda::Permission": "Function",
    "Custom::ForwarderZip": "Function",
    "AWS::Logs::LogGroup": "LogGroup",
    "AWS::S3::Bucket": "Bucket",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::Scheduler::Schedule": "Schedule",
}
"""Types whose rights are on the same ARN share a statement."""


def stack_statements(scope: Scope, *, making: bool, changing: bool) -> Iterable[Json]:
    """Statements by what is made; deletion is always among them, as a creation that fails is rolled back."""
    actions: dict[str, list[str]] = {}
    where: dict[str, dict[str, None]] = {}
    given = scope.answers.forwarder_params
    for resource in stack_access.resources(given):
        place = _PLACES[resource.type]
        actions.setdefault(place, []).extend(
            _actions(stack_access.TYPES[resource.type], making=making, changing=changing)
        )
        where.setdefault(place, {}).update(dict.fromkeys(_arns(resource, scope)))
    if given.get("DdForwarderBucketsAccessLogsTarget") and "Bucket" in actions:
        actions["Bucket"] += stack_access.LOGGED
    for place, wanted in actions.items():
        yield statement(f"Forwarder{place}", tuple(wanted), tuple(where[place]))
    if "Bucket" in where:
        inside = stack_access.TYPES["AWS::S3::Bucket"].inside
        inside += stack_access.FROM_BUCKET if making and given.get("InstallAsLayer") == "false" else ()
        yield statement("ForwarderBucketObjects", inside, tuple(f"{arn}/*" for arn in where["Bucket"]))


def _actions(part: Deployment, *, making: bool, changing: bool) -> Iterable[str]:
    return (*(part.create if making else ()), *(part.update if changing else ()), *part.delete)


def _arns(resource: TemplateResource, scope: Scope) -> tuple[str, ...]:
    """Where the resource is; names that CloudFormation makes up begin with those of the stack and of it."""
    stack, made_up = scope.answers.forwarder_stack, resource.logical_id
    match resource.type:
        case "AWS::IAM::Role":
            path = "/" if made_up == "SchedulerRole" else role_path(scope.answers)
            return (f"arn:{scope.partition}:iam::{scope.account}:role{path}{stack}-{made_up}-*",)
        case "AWS::Lambda::Function" if made_up == "ForwarderZipCopier":
            return scope.named("lambda", f"function:{stack}-{made_up}-*")
        case "Custom::ForwarderZip":
            return scope.named("lambda", f"function:{stack}-ForwarderZipCopier-*")
        case "AWS::Lambda::Function" | "AWS::Lambda::Permission":
            return scope.forwarder()
        case "AWS::Logs::LogGroup":
            return scope.forwarder_log_group()
        case "AWS::Scheduler::Schedule":
            return scope.named("scheduler", f"schedule/default/{stack}-retry")
    return scope.bucket()
