"""The part of the least policy that puts the keeper into an account, looks after it and takes it away."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts import permissions, stack_access
from ddsetup.facts.permissions import statement
from ddsetup.model.account import Json
from ddsetup.plan.keep_template import LOG_GROUP, STACK
from ddsetup.plan.policy_scope import Scope
from ddsetup.plan.steps.api_key import APP_SECRET_NAME


def install_statements(scope: Scope) -> Iterable[Json]:
    """Statements by what is made, changed and deleted; what may be made may be taken back."""
    whole = permissions.WRITES["stack"]
    own = (*whole.create, *whole.update, *whole.delete, *permissions.LOOK_AT_TEMPLATE)
    marks = (*permissions.LOOK_AT_EVENTS, *permissions.TAG_STACK)
    yield statement("Keeper", (*own, *marks), scope.named("cloudformation", f"stack/{STACK}/*"))
    for kind in stack_access.KEEPER_TEMPLATE:
        part = stack_access.TYPES[kind]
        reads = permissions.LOOK_AT_BUILDS if kind == "AWS::CodeBuild::Project" else ()
        actions = (*part.create, *part.update, *part.delete, *reads)
        yield statement(f"Keeper{kind.rpartition(':')[2]}", actions, _arns(kind, scope))
    # Its answer is about all alarms, whichever are asked for.
    yield statement("KeeperLookAtAlarms", permissions.LOOK_AT_ALARMS, scope.named("cloudwatch", "alarm:*"))
    yield statement("KeeperTrails", permissions.LIST_TRAILS, ("*",))
    # The trail of an organisation belongs to another account, and may be one of another region.
    trails = f"arn:{scope.partition}:cloudtrail:*:*:trail/*"
    yield statement("KeeperTrail", permissions.LOOK_AT_TRAILS, (trails,))
    secret = permissions.WRITES["secret"]
    keys = scope.named("secretsmanager", f"secret:{APP_SECRET_NAME}*")
    made = (*permissions.LOOK_AT_SECRET, *secret.create, *secret.delete)
    yield statement("KeeperKeys", made, (*scope.secret(), *keys))


def _arns(kind: str, scope: Scope) -> tuple[str, ...]:
    match kind:
        case "AWS::IAM::Role":
            path = scope.answers.role_path
            return (f"arn:{scope.partition}:iam::{scope.account}:role{path}{STACK}-*",)
        case "AWS::CodeBuild::Project":
            return scope.named("codebuild", f"project/{STACK}")
        case "AWS::Events::Rule":
            return scope.named("events", f"rule/{STACK}-*")
        case "AWS::CloudWatch::Alarm":
            return scope.named("cloudwatch", f"alarm:{STACK}-*")
    return scope.named("logs", f"log-group:{LOG_GROUP}*")
