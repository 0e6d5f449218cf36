"""Which log groups matter: those that the selected functions write to, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ddsetup.facts.account_policies import FilterPolicy, policies_of, policy_to
from ddsetup.facts.filters import OWN_PREFIX, Forwarders
from ddsetup.facts.ownership import leaves_alone
from ddsetup.facts.recognise import extension_ships_logs
from ddsetup.model.account import Function, Integration, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import ResourceId
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import FilterState, LogCollectionState
from ddsetup.plan.steps import collection
from ddsetup.plan.steps.forwarder import stack_id
from ddsetup.plan.steps.forwarder_choice import Choice, choose
from ddsetup.plan.steps.instrument.function import instrument
from ddsetup.plan.steps.instrument.subject import Refusal, Subject, subject_of


@dataclass(frozen=True, slots=True)
class Group:
    """A log group with the selected functions that write to it.

    `through_extension` are those of them whose logs reach Datadog without it.
    """

    name: str
    functions: tuple[Function, ...] = ()
    through_extension: tuple[Function, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One lane with all that its subscriptions depend on.

    `registered` are the Forwarders in the account's log collection, `unreadable` is why they are not known.
    `triggered`: Datadog subscribes our Forwarder to Lambda's log groups by itself, or will after this run.
    `policies` are the account's, as far as they can be read; `policy` is the one that leads to our Forwarder
    already.
    `leaving` are Forwarders that leave log collection in it, and Datadog's filters with them. `recorded` are
    the log groups that earlier runs led to our Forwarder; `been_here`: something tells that filters of
    ddsetup's are, or were, in the region. `shipped` are log groups all of whose lines the Extension sends, or
    will after this run, where that matters. `run` is what makes a name one of this run's own.
    """

    lane: LaneSnapshot
    answers: Answers
    choice: Choice
    forwarders: Forwarders
    registered: tuple[str, ...] = ()
    unreadable: Unreadable | None = None
    triggered: bool = False
    policies: tuple[FilterPolicy, ...] = ()
    policy: FilterPolicy | None = None
    leaving: tuple[str, ...] = ()
    own_groups: frozenset[str] = field(default_factory=frozenset)
    recorded: frozenset[str] = field(default_factory=frozenset)
    shipped: frozenset[str] = field(default_factory=frozenset)
    been_here: bool = False
    run: str = ""

    @property
    def at(self) -> Lane:
        return self.lane.lane


def log_group_of(function: Function) -> str:
    """The function's log group: its own setting, or Lambda's default."""
    return function.log_group or f"/aws/lambda/{function.name}"


def regions(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Iterable[tuple[Region, tuple[Group, ...]]]:
    """Every lane with groups that matter, in its surroundings."""
    registering, replaced = _registrations(snapshot, answers, selected)
    leaving = collection.leaving(snapshot, answers, selected)
    for lane, groups in groups_by_lane(snapshot, answers, selected).items():
        region = _region(lane, snapshot, answers, registering)
        gone = (*leaving.get(lane, ()), *(arn for arn in region.registered if arn in replaced))
        triggered = region.triggered and region.choice.arn not in gone
        shipped = _shipped(region.lane, groups, snapshot, answers) if answers.streams_logs else frozenset()
        yield replace(region, leaving=gone, triggered=triggered, shipped=shipped), groups


def _shipped(
    lane: LaneSnapshot, groups: Iterable[Group], snapshot: Snapshot, answers: Answers
) -> frozenset[str]:
    """Not a log group to which a function without the Extension writes, too: its lines must not be lost."""
    chosen = {function.arn for group in groups for function in group.through_extension}
    sends: dict[str, bool] = {}
    for function in () if isinstance(lane.functions, Unreadable) else lane.functions:
        done = function.arn in chosen and not isinstance(
            instrument(subject_of(function, snapshot, answers)), Refusal
        )
        name = log_group_of(function)
        sends[name] = sends.get(name, True) and (done or extension_ships_logs(function))
    return frozenset(name for name, every in sends.items() if every)


def _registrations(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> tuple[frozenset[str], frozenset[str]]:
    """The Forwarders that the same run adds to log collection, and those it takes out to register another."""
    added: set[str] = set()
    replaced: set[str] = set()
    for change in collection.plan(snapshot, answers, selected).changes:
        before, after = change.before, change.after
        if isinstance(after, LogCollectionState):
            added.update(after.lambdas)
            if isinstance(before, LogCollectionState):
                replaced.update(set(before.lambdas) - set(after.lambdas))
    return frozenset(added), frozenset(replaced)


def _region(lane: Lane, snapshot: Snapshot, answers: Answers, registering: frozenset[str]) -> Region:
    held = snapshot.lanes[lane]
    choice = choose(lane, snapshot, answers)
    forwarders = Forwarders.among(choice.arn, held.forwarders)
    integration = snapshot.accounts[lane.account].integration
    registered: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    put = filters_put(lane, snapshot)
    if isinstance(integration, Integration):
        registered, sources = integration.lambdas, integration.sources
    return Region(
        lane=held,
        answers=answers,
        choice=choice,
        forwarders=forwarders,
        registered=registered,
        unreadable=integration if isinstance(integration, Unreadable) else None,
        triggered=("lambda" in sources and choice.arn in registered) or choice.arn in registering,
        policies=policies_of(held.account_filter_policies),
        policy=policy_to(choice.arn, held.account_filter_policies),
        own_groups=frozenset(_own_groups(held, {*forwarders.others, choice.arn})),
        recorded=frozenset(group for group, leads_to in put.items() if leads_to == choice.arn),
        been_here=bool(put) or seen_here(held),
        run=hashlib.sha256(snapshot.at.isoformat().encode()).hexdigest()[:6],
    )


def filters_put(lane: Lane, snapshot: Snapshot) -> Mapping[str, str]:
    """Where the filters of ddsetup's lead that earlier runs put here and that are in force, by log group."""
    return {group: state.destination_arn for group, state in recorded_filters(lane, snapshot).items()}


def recorded_filters(lane: Lane, snapshot: Snapshot) -> Mapping[str, FilterState]:
    """The filters of ddsetup's that earlier runs put here and that are in force, by log group."""
    states = [
        change.after
        for resource, change in (snapshot.applied or {}).items()
        if (resource.account, resource.region) == (lane.account, lane.region)
    ]
    return {
        state.log_group: state
        for state in states
        if isinstance(state, FilterState) and state.name.startswith(OWN_PREFIX)
    }


def seen_here(lane: LaneSnapshot) -> bool:
    """Whether CloudWatch saw a filter of ddsetup's at work."""
    seen = lane.delivered if isinstance(lane.delivered, Mapping) else {}
    return any(name.startswith(OWN_PREFIX) for names in seen.values() for name in names)


def stands_on(region: Region) -> tuple[ResourceId, ...]:
    """What a way to our Forwarder needs: its stack, and what makes Datadog put a filter."""
    deployed = region.choice.how == "deploy"
    stacks = (stack_id(region.at, region.answers.forwarder_stack),) if deployed else ()
    first = region.answers.datadog_subscribes or bool(region.leaving)
    return (*stacks, *((collection.collection_id(region.at.account),) if first else ()))


def groups_by_lane(
    snapshot: Snapshot, answers: Answers, selected: Iterable[Function]
) -> Mapping[Lane, tuple[Group, ...]]:
    """The log groups of the selected functions, each once, in the order of lanes and names."""
    found: dict[Lane, dict[str, Group]] = {}
    for function in selected:
        subject = subject_of(function, snapshot, answers)
        if not _takes_part(subject):
            continue
        name = log_group_of(function)
        group = found.setdefault(function.lane, {}).get(name, Group(name))
        if _stays_with_extension(subject):
            group = Group(name, group.functions, (*group.through_extension, function))
        else:
            group = Group(name, (*group.functions, function), group.through_extension)
        found[function.lane][name] = group
    return {lane: tuple(found[lane][name] for name in sorted(found[lane])) for lane in sorted(found)}


def can_have_filters(lane: LaneSnapshot, group: str) -> bool:
    """Whether the group exists and is of a class with filters; False also where groups cannot be read."""
    if isinstance(lane.log_groups, Unreadable):
        return False
    found = lane.log_groups.get(group)
    return found is not None and found.log_class == "STANDARD"


def _takes_part(subject: Subject) -> bool:
    if subject.datadogs_own or subject.edge:
        return False
    unknown = isinstance(subject.lane.tags, Unreadable)
    if subject.owner is not None:
        return not leaves_alone(subject.answers, subject.owner)
    return subject.answers.changes_owned or not unknown


def _stays_with_extension(subject: Subject) -> bool:
    if subject.extension:
        return True
    return extension_ships_logs(subject.function) and isinstance(instrument(subject), Refusal)


def _own_groups(lane: LaneSnapshot, forwarders: set[str | None]) -> Iterable[str]:
    """The log groups of Forwarders: subscribed to themselves they would never stop."""
    yield from (f"/aws/lambda/{arn.rsplit(':', 1)[-1]}" for arn in forwarders if arn)
    if not isinstance(lane.functions, Unreadable):
        yield from (log_group_of(f) for f in lane.functions if f.arn in forwarders)
