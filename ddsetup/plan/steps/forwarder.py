"""The Forwarder of each region: the one that is there is used, and deployed where there is none."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts.catalog import FORWARDER_LAYER
from ddsetup.model.account import Function, Lane, LogGroup, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, Step
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import StackState
from ddsetup.plan.steps.api_key import OWN_TAGS, needs_secret, secret_changes
from ddsetup.plan.steps.forwarder_choice import Place, check_arns, choose, forwarder_arn, partition_of_account
from ddsetup.plan.steps.forwarder_reuse import STEP, reuse, secret_first, stack_id
from ddsetup.plan.steps.forwarder_stack import (
    LEFT_LOG_GROUP,
    check_params,
    is_remains,
    left_log_group,
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
    if answers.via == "extension" and needs_secret(answers):
        result += secret_changes([snapshot.lanes[lane] for lane in lanes], answers, Step("instrument"))
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
        return said + STEP.skip(resource, choice.reason, choice.fix, choice.permission)
    if choice.how == "deploy":
        return said + _deploy(place)
    return said + reuse(choice, place)


def _deploy(place: Place) -> Plan:
    lane, answers = place.lane.lane, place.answers
    secret = Plan() if names_key(answers) else secret_changes([place.lane], answers, STEP)
    remains, group = _remains(place), _left_group(place)
    change = Change(
        step=STEP,
        resource=stack_id(lane, answers.forwarder_stack),
        before=None,
        after=StackState(
            name=answers.forwarder_stack,
            template_url=template_url(answers, place.partition),
            version=answers.forwarder_version,
            parameters=parameters(place.lane, answers),
            tags=answers.tags_of_ours(OWN_TAGS),
        ),
        why=f"no Forwarder in {lane.region} that sends to {answers.site}",
        precondition=" ".join(
            [*([remains.status] if remains else ()), *([LEFT_LOG_GROUP] if group else ())],
        ),
        needs=secret_first(place),
        note="; ".join(_first(remains, group)),
    )
    return secret + Plan(changes=(change,), warnings=_deployment_warnings(place))


def _remains(place: Place) -> Stack | None:
    """What is left of a stack of that name, which cannot be updated and must be removed first."""
    if isinstance(place.lane.stacks, Unreadable):
        return None
    name = place.answers.forwarder_stack
    return next((s for s in place.lane.stacks if s.name == name and is_remains(s)), None)


def _left_group(place: Place) -> LogGroup | None:
    group = left_log_group(place.lane, place.answers)
    return group if group is not None and group.retention_days is None else None


def _first(remains: Stack | None, group: LogGroup | None) -> Iterable[str]:
    """What has to be removed before the stack can be made."""
    if remains and remains.status == "DELETE_FAILED":
        yield f"the deletion that failed ({remains.status}) is finished first, which empties its bucket"
    elif remains:
        yield f"what is left of a failed creation ({remains.status}) is removed first"
    if group:
        yield (
            f"log group {group.name} is removed first: Lambda made it anew for the last lines of a Forwarder "
            "that is gone"
        )


def _deployment_warnings(place: Place) -> tuple[str, ...]:
    lane, answers, said = place.lane, place.answers, []
    if isinstance(lane.template_parameters, Unreadable) and answers.stack_params:
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
