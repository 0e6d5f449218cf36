"""Datadog's record of the account, and the role that it assumes there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from ddsetup.doctor.checks.case import Case
from ddsetup.doctor.checks.check import Blind, Problem, Result, check
from ddsetup.doctor.checks.road import EVERYTHING
from ddsetup.facts.catalog import trust_account
from ddsetup.facts.guides import DELAY_GUIDE, STS_GUIDE
from ddsetup.facts.iam_documents import missing_actions, trust_policy, trust_problem
from ddsetup.model.account import Integration, Json, Role, Unreadable
from ddsetup.model.change import ResourceId
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
from ddsetup.plan.steps.namespaces import LAMBDA

_ACCESS = ("datadog-keys", "datadog-reachable", "datadog-permissions")
_ROLE_READS = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies")
_YOURS = "EXTERNAL_ID"
"""The variable of the shell that stands in a command for what is never shown; unset, the shell refuses it."""
_READ_ACCOUNT = ("aws_configuration_read",)


@check(
    "integration-exists",
    "Datadog has a record of the AWS account",
    "integration",
    needs=_READ_ACCOUNT,
    fix="automatic",
    because_of=_ACCESS,
    at="integration",
    stops=EVERYTHING,
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
    "integration",
    needs=_ROLE_READS,
    fix="automatic",
    link=STS_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics",),
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
    "integration",
    needs=_ROLE_READS,
    fix="automatic",
    link=STS_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics",),
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
    "integration",
    needs=_ROLE_READS,
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
    "integration",
    needs=_ROLE_READS,
    fix="automatic",
    at="subscription filter",
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


@check(
    "role-boundary",
    "nothing limits the role beyond its policies",
    "integration",
    "info",
    needs=_ROLE_READS,
    stops=("cloudwatch_metrics",),
)
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


@check(
    "metrics-enabled",
    "Datadog reads the account's CloudWatch metrics",
    "integration",
    needs=_READ_ACCOUNT,
    fix="automatic",
    link=DELAY_GUIDE,
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metrics_enabled(case: Case) -> Iterator[Result]:
    """Metric collection is switched off for the account in Datadog: no `aws.lambda.*` metrics arrive."""
    for account, live in case.integrations():
        if not live.metrics_enabled:
            yield _about_record(account, "collection of CloudWatch metrics is switched off", "switch it on")


@check(
    "lambda-namespace",
    "CloudWatch metrics of Lambda are among those that Datadog reads",
    "integration",
    needs=_READ_ACCOUNT,
    fix="automatic",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def lambda_namespace(case: Case) -> Iterator[Result]:
    """The namespace filter of the integration leaves out AWS/Lambda."""
    for account, live in case.integrations():
        if live.namespaces is not None and not live.namespaces.admits(LAMBDA):
            yield _about_record(account, f"its namespace filter leaves out {LAMBDA}", "let it in")


@check(
    "service-namespaces",
    "metrics of the services in use are among those that Datadog reads",
    "integration",
    "info",
    needs=(*_READ_ACCOUNT, "cloudwatch:ListMetrics"),
)
def service_namespaces(case: Case) -> Iterator[Result]:
    """A service that the account uses is left out by the namespace filter.

    Datadog leaves out AWS/SQS by default, so that queues in front of functions are not seen.
    """
    for account, live in case.integrations():
        used = {n for place in case.places for n, count in place.lane.resources.items() if count}
        out = sorted(n for n in used - {LAMBDA} if live.namespaces and not live.namespaces.admits(n))
        wanted = {n for n in out if n == "AWS/SQS"}
        if wanted:
            yield Problem(
                resource=integration_id(account.identity.account),
                what=f"{', '.join(sorted(wanted))} is in use here, and its metrics are left out",
                fix="have them read as well",
                command="ddsetup setup --integration-namespace sqs",
            )


@check(
    "regions-included",
    "Datadog reads the regions in which the functions are",
    "integration",
    needs=_READ_ACCOUNT,
    fix="automatic",
    at="integration",
    stops=("cloudwatch_metrics",),
)
def regions_included(case: Case) -> Iterator[Result]:
    """The integration is limited to some regions, and one with functions is not among them."""
    for account, live in case.integrations():
        number = account.identity.account
        here = sorted(p.at.region for p in case.places if p.at.account == number and p.subjects)
        missing = [region for region in here if live.regions is not None and region not in live.regions]
        for region in missing:
            yield Problem(
                resource=ResourceId("integration", number, region, number),
                what=f"Datadog does not read the region {region}",
                fix="add the region",
                mends=(integration_id(number),),
            )


@check(
    "metric-tag-filters",
    "no tag filter keeps functions' metrics out",
    "integration",
    "warning",
    needs=(*_READ_ACCOUNT, "tag:GetResources"),
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metric_tag_filters(case: Case) -> Iterator[Result]:
    """The integration reads metrics only of Lambda functions with certain tags, and some lack them."""
    for account, live in case.integrations():
        metrics = live.raw.get("metrics_config") or {}
        wanted = _tags_for(metrics.get("tag_filters"), "namespace", LAMBDA)
        out = hidden_by(case, account, wanted)
        if out:
            yield Problem(
                resource=integration_id(account.identity.account),
                what=f"only functions with {' or '.join(wanted)} are read, which {_some(out)} lack",
                fix="change the filter on Datadog's AWS page, or tag the functions",
                about=frozenset(out),
            )


@check(
    "metric-name-filters",
    "no name filter keeps Lambda's metrics out",
    "integration",
    "warning",
    needs=_READ_ACCOUNT,
    at="integration",
    stops=("cloudwatch_metrics",),
)
def metric_name_filters(case: Case) -> Iterator[Result]:
    """The integration's filter by metric name leaves out metrics of AWS/Lambda."""
    for account, live in case.integrations():
        filters = (live.raw.get("metrics_config") or {}).get("metric_name_filters") or ()
        for found in filters:
            if isinstance(found, Mapping) and found.get("namespace") == LAMBDA:
                yield _about_record(
                    account,
                    "a filter by metric name leaves out some metrics of AWS/Lambda",
                    "look at the metric filters on Datadog's AWS page",
                    automatic=False,
                )


def hidden_by(case: Case, account: AccountSnapshot, wanted: Sequence[str]) -> list[str]:
    """The ARNs of functions of the account that have none of these `key:value` tags."""
    if not wanted:
        return []
    return [
        s.function.arn
        for s in case.subjects
        if s.function.account == account.identity.account
        and not any(f"{key}:{value}".lower() in wanted for key, value in s.tags.items())
    ]


def _tags_for(filters: Json, key: str, value: str) -> tuple[str, ...]:
    """The tags that a list of filters asks for, of the entry about `value`."""
    found: list[str] = []
    for entry in filters or ():
        if isinstance(entry, Mapping) and entry.get(key) == value:
            found += [str(tag).lower() for tag in entry.get("tags") or ()]
    return tuple(found)


def log_tags_for(live: Integration) -> tuple[str, ...]:
    """The tags that log collection of Lambda is limited to."""
    forwarder = (live.raw.get("logs_config") or {}).get("lambda_forwarder") or {}
    return _tags_for((forwarder.get("log_source_config") or {}).get("tag_filters"), "source", "lambda")


def _some(arns: Sequence[str]) -> str:
    return f"{len(arns)} functions" if len(arns) > 1 else arns[0].rsplit(":", 1)[-1]


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


def _about_record(account: AccountSnapshot, what: str, fix: str, *, automatic: bool = True) -> Problem:
    resource = integration_id(account.identity.account)
    return Problem(resource=resource, what=what, fix=fix, mends=(resource,) if automatic else ())


CHECKS = (
    exists,
    role_exists,
    role_trust,
    role_permissions,
    role_triggers,
    role_boundary,
    metrics_enabled,
    lambda_namespace,
    service_namespaces,
    regions_included,
    metric_tag_filters,
    metric_name_filters,
)
