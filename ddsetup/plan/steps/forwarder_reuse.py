"""A Forwarder that exists: used as it is, adjusted if ddsetup made it, upgraded if asked to."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.model.account import Forwarder, Lane, Stack, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.snapshot import LaneSnapshot
from ddsetup.model.states import StackState
from ddsetup.plan.select_services import traces_state_machines
from ddsetup.plan.steps.api_key import (
    SITE_PARAMETER,
    made_by_us,
    needed_secret,
    secret_changes,
    sends_elsewhere,
)
from ddsetup.plan.steps.forwarder_choice import Choice, Place, site_of, stack_of
from ddsetup.plan.steps.forwarder_stack import (
    KEY_UNSET,
    MASKED,
    STATE_MACHINE_TRACES,
    Obstacle,
    names_key,
    parameters,
    state_obstacle,
    template_url,
)

STEP = Step("forwarder")

_WANTED_PARAMETERS: Mapping[str, str] = {
    "DdFetchLambdaTags": "the tags env, service and version do not reach metrics and logs",
    "DdForwardLog": "no logs arrive, only metrics and traces",
}


def stack_id(lane: Lane, name: str) -> ResourceId:
    """A CloudFormation stack as a resource."""
    return ResourceId("stack", name, lane.region, lane.account)


def reuse(choice: Choice, place: Place) -> Plan:
    """What is changed about the Forwarder chosen, if anything, and what the user should know about it."""
    assert choice.arn is not None
    forwarder = choice.forwarder or Forwarder(arn=choice.arn, name=choice.arn.split(":")[6], region="")
    stack = stack_of(forwarder, place.lane)
    result = Plan(warnings=_reuse_warnings(forwarder, stack, place))
    if stack and sends_elsewhere(stack, place.answers.site) and not names_key(place.answers):
        result += secret_changes([place.lane], place.answers, STEP)
    if stack:
        upgrade = place.answers.forwarder_upgrade
        change = _upgrade(forwarder, stack, place) if upgrade else _adjust(stack, place)
        if change:
            return result + change
    elif place.answers.forwarder_upgrade:
        resource = ResourceId("function", forwarder.arn, place.region, place.lane.lane.account)
        reason = "no CloudFormation stack of this account owns the Forwarder: it is not upgraded"
        return result + STEP.skip(resource, reason, "upgrade it with the tool that deployed it")
    where = stack_id(place.lane.lane, stack.name) if stack else None
    resource = where or ResourceId("function", forwarder.arn, place.region, place.lane.lane.account)
    version = f" (version {forwarder.version})" if forwarder.version else ""
    reason = f"Forwarder {forwarder.name}{version} is there and is used as it is"
    return result + STEP.keep(resource, reason)


def _reuse_warnings(forwarder: Forwarder, stack: Stack | None, place: Place) -> tuple[str, ...]:
    answers, said = place.answers, []
    sends_to = site_of(forwarder, place.lane)
    if sends_to and sends_to != answers.site and not (stack and sends_elsewhere(stack, answers.site)):
        said.append(f"Forwarder {forwarder.name} sends to {sends_to}, not to {answers.site}")
    functions = place.lane.functions
    if not isinstance(functions, Unreadable) and all(f.arn != forwarder.arn for f in functions):
        said.append(f"no function {forwarder.arn} was found")
    has = stack.parameters if stack else {}
    asked = _asked(stack, place) if stack else {}
    for name, why in _WANTED_PARAMETERS.items():
        if has.get(name) == "false" and name not in asked:
            said.append(
                f"Forwarder {forwarder.name} has {name}=false: {why}; "
                f"to change it: --forwarder-upgrade --forwarder-param {name}=true"
            )
    if not answers.logs and has.get("DdForwardLog", "true") == "true":
        said.append(f"Forwarder {forwarder.name} sends logs, too: it is shared, so --no-logs cannot stop it")
    ignored = sorted(set(answers.stack_params) - {"FunctionName"} - set(asked))
    ignored += sorted(set(asked) - set(has)) if not answers.forwarder_upgrade else []
    if ignored:
        said.append(
            f"Forwarder {forwarder.name} keeps its parameters: {', '.join(ignored)} needs --forwarder-upgrade"
        )
    return tuple(said)


def _asked(stack: Stack, place: Place) -> Mapping[str, str]:
    """The parameters that the stack must have: the user's, and in a stack of our own those that we rely on.

    Logs are only ever switched on: other functions may need them. A stack that is somebody else's is
    changed only on `--forwarder-upgrade`. The function's name never changes: that would replace it.
    """
    if not (place.answers.forwarder_upgrade or made_by_us(stack.tags)):
        return {}
    ours = {}
    if made_by_us(stack.tags):
        needed = ["DdFetchLambdaTags", *(["DdForwardLog"] if place.answers.logs else [])]
        needed += [STATE_MACHINE_TRACES] if traces_state_machines(place.lane, place.answers) else []
        ours = {name: "true" for name in needed if name in stack.parameters}
        ours |= _to_site(stack, place)
    params = ours | dict(place.answers.stack_params)
    return {name: value for name, value in params.items() if name != "FunctionName"}


def _to_site(stack: Stack, place: Place) -> Mapping[str, str]:
    """What makes a stack of ours send to the site of this run: the site, and where the key for it is."""
    if not sends_elsewhere(stack, place.answers.site):
        return {}
    wanted = {**KEY_UNSET, **parameters(place.lane, place.answers)}
    # A key that the stack has elsewhere is the other site's.
    return {name: value for name, value in wanted.items() if name in (SITE_PARAMETER, *KEY_UNSET)}


def _adjust(stack: Stack, place: Place) -> Plan | None:
    """Brings the parameters of a stack that ddsetup made to what is asked for now."""
    has, wanted = stack.parameters, _asked(stack, place)
    moved = {k: v for k, v in wanted.items() if k in has and has[k] not in (v, MASKED)}
    if not moved:
        return None
    obstacle = state_obstacle(stack, place.region)
    if obstacle:
        return _blocked(stack, obstacle, place)
    notes = ["the template stays as it is"]
    why = "parameters differ from what is asked for"
    if sends_elsewhere(stack, place.answers.site):
        why = f"it sends to {has[SITE_PARAMETER]}, and everything is to go to {place.answers.site}"
        notes.append("whatever else sends through it goes there, too")
    return STEP.change(
        stack_id(place.lane.lane, stack.name),
        StackState(name=stack.name, parameters={k: stack.parameters[k] for k in moved}),
        StackState(name=stack.name, parameters=moved),
        why,
        note="; ".join(notes),
        needs=secret_first(place) if sends_elsewhere(stack, place.answers.site) else (),
    )


def secret_first(place: Place) -> tuple[ResourceId, ...]:
    """The secret that a stack needs which is to be told where the key is."""
    return () if names_key(place.answers) else needed_secret(place.lane, place.answers)


def _blocked(stack: Stack, obstacle: Obstacle, place: Place) -> Plan:
    return STEP.skip(stack_id(place.lane.lane, stack.name), obstacle.reason, obstacle.fix)


def _upgrade(forwarder: Forwarder, stack: Stack, place: Place) -> Plan | None:
    answers = place.answers
    wanted = dict(_asked(stack, place))
    same = all(stack.parameters.get(k) == v for k, v in wanted.items())
    version = _version(place)
    if same and forwarder.version and forwarder.version == version:
        return None
    obstacle = state_obstacle(stack, place.region)
    if obstacle:
        return _blocked(stack, obstacle, place)
    gone = _dropped(stack, place.lane)
    wanted = {k: v for k, v in wanted.items() if k not in gone}
    kept = {k: v for k, v in stack.parameters.items() if (k in gone or k in wanted) and v != MASKED}
    before_url = (
        "" if answers.template_url else template_url(answers, place.partition, forwarder.version or "")
    )
    return STEP.change(
        stack_id(place.lane.lane, stack.name),
        StackState(
            name=stack.name,
            template_url=before_url if forwarder.version else "",
            version=forwarder.version or "",
            parameters=kept,
        ),
        StackState(
            name=stack.name,
            template_url=template_url(answers, place.partition),
            version=version,
            parameters=wanted,
        ),
        f"--forwarder-upgrade from version {forwarder.version or '?'} to {version}",
        note=_upgrade_note(gone, answers, version),
        needs=secret_first(place) if sends_elsewhere(stack, place.answers.site) else (),
    )


def _dropped(stack: Stack, lane: LaneSnapshot) -> tuple[str, ...]:
    """Parameters of the stack that the new template no longer has; passing one is refused."""
    known = lane.template_parameters
    if isinstance(known, Unreadable) or not known:
        return ()
    return tuple(sorted(set(stack.parameters) - set(known)))


def _version(place: Place) -> str:
    """The version that is wanted: where that is the latest, the one that the template names."""
    wanted, named = place.answers.forwarder_version, place.lane.template_version
    return named if wanted == "latest" and named and not isinstance(named, Unreadable) else wanted


def _upgrade_note(gone: tuple[str, ...], answers: Answers, version: str) -> str:
    notes = ["all other parameters keep their value"]
    if version == "latest":
        notes.append("CloudFormation changes nothing if this is the newest version")
    if gone:
        notes.append(f"the new template no longer has {', '.join(gone)}")
    if "FunctionName" in answers.forwarder_params:
        notes.append("FunctionName is left alone: changing it would replace the function")
    return "; ".join(notes)
