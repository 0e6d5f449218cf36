"""One policy for all log groups of an account and region, instead of filters: `--subscribe account`.

It counts beside the filters of a group, so none of those is in its way; it also takes in groups that nobody
chose, and every one that is made later, which the plan says.
"""

from __future__ import annotations

from dataclasses import replace

from ddsetup.facts.account_policies import (
    MOST_SELECTION,
    FilterPolicy,
    policy_resource,
    wanted_policy,
)
from ddsetup.facts.filters import own_name
from ddsetup.facts.firehose import is_stream
from ddsetup.facts.recognise import has_datadog, has_extension
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Change, Plan, ResourceId
from ddsetup.plan.steps.collection import collection_id
from ddsetup.plan.steps.instrument.subject import function_resource
from ddsetup.plan.steps.subscriptions.conflicts import STEP
from ddsetup.plan.steps.subscriptions.groups import Group, Region, stands_on
from ddsetup.plan.steps.subscriptions.stream import plan_stream
from ddsetup.plan.steps.subscriptions.taking_in import another, replaced, taken_in, unseen
from ddsetup.plan.steps.wording import listed


def by_policy(region: Region) -> bool:
    """Whether log groups are to be led to the Forwarder by a policy, and not by filters of their own."""
    return region.answers.subscribe == "account" and region.answers.forwards and not region.triggered


def policy_id(region: Region) -> ResourceId:
    """The policy that is put, as a resource."""
    return policy_resource(own_name(region.choice.arn or ""), region.at)


def plan_policy(region: Region, groups: tuple[Group, ...]) -> Plan:
    """What becomes of the policy of a region: put, brought up to date, or gone where it would double."""
    held = region.lane.account_filter_policies
    if region.answers.streams_logs:
        return plan_stream(region, groups)
    if region.answers.subscribe != "account" or not region.answers.forwards:
        return _former(region, groups)
    if not any(group.functions for group in groups):
        return Plan()
    if region.choice.arn is None:
        reason = f"there is no Forwarder: {region.choice.reason or 'none is wanted'}"
        return STEP.skip(policy_id(region), reason, region.choice.fix)
    if region.triggered:
        reason = "Datadog's automatic triggers cover Lambda's log groups; with it each line would come twice"
        return STEP.keep(policy_id(region), reason)
    if isinstance(held, Unreadable):
        return unseen(policy_id(region), held)
    if region.policy:
        return _brought_up_to_date(region.policy, region)
    there = region.policies
    return _in_place_of(there[0], region, groups) if there else Plan(changes=(_creation(region, groups),))


def _creation(region: Region, groups: tuple[Group, ...], needs: tuple[ResourceId, ...] = ()) -> Change:
    assert region.choice.arn is not None
    return Change(
        step=STEP,
        resource=policy_id(region),
        before=None,
        after=wanted_policy(region.choice.arn, region.own_groups),
        why="one policy leads all log groups of the region to the Forwarder, whatever filters they have",
        needs=(*stands_on(region), *needs),
        note=taken_in(region, groups, region.own_groups),
    )


def _brought_up_to_date(here: FilterPolicy, region: Region) -> Plan:
    """A policy that leads to our Forwarder; what it leaves out besides is somebody's wish and stays so."""
    missing = sorted(group for group in region.own_groups if here.delivers(group))
    said: tuple[str, ...] = ()
    if here.pattern.strip():
        only = f"passes only {here.pattern!r}; what it leaves out never reaches Datadog"
        said = (f"{region.at.region}: the account's policy {here.state.name} {only}",)
    if not missing:
        known = STEP.keep(policy_id(region), f"{here.state.name} leads to the Forwarder already")
        return known + Plan(warnings=said)
    after = here.without(*missing)
    if not here.own or len(after.selection.encode()) > MOST_SELECTION:
        loop = f"takes in {listed(missing)}, where the Forwarder itself logs: it would feed on itself"
        return Plan(warnings=(*said, f"{region.at.region}: the account's policy {here.state.name} {loop}"))
    change = Change(
        step=STEP,
        resource=policy_resource(here.state.name, region.at),
        before=here.state,
        after=after,
        why=f"leaves out {listed(missing)}, or the Forwarder would feed on itself",
    )
    return Plan(changes=(change,), warnings=said)


def _in_place_of(there: FilterPolicy, region: Region, groups: tuple[Group, ...]) -> Plan:
    """AWS allows one policy: one of ddsetup's, to a Forwarder that is no longer the one, gives way, and
    somebody else's where they gave it away."""
    if refused := another(there, region, policy_id(region)):
        return refused
    gone = replaced(there, region, stands_on(region))
    return Plan(changes=(gone, _creation(region, groups, (gone.resource,))))


def _former(region: Region, groups: tuple[Group, ...]) -> Plan:
    """A policy that ddsetup put goes when its functions report another way, and no other relies on it."""
    found = next((p for p in region.policies if p.own), None)
    answers = region.answers
    if found is None:
        return Plan()
    if is_stream(found.destination_arn) and answers.via == "extension" and answers.logs:
        # What leads to the delivery stream leaves out what the Extension sends.
        return Plan()
    if region.answers.datadog_subscribes and region.triggered:
        why = "Datadog puts filters of its own; with both every line would be sent twice"
        return Plan(
            changes=(replace(_deletion(found, region, why), needs=(collection_id(region.at.account),)),)
        )
    extension = tuple(f for group in groups for f in group.through_extension)
    here = {function.arn for function in extension}
    functions = region.lane.functions
    if region.answers.via != "extension" or isinstance(functions, Unreadable):
        return Plan()
    if any(has_datadog(f) and not has_extension(f) and f.arn not in here for f in functions):
        return Plan()
    why = "logs are not wanted, and the policy would send them all the same"
    if region.answers.logs:
        why = "the Extension sends these logs now; with the policy every line would arrive twice"
    needs = tuple(map(function_resource, extension))
    return Plan(changes=(replace(_deletion(found, region, why), needs=needs),)) if needs else Plan()


def _deletion(found: FilterPolicy, region: Region, why: str) -> Change:
    return Change(
        step=STEP,
        resource=policy_resource(found.state.name, region.at),
        before=found.state,
        after=None,
        why=why,
    )
