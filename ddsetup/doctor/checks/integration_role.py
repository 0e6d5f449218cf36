"""That Datadog knows the account, and the role that it assumes there: whom it lets in, and what it may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Blind, Checks, Problem, Result
from ddsetup.doctor.checks.road import EVERYTHING
from ddsetup.facts.catalog import trust_account
from ddsetup.facts.guides import STS_GUIDE
from ddsetup.facts.iam_documents import missing_actions, trust_policy, trust_problem
from ddsetup.model.account import Integration, Json, Role, Unreadable
from ddsetup.model.snapshot import AccountSnapshot
from ddsetup.plan.steps.integration import integration_id
from ddsetup.plan.steps.integration_role import (
    NEEDED,
    NEEDED_FOR_TRIGGERS,
    STANDARD_POLICY,
    Terms,
    is_ours,
    role_id,
)

_READS = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies")
_YOURS = "EXTERNAL_ID"
"""The variable of the shell that stands in a command for what is never shown; unset, the shell refuses it."""
check = Checks("integration", needs=_READS)


@check(
    "integration-exists",
    "Datadog has a record of the AWS account",
    fix="automatic",
    needs=("aws_configuration_read",),
    at="integration",
    proves="record",
    stops=(*EVERYTHING, "registration", "log source", "instrumentation", "subscription"),
)
def exists(case: Case) -> Iterator[Result]:
    """Datadog does not know this AWS account: the AWS integration was never set up, or was deleted.

    Without it there are no CloudWatch metrics, no tags of functions, and no automatic subscription of log
    groups. If the account belongs to another Datadog organisation, registering it here is refused with
    "already exists" (409); then it has to be removed there first.
    """
    for account in case.accounts:
        number = account.identity.account
        if isinstance(account.integration, Unreadable):
            yield Blind(integration_id(number), account.integration)
        elif account.integration is None:
            yield Problem(
                resource=integration_id(number),
                what=f"Datadog ({case.answers.site}) has no record of this AWS account",
                fix="set the integration up" if case.subjects else "nothing is set up here yet: set it up",
                command="" if case.subjects else "ddsetup setup",
                mends=(integration_id(number), role_id(account, case.answers.role_name)),
            )


@check(
    "role-exists",
    "the role that Datadog assumes exists",
    fix="automatic",
    link=STS_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics", "subscription"),
)
def role_exists(case: Case) -> Iterator[Result]:
    """Datadog's record names an IAM role that is not in the account.

    It was deleted or renamed, or the name in Datadog is wrong. Datadog reports "not authorized to perform
    sts:AssumeRole". An error that was fixed may still be shown by Datadog for hours.
    """
    for account, live in case.integrations():
        if live.access_key_auth or not live.role_name:
            continue
        if isinstance(account.role, Unreadable):
            yield Blind(role_id(account, live.role_name), account.role)
        elif account.role is None:
            yield Problem(
                resource=role_id(account, live.role_name),
                what="Datadog's record of the account names this role, and it does not exist",
                fix="create the role",
                mends=(role_id(account, live.role_name),),
            )


@check(
    "role-trust",
    "the role lets Datadog's account assume it, with the external id of the record",
    fix="automatic",
    link=STS_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics", "subscription"),
)
def role_trust(case: Case) -> Iterator[Result]:
    """The role's trust policy does not let Datadog in: another account, or another external id.

    Each site assumes roles from an account of its own, and the external id must be the one that Datadog shows
    for this AWS account. A role that ddsetup did not make is left to you.
    """
    for account, live, role in _roles(case):
        trusted = trust_account(case.answers.site, account.identity.partition)
        if trusted is None:
            continue
        terms = Terms(account.identity.partition, trusted)
        problem = trust_problem(role.trust, terms.principals, live.external_id)
        if problem:
            yield Problem(
                resource=role_id(account, role.name),
                what=f"Datadog cannot assume this role: {problem}",
                fix=f"trust account {trusted} with the external id that Datadog's AWS page shows",
                mends=(role_id(account, role.name),) if is_ours(role) else (),
                command=""
                if is_ours(role)
                else _let_in(role.name, trust_policy(account.identity.partition, trusted, _YOURS)),
            )


def _let_in(role: str, policy: Mapping[str, Json]) -> str:
    """The command that sets the trust policy, with the external id taken from a variable."""
    must = f"${{{_YOURS}:?the external id that Datadog shows for this account}}"
    document = json.dumps(policy).replace(_YOURS, f"'\"{must}\"'")
    return f"aws iam update-assume-role-policy --role-name {role} --policy-document '{document}'"


@check(
    "role-permissions",
    "the role may read metrics, functions and tags",
    fix="automatic",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def role_permissions(case: Case) -> Iterator[Result]:
    """The role lacks permissions that CloudWatch metrics and the tags of functions need.

    `lambda:List*` and `tag:GetResources` are what the Lambda integration asks for besides CloudWatch.
    """
    for account, _live, role in _roles(case):
        yield from _lacks(account, role, NEEDED, "metrics and tags of functions are missing in Datadog")


@check(
    "role-triggers",
    "the role may subscribe log groups to the Forwarder",
    fix="automatic",
    at="subscription filter",
    stops=("subscription",),
)
def role_triggers(case: Case) -> Iterator[Result]:
    """The role lacks what Datadog needs to create subscription filters by itself ("automatic triggers").

    Log groups that are not subscribed yet stay so: their functions' logs, enhanced metrics and traces do not
    arrive.
    """
    if case.subscribe != "automatic" or not any(place.forwarded for place in case.places):
        return
    for account, live, role in _roles(case):
        if live.lambdas:
            yield from _lacks(
                account, role, NEEDED_FOR_TRIGGERS, "Datadog cannot subscribe log groups by itself"
            )


@check("role-boundary", "nothing limits the role beyond its policies", "info", stops=("cloudwatch_metrics",))
def role_boundary(case: Case) -> Iterator[Result]:
    """The role has a permissions boundary, which may take away what its policies allow.

    A service control policy of the organisation may do the same, and cannot be seen from here. Look here if
    everything else about the role is right and Datadog still gets nothing.
    """
    for account, _live, role in _roles(case):
        if role.boundary:
            yield Problem(
                resource=role_id(account, role.name),
                what=f"its permissions boundary is {role.boundary}",
                fix="see that the boundary allows what the role's policies allow",
            )


def _roles(case: Case) -> Iterator[tuple[AccountSnapshot, Integration, Role]]:
    for account, live in case.integrations():
        if isinstance(account.role, Role) and live.role_name == account.role.name:
            yield account, live, account.role


def _lacks(account: AccountSnapshot, role: Role, wanted: tuple[str, ...], so: str) -> Iterator[Result]:
    missing = missing_actions(wanted, role.inline.values())
    if not missing:
        return
    resource = role_id(account, role.name)
    unread = [arn for arn in role.attached if not arn.endswith(":aws:policy/SecurityAudit")]
    if unread:
        reason = f"its managed policies were not read ({', '.join(unread)}); they may allow what is missing"
        yield Blind(resource, Unreadable("iam:GetPolicyVersion", reason, denied=False))
        return
    yield Problem(
        resource=resource,
        what=f"it lacks {', '.join(missing)}: {so}",
        fix=f"add what is missing ({STANDARD_POLICY} or a policy beside it)",
        mends=(resource,),
    )
