"""One policy for all log groups with the Extension: `--via extension --subscribe account`.

It leads them to Datadog by Amazon Data Firehose, without a Forwarder, and leaves out those whose lines the
Extension sends: these have the function's tags, which what comes by Firehose has not. The selection of a
policy names log groups one by one, so that a function made later is taken in until the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ddsetup.facts.account_policies import (
    MOST_SELECTION,
    FilterPolicy,
    policy_resource,
    stream_policy,
)
from ddsetup.facts.filters import OWN_PREFIX
from ddsetup.facts.firehose import (
    STACK,
    delivery_log_group,
    leads_to_datadog,
    logs_role_arn,
    stream_arn,
)
from ddsetup.model.account import Stack, Unreadable
from ddsetup.model.change import Plan, ResourceId
from ddsetup.model.lines import counted
from ddsetup.model.states import AccountPolicyState, StackState
from ddsetup.plan.log_stream_template import template
from ddsetup.plan.steps.api_key import (
    SITE_PARAMETER,
    made_by_us,
    needed_secret,
    secret_reference,
    sends_elsewhere,
)
from ddsetup.plan.steps.delivery_stack import (
    NEEDS_SECRET,
    is_done,
    making_obstacle,
    not_ours,
    own_stack,
    wanted_stack,
)
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.instrument.subject import function_resource
from ddsetup.plan.steps.subscriptions.conflicts import STEP
from ddsetup.plan.steps.subscriptions.groups import Group, Region
from ddsetup.plan.steps.subscriptions.taking_in import another, replaced, taken_in, unseen
from ddsetup.plan.steps.wording import cannot_see, denied_action, listed

NAME = f"{OWN_PREFIX}{STACK}"
"""The policy's name."""


def plan_stream(region: Region, groups: tuple[Group, ...]) -> Plan:
    """The delivery stream and the policy that leads to it, or why there is none."""
    resource, held = policy_resource(NAME, region.at), region.lane.account_filter_policies
    if isinstance(held, Unreadable):
        return unseen(resource, held)
    there = region.policies
    ours = next((p for p in there if p.destination_arn == stream_arn(region.at)), None)
    if theirs := next((p for p in there if p is not ours and leads_to_datadog(p.destination_arn)), None):
        reason = f"{theirs.state.name} leads all log groups to Datadog already, by {theirs.destination_arn}"
        return STEP.keep(resource, reason)
    if ours is None and there and (refusal := another(there[0], region, resource)):
        return refusal
    wanted = _wanted(region)
    if ours is None and (size := len(wanted.selection.encode())) > MOST_SELECTION:
        return STEP.skip(resource, *_too_many(region, size))
    stack = _stack(region)
    if refused := [skipped for skipped in stack.skipped if skipped.status == "skipped"]:
        return stack + STEP.skip(
            resource, f"there is no delivery stream: {refused[0].reason}", refused[0].fix
        )
    if ours is not None:
        return stack + _brought_up_to_date(ours, region, groups)
    needs = tuple(change.resource for change in stack.changes)
    # What another policy delivers of them now goes on until the Extension does.
    needs += _with_extension(groups) if there else ()
    gone = Plan(changes=tuple(replaced(other, region, needs) for other in there))
    return (
        stack
        + gone
        + STEP.change(
            resource,
            None,
            wanted,
            "one policy leads the region's log groups to Datadog by Firehose, whatever filters they have",
            needs=(*needs, *(change.resource for change in gone.changes)),
            note=f"{taken_in(region, groups, left_out(region))}; AWS bills what Firehose delivers",
        )
    )


def left_out(region: Region) -> frozenset[str]:
    """The log groups that the policy leaves out."""
    return frozenset().union(*_left_out(region))


def leaves_out(group: str, region: Region) -> bool:
    """Whether it leaves out a log group; of many this is told faster than by the set of all."""
    return any(group in names for names in _left_out(region))


def _left_out(region: Region) -> tuple[AbstractSet[str], ...]:
    return region.shipped, region.own_groups, {delivery_log_group(STACK)}


def _with_extension(groups: Iterable[Group]) -> tuple[ResourceId, ...]:
    return tuple(function_resource(function) for group in groups for function in group.through_extension)


def _wanted(region: Region) -> AccountPolicyState:
    role = logs_role_arn(region.at, region.answers.role_path)
    return stream_policy(NAME, stream_arn(region.at), role, left_out(region))


def _too_many(region: Region, size: int) -> tuple[str, str]:
    functions = counted(len(region.shipped), "log group")
    reason = (
        f"it would have to leave out {functions} whose lines the Extension sends, and AWS takes "
        f"{MOST_SELECTION:,} bytes of names, not {size:,}"
    )
    return reason, "leave --subscribe account out; lead single log groups to Datadog by filters of their own"


def _brought_up_to_date(here: FilterPolicy, region: Region, groups: tuple[Group, ...]) -> Plan:
    """What it leaves out besides is somebody's wish and stays so. A function's log group goes out of it once
    the Extension is on the function."""
    missing = sorted(group for group in left_out(region) if here.delivers(group))
    if not missing:
        return STEP.keep(policy_resource(here.state.name, region.at), "leads to Datadog by Firehose already")
    after = here.without(*missing)
    if here.excluded is None or not here.own or len(after.selection.encode()) > MOST_SELECTION:
        what = f"the account's policy {here.state.name} takes in {listed(missing)}"
        return Plan(warnings=(f"{region.at.region}: {what}, whose lines arrive twice",))
    return STEP.change(
        policy_resource(here.state.name, region.at),
        here.state,
        after,
        f"leaves out {listed(missing)}, whose lines the Extension sends",
        needs=_with_extension(group for group in groups if group.name in missing),
    )


def _stack(region: Region) -> Plan:
    """The stack with the delivery stream: made, led to the site, or why it is not."""
    answers, resource, found = region.answers, stack_id(region.at, STACK), own_stack(region.lane, STACK)
    if isinstance(found, Unreadable):
        return STEP.skip(resource, cannot_see("which stacks exist", found), "", denied_action(found))
    secret = secret_reference(region.lane, answers)
    if secret is None:
        return STEP.skip(resource, *NEEDS_SECRET)
    made = template(role_path=answers.role_path, role_boundary=answers.role_boundary)
    wanted = wanted_stack(STACK, made, secret, answers)
    if found is not None and is_done(found):
        return _led(found, replace(wanted, tags=found.tags), region)
    if obstacle := making_obstacle(found, region.at.region):
        return STEP.skip(resource, obstacle.reason, obstacle.fix)
    return STEP.change(
        resource,
        None,
        wanted,
        "delivers log groups to Datadog by Amazon Data Firehose",
        precondition=found.status if found is not None else "",
        needs=needed_secret(region.lane, answers),
    )


def _led(stack: Stack, wanted: StackState, region: Region) -> Plan:
    """A stack that is there; one of ours that sends to another site is led to the one of this run."""
    resource = stack_id(region.at, STACK)
    if not made_by_us(stack.tags):
        return STEP.skip(resource, *not_ours(STACK))
    if not sends_elsewhere(stack, region.answers.site):
        return STEP.keep(resource, "delivers log groups to Datadog by Amazon Data Firehose")
    before = {name: stack.parameters.get(name, "") for name in wanted.parameters}
    return STEP.change(
        resource,
        replace(wanted, parameters=before),
        wanted,
        f"it sends to {before[SITE_PARAMETER]}, and everything is to go to {region.answers.site}",
        needs=needed_secret(region.lane, region.answers),
    )
