"""The IAM role that Datadog assumes: created, or left as it is except for rights that are missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ddsetup.facts.iam_documents import (
    INLINE_LIMIT,
    allow,
    allowed_actions,
    collection_policy,
    external_ids,
    missing_actions,
    size,
    statements,
    trust_problem,
    trusted,
)
from ddsetup.model.account import Integration, Json, Role
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Skipped, Step
from ddsetup.model.snapshot import AccountSnapshot
from ddsetup.model.states import REF_EXTERNAL_ID, RoleState
from ddsetup.plan.steps.api_key import made_by_us

STEP = Step("integration")
STANDARD_POLICY = "DatadogAWSIntegrationPolicyV2"
"""The inline policy's name in Datadog's own template (aws_quickstart 4.15)."""
ADDED_POLICY = "ddsetup-datadog-permissions"
"""What a role that is not ours lacks goes into a policy of our own beside theirs."""

MOST_ATTACHED = 10
"""Managed policies of a role, unless AWS raised the quota (IAM quotas page)."""

NEEDED = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "lambda:List*", "tag:GetResources")
"""Without these there are no metrics and no tags of functions."""
NEEDED_FOR_TRIGGERS = (
    "logs:DeleteSubscriptionFilter",
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:PutSubscriptionFilter",
)
"""With these Datadog subscribes the Forwarder to log groups by itself."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms Datadog's site assumes roles in an account of this partition."""

    partition: str
    trust_account: str

    @property
    def principals(self) -> tuple[str, str]:
        """The two ways to write the account as a principal; IAM stores the first."""
        return (f"arn:{self.partition}:iam::{self.trust_account}:root", self.trust_account)


def role_id(account: AccountSnapshot, name: str) -> ResourceId:
    """The role as a resource; IAM knows no regions."""
    return ResourceId("iam_role", name, "", account.identity.account)


def is_ours(role: Role) -> bool:
    """Whether ddsetup made the role."""
    return made_by_us(role.tags)


def identity(role: Role) -> RoleState:
    """The role without its rights: whom it trusts now, as far as that is one account, on which terms."""
    principal = next(iter(trusted(role.trust)), "")
    return RoleState(
        name=role.name,
        trust_account=principal.split(":")[4] if principal.startswith("arn:") else principal,
        external_id=next((ids[0] for s in statements(role.trust) if (ids := external_ids(s))), ""),
    )


def create_role(
    account: AccountSnapshot, answers: Answers, terms: Terms, integration: Integration | None
) -> Plan:
    """The role, new. With an integration that names it, it gets that integration's external id."""
    name = (integration and integration.role_name) or answers.role_name
    external_id = (integration and integration.external_id) or REF_EXTERNAL_ID
    document = allow(_standard(account, answers))
    refused = _too_big(account, name, {STANDARD_POLICY: document})
    if refused:
        return refused
    state = RoleState(
        name=name,
        trust_account=terms.trust_account,
        external_id=external_id,
        policies={STANDARD_POLICY: document},
        attached=_audit(answers, terms),
        managed=_collection(account, answers, name, None),
        boundary=answers.role_boundary,
        tags=dict(answers.resource_tags),
    )
    gone = "Datadog's record names a role that does not exist"
    why = (
        gone
        if integration
        else f"Datadog reads metrics and tags by assuming it, from account {terms.trust_account}"
    )
    return STEP.change(role_id(account, name), None, state, why)


def adopt_role(
    account: AccountSnapshot, answers: Answers, terms: Terms, role: Role, integration: Integration
) -> Plan:
    """The role of an existing integration: only what is missing is added to it."""
    resource = role_id(account, role.name)
    said, external_id = Plan(), integration.external_id or ""
    problem = trust_problem(role.trust, terms.principals, integration.external_id)
    if problem and not is_ours(role):
        said = Plan(skipped=(_broken_trust(resource, problem, terms, external_id),))
    now = identity(role)
    if not problem:
        now = replace(now, trust_account=terms.trust_account, external_id=external_id)
    mend = bool(problem) and is_ours(role)
    policies, managed = _missing_policies(account, answers, role), _missing_audit(answers, terms, role)
    refused = _too_big(account, role.name, dict(role.inline) | policies)
    if refused:
        return said + refused
    before = replace(now, policies={k: v for k, v in role.inline.items() if k in policies})
    made = _collection(account, answers, role.name, role)
    after = replace(now, policies=policies, attached=managed, managed=made)
    if mend:
        after = replace(after, trust_account=terms.trust_account, external_id=external_id)
    if before == after:
        return said if problem else said + _unchanged(resource)
    why = "; ".join(_reasons(problem if mend else "", policies, managed, made))
    notes = filter(None, (_adoption_note(role), _many_note(role, after)))
    return said + STEP.change(resource, before, after, why, note="; ".join(notes))


def reclaim_role(account: AccountSnapshot, answers: Answers, terms: Terms, role: Role) -> Plan:
    """A role that is there although Datadog has no record of the account.

    Ours, left by an interrupted run, is taken up again; somebody else's may serve another Datadog
    organisation, so it is not touched.
    """
    resource = role_id(account, role.name)
    if not is_ours(role):
        whom = ", ".join(trusted(role.trust)) or "nobody"
        reason = (
            f"role {role.name} exists, ddsetup did not make it, and Datadog has no record of this account"
        )
        fix = "choose another name: --role-name NAME; or delete the role if nothing uses it"
        return STEP.skip(resource, f"{reason} (it trusts {whom})", fix)
    policies, managed = _missing_policies(account, answers, role), _missing_audit(answers, terms, role)
    before = replace(identity(role), policies={k: v for k, v in role.inline.items() if k in policies})
    after = RoleState(
        name=role.name,
        trust_account=terms.trust_account,
        external_id=REF_EXTERNAL_ID,
        policies=policies,
        attached=managed,
        managed=_collection(account, answers, role.name, role),
    )
    note = "the role of an earlier run is used again, with a new external id"
    return STEP.change(resource, before, after, "Datadog has no record of this account yet", note=note)


def _unchanged(resource: ResourceId) -> Plan:
    reason = "the role trusts Datadog and has the rights that are needed"
    return STEP.keep(resource, reason)


def _missing_policies(account: AccountSnapshot, answers: Answers, role: Role) -> dict[str, Json]:
    """The inline policies to write, by name: in a role of ours all that Datadog asks for, in another one
    what we rely on."""
    name = STANDARD_POLICY if is_ours(role) else ADDED_POLICY
    wanted = _standard(account, answers) if is_ours(role) else _relied_on(answers)
    missing = missing_actions(wanted, role.inline.values())
    if not missing:
        return {}
    return {name: allow((*allowed_actions(role.inline.get(name)), *missing))}


def _relied_on(answers: Answers) -> tuple[str, ...]:
    automatic = answers.datadog_subscribes
    return NEEDED + NEEDED_FOR_TRIGGERS if automatic else NEEDED


def _standard(account: AccountSnapshot, answers: Answers) -> tuple[str, ...]:
    """Datadog's own list, and what we rely on should it ever be missing there."""
    missing = missing_actions(_relied_on(answers), [allow(account.permissions)])
    return account.permissions + missing


def _audit(answers: Answers, terms: Terms) -> tuple[str, ...]:
    """Resource collection reads configurations of nearly everything: AWS's own audit policy allows it."""
    return (f"arn:{terms.partition}:iam::aws:policy/SecurityAudit",) if answers.resource_collection else ()


def _collection(
    account: AccountSnapshot, answers: Answers, name: str, role: Role | None
) -> Mapping[str, Json]:
    """The managed policies to make: what Datadog wants for the collection of resources and none of the role's
    policies allows. One that may not be read is taken for what Datadog's own setup made."""
    held = role.managed if role is not None else {}
    if not answers.resource_collection or None in held.values():
        return {}
    documents = [*(role.inline.values() if role is not None else ()), *held.values()]
    missing = (missing_actions(chunk, documents) for chunk in account.collection)
    numbers = [int(end) for each in held if (end := each.rpartition("-")[2]).isdecimal()]
    return {
        collection_policy(name, number): allow(chunk)
        for number, chunk in enumerate(filter(None, missing), max(numbers, default=0) + 1)
    }


def _many_note(role: Role, after: RoleState) -> str:
    many = len(role.attached) + len(after.attached) + len(after.managed)
    if many <= MOST_ATTACHED or not (after.attached or after.managed):
        return ""
    return (
        f"{many} managed policies are attached then; IAM allows {MOST_ATTACHED} unless the quota was raised"
    )


def _missing_audit(answers: Answers, terms: Terms, role: Role) -> tuple[str, ...]:
    return tuple(arn for arn in _audit(answers, terms) if arn not in role.attached)


def _too_big(account: AccountSnapshot, name: str, policies: Mapping[str, Json]) -> Plan | None:
    total = sum(size(document) for document in policies.values())
    if total <= INLINE_LIMIT:
        return None
    reason = f"the inline policies of role {name} would have {total} characters; IAM allows {INLINE_LIMIT}"
    fix = "move policies of the role to managed ones, or choose another role: --role-name NAME"
    resource = role_id(account, name)
    return STEP.skip(resource, reason, fix)


def _reasons(
    problem: str, policies: Mapping[str, Json], managed: tuple[str, ...], made: Mapping[str, Json]
) -> tuple[str, ...]:
    said = [f"Datadog cannot assume the role: {problem}"] if problem else []
    said += [f"{name}: rights that Datadog needs are missing" for name in policies]
    said += ["resource collection needs SecurityAudit" for _ in managed]
    many = sum(len(allowed_actions(document)) for document in made.values())
    return (*said, *([f"resource collection needs {many} further rights"] if made else ()))


def _adoption_note(role: Role) -> str:
    if is_ours(role):
        return ""
    note = "the role is not ddsetup's: what is there stays as it is"
    read = {name for name, document in role.managed.items() if document is not None}
    unread = [
        arn for arn in role.attached if ":aws:policy/" not in arn and arn.rpartition("/")[2] not in read
    ]
    return f"{note}; its managed policies were not read, they may allow the same" if unread else note


def _broken_trust(resource: ResourceId, problem: str, terms: Terms, external_id: str) -> Skipped:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": terms.principals[0]},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Skipped(
        resource=resource,
        status="skipped",
        reason=f"Datadog cannot assume the role: {problem}; ddsetup did not make it, so it leaves it alone",
        fix=f"aws iam update-assume-role-policy --role-name {resource.id} --policy-document '{document}'",
        step=STEP,
    )
