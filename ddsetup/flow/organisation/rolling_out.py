"""A StackSet brings the Forwarder, or the role that leads into it, into each account of an organisation.

CloudFormation does it, and goes on with it when this process is gone. What is left to do is told from the set
itself, so a run that was killed is begun again: it waits for what is under way, and does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ddsetup.flow.call import Call
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, across, head
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.preparing import look
from ddsetup.gateways.aws import organizations, stack_sets
from ddsetup.gateways.aws.errors import Refused
from ddsetup.gateways.aws.stack_sets import Made, Place
from ddsetup.model.account import Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.organisation import Instance, Member, Targets
from ddsetup.model.snapshot import Snapshot
from ddsetup.observe.in_bulk import GLANCE
from ddsetup.plan.rollout import NAMES, Rollout, What, is_there, reason_to_leave_out
from ddsetup.plan.steps.api_key import OWN_TAGS, made_by_us
from ddsetup.plan.steps.forwarder_stack import function_name, is_forwarder_stack

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
"""Seconds between looks at an operation: CloudFormation has no waiter for one."""
_SIDE_BY_SIDE: Mapping[str, str | int] = {
    "RegionConcurrencyType": "PARALLEL",
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    "MaxConcurrentPercentage": 100,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The set as it is, None if there is none, and its stacks."""

    place: Place
    made: Made | None = None
    instances: tuple[Instance, ...] = ()
    trusted: bool = True


def find(accounts: Accounts, what: What) -> Found:
    """The set, once nothing of an earlier run is under way any more.

    Raises UsageError for a set of that name that is not ours, and where there is no organisation that can
    have any.
    """
    organisation, base = accounts.organisation, accounts.base
    if organisation is None:
        raise UsageError("StackSets work in an organisation, and --accounts names a file instead of one")
    if organisation.features != "ALL":
        fix = "enable all features in AWS Organizations first"
        raise UsageError(f"organisation {organisation.id} has {organisation.features} only", fix=fix)
    lane = Lane(base.identity.account, base.scope.regions[0])
    delegated = base.identity.account != organisation.management
    place = Place(base.aws, lane, NAMES[what], delegated)
    trusted = stack_sets.trusted_access(place)
    made = stack_sets.read_stack_set(place) if trusted else None
    if made is None:
        return Found(place=place, trusted=trusted)
    if not made_by_us(made.tags):
        raise UsageError(
            f"StackSet {place.name} is there, and ddsetup did not make it", fix="rename or delete it"
        )
    for operation in stack_sets.operations_under_way(place):
        base.host.say(f"an operation on {place.name} is still under way; waiting for it")
        ended(accounts, place, operation)
    return Found(place=place, made=made, instances=stack_sets.instances(place))


def forwarders_held(call: Call, accounts: Accounts, answers: Answers) -> dict[str, Row]:
    """By account what it has of Forwarders (`held`), and the stacks that can be taken into the set."""
    due = [m for m in accounts.members if m.active and not m.management]

    def looked(session: Session, _member: Member) -> Row:
        snapshot = look(session, fields=GLANCE)
        held, stacks = _held(snapshot, answers)
        return {"status": "ok", "exit_code": 0, "text": "looked at", "held": held, "stacks": stacks}

    return {row["account"]: row for row in across(call, accounts, due, looked)}


def _held(snapshot: Snapshot, answers: Answers) -> tuple[list[str], list[str]]:
    held, stacks = list[str](), list[str]()
    for lane, seen in sorted(snapshot.lanes.items()):
        forwarders = () if isinstance(seen.forwarders, Unreadable) else seen.forwarders
        ours = [f for f in forwarders if (f.stack or "").startswith(f"StackSet-{NAMES['forwarder']}-")]
        held += [f"{f.name} ({lane.region})" for f in forwarders if f not in ours]
        if isinstance(seen.stacks, Unreadable):
            continue
        stacks += [
            stack.stack_id
            for stack in seen.stacks
            if stack.name == answers.forwarder_stack
            and is_forwarder_stack(stack)
            and stack.parameters.get("FunctionName") == function_name(answers)
        ]
    return held, stacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`canary` are numbers or names of accounts that come first; `narrowed` as in `Rollout`. `take_over`:
    stacks that are there come into the set."""

    regions: tuple[str, ...]
    canary: tuple[str, ...] = ()
    narrowed: bool = False
    take_over: bool = False


def plan_rollout(accounts: Accounts, found: Found, held: Mapping[str, Row], wish: Wish) -> Rollout:
    """What is to be done. Raises UsageError for a canary that gets nothing."""
    left_out: dict[str, str] = {}
    imports: list[str] = []
    for member in accounts.members:
        row = held.get(member.account, {})
        stacks = row.get("stacks", []) if wish.take_over else []
        imports += stacks
        reason = "" if stacks else reason_to_leave_out(member, row.get("held", []))
        if reason:
            left_out[member.account] = reason
    meant = [m.account for m in accounts.members if m.account not in left_out]
    instances = _by_account(found.instances)
    there = [a for a in meant if is_there(a, wish.regions, instances.get(a, ()))]
    due = tuple(account for account in meant if account not in there)
    names = {m.name: m.account for m in accounts.members}
    canary = tuple(names.get(each, each) for each in wish.canary)
    for each in canary:
        if each not in meant:
            reason = left_out.get(each, "it is not among the accounts that are meant")
            raise UsageError(f"the canary {each} gets no stack: {reason}")
    chosen = {m.account for m in accounts.members}
    apart = [m.account for m in accounts.everyone if m.account not in chosen and not m.management]
    units = tuple(unit.id for unit in accounts.units) or (organizations.root(accounts.base.aws).id,)
    return Rollout(
        units=units,
        regions=wish.regions,
        due=due,
        canary=tuple(account for account in canary if account in due),
        left_out={**left_out, **dict.fromkeys(there, "")},
        excluded=tuple(
            sorted({*apart, *(a for a, reason in left_out.items() if reason)} - _management(accounts))
        ),
        # Those that have it are not touched again by a run that only does the rest.
        narrowed=wish.narrowed or bool(there),
        imports=tuple(imports),
    )


def _management(accounts: Accounts) -> set[str]:
    return {accounts.organisation.management} if accounts.organisation else set()


def roll_out(accounts: Accounts, found: Found, rollout: Rollout, more: Mapping[str, str | int]) -> None:
    """Import, then the canary, then the rest; a canary that failed ends it. Raises DdsetupError then."""
    place, made = found.place, found.made
    assert made is not None
    host = accounts.base.host
    for at in range(0, len(rollout.imports), stack_sets.IMPORTED_AT_ONCE):
        some = rollout.imports[at : at + stack_sets.IMPORTED_AT_ONCE]
        host.say(f"taking {len(some)} stacks into {place.name}")
        ended(accounts, place, stack_sets.import_stacks(place, made.id, rollout.units, some))
    preferences = {**_SIDE_BY_SIDE, **more}
    for name, targets in rollout.batches():
        host.say(f"{place.name}: {name} in {', '.join(targets.regions)}")
        sent = {"OperationPreferences": preferences}
        operation = stack_sets.start(place, made.id, "CreateStackInstances", targets, **sent)
        status, reason = ended(accounts, place, operation)
        if name == "canary" and status != "SUCCEEDED":
            said = "; ".join(_reasons(stack_sets.instances(place), rollout.canary)) or reason or status
            raise DdsetupError(f"the canary failed, and nothing else was begun: {said}")


def _reasons(instances: Sequence[Instance], accounts: Sequence[str]) -> list[str]:
    return [f"{i.account} {i.region}: {i.reason}" for i in instances if i.account in accounts and i.reason]


def ended(accounts: Accounts, place: Place, operation: str) -> tuple[str, str]:
    """Wait until an operation has ended; how, and why so. Ctrl-C leaves it to CloudFormation."""
    clock, pause = accounts.base.host.clock, _FIRST_PAUSE
    while True:
        status, reason = stack_sets.operation_status(place, operation)
        if not stack_sets.is_under_way(status):
            return status, reason
        clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def make_set(found: Found, template: Mapping[str, str], parameters: Mapping[str, str]) -> Found:
    """The set, made if it is not there yet, in an organisation that lets StackSets work."""
    if not found.trusted:
        stack_sets.allow_access(found.place)
    if found.made is not None:
        return found
    try:
        made = stack_sets.create_stack_set(found.place, template, parameters, OWN_TAGS)
    except Refused as error:
        if error.code != "NameAlreadyExistsException":
            raise
        # An attempt whose answer was lost made it.
        there = stack_sets.read_stack_set(found.place)
        if there is None or not made_by_us(there.tags):
            raise
        made = there.id
    return replace(found, made=Made(id=made, tags=OWN_TAGS), trusted=True)


def stacks_of(found: Found) -> tuple[Instance, ...]:
    """The stacks of the set as they are now; none if it is gone."""
    there = stack_sets.read_stack_set(found.place)
    return stack_sets.instances(found.place) if there is not None else ()


def take_back(accounts: Accounts, found: Found) -> None:
    """Delete the stacks of the set, and the set where all of them are gone."""
    place, made = found.place, found.made
    if made is None:
        return
    for retain in (True, False):
        # What never came to be is only struck off: there is nothing to delete, and no way in perhaps.
        some = [each for each in found.instances if bool(each.stack) is not retain]
        if not some:
            continue
        units = tuple(sorted({each.unit for each in some if each.unit}))
        targets = Targets(
            units=units or (organizations.root(accounts.base.aws).id,),
            regions=tuple(sorted({each.region for each in some})),
            accounts=tuple(sorted({each.account for each in some})),
            filter="INTERSECTION",
        )
        sent = {
            "RetainStacks": retain,
            "OperationPreferences": {**_SIDE_BY_SIDE, "FailureTolerancePercentage": 100},
        }
        ended(accounts, place, stack_sets.start(place, made.id, "DeleteStackInstances", targets, **sent))
    if not stack_sets.instances(place):
        stack_sets.delete_stack_set(place)


def _by_account(instances: Iterable[Instance]) -> Mapping[str, list[Instance]]:
    found: dict[str, list[Instance]] = {}
    for each in instances:
        found.setdefault(each.account, []).append(each)
    return found


def rows_of(
    accounts: Accounts, instances: Iterable[Instance], rollout: Rollout, *, planned: bool
) -> list[Row]:
    """A row for each account: what its stacks are like, or why it gets none."""
    by_account = _by_account(instances)
    return [
        {**head(m), **_row(m, by_account.get(m.account, []), rollout, planned=planned)}
        for m in accounts.members
    ]


def _row(member: Member, instances: Sequence[Instance], rollout: Rollout, *, planned: bool) -> Row:
    reason = rollout.left_out.get(member.account)
    if reason:
        return {"status": "left out", "reason": reason, "exit_code": 0}
    if reason == "" or is_there(member.account, rollout.regions, instances):
        status = "nothing to do" if planned or reason == "" else "done"
        return {"status": status, "text": f"stacks in {', '.join(rollout.regions)}", "exit_code": 0}
    if planned:
        first = ", with the canary" if member.account in rollout.canary else ""
        return {"status": "changes", "text": f"stacks in {', '.join(rollout.regions)}{first}", "exit_code": 0}
    failed = [each for each in instances if not each.there and each.reason]
    said = "; ".join(f"{each.region}: {each.reason}" for each in failed) or "not begun"
    return {"status": "failed" if failed else "not started", "reason": said, "exit_code": 1}
