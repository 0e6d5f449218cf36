"""Datadog's record of the AWS account, and the role it assumes: what is there is adopted, else created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ddsetup.facts.catalog import trust_account
from ddsetup.model.account import Function, Integration, Json, NamespaceFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.model.snapshot import AccountSnapshot, Snapshot
from ddsetup.model.states import IntegrationState, RoleState
from ddsetup.plan.steps.api_key import sites_of
from ddsetup.plan.steps.integration_role import STEP, Terms, adopt_role, create_role, reclaim_role, role_id
from ddsetup.plan.steps.namespaces import admitting, initial_filter, unknown_namespaces, wanted_namespaces
from ddsetup.plan.steps.wording import cannot_see, denied_action

__all__ = ["STEP", "integration_id", "plan", "prospect"]

Prospect: TypeAlias = Literal["there", "planned", "blocked"]


@dataclass(frozen=True, slots=True)
class _Case:
    """One account with all that a decision about its integration depends on."""

    account: AccountSnapshot
    answers: Answers
    regions: tuple[str, ...]
    available: tuple[str, ...]

    @property
    def id(self) -> ResourceId:
        return integration_id(self.account.identity.account)


def integration_id(account: str) -> ResourceId:
    """Datadog's record of an account, as a resource."""
    return ResourceId("integration", account, "", account)


def plan(snapshot: Snapshot, answers: Answers, _selected: tuple[Function, ...]) -> Plan:
    """What is created or added so that Datadog reads metrics and tags of every account of the run.

    Raises UsageError for a service in `answers.integration_namespaces` that is none.
    """
    result = Plan(warnings=_unlisted(snapshot, answers))
    for account in sorted(snapshot.accounts):
        planned = _plan_account(_case(account, snapshot, answers))
        result += planned + Plan(warnings=_elsewhere(account, snapshot, answers, planned))
    return result


def _elsewhere(account: str, snapshot: Snapshot, answers: Answers, planned: Plan) -> tuple[str, ...]:
    """That another site's organisation may have a record of an account that moves away from it: only its own
    keys show that, and take it out."""
    role = next((c for c in planned.changes if c.resource.kind == RoleState.KIND and c.before), None)
    if snapshot.accounts[account].integration is not None or role is None:
        return ()
    sites = {site for at, lane in snapshot.lanes.items() if at.account == account for site in sites_of(lane)}
    return tuple(
        f"the record of account {account} that Datadog may have on {site} is not seen from here, and stays; "
        f"it reads nothing any more, as role {role.resource.name} no longer trusts it; to take it out, with "
        f"the keys of that organisation: ddsetup teardown --site {site} --keep functions --keep role"
        for site in sorted(sites - {answers.site})
    )


def prospect(account: str, snapshot: Snapshot, answers: Answers) -> Prospect:
    """Whether Datadog has a record of the account, will have one when the plan is done, or cannot."""
    live = snapshot.accounts[account].integration
    if isinstance(live, Integration):
        return "there"
    changes = _plan_account(_case(account, snapshot, answers)).changes
    return "planned" if any(c.resource.kind == "integration" for c in changes) else "blocked"


def _case(account: str, snapshot: Snapshot, answers: Answers) -> _Case:
    regions = tuple(sorted(lane.region for lane in snapshot.lanes if lane.account == account))
    return _Case(snapshot.accounts[account], answers, regions, snapshot.datadog.namespaces)


def _unlisted(snapshot: Snapshot, answers: Answers) -> tuple[str, ...]:
    unknown = unknown_namespaces(wanted_namespaces(answers), snapshot.datadog.namespaces)
    return tuple(f"Datadog does not list the CloudWatch namespace {name}" for name in unknown)


def _plan_account(case: _Case) -> Plan:
    account, live = case.account, case.account.integration
    if isinstance(live, Unreadable):
        reason = cannot_see("whether Datadog has a record of this account", live)
        fix = "run the command again when Datadog can be asked"
        if denied_action(live):
            fix = f"an application key with the permission {live.action}"
        return STEP.skip(case.id, reason, fix, denied_action(live))
    if live and live.access_key_auth:
        return _update(case, live, Plan())
    trusted = trust_account(case.answers.site, account.identity.partition)
    if trusted is None:
        return _no_trust(case)
    terms = Terms(account.identity.partition, trusted)
    if live is None:
        return _register(case, terms)
    roles = _plan_role(case, terms, live)
    return roles + _update(case, live, roles)


def _no_trust(case: _Case) -> Plan:
    partition = case.account.identity.partition
    reason = (
        f"the site {case.answers.site} cannot assume roles in the partition {partition}: "
        "roles do not work across AWS partitions"
    )
    gov = "use a Datadog site for government (ddog-gov.com), or " if partition == "aws-us-gov" else ""
    fix = f"{gov}register the account in Datadog with access keys; ddsetup then keeps that integration"
    return STEP.skip(case.id, reason, fix)


def _register(case: _Case, terms: Terms) -> Plan:
    """Role and record, both new. Without a role nothing is registered: it would only show an error."""
    account, answers = case.account, case.answers
    if isinstance(account.role, Unreadable):
        reason = cannot_see(f"whether the role {answers.role_name} exists", account.role)
        resource = role_id(account, answers.role_name)
        said = STEP.skip(resource, reason, f"grant {account.role.action}", denied_action(account.role))
        return said + STEP.skip(case.id, "it needs the role")
    role = account.role
    if role is None:
        roles = create_role(account, answers, terms, None)
    else:
        roles = reclaim_role(account, answers, terms, role)
    if not roles.changes:
        return roles + STEP.skip(case.id, "it needs the role, which cannot be had")
    wanted = wanted_namespaces(answers)
    namespaces = initial_filter(wanted, case.available)
    number = account.identity.account
    state = IntegrationState(
        aws_account_id=number,
        partition=terms.partition,
        role_name=role.name if role else answers.role_name,
        metrics_enabled=True,
        namespaces_mode=namespaces.mode,
        namespaces=namespaces.names,
        resource_collection=answers.resource_collection,
        tags=(f"aws_account:{number}",),
    )
    return roles + STEP.change(
        case.id,
        None,
        state,
        "Datadog has no record of this account yet",
        needs=tuple(c.resource for c in roles.changes),
        note="metrics of all regions are read; Datadog may bill for what it crawls",
    )


def _plan_role(case: _Case, terms: Terms, live: Integration) -> Plan:
    """The role behind an existing record."""
    account, name = case.account, live.role_name or ""
    role = account.role
    if isinstance(role, Unreadable):
        reason = cannot_see(f"the role {name} that Datadog assumes", role)
        fix = f"grant {role.action}" if role.action else ""
        return STEP.skip(role_id(account, name), reason, fix, denied_action(role))
    if not name:
        return STEP.skip(
            case.id,
            "Datadog's record of the account names no role",
            "see it in Datadog's AWS page",
        )
    if role is None:
        return create_role(account, case.answers, terms, live)
    if role.name != name:
        return STEP.skip(role_id(account, name), f"the role was not read; {role.name} was")
    return adopt_role(account, case.answers, terms, role, live)


def _update(case: _Case, live: Integration, roles: Plan) -> Plan:
    """What the existing record lacks; nothing that it has is taken away. A change of the role comes first:
    what the record has Datadog read, the role must let it read."""
    before = state_of(live)
    namespaces = admitting(live.namespaces, wanted_namespaces(case.answers), case.available)
    missing = tuple(r for r in case.regions if live.regions is not None and r not in live.regions)
    after = replace(
        before,
        metrics_enabled=True,
        namespaces_mode=namespaces.mode if namespaces else "",
        namespaces=namespaces.names if namespaces else (),
        regions=before.regions + missing,
        resource_collection=live.resource_collection or case.answers.resource_collection,
    )
    if before == after:
        reason = "Datadog has a record of the account that reads all that is wanted"
        return STEP.keep(case.id, reason)
    why = "; ".join(_differences(before, after))
    note = "whatever else the integration has stays as it is"
    needs = tuple(change.resource for change in roles.changes)
    return STEP.change(case.id, before, after, why, note=note, needs=needs)


def pruned(live: Integration, record: Change, answers: Answers, available: tuple[str, ...]) -> Change | None:
    """What ddsetup had Datadog's record take in and nobody wants any more, taken out; None if there is
    nothing, or somebody changed it since."""
    earlier, later, now = record.before, record.after, state_of(live)
    if not isinstance(later, IntegrationState):
        return None
    was = earlier if isinstance(earlier, IntegrationState) else None
    wanted = wanted_namespaces(answers)
    after = now
    if (later.namespaces_mode, set(later.namespaces)) == (now.namespaces_mode, set(now.namespaces)):
        base = (
            initial_filter(wanted, available) if was is None else admitting(_filter(was), wanted, available)
        )
        after = replace(
            after, namespaces_mode=base.mode if base else "", namespaces=base.names if base else ()
        )
    collects = was is not None and was.resource_collection
    if (
        now.resource_collection
        and later.resource_collection
        and not (collects or answers.resource_collection)
    ):
        after = replace(after, resource_collection=False)
    if set(after.namespaces) == set(now.namespaces) and not now.differing(after):
        return None
    said = sorted(set(now.namespaces) ^ set(after.namespaces))
    said += ["resource collection"] if now.resource_collection != after.resource_collection else []
    return Change(
        step=STEP,
        resource=record.resource,
        before=now,
        after=after,
        why=f"no longer wanted: {', '.join(said)}",
    )


def _filter(state: IntegrationState) -> NamespaceFilter | None:
    if state.namespaces_mode not in ("include_only", "exclude_only"):
        return None
    mode: Literal["include_only", "exclude_only"] = (
        "include_only" if state.namespaces_mode == "include_only" else "exclude_only"
    )
    return NamespaceFilter(mode=mode, names=state.namespaces)


def state_of(live: Integration) -> IntegrationState:
    """Datadog's record as the part of it that ddsetup owns."""
    namespaces: NamespaceFilter | None = live.namespaces
    return IntegrationState(
        aws_account_id=live.account,
        partition=live.partition,
        role_name=live.role_name or "",
        metrics_enabled=live.metrics_enabled,
        namespaces_mode=namespaces.mode if namespaces else "",
        namespaces=namespaces.names if namespaces else (),
        regions=live.regions or (),
        resource_collection=live.resource_collection,
        tags=_tags_of(live.raw),
    )


def _tags_of(raw: Mapping[str, Json]) -> tuple[str, ...]:
    tags = raw.get("account_tags")
    return tuple(str(t) for t in tags) if isinstance(tags, list | tuple) else ()


def _differences(before: IntegrationState, after: IntegrationState) -> tuple[str, ...]:
    said = [] if before.metrics_enabled else ["metrics are switched off"]
    excluded = sorted(set(before.namespaces) ^ set(after.namespaces))
    if excluded:
        said.append(f"{', '.join(excluded)} not collected")
    if before.regions != after.regions:
        said.append(f"{', '.join(sorted(set(after.regions) - set(before.regions)))} not collected")
    if before.resource_collection != after.resource_collection:
        said.append("resources are not collected")
    return tuple(said)
