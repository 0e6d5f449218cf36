"""A StackSet brings the Forwarder, or the role that leads into it, into each account of an organisation.

CloudFormation does it, and goes on with it when this process is gone. What is left to do is told from the set
itself, so a run that was killed is begun again: it waits for what is under way, and does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ddsetup.flow.call import Call
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, across, check_whole, head
from ddsetup.flow.organisation.stack_set import Found, by_account, ended
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.preparing import look
from ddsetup.gateways.aws import organizations, stack_sets, stacks
from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.errors import DdsetupError, UsageError
from ddsetup.model.organisation import Instance, Member, Targets
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.observe.in_bulk import GLANCE
from ddsetup.plan.rollout import (
    NAMES,
    Rollout,
    is_there,
    not_importable,
    reason_to_leave_out,
    stays,
    was_before,
)
from ddsetup.plan.steps.forwarder_stack import function_name, is_forwarder_stack

_SIDE_BY_SIDE: Mapping[str, str | int] = {
    "RegionConcurrencyType": "PARALLEL",
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    "MaxConcurrentPercentage": 100,
}


def forwarders_held(call: Call, accounts: Accounts, answers: Answers) -> dict[str, Row]:
    """By account what it has of Forwarders (`held`), where that cannot be seen (`untold`), the stacks that
    can be taken into the set, and why others cannot (`unfit`). Raises Interrupted."""
    due = [m for m in accounts.members if m.active and not m.management]
    importing = bool(call.value("take_over"))

    def looked(session: Session, _member: Member) -> Row:
        snapshot = look(session, fields=GLANCE)
        fit, unfit = _importable(session, snapshot, answers) if importing else ([], [])
        held = {"held": _held(snapshot), "untold": _untold(snapshot), "stacks": fit, "unfit": unfit}
        return {"status": "ok", "exit_code": 0, "text": "looked at", **held}

    rows = {row["account"]: row for row in across(call, accounts, due, looked)}
    check_whole(accounts, "nothing was changed")
    return rows


def _held(snapshot: Snapshot) -> list[str]:
    return [
        f"{forwarder.name} ({lane.region})"
        for lane, seen in sorted(snapshot.lanes.items())
        if not isinstance(seen.forwarders, Unreadable)
        for forwarder in seen.forwarders
        if not (forwarder.stack or "").startswith(f"StackSet-{NAMES['forwarder']}-")
    ]


def _untold(snapshot: Snapshot) -> list[str]:
    """Where nobody can tell whether there is a Forwarder. In a region that is not enabled there is none."""
    return [
        f"{lane.region}: {seen.forwarders.reason}"
        for lane, seen in sorted(snapshot.lanes.items())
        if isinstance(seen.forwarders, Unreadable) and not seen.forwarders.region_off
    ]


def _importable(session: Session, snapshot: Snapshot, answers: Answers) -> tuple[list[str], list[str]]:
    """The ids of the stacks of Forwarders that can be taken into a set, and why the others cannot."""
    fit, unfit = list[str](), list[str]()
    for _, seen in sorted(snapshot.lanes.items()):
        for stack in _forwarder_stacks(seen, answers):
            hidden = stacks.hidden_parameters(session.aws, seen.lane, StackName=stack.stack_id)
            reason = not_importable(stack, function_name(answers), hidden)
            if reason:
                unfit.append(f"stack {stack.name} ({seen.lane.region}): {reason}")
            else:
                fit.append(stack.stack_id)
    return fit, unfit


def _forwarder_stacks(seen: LaneSnapshot, answers: Answers) -> Iterable[Stack]:
    if not isinstance(seen.stacks, Unreadable):
        yield from (s for s in seen.stacks if s.name == answers.forwarder_stack and is_forwarder_stack(s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`canary` are numbers or names of accounts that come first; `narrowed` as in `Rollout`. `renewed`: the
    stacks that are there get another template."""

    regions: tuple[str, ...]
    canary: tuple[str, ...] = ()
    narrowed: bool = False
    renewed: bool = False


def plan_rollout(accounts: Accounts, found: Found, held: Mapping[str, Row], wish: Wish) -> Rollout:
    """What is to be done. Raises UsageError for a canary that gets nothing."""
    instances = by_account(found.instances)
    in_set = {each.stack for each in found.instances if each.there}
    left_out: dict[str, str] = {}
    there: list[str] = []
    imports: list[str] = []
    for member in accounts.members:
        row = held.get(member.account, {})
        stacks = [stack for stack in row.get("stacks", ()) if stack not in in_set]
        has_it = is_there(member.account, wish.regions, instances.get(member.account, ()))
        beside = {} if has_it or stacks else row
        others = (*beside.get("held", ()), *beside.get("unfit", ()))
        if reason := reason_to_leave_out(member, others, beside.get("untold", ())):
            left_out[member.account] = reason
        elif has_it:
            there.append(member.account)
        else:
            imports += stacks
    due = tuple(m.account for m in accounts.members if m.account not in (*left_out, *there))
    chosen = {m.account for m in accounts.members}
    apart = [m.account for m in accounts.everyone if m.account not in chosen]
    units = tuple(unit.id for unit in accounts.units) or (organizations.root(accounts.base.aws).id,)
    return Rollout(
        units=units,
        regions=wish.regions,
        due=due,
        canary=_canary(accounts, wish, (*due, *there), left_out),
        there=tuple(there),
        left_out=left_out,
        excluded=tuple(sorted({*apart, *left_out} - _management(accounts))),
        # Those that have it are not touched again by a run that only does the rest.
        narrowed=wish.narrowed or bool(there),
        imports=tuple(imports),
        renewed=wish.renewed,
        automated=not wish.narrowed and found.made is not None and not found.made.automatic,
    )


def _canary(
    accounts: Accounts, wish: Wish, meant: Sequence[str], left_out: Mapping[str, str]
) -> tuple[str, ...]:
    names = {m.name: m.account for m in accounts.members}
    canary = tuple(names.get(each, each) for each in wish.canary)
    for each in canary:
        if each not in meant:
            reason = left_out.get(each, "it is not among the accounts that are meant")
            raise UsageError(f"the canary {each} gets no stack: {reason}")
    return canary


def _management(accounts: Accounts) -> set[str]:
    return {accounts.organisation.management} if accounts.organisation else set()


def roll_out(
    accounts: Accounts, found: Found, rollout: Rollout, template: Mapping[str, str], tolerance: int
) -> Mapping[str, str]:
    """Import, then the canary, then the rest, and what is to be renewed; by account why its stack could not
    be imported. A canary that failed ends it. Raises DdsetupError then."""
    place, made = found.place, found.made
    assert made is not None
    host = accounts.base.host
    lost = _import(accounts, found, rollout)
    rollout = rollout.without({*lost, *_taken(place, rollout)})
    sent = {"OperationPreferences": {**_SIDE_BY_SIDE, "FailureTolerancePercentage": tolerance}}
    for name, targets in rollout.batches():
        host.say(f"{place.name}: {name} in {', '.join(targets.regions)}")
        operation = stack_sets.start(place, made.id, "CreateStackInstances", targets, **sent)
        status, reason = ended(accounts, place, operation)
        if name == "canary" and status != "SUCCEEDED":
            said = "; ".join(_reasons(stack_sets.instances(place), rollout.canary)) or reason or status
            raise DdsetupError(f"the canary failed, and nothing else was begun: {said}")
    if rollout.renewed or rollout.automated:
        what = "its template, in all accounts that have it" if rollout.renewed else "also in later accounts"
        host.say(f"{place.name}: {what}")
        given, automatic = template if rollout.renewed else {}, rollout.automated
        ended(accounts, place, stack_sets.update_stack_set(place, made, given, automatic=automatic, **sent))
    return lost


def _taken(place: stack_sets.Place, rollout: Rollout) -> list[str]:
    """The accounts that have all that they are to get by what was imported, which is left as it is."""
    if not rollout.imports:
        return []
    there = stack_sets.instances(place)
    return [account for account in rollout.due if is_there(account, rollout.regions, there)]


def _import(accounts: Accounts, found: Found, rollout: Rollout) -> Mapping[str, str]:
    """Take the stacks that are there into the set; by account, why those of others could not be.

    These are struck off the set, and stay as they were: nothing of the set shall ever delete them.
    """
    place, made = found.place, found.made
    assert made is not None
    if rollout.imports and made.automatic and not made.retains:
        host = accounts.base.host
        host.say(f"{place.name}: an account that leaves its unit keeps its stack, as some were there before")
        keeping = replace(made, retains=True)
        ended(accounts, place, stack_sets.update_stack_set(place, keeping, {}, automatic=True))
    for at in range(0, len(rollout.imports), stack_sets.IMPORTED_AT_ONCE):
        some = rollout.imports[at : at + stack_sets.IMPORTED_AT_ONCE]
        accounts.base.host.say(f"taking {len(some)} stacks into {place.name}")
        ended(accounts, place, stack_sets.import_stacks(place, made.id, rollout.units, some))
    if not rollout.imports:
        return {}
    wanted = set(rollout.imports)
    lost = [each for each in stack_sets.instances(place) if each.stack in wanted and not each.there]
    _strike_off(accounts, found, lost)
    return {each.account: f"its stack could not be taken in: {each.reason or each.detail}" for each in lost}


def _reasons(instances: Sequence[Instance], accounts: Sequence[str]) -> list[str]:
    return [f"{i.account} {i.region}: {i.reason}" for i in instances if i.account in accounts and i.reason]


def take_back(accounts: Accounts, found: Found) -> None:
    """Delete the stacks of the set, but those that were taken into it; and the set with its last stack.

    Where one of those could not be struck off nothing is deleted: all regions of an account go together.
    """
    if found.made is None:
        return
    name = found.place.name
    staying = [each for each in found.instances if stays(each, name)]
    _strike_off(accounts, found, staying)
    held: set[str] = set()
    if any(was_before(each, name) for each in staying):
        held = {each.account for each in stack_sets.instances(found.place) if was_before(each, name)}
    going = [each for each in found.instances if not stays(each, name) and each.account not in held]
    _delete(accounts, found, going)
    if not stack_sets.instances(found.place):
        stack_sets.delete_stack_set(found.place)


def _strike_off(accounts: Accounts, found: Found, instances: Sequence[Instance]) -> None:
    """Take these out of the set, and leave their stacks: region by region, as what is of the set in other
    regions of an account is meant to go."""
    for region in sorted({each.region for each in instances}):
        _delete(accounts, found, [each for each in instances if each.region == region], retain=True)


def _delete(accounts: Accounts, found: Found, instances: Sequence[Instance], *, retain: bool = False) -> None:
    """Take these out of the set, and delete their stacks unless they are to be retained."""
    place, made = found.place, found.made
    if not instances or made is None:
        return
    units = tuple(sorted({each.unit for each in instances if each.unit}))
    targets = Targets(
        units=units or (organizations.root(accounts.base.aws).id,),
        regions=tuple(sorted({each.region for each in instances})),
        accounts=tuple(sorted({each.account for each in instances})),
        filter="INTERSECTION",
    )
    sent = {
        "RetainStacks": retain,
        "OperationPreferences": {**_SIDE_BY_SIDE, "FailureTolerancePercentage": 100},
    }
    ended(accounts, place, stack_sets.start(place, made.id, "DeleteStackInstances", targets, **sent))


def planned_rows(accounts: Accounts, rollout: Rollout) -> list[Row]:
    """A row for each account: what it is to get, or why nothing."""
    return [{**head(m), **_planned(m, rollout)} for m in accounts.members]


def _planned(member: Member, rollout: Rollout) -> Row:
    where = f"stacks in {', '.join(rollout.regions)}"
    if member.account in rollout.left_out:
        return {"status": "left out", "reason": rollout.left_out[member.account], "exit_code": 0}
    if member.account in rollout.there:
        if rollout.renewed:
            return {"status": "changes", "text": "its stack gets another template", "exit_code": 0}
        return {"status": "nothing to do", "text": where, "exit_code": 0}
    imported = sum(f":{member.account}:" in stack for stack in rollout.imports)
    taken = f", {imported} of them taken in as they are" if imported else ""
    first = ", with the canary" if member.account in rollout.canary else ""
    return {"status": "changes", "text": where + taken + first, "exit_code": 0}


def done_rows(
    accounts: Accounts, instances: Iterable[Instance], rollout: Rollout, lost: Mapping[str, str]
) -> list[Row]:
    """A row for each account: what became of its stacks, those that were `lost` at the import among them."""
    of = by_account(instances)
    return [
        {**head(m), **_done(m, of.get(m.account, []), rollout, lost.get(m.account, ""))}
        for m in accounts.members
    ]


def _done(member: Member, instances: Sequence[Instance], rollout: Rollout, lost: str) -> Row:
    if lost:
        return {"status": "failed", "reason": lost, "exit_code": 1}
    if member.account in rollout.left_out or (member.account in rollout.there and not rollout.renewed):
        return _planned(member, rollout)
    if is_there(member.account, rollout.regions, instances):
        return {"status": "done", "text": f"stacks in {', '.join(rollout.regions)}", "exit_code": 0}
    failed = [each for each in instances if not each.there and each.reason]
    said = "; ".join(f"{each.region}: {each.reason}" for each in failed) or "not begun"
    return {"status": "failed" if failed else "not started", "reason": said, "exit_code": 1}
