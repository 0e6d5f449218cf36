"""The Forwarder's CloudFormation stack: its template, its parameters, and what its state allows.

Parameters, resources and states are those of Datadog's template 5.4.11 (datadog-serverless-functions).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddsetup.facts.catalog import FORWARDER_LAYER, LAYER_ACCOUNTS
from ddsetup.model.account import LogGroup, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.plan.select_services import traces_state_machines
from ddsetup.plan.steps.api_key import (
    SECRET_NAME,
    SECRET_PARAMETER,
    SITE_PARAMETER,
    made_by_us,
    secret_reference,
)
from ddsetup.plan.steps.wording import cannot_see, denied_action

FAILED_EVENTS = "failed_events/"
"""How keys in the Forwarder's bucket begin under which it keeps what Datadog did not take (retry/storage.py
of datadog-serverless-functions)."""
LOSE_FAILED_EVENTS = "failed events may go"
"""The precondition of a stack's deletion whose bucket may be emptied of them, too."""
LEFT_LOG_GROUP = "left log group"
"""The precondition of a stack's creation before which the log group of a Forwarder that is gone goes, too."""
_REMOVABLE = frozenset({"DELETE_FAILED", "ROLLBACK_FAILED"})

MASKED = "****"
"""What CloudFormation answers for a NoEcho parameter."""

DESCRIPTION = "Pushes logs, metrics and traces from AWS to Datadog."
ARN_OUTPUT = "DatadogForwarderArn"
MINIMUM_UNRESERVED = 100
"""Concurrency that AWS Lambda keeps unreserved in every account and region (AWS Lambda quotas page)."""

LAYER_VERSION = 110
"""The layer version of template 5.4.11, the newest one known."""

SSM_PARAMETER = "DdApiKeySsmParameterName"
"""The parameter that names the SSM parameter with the API key."""
KEY_UNSET: Mapping[str, str] = {
    SECRET_PARAMETER: "arn:aws:secretsmanager:DEFAULT",
    SSM_PARAMETER: "/my/parameter/path",
}
"""The defaults of the template, by which it tells where no API key is kept."""
STATE_MACHINE_TRACES = "DdStepFunctionsTraceEnabled"
"""The parameter that has Datadog make traces of the logs of state machines."""

_TEMPLATES: Mapping[str, str] = {
    "aws": "https://datadog-cloudformation-template.s3.amazonaws.com/aws/forwarder/{version}.yaml",
    "aws-us-gov": "https://datadog-cloudformation-template-us-gov.s3.us-gov-west-1.amazonaws.com"
    "/aws/forwarder/{version}.yaml",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a stack cannot be created or updated now, what to do about it, and what permission it takes if
    one was denied."""

    reason: str
    fix: str = ""
    permission: str = ""


def template_url(answers: Answers, partition: str, version: str = "") -> str:
    """The template's address: the user's own, or Datadog's official one for `version` (default: as asked).

    Empty where Datadog publishes none (China).
    """
    if answers.template_url:
        return answers.template_url
    return _TEMPLATES.get(partition, "").format(version=version or answers.forwarder_version)


def layer_arn(partition: str, region: str) -> str:
    """The layer with the Forwarder's code, empty where Datadog publishes none (China)."""
    account = LAYER_ACCOUNTS.get(partition)
    return (
        f"arn:{partition}:lambda:{region}:{account}:layer:{FORWARDER_LAYER}:{LAYER_VERSION}"
        if account
        else ""
    )


def check_params(answers: Answers, known: Iterable[str] | Unreadable) -> None:
    """Raises UsageError for a `--forwarder-param` that is refused, malformed or unknown to the template.

    `known` are the template's parameters; empty or unreadable: names are not checked.
    """
    params = answers.stack_params
    if "DdApiKey" in params:
        raise UsageError(
            "the API key is never a stack parameter: it would stay in CloudFormation",
            fix="leave DdApiKey out; the key is passed as the ARN of a secret (--api-key-secret ARN)",
        )
    site = params.get(SITE_PARAMETER, answers.site)
    if site != answers.site:
        raise UsageError(
            f"--forwarder-param {SITE_PARAMETER}={site} contradicts the site {answers.site}",
            fix=f"leave {SITE_PARAMETER} out, or choose --site {site}",
        )
    reserved = params.get("ReservedConcurrency", "")
    if reserved and not reserved.isdecimal():
        raise UsageError("--forwarder-param ReservedConcurrency takes a whole number", fix="e.g. 10")
    names = () if isinstance(known, Unreadable) else tuple(known)
    for name in sorted(params):
        if names and name not in names:
            fix = did_you_mean(name, names) or f"it has: {', '.join(sorted(names))}"
            raise UsageError(f"the Forwarder's template has no parameter {name}", fix=fix)


def function_name(answers: Answers) -> str:
    """The name that a new Forwarder's function gets.

    It is always explicit: at its default the template would have CloudFormation make one up.
    """
    return answers.forwarder_params.get("FunctionName") or answers.forwarder_function


def role_path(answers: Answers) -> str:
    """The path of the roles of a new Forwarder."""
    return answers.forwarder_params.get("IamRolePath") or answers.role_path


def names_key(answers: Answers) -> bool:
    """Whether the user says by `--forwarder-param` where the Forwarder finds the API key."""
    return bool({SECRET_PARAMETER, SSM_PARAMETER} & set(answers.forwarder_params))


def parameters_anywhere(answers: Answers) -> dict[str, str]:
    """The parameters of a new stack that are the same in every region, without those about the key."""
    wanted = {
        "FunctionName": function_name(answers),
        SITE_PARAMETER: answers.site,
        # Without it the tags env, service and version of a function never reach its metrics and logs.
        "DdFetchLambdaTags": "true",
    }
    if not answers.logs:
        wanted["DdForwardLog"] = "false"
    if answers.role_boundary:
        wanted["PermissionsBoundaryArn"] = answers.role_boundary
    if answers.role_path != "/":
        wanted["IamRolePath"] = answers.role_path
    return wanted


def parameters(lane: LaneSnapshot, answers: Answers) -> Mapping[str, str]:
    """The parameters of a new stack that ddsetup sets; the user's own come last and win."""
    wanted = parameters_anywhere(answers)
    reference = secret_reference(lane, answers)
    if reference:
        wanted[SECRET_PARAMETER] = reference
    if answers.key_source.kind == "ssm":
        wanted[SSM_PARAMETER] = answers.key_source.value
    if traces_state_machines(lane, answers):
        wanted[STATE_MACHINE_TRACES] = "true"
    known = lane.template_parameters
    if not isinstance(known, Unreadable) and known:
        wanted = {name: value for name, value in wanted.items() if name in known}
    return wanted | dict(answers.stack_params)


def is_forwarder_stack(stack: Stack) -> bool:
    """Whether the stack is made from the Forwarder's template, however far its creation got."""
    return (
        ARN_OUTPUT in stack.outputs
        or stack.description.strip() == DESCRIPTION
        or {SITE_PARAMETER, SECRET_PARAMETER, "FunctionName"} <= set(stack.parameters)
    )


def state_obstacle(stack: Stack, region: str) -> Obstacle | None:
    """What keeps CloudFormation from changing the stack in the state it is in, if anything."""
    name, status = stack.name, stack.status
    where = f"--stack-name {name} --region {region}"
    if status == "REVIEW_IN_PROGRESS":
        return Obstacle(
            f"stack {name} is only a change set that nobody carried out ({status})",
            f"carry it out, or remove it: aws cloudformation delete-stack {where}",
        )
    if status.endswith("_IN_PROGRESS"):
        return Obstacle(
            f"stack {name} is being changed right now ({status})", "wait until it is done, then again"
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        return Obstacle(
            f"an update of stack {name} failed and could not be taken back ({status})",
            f"aws cloudformation continue-update-rollback {where}",
        )
    if status in _REMOVABLE:
        return Obstacle(
            f"stack {name} has leftovers that CloudFormation could not remove ({status})",
            "see which (often a bucket that is not empty): "
            f"aws cloudformation describe-stack-events {where}; "
            f"then: aws cloudformation delete-stack {where}; or another name: --forwarder-stack NAME",
        )
    return None


def is_remains(stack: Stack) -> bool:
    """Whether the stack is only what is left of a creation or a deletion that failed, and ddsetup may finish
    the work: a stack whose creation was rolled back holds nothing, others must be its own."""
    return stack.status == "ROLLBACK_COMPLETE" or (stack.status in _REMOVABLE and made_by_us(stack.tags))


def left_log_group(lane: LaneSnapshot, answers: Answers) -> LogGroup | None:
    """The log group that stands where the stack wants to make its own.

    Lambda makes a group anew for what it delivers after the stack's own is gone; such a one has no retention.
    """
    if isinstance(lane.log_groups, Unreadable):
        return None
    return lane.log_groups.get(f"/aws/lambda/{function_name(answers)}")


def creation_obstacle(lane: LaneSnapshot, answers: Answers) -> Obstacle | None:
    """What speaks against creating the stack in this lane, looked at before anything is tried."""
    return (
        _key_obstacle(lane, answers) or _name_obstacle(lane, answers) or _concurrency_obstacle(lane, answers)
    )


def _key_obstacle(lane: LaneSnapshot, answers: Answers) -> Obstacle | None:
    if names_key(answers):
        return None
    if answers.key_source.kind == "kms":
        return Obstacle(
            "the Forwarder's template takes the API key from Secrets Manager or SSM, not as a KMS ciphertext",
            "leave --api-key-kms out, or keep the key in a parameter: --api-key-ssm ARN",
        )
    if answers.key_source.kind != "secret" or secret_reference(lane, answers) is not None:
        return None
    or_named = "or name a secret that holds the key: --api-key-secret ARN"
    if isinstance(lane.secrets, Unreadable):
        reason = cannot_see("whether the API key's secret exists", lane.secrets)
        return Obstacle(reason, f"grant the permission, {or_named}", denied_action(lane.secrets))
    reason = f"secret {SECRET_NAME} is somebody else's and scheduled for deletion"
    return Obstacle(reason, f"restore it, {or_named}")


def _name_obstacle(lane: LaneSnapshot, answers: Answers) -> Obstacle | None:
    if isinstance(lane.stacks, Unreadable):
        return Obstacle(
            cannot_see("which stacks exist", lane.stacks),
            "grant the permission, or name a Forwarder: --forwarder-arn ARN",
            denied_action(lane.stacks),
        )
    for stack in lane.stacks:
        if stack.name == answers.forwarder_stack:
            # What is left of one goes first, its function and log group too.
            return _taken(stack, lane.lane.region)
    name = function_name(answers)
    if not isinstance(lane.functions, Unreadable) and any(f.name == name for f in lane.functions):
        return Obstacle(
            f"a function named {name} exists, and it is no Forwarder that can be used",
            "choose another name: --forwarder-name NAME",
        )
    return _log_group_obstacle(lane, answers)


def _log_group_obstacle(lane: LaneSnapshot, answers: Answers) -> Obstacle | None:
    group = left_log_group(lane, answers)
    if group is None or (group.retention_days is None and answers.replace_log_group):
        return None
    where = f"--log-group-name {group.name} --region {lane.lane.region}"
    chosen = group.retention_days is not None
    return Obstacle(
        f"log group {group.name} exists{', with a retention that somebody chose' if chosen else ''}; "
        "CloudFormation would refuse to make one of that name",
        f"if its logs are not needed: aws logs delete-log-group {where}"
        f"{'' if chosen else ' (or --replace-log-group)'}; or another name: --forwarder-name NAME",
    )


def _taken(stack: Stack, region: str) -> Obstacle | None:
    if not is_forwarder_stack(stack):
        return Obstacle(
            f"the name {stack.name} is taken by a stack that is not a Forwarder",
            "choose another name: --forwarder-stack NAME",
        )
    if is_remains(stack):
        return None
    return state_obstacle(stack, region) or Obstacle(
        f"stack {stack.name} is a Forwarder's, but its function cannot be used: it is gone, or sends to "
        "another Datadog site",
        "deploy beside it: --forwarder-stack NAME --forwarder-name NAME; or remove what is left of it: "
        f"aws cloudformation delete-stack --stack-name {stack.name} --region {region}",
    )


def _concurrency_obstacle(lane: LaneSnapshot, answers: Answers) -> Obstacle | None:
    reserved, free = answers.forwarder_params.get("ReservedConcurrency"), lane.unreserved_concurrency
    if not reserved or not isinstance(free, int):
        return None
    left = free - int(reserved)
    if left >= MINIMUM_UNRESERVED:
        return None
    return Obstacle(
        f"ReservedConcurrency={reserved} would leave {left} of the account's concurrency unreserved; "
        f"AWS insists on {MINIMUM_UNRESERVED}",
        f"leave the parameter out, or at most {max(free - MINIMUM_UNRESERVED, 0)}, or have the quota raised",
    )
