"""How the logs of other services get to the Forwarder: its region, their log group, who subscribes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ddsetup.facts.filters import (
    MAX_FILTERS,
    OWN_PREFIX,
    Forwarders,
    classify,
    filter_resource,
    group_resource,
    own_name,
)
from ddsetup.facts.kinds import CHOSEN
from ddsetup.facts.ownership import owner_of
from ddsetup.facts.services import resource_of
from ddsetup.model.account import Integration, Lane, SubscriptionFilter, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Step
from ddsetup.model.services import Service
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import FilterState, LogGroupState
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.forwarder import stack_id
from ddsetup.plan.steps.forwarder_choice import Choice, choose
from ddsetup.plan.steps.subscriptions.conflicts import deletion
from ddsetup.plan.steps.wording import cannot_see

STEP = Step("sources")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is left alone, and what to do instead."""

    reason: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The Forwarder of a lane, as the logs of one source reach it. `sources` are those that Datadog already
    subscribes this Forwarder to by itself, `applied` is what earlier runs left in force."""

    lane: LaneSnapshot
    answers: Answers
    choice: Choice
    sources: tuple[str, ...] = ()
    applied: Mapping[ResourceId, Change] = field(default_factory=dict)

    @property
    def at(self) -> Lane:
        return self.lane.lane

    @property
    def automatic(self) -> bool:
        """Whether Datadog puts the subscription filters."""
        return self.answers.datadog_subscribes


def way_from(lane: Lane, snapshot: Snapshot, answers: Answers, used: Collection[Lane]) -> Way | Refusal:
    """The way from a lane; `used` are the lanes for which the plan has a Forwarder deployed."""
    choice = choose(lane, snapshot, answers)
    if choice.how == "unwanted":
        reason = "its logs travel through a Forwarder, and none is wanted"
        return Refusal(reason, "name one: --forwarder-arn ARN; or --via forwarder")
    if choice.how == "blocked":
        return Refusal(f"there is no Forwarder: {choice.reason}", choice.fix)
    if choice.how == "deploy" and lane not in used:
        reason = f"there is no Forwarder in {lane.region}, and no function is chosen there"
        return Refusal(reason, "choose a function there, too; or name a Forwarder: --forwarder-arn ARN")
    live = snapshot.accounts[lane.account].integration
    registered = isinstance(live, Integration) and choice.arn in live.lambdas
    return Way(
        lane=snapshot.lanes[lane],
        answers=answers,
        choice=choice,
        sources=live.sources if registered and isinstance(live, Integration) else (),
        applied=snapshot.applied or {},
    )


def left_to_its_owner(name: str, tags: Mapping[str, str] | Unreadable, answers: Answers) -> Refusal | None:
    """Whether a deployment tool owns it and shall keep it to itself."""
    if answers.changes_owned:
        return None
    if isinstance(tags, Unreadable):
        reason = f"its owner is unknown, as its tags cannot be read (needs {tags.action})"
        return Refusal(reason, "grant the permission, or use --owned change")
    owner = owner_of(name, tags)
    if owner is None:
        return None
    return Refusal(
        f"it is owned by {owner}, and --owned {answers.owned} leaves it alone",
        f"put its logging into {owner.tool}'s files, or use --owned change",
    )


def owner_note(name: str, tags: Mapping[str, str] | Unreadable) -> str:
    """That a deployment tool takes a change back, or that it is unknown whether one does; else empty."""
    if isinstance(tags, Unreadable):
        return "its tags cannot be read, so whether a deployment tool owns it is unknown"
    owner = owner_of(name, tags)
    if owner is None:
        return ""
    return f"{'owned' if owner.sure else 'probably owned'} by {owner}, whose next deploy takes this back"


def _group_arn(name: str, lane: Lane, partition: str) -> str:
    """The ARN of a log group, without the `:*` that some services end it with."""
    return f"arn:{partition}:logs:{lane.region}:{lane.account}:log-group:{name}"


def _made_group(name: str, way: Way) -> Plan | Refusal:
    """The creation of a log group unless it is there, or why it will not do."""
    groups = way.lane.log_groups
    if isinstance(groups, Unreadable):
        return Refusal(cannot_see("which log groups exist", groups), "grant the permission, then again")
    found = groups.get(name)
    if found is not None and found.log_class != "STANDARD":
        return Refusal(
            f"the class {found.log_class} of its log group {name} has no subscription filters",
            "have it log to a log group of class STANDARD",
        )
    if found is not None:
        return Plan()
    return STEP.change(
        group_resource(name, way.at),
        None,
        LogGroupState(name=name, tags=dict(way.answers.resource_tags)),
        "there must be somewhere to log to",
        note="it never expires unless you set a retention",
    )


def _subscribed(name: str, source: str, way: Way, made: Plan) -> Plan | Refusal:
    """The subscription of a log group where ddsetup puts it; `made` holds its creation, if it is new."""
    filters = () if made.changes else way.lane.filters.get(name, ())
    if way.automatic:
        return Plan() if isinstance(filters, Unreadable) else _handed_over(filters, way)
    if way.answers.subscribe in ("none", "account") or source in way.sources:
        return Plan()
    if isinstance(filters, Unreadable):
        return Refusal(
            cannot_see("the filters of its log group", filters), "grant the permission, then again"
        )
    arn = way.choice.arn
    assert arn is not None
    if any(found.destination_arn == arn for found in filters):
        return Plan()
    refusal = _in_the_way(name, filters, way)
    if refusal:
        return refusal
    own = own_name(arn)
    stacks = (stack_id(way.at, way.answers.forwarder_stack),) if way.choice.how == "deploy" else ()
    return STEP.change(
        filter_resource(name, own, way.at),
        None,
        FilterState(log_group=name, name=own, destination_arn=arn),
        "the Forwarder gets what is logged",
        needs=(*stacks, *(made.resource for made in made.changes)),
    )


def _handed_over(filters: Sequence[SubscriptionFilter], way: Way) -> Plan:
    """Filters that ddsetup put itself go when Datadog subscribes the source."""
    why = "Datadog puts a filter of its own; with both every line would be sent twice"
    mine = [f for f in filters if f.name.startswith(OWN_PREFIX) and f.destination_arn == way.choice.arn]
    gone = (deletion(found, way.at, why) for found in mine)
    return Plan(changes=tuple(replace(each, step=STEP, needs=_waits_for(way)) for each in gone))


def _waits_for(way: Way) -> tuple[ResourceId, ...]:
    """What must be in place before something begins to log: nobody would send on what it logs before."""
    if way.automatic:
        return (collection_id(way.at.account),)
    return (stack_id(way.at, way.answers.forwarder_stack),) if way.choice.how == "deploy" else ()


def _in_the_way(name: str, filters: tuple[SubscriptionFilter, ...], way: Way) -> Refusal | None:
    forwarders = Forwarders.among(way.choice.arn, way.lane.forwarders)
    for found in filters:
        if classify(found, forwarders) != "foreign":
            reason = (
                f"its log group {name} leads to Datadog already, by {found.name} to {found.destination_arn}"
            )
            return Refusal(reason, "take that filter out, or leave it as it is")
    if len(filters) >= MAX_FILTERS:
        reason = f"its log group {name} has two subscription filters already, which is AWS's limit"
        return Refusal(reason, "take one of them out, then again")
    return None


@dataclass(frozen=True, slots=True)
class Planner:
    """How those of one kind are planned: why nothing is changed about one, which may depend on the partition;
    else its change, given the ARN of its log group, or that it is as it shall be."""

    refusal: Callable[[Any, Way, str], Refusal | None]
    change: Callable[[Any, Way, str], Plan]

    def plan(self, each: Service, way: Way | Refusal, partition: str) -> Plan:
        """What is changed about one, with its log group and what subscribes it, or why it is left alone."""
        found = way if isinstance(way, Refusal) else self._planned(each, way, partition)
        return found if isinstance(found, Plan) else STEP.skip(resource_of(each), found.reason, found.fix)

    def _planned(self, each: Service, way: Way, partition: str) -> Plan | Refusal:
        made = self.refusal(each, way, partition) or _made_group(each.group, way)
        if isinstance(made, Refusal):
            return made
        filters = _subscribed(each.group, CHOSEN[each.KIND].sources[0], way, made)
        if isinstance(filters, Refusal):
            return filters
        planned = self.change(each, way, _group_arn(each.group, way.at, partition))
        needs = (*(change.resource for change in made.changes), *_waits_for(way))
        changes = tuple(replace(change, needs=needs) for change in planned.changes)
        return made + filters + replace(planned, changes=changes)
