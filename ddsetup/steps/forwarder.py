"""The Forwarder of each region: the one that is there is used, and deployed where there is none."""

from __future__ import annotations

from ddsetup.answers import Answers
from ddsetup.catalog import FORWARDER_LAYER
from ddsetup.change import Change, Plan
from ddsetup.model import Function, Lane, Snapshot, Stack, Unreadable
from ddsetup.states import StackState
from ddsetup.steps.api_key import OWN_TAGS, makes_secret, secret_changes, secret_id
from ddsetup.steps.forwarder_choice import Place, check_arns, choose, forwarder_arn, partition_of_account
from ddsetup.steps.forwarder_reuse import STEP, left_alone, reuse, stack_id
from ddsetup.steps.forwarder_stack import (
    check_params,
    function_name,
    names_key,
    parameters,
    template_url,
)

__all__ = ["STEP", "forwarder_arn", "plan", "stack_id"]


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """The Forwarders, and the secrets with the API key, of all regions in which functions are selected.

    Raises UsageError for `--forwarder-arn` or `--forwarder-param` that cannot be.
    """
    lanes = sorted({f.lane for f in selected})
    check_arns(answers, snapshot.lanes)
    for lane in lanes:
        check_params(answers, snapshot.lanes[lane].template_parameters)
    result = Plan()
    if answers.via == "extension":
        result += secret_changes(lanes, snapshot, answers, "instrument")
    for lane in lanes:
        result += _plan_lane(lane, snapshot, answers)
    return result


def _plan_lane(lane: Lane, snapshot: Snapshot, answers: Answers) -> Plan:
    choice = choose(lane, snapshot, answers)
    place = Place(snapshot.lanes[lane], answers, partition_of_account(lane.account, snapshot))
    said = Plan(warnings=choice.warnings)
    if choice.how == "unwanted":
        return said
    if choice.how == "blocked":
        resource = stack_id(lane, answers.forwarder_stack)
        return said + left_alone(resource, choice.reason, choice.fix, choice.permission)
    if choice.how == "deploy":
        return said + _deploy(place, snapshot)
    return said + reuse(choice, place)


def _deploy(place: Place, snapshot: Snapshot) -> Plan:
    lane, answers = place.lane.lane, place.answers
    secret = Plan() if names_key(answers) else secret_changes([lane], snapshot, answers, STEP)
    failed = _failed_creation(place)
    change = Change(
        step=STEP,
        resource=stack_id(lane, answers.forwarder_stack),
        before=None,
        after=StackState(
            name=answers.forwarder_stack,
            template_url=template_url(answers, place.partition),
            version=answers.forwarder_version,
            parameters=parameters(place.lane, answers),
            tags=OWN_TAGS,
        ),
        why=f"no Forwarder in {lane.region} that sends to {answers.site}",
        precondition=failed.status if failed else "",
        needs=(secret_id(lane),) if makes_secret(answers) and not names_key(answers) else (),
        note=f"what is left of a failed creation ({failed.status}) is removed first" if failed else "",
    )
    return secret + Plan(changes=(change,), warnings=_deployment_warnings(place))


def _failed_creation(place: Place) -> Stack | None:
    """The stack of that name whose first creation failed: it holds nothing, and cannot be updated."""
    if isinstance(place.lane.stacks, Unreadable):
        return None
    name = place.answers.forwarder_stack
    stacks = (s for s in place.lane.stacks if s.name == name and s.status == "ROLLBACK_COMPLETE")
    return next(stacks, None)


def _deployment_warnings(place: Place) -> tuple[str, ...]:
    lane, answers, said = place.lane, place.answers, []
    group = f"/aws/lambda/{function_name(answers)}"
    if not isinstance(lane.log_groups, Unreadable) and group in lane.log_groups:
        said.append(
            f"log group {group} exists already in {place.region}; CloudFormation may refuse to make it: "
            f"aws logs delete-log-group --log-group-name {group} --region {place.region}"
        )
    if isinstance(lane.template_parameters, Unreadable) and answers.forwarder_params:
        said.append(
            f"the Forwarder's template could not be read in {place.region} "
            f"(needs {lane.template_parameters.action}); --forwarder-param is not checked"
        )
    given = _secret_region(answers)
    if given and given != place.region:
        said.append(
            f"the API key's secret is in {given}; the Forwarder in {place.region} may not find it there"
        )
    if lane.forwarder_layer is False:
        said.append(
            f"the layer {FORWARDER_LAYER} cannot be used in {place.region}; if the stack fails: an older "
            "--forwarder-version, or --forwarder-param InstallAsLayer=false"
        )
    return tuple(said)


def _secret_region(answers: Answers) -> str:
    """The region of the secret that the user keeps the API key in, empty if there is none."""
    parts = answers.key_source.value.split(":")
    return parts[3] if answers.key_source.kind == "secret" and len(parts) > 6 else ""
