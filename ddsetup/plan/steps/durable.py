"""Datadog's stack that tells how durable executions end: EventBridge, Firehose, and a bucket for what fails.

Template 0.1.0 of DataDog/cloudformation-template (`aws_durable_function_event_forwarder`). It is for all
durable functions of a region, and Datadog shows executions only through the Extension.
"""

from __future__ import annotations

from collections.abc import Iterator

from ddsetup.model.account import Function, Lane, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.model.states import StackState
from ddsetup.plan.steps.api_key import (
    OWN_TAGS,
    SECRET_PARAMETER,
    SITE_PARAMETER,
    needed_secret,
    secret_reference,
    sends_elsewhere,
)
from ddsetup.plan.steps.delivery_stack import is_done, making_obstacle
from ddsetup.plan.steps.forwarder_reuse import stack_id
from ddsetup.plan.steps.forwarder_stack import FAILED_EVENTS, SSM_PARAMETER
from ddsetup.plan.steps.wording import cannot_see, denied_action

STEP = Step("forwarder")
STACK = "datadog-durable-function-event-forwarder"
"""Its default name in Datadog's documentation."""
TEMPLATE = (
    "https://datadog-cloudformation-template.s3.amazonaws.com/aws/lambda-durable-function-event-forwarder/"
    "latest.yaml"
)
_OUTPUTS = {"DeliveryStreamArn", "EventRuleArn"}


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """The stack, in every region with durable functions among the selected ones, if it is wanted."""
    if not answers.durable_events or answers.via != "extension":
        return Plan(warnings=tuple(_elsewhere(snapshot, answers, selected)))
    result = Plan()
    for lane in sorted({function.lane for function in selected if function.durable}):
        result += _plan_lane(lane, snapshot.lanes[lane], answers)
    return result


def _elsewhere(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Iterator[str]:
    """Stacks of ours that tell another site, and that nobody asks for now."""
    for lane in sorted({function.lane for function in selected}):
        found = durable_stack(snapshot.lanes[lane])
        if isinstance(found, Stack) and sends_elsewhere(found, answers.site):
            yield (
                f"stack {found.name} in {lane.region} goes on telling {found.parameters[SITE_PARAMETER]} how "
                "durable executions end: --via extension --durable-events leads it to "
                f"{answers.site}"
            )


def durable_stack(lane: LaneSnapshot) -> Stack | Unreadable | None:
    """The stack that is there, under whatever name; None if there is none."""
    if isinstance(lane.stacks, Unreadable):
        return lane.stacks
    return next((s for s in lane.stacks if s.name == STACK or set(s.outputs) >= _OUTPUTS), None)


def stack_resource(lane: Lane) -> ResourceId:
    """The stack as a resource."""
    return stack_id(lane, STACK)


def failed_events(state: StackState) -> str:
    """How keys of objects begin that Datadog did not take, in the buckets of the stack. The bucket of this
    one holds nothing else."""
    return FAILED_EVENTS if "FunctionName" in state.parameters else ""


def _plan_lane(lane: Lane, seen: LaneSnapshot, answers: Answers) -> Plan:
    resource, found = stack_resource(lane), durable_stack(seen)
    if isinstance(found, Unreadable):
        return STEP.skip(resource, cannot_see("which stacks exist", found), "", denied_action(found))
    if found is not None and is_done(found):
        reason = f"stack {found.name} tells how durable executions end"
        return _move(found, lane, seen, answers) or STEP.keep(resource, reason)
    if obstacle := making_obstacle(found, lane.region):
        return STEP.skip(resource, obstacle.reason, obstacle.fix)
    key = _key(seen, answers)
    if key is None:
        fix = "keep the key in a secret or a parameter: --api-key-secret ARN, --api-key-ssm ARN"
        return STEP.skip(resource, "where the API key is, its template cannot take it from", fix)
    return STEP.change(
        resource,
        None,
        StackState(
            name=STACK,
            template_url=answers.durable_template_url or TEMPLATE,
            version="latest",
            parameters={SITE_PARAMETER: answers.site, **key},
            tags=answers.tags_of_ours(OWN_TAGS),
        ),
        "tells Datadog how durable executions end, as logs",
        precondition=found.status if found is not None else "",
        needs=needed_secret(seen, answers),
        note=f"of all durable functions in {lane.region}; AWS bills what Firehose delivers, Datadog the logs",
    )


def _move(stack: Stack, lane: Lane, seen: LaneSnapshot, answers: Answers) -> Plan | None:
    """A stack of ours that tells another site is led to the one of this run; None if it need not be."""
    has, key = stack.parameters, _key(seen, answers)
    if key is None or not sends_elsewhere(stack, answers.site):
        return None
    wanted = {name: "" for name in (SECRET_PARAMETER, SSM_PARAMETER) if has.get(name)}
    wanted |= {SITE_PARAMETER: answers.site, **key}
    return STEP.change(
        stack_id(lane, stack.name),
        StackState(name=stack.name, parameters={name: has.get(name, "") for name in wanted}),
        StackState(name=stack.name, parameters=wanted),
        f"it tells {has[SITE_PARAMETER]}, and everything is to go to {answers.site}",
        needs=needed_secret(seen, answers),
        note="the template stays as it is",
    )


def _key(lane: LaneSnapshot, answers: Answers) -> dict[str, str] | None:
    """The parameter that says where the key is. An SSM parameter is given by its name."""
    if answers.key_source.kind == "ssm":
        return {SSM_PARAMETER: f"/{answers.key_source.value.partition(':parameter/')[2]}"}
    reference = secret_reference(lane, answers)
    return {SECRET_PARAMETER: reference} if reference else None
