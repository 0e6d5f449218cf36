"""Stages of APIs write access logs, one line a request, to a log group that leads to the Forwarder.

The format and the beginning of the log group's name are those of Datadog's page on Amazon API Gateway.
"""

from __future__ import annotations

from ddsetup.facts.services import ACCESS_LOGS
from ddsetup.model.account import ApiStage, Unreadable
from ddsetup.model.change import Plan, ResourceId
from ddsetup.model.states import ApiStageState
from ddsetup.plan.steps.sources.delivery import name_log_role
from ddsetup.plan.steps.sources.reaching import (
    STEP,
    Refusal,
    Way,
    group_arn,
    left_alone,
    left_to_its_owner,
    made_group,
    owner_note,
    subscribed,
    waits_for,
)

FORMAT = (
    '{"apiId":"$context.apiId","stage":"$context.stage","requestId":"$context.requestId",'
    '"ip":"$context.identity.sourceIp","caller":"$context.identity.caller","user":"$context.identity.user",'
    '"requestTime":$context.requestTimeEpoch,"httpMethod":"$context.httpMethod",'
    '"resourcePath":"$context.resourcePath","status":$context.status,"protocol":"$context.protocol",'
    '"responseLength":$context.responseLength}'
)


def stage_resource(stage: ApiStage) -> ResourceId:
    """A stage as a resource."""
    return ResourceId("api_stage", stage.id, stage.region, stage.account)


def default_group(stage: ApiStage) -> str:
    """The log group of a stage that has no access logs; the `$` of `$default` is no character for it."""
    return f"api-gateway/{stage.api_id}/{stage.stage.replace('$', '')}"


def plan_stage(stage: ApiStage, way: Way | Refusal, partition: str) -> Plan:
    """What is changed about one stage, or why it is left alone."""
    if isinstance(way, Refusal):
        return left_alone(stage_resource(stage), way)
    refusal = _refusal(stage, way, partition)
    if refusal:
        return left_alone(stage_resource(stage), refusal)
    name = stage.log_group or default_group(stage)
    group = made_group(name, way)
    if isinstance(group, Refusal):
        return left_alone(stage_resource(stage), group)
    filters = subscribed(name, ACCESS_LOGS, way, group)
    if isinstance(filters, Refusal):
        return left_alone(stage_resource(stage), filters)
    if stage.destination:
        reason = f"{stage.api_name}: its access logs go to {name}"
        return group + filters + STEP.keep(stage_resource(stage), reason)
    return (
        group
        + filters
        + STEP.change(
            stage_resource(stage),
            _state(stage, "", ""),
            _state(stage, group_arn(name, way.at, partition), FORMAT),
            "Datadog gets a line for every request",
            needs=(*(made.resource for made in group.changes), *waits_for(way)),
            note="; ".join(_notes(stage, way)),
        )
    )


def _refusal(stage: ApiStage, way: Way, partition: str) -> Refusal | None:
    if not way.answers.logs:
        return Refusal("no logs are wanted", "leave out --no-logs")
    if stage.destination and not stage.log_group:
        reason = f"its access logs go to {stage.destination}, which is no log group"
        return Refusal(reason, "have that stream send them to Datadog")
    if stage.protocol not in ("REST", "HTTP"):
        reason = f"it is of a {stage.protocol} API, for whose access logs Datadog names no format"
        return Refusal(
            reason, "set its access logs by hand, to a log group whose name begins with api-gateway"
        )
    owned = left_to_its_owner(stage.api_name, stage.tags, way.answers)
    if owned:
        return owned
    if stage.protocol == "REST" and not stage.destination and way.lane.api_log_role == "":
        reason = f"API Gateway has no role by which it logs in {stage.region}"
        return Refusal(reason, name_log_role(stage.region, partition))
    return None


def _state(stage: ApiStage, destination: str, form: str) -> ApiStageState:
    return ApiStageState(api=stage.api_name, protocol=stage.protocol, destination=destination, format=form)


def _notes(stage: ApiStage, way: Way) -> list[str]:
    notes = [f"stage {stage.stage} of {stage.api_name}"]
    if stage.protocol == "REST" and isinstance(way.lane.api_log_role, Unreadable | None):
        notes.append("whether API Gateway has a role by which it logs is unknown; if not, it refuses this")
    owned = owner_note(stage.api_name, stage.tags)
    return [*notes, owned] if owned else notes
