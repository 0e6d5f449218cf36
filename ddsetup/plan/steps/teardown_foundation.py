"""Take down what functions stand on: registration, Forwarder, secret, Datadog's record and its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ddsetup.facts import catalog
from ddsetup.facts.iam_documents import collection_policy
from ddsetup.model.account import Forwarder, Integration, Json, Lane, Role, Secret, Stack, Unreadable
from ddsetup.model.answers import Answers, Part
from ddsetup.model.change import Change, Plan, ResourceId, Step
from ddsetup.model.snapshot import AccountSnapshot, LaneSnapshot, Snapshot
from ddsetup.model.states import IntegrationState, LogCollectionState, RoleState, StackState
from ddsetup.plan.steps.api_key import CREATED_BY, made_by_us, reading, secret_id, secret_state
from ddsetup.plan.steps.collection import LAMBDA_SOURCE, added_by_us, collection_id
from ddsetup.plan.steps.forwarder_choice import lane_of
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.forwarder_stack import ARN_OUTPUT, MASKED, is_forwarder_stack, template_url
from ddsetup.plan.steps.integration import integration_id, state_of
from ddsetup.plan.steps.integration_role import ADDED_POLICY, identity, is_ours, role_id
from ddsetup.plan.steps.wording import cannot_see, listed

STEP = Step("teardown")


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is there, what is kept, and what has to be gone `first`."""

    snapshot: Snapshot
    answers: Answers
    kept: frozenset[Part]
    first: tuple[ResourceId, ...]

    def first_in(self, lane: Lane) -> tuple[ResourceId, ...]:
        """What goes first in a lane, with what is global to its account."""
        return tuple(r for r in self.first if r.account == lane.account and r.region in ("", lane.region))


def plan(snapshot: Snapshot, answers: Answers, kept: frozenset[Part], first: tuple[ResourceId, ...]) -> Plan:
    """The changes that take it down, each after what relies on it."""
    ground = _Ground(snapshot, answers, kept, first)
    result = Plan()
    for account in sorted(snapshot.accounts):
        registration = Plan() if "collection" in kept else _registration(account, ground)
        lanes = sorted(lane for lane in snapshot.lanes if lane.account == account)
        stacks = Plan() if "forwarder" in kept else Plan.joined(_stacks(lane, ground) for lane in lanes)
        secrets = (
            Plan() if "secret" in kept else Plan.joined(_secrets(lane, ground, stacks) for lane in lanes)
        )
        result += registration + stacks + secrets + _record(account, ground, registration)
    return result


def own_stacks(snapshot: Snapshot) -> tuple[Stack, ...]:
    """The Forwarders' stacks that ddsetup made, of all regions."""
    return tuple(s for lane in snapshot.lanes.values() for s in _forwarder_stacks(lane) if made_by_us(s.tags))


def _registration(account: str, ground: _Ground) -> Plan:
    """Our Forwarders leave the account's log collection, as do those that are gone."""
    live = ground.snapshot.accounts[account].integration
    if isinstance(live, Unreadable):
        return STEP.skip(collection_id(account), cannot_see("what is registered with Datadog", live))
    if live is None or not (live.lambdas or live.sources):
        return Plan()
    record = added_by_us(ground.snapshot, account)
    added = record or LogCollectionState(sources=(LAMBDA_SOURCE,))
    here = [arn for arn in live.lambdas if lane_of(arn) in ground.snapshot.lanes]
    ours = tuple(arn for arn in here if arn in added.lambdas or _is_ours_or_gone(arn, ground))
    foreign = [arn for arn in here if arn not in ours]
    said = Plan()
    if foreign:
        said = STEP.keep(
            collection_id(account),
            f"stays, as ddsetup did not make it: Forwarder {listed(foreign)}",
        )
    alone = set(live.lambdas) <= set(ours)
    sources = tuple(s for s in live.sources if s in added.sources) if alone else ()
    if not ours and not (sources and record):
        return said
    return said + STEP.change(
        collection_id(account),
        LogCollectionState(lambdas=ours, sources=sources),
        LogCollectionState(),
        "Datadog takes its filters out, and sends no more logs",
        needs=_with_functions(ground, account),
    )


def _is_ours_or_gone(arn: str, ground: _Ground) -> bool:
    lane = lane_of(arn)
    assert lane is not None
    held = ground.snapshot.lanes[lane]
    if any(made_by_us(s.tags) and s.outputs.get(ARN_OUTPUT) == arn for s in _forwarder_stacks(held)):
        return True
    return not isinstance(held.functions, Unreadable) and all(f.arn != arn for f in held.functions)


def _forwarder_stacks(lane: LaneSnapshot) -> tuple[Stack, ...]:
    stacks = () if isinstance(lane.stacks, Unreadable) else lane.stacks
    return tuple(s for s in stacks if is_forwarder_stack(s) and s.status != "DELETE_COMPLETE")


def _stacks(lane: Lane, ground: _Ground) -> Plan:
    """The Forwarders of a region, each with its bucket and log group."""
    held = ground.snapshot.lanes[lane]
    if isinstance(held.stacks, Unreadable):
        resource = stack_id(lane, ground.answers.forwarder_stack)
        return STEP.skip(resource, cannot_see("which stacks exist", held.stacks))
    known = () if isinstance(held.forwarders, Unreadable) else held.forwarders
    result = Plan()
    theirs = [s for s in _forwarder_stacks(held) if not made_by_us(s.tags)]
    for stack in (*theirs, *(s for s in held.stacks if made_by_us(s.tags) and _exists(s))):
        if stack.parent_id or not made_by_us(stack.tags):
            result += STEP.keep(stack_id(lane, stack.name), "it stays, as ddsetup did not make it")
            continue
        forwarder = next((f for f in known if f.stack == stack.name), None)
        result += STEP.change(
            stack_id(lane, stack.name),
            _state(stack, forwarder, ground, lane),
            None,
            "the Forwarder goes, with its bucket and its log group"
            if is_forwarder_stack(stack)
            else "ddsetup made it, and nothing needs it any more",
            needs=(*ground.first_in(lane), *_collection_of(lane, ground)),
        )
    return result


def _collection_of(lane: Lane, ground: _Ground) -> tuple[ResourceId, ...]:
    return () if "collection" in ground.kept else (collection_id(lane.account),)


def _exists(stack: Stack) -> bool:
    return stack.status != "DELETE_COMPLETE" and not stack.parent_id


def _state(stack: Stack, forwarder: Forwarder | None, ground: _Ground, lane: Lane) -> StackState:
    """The stack with what it takes to make it again. What CloudFormation masks cannot be kept."""
    answers, partition = ground.answers, catalog.partition_of(lane.region)
    version = forwarder.version if forwarder and forwarder.version else answers.forwarder_version
    record = (ground.snapshot.applied or {}).get(stack_id(lane, stack.name))
    made = record.after if record is not None and isinstance(record.after, StackState) else None
    if made is not None and (made.template or made.template_url):
        url, version = made.template_url, made.version
    else:
        url = template_url(answers, partition, version) if is_forwarder_stack(stack) else ""
    return StackState(
        name=stack.name,
        template_url=url,
        version=version,
        parameters={name: value for name, value in stack.parameters.items() if value != MASKED},
        tags=stack.tags,
        template=made.template if made is not None else None,
    )


def _secrets(lane: Lane, ground: _Ground, stacks: Plan) -> Plan:
    """The secrets of a region, one for each site."""
    held = ground.snapshot.lanes[lane].secrets
    if isinstance(held, Unreadable):
        return STEP.skip(secret_id(lane), cannot_see("whether the secret exists", held))
    return Plan.joined(_secret(lane, held[name], ground, stacks) for name in sorted(held))


def _secret(lane: Lane, live: Secret, ground: _Ground, stacks: Plan) -> Plan:
    held, resource = ground.snapshot.lanes[lane], secret_id(lane, live.name)
    if live.deleted:
        return Plan()
    if not made_by_us(live.tags):
        return STEP.keep(resource, "it stays, as ddsetup did not make it")
    theirs = {stack.name for stack in _forwarder_stacks(held) if not made_by_us(stack.tags)}
    if readers := sorted(theirs & reading(held, live)):
        return STEP.keep(resource, f"it stays, as stack {listed(readers)} reads it")
    return STEP.change(
        resource,
        secret_state(live, held),
        None,
        "nothing reads the API key any more",
        needs=(
            *ground.first_in(lane),
            *(c.resource for c in stacks.changes if c.resource.region == lane.region),
        ),
    )


def _record(account: str, ground: _Ground, registration: Plan) -> Plan:
    """Datadog's record of the account and the role it assumes, in that order."""
    held = ground.snapshot.accounts[account]
    live, role = held.integration, held.role
    if isinstance(live, Unreadable):
        return STEP.skip(integration_id(account), cannot_see("Datadog's record of the account", live))
    ours = isinstance(role, Role) and is_ours(role)
    gone = Plan()
    if live is not None and "integration" not in ground.kept:
        gone = _integration(held, live, ground, registration, ours=ours)
    deleted = any(change.action == "delete" for change in gone.changes)
    if "role" in ground.kept or role is None:
        return gone
    if isinstance(role, Unreadable):
        return gone + STEP.skip(role_id(held, ground.answers.role_name), cannot_see("the role", role))
    record = (ground.snapshot.applied or {}).get(role_id(held, role.name))
    return gone + _role(held, role, gone, record, unused=deleted or live is None)


def _integration(
    held: AccountSnapshot, live: Integration, ground: _Ground, registration: Plan, *, ours: bool
) -> Plan:
    account = held.identity.account
    resource = integration_id(account)
    record = (ground.snapshot.applied or {}).get(resource)
    now = state_of(live)
    if record is not None and isinstance(record.before, IntegrationState):
        return _as_it_was(record, now)
    made = record is not None or (ours and f"aws_account:{account}" in now.tags)
    if not made or live.access_key_auth:
        return STEP.keep(resource, "it stays, as nothing tells that ddsetup made it")
    leaving = {
        arn
        for c in registration.changes
        for arn in LogCollectionState.of(c.before).lambdas
        if c.resource.account == account
    }
    others = [arn for arn in live.lambdas if arn not in leaving]
    if others:
        return STEP.keep(resource, f"it stays, as Forwarders are registered with it: {listed(others)}")
    return STEP.change(
        resource,
        now,
        None,
        "Datadog reads nothing of this account any more",
        needs=(*(c.resource for c in registration.changes), *_with_functions(ground, account)),
    )


def _with_functions(ground: _Ground, account: str) -> tuple[ResourceId, ...]:
    return tuple(r for r in ground.first if r.account == account and r.kind == "function")


def _as_it_was(record: Change, now: IntegrationState) -> Plan:
    """An integration that was there before keeps all but what ddsetup added to it."""
    before, after = record.before, record.after
    assert isinstance(before, IntegrationState)
    if not isinstance(after, IntegrationState) or after.differing(now):
        return STEP.keep(
            record.resource,
            "it was there before ddsetup, and somebody changed it since: it stays",
        )
    return STEP.change(record.resource, now, before, "as it was before ddsetup came")


def _role(held: AccountSnapshot, role: Role, gone: Plan, record: Change | None, *, unused: bool) -> Plan:
    resource = role_id(held, role.name)
    if not is_ours(role):
        return _added(resource, role, record) + STEP.keep(resource, "it stays, as ddsetup did not make it")
    if not unused:
        return STEP.keep(resource, "it stays, as Datadog's record of the account names it")
    made = _made_for(role)
    return STEP.change(
        resource,
        replace(
            identity(role),
            policies=role.inline,
            attached=tuple(arn for arn in role.attached if arn.rpartition("/")[2] not in made),
            managed=made,
            boundary=role.boundary or "",
            tags={key: value for key, value in role.tags.items() if key != CREATED_BY},
        ),
        None,
        "Datadog assumes it no longer",
        needs=tuple(c.resource for c in gone.changes),
    )


def _attached(record: Change | None) -> tuple[str, ...]:
    """The policies that earlier runs attached."""
    if record is None or not isinstance(record.after, RoleState):
        return ()
    before = record.before.attached if isinstance(record.before, RoleState) else ()
    return tuple(arn for arn in record.after.attached if arn not in before)


def _made_for(role: Role) -> Mapping[str, Json]:
    """The managed policies that were made for this role's collection of resources, as far as they could be
    read: they go with it."""
    own = collection_policy(role.name, 1).removesuffix("1")
    return {n: d for n, d in role.managed.items() if n.startswith(own) and d is not None}


def _added(resource: ResourceId, role: Role, record: Change | None) -> Plan:
    """What ddsetup added to somebody else's role: its inline policy, the managed ones that it made for the
    role, and those of AWS that the record says it attached."""
    inline = {n: d for n, d in role.inline.items() if n == ADDED_POLICY and d is not None}
    made, attached = _made_for(role), tuple(arn for arn in _attached(record) if arn in role.attached)
    if not (inline or made or attached):
        return Plan()
    now = identity(role)
    before = replace(now, policies=inline, managed=made, attached=attached)
    return STEP.change(resource, before, now, "what ddsetup added to this role goes")
