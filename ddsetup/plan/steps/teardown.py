"""Take down everything of Datadog's that a setup makes, whoever made it, as the account shows it.

In the order that leaves nothing without what it stands on: functions, filters, registration, Forwarder,
secret, record and role. What ddsetup did not make is named and left; the record of earlier runs, where there
is one, tells what was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from ddsetup.facts.catalog import KEY_VARIABLES
from ddsetup.facts.filters import AUTOMATIC_PREFIX, OWN_PREFIX, group_of
from ddsetup.facts.kinds import CHOSEN
from ddsetup.facts.ownership import MARKER
from ddsetup.facts.recognise import has_datadog
from ddsetup.model.account import Function, Lane, LogGroup, Unreadable
from ddsetup.model.answers import Answers, Part
from ddsetup.model.change import Change, Plan, ResourceId, Skipped, Step
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FilterState
from ddsetup.plan.steps import teardown_foundation as foundation
from ddsetup.plan.steps.forwarder_stack import ARN_OUTPUT
from ddsetup.plan.steps.instrument.key_access import revocations
from ddsetup.plan.steps.instrument.subject import function_resource, subject_of
from ddsetup.plan.steps.instrument.workload_identity import mappings_that_go
from ddsetup.plan.steps.subscriptions.groups import can_have_filters, log_group_of
from ddsetup.plan.steps.uninstrument import filters_out, functions_out, policies_out
from ddsetup.plan.steps.wording import listed

STEP = Step("teardown")
PARTS: tuple[Part, ...] = get_args(Part)
STANDS_ON: Mapping[Part, tuple[Part, ...]] = {
    "functions": ("filters", "policies", "secret"),
    "filters": ("forwarder",),
    "policies": ("secret",),
    "collection": ("forwarder", "integration"),
    "forwarder": ("secret",),
    "secret": (),
    "integration": ("role",),
    "role": (),
}
"""What a part that is kept needs to work: that is kept with it."""
_BY_RECORD = ("alias", *CHOSEN, "log_group", "subscription_filter", "account_policy")
"""Kinds of which only the record of earlier runs tells what ddsetup did to them."""


@dataclass(frozen=True, slots=True)
class _Down:
    """What is there, and the parts of it that stay."""

    snapshot: Snapshot
    answers: Answers
    kept: frozenset[Part]


def kept_parts(keep: Iterable[Part]) -> frozenset[Part]:
    """The parts that stay: those named, and what they stand on."""
    found: set[Part] = set()
    left = list(keep)
    while left:
        part = left.pop()
        if part not in found:
            found.add(part)
            left += STANDS_ON[part]
    return frozenset(found)


def plan(snapshot: Snapshot, answers: Answers, keep: Iterable[Part] = ()) -> Plan:
    """All that goes, and all that stays with the reason."""
    down = _Down(snapshot, answers, kept_parts(keep))
    functions, leaving = _functions(down)
    policies, said = ((), ()) if "policies" in down.kept else revocations(leaving, snapshot, STEP)
    policies = (*policies, *mappings_that_go(leaving, snapshot, STEP).changes)
    work = functions + Plan(changes=policies, warnings=said) + _filters(down)
    work += _by_record(down, work)
    first = tuple(dict.fromkeys(change.resource for change in work.changes))
    rest = foundation.plan(snapshot, answers, down.kept, first)
    done = work + rest
    return Plan(
        changes=tuple(replace(change, step=STEP) for change in done.changes),
        skipped=tuple(replace(skipped, step=STEP) for skipped in (*done.skipped, *_kept(down))),
        warnings=tuple(dict.fromkeys((*done.warnings, *_left_sending(down, leaving), *_left_hanging(down)))),
    )


def groups_to_read(snapshot: Snapshot) -> Mapping[Lane, tuple[str, ...]]:
    """The log groups whose filters must be known: of every function, and those that the record names."""
    wanted: dict[Lane, dict[str, None]] = {}
    for function in snapshot.functions():
        wanted.setdefault(function.lane, {})[log_group_of(function)] = None
    for resource in snapshot.applied or {}:
        lane = Lane(resource.account, resource.region)
        if resource.kind == FilterState.KIND and lane in snapshot.lanes:
            wanted.setdefault(lane, {})[group_of(resource)] = None
    return {
        lane: tuple(group for group in groups if can_have_filters(snapshot.lanes[lane], group))
        for lane, groups in sorted(wanted.items())
    }


def carrying(snapshot: Snapshot) -> tuple[Function, ...]:
    """The functions that carry anything of Datadog's, or of which the record says so."""
    applied = snapshot.applied or {}
    named = {resource.id for resource in applied if resource.kind in ("function", "function_tags")}
    return tuple(
        function
        for function in snapshot.functions()
        if has_datadog(function)
        or function.arn in named
        or MARKER in snapshot.lanes[function.lane].tags_of(function)
        or any(name in KEY_VARIABLES for name in function.env or {})
    )


def _functions(down: _Down) -> tuple[Plan, tuple[Function, ...]]:
    if "functions" in down.kept:
        return Plan(), ()
    subjects = (subject_of(f, down.snapshot, down.answers) for f in carrying(down.snapshot))
    return functions_out(
        down.snapshot, down.answers, tuple(s.function for s in subjects if not s.datadogs_own)
    )


def _filters(down: _Down) -> Plan:
    """Filters of ours, by name; those that Datadog put go with the registration."""
    if "filters" in down.kept:
        return Plan()
    lanes = () if "collection" in down.kept else tuple(down.snapshot.lanes)
    every = down.snapshot.functions()
    filters = filters_out(down.snapshot, down.answers, every, lanes)
    leaving = () if "functions" in down.kept else tuple(map(function_resource, carrying(down.snapshot)))
    return filters + policies_out(down.snapshot, down.snapshot.lanes, leaving)


def _by_record(down: _Down, work: Plan) -> Plan:
    """What only the record tells: filters that were replaced come back, log groups that were made go, and
    aliases, state machines and stages of APIs are as they were."""
    changes: list[Change] = []
    present = {change.resource for change in work.changes}
    leaving = _by_group(work.changes)
    for resource, applied in sorted((down.snapshot.applied or {}).items()):
        lane = Lane(resource.account, resource.region)
        if resource.kind not in _BY_RECORD or resource in present or lane not in down.snapshot.lanes:
            continue
        if ("functions" if resource.kind == "alias" else "filters") in down.kept:
            continue
        if resource.kind == FilterState.KIND and _as_before(down.snapshot, resource, applied):
            continue
        needs = leaving.get((lane, group_of(resource)), ())
        changes.append(replace(applied.inverse(), why="as it was before ddsetup came", needs=needs))
    return Plan(changes=tuple(changes))


def _by_group(changes: Iterable[Change]) -> Mapping[tuple[Lane, str], tuple[ResourceId, ...]]:
    """The filters that go, by log group: what comes back to it, or the group's own end, waits for them."""
    found: dict[tuple[Lane, str], list[ResourceId]] = {}
    for change in changes:
        if change.resource.kind == FilterState.KIND:
            place = Lane(change.resource.account, change.resource.region)
            found.setdefault((place, group_of(change.resource)), []).append(change.resource)
    return {place: tuple(resources) for place, resources in found.items()}


def _as_before(snapshot: Snapshot, resource: ResourceId, applied: Change) -> bool:
    """Whether a filter is there, or not, as it was before."""
    lane = snapshot.lanes[Lane(resource.account, resource.region)]
    group, _, name = resource.id.partition(":")
    groups = lane.log_groups
    if not isinstance(groups, Unreadable) and not isinstance(groups.get(group), LogGroup):
        return True
    held = lane.filters.get(group, ())
    there = not isinstance(held, Unreadable) and any(found.name == name for found in held)
    return there == (applied.before is not None)


def _kept(down: _Down) -> tuple[Skipped, ...]:
    if not down.kept:
        return ()
    account = next(iter(down.snapshot.accounts), "")
    return tuple(
        Skipped(resource=ResourceId("part", part, "", account), status="unchanged", reason="kept, as asked")
        for part in PARTS
        if part in down.kept
    )


def _left_sending(down: _Down, leaving: Collection[Function]) -> tuple[str, ...]:
    """Functions that keep Datadog although what they send to goes."""
    if "functions" in down.kept:
        return ()
    gone = {function.arn for function in leaving}
    own = [
        f.arn
        for lane in down.snapshot.lanes.values()
        if not isinstance(lane.forwarders, Unreadable)
        for f in lane.forwarders
    ]
    left = [
        f.name for f in down.snapshot.functions() if has_datadog(f) and f.arn not in gone and f.arn not in own
    ]
    if not left:
        return ()
    return (f"keep Datadog, and have nothing to send to afterwards: {listed(left)} (see their lines)",)


def _left_hanging(down: _Down) -> tuple[str, ...]:
    """Filters to a Forwarder that goes, which neither ddsetup nor Datadog put: they are left, and named."""
    if "forwarder" in down.kept:
        return ()
    ours = {stack.outputs.get(ARN_OUTPUT) for stack in foundation.own_stacks(down.snapshot)}
    left = [
        f"{group}:{found.name}"
        for lane in down.snapshot.lanes.values()
        for group, filters in lane.filters.items()
        if not isinstance(filters, Unreadable)
        for found in filters
        if found.destination_arn in ours and not found.name.startswith((OWN_PREFIX, AUTOMATIC_PREFIX))
    ]
    return (f"stay, and lead to a Forwarder that is gone then: {listed(left)}",) if left else ()
