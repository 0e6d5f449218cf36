"""Stages of APIs write access logs, one line a request, to a log group that leads to the Forwarder.

The format and the beginning of the log group's name are those of Datadog's page on Amazon API Gateway.
"""

from __future__ import annotations

from ddsetup.facts.services import resource_of
from ddsetup.model.account import Unreadable
from ddsetup.model.change import Plan
from ddsetup.model.services import ApiStage, ApiStageState
from ddsetup.plan.steps.sources.delivery import name_log_role
from ddsetup.plan.steps.sources.reaching import STEP, Planner, Refusal, Way, left_to_its_owner, owner_note

FORMAT = (
    '{"apiId":"$context.apiId","stage":"$context.stage","requestId":"$context.requestId",'
    '"ip":"$context.identity.sourceIp","caller":"$context.identity.caller","user":"$context.identity.user",'
    '"requestTime":$context.requestTimeEpoch,"httpMethod":"$context.httpMethod",'
    '"resourcePath":"$context.resourcePath","status":$context.status,"protocol":"$context.protocol",'
    '"responseLength":$context.responseLength}'
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


def _change(stage: ApiStage, way: Way, group: str) -> Plan:
    if stage.destination:
        return STEP.keep(resource_of(stage), f"{stage.api_name}: its access logs go to {stage.group}")
    return STEP.change(
        resource_of(stage),
        _state(stage, "", ""),
        _state(stage, group, FORMAT),
        "Datadog gets a line for every request",
        note="; ".join(_notes(stage, way)),
    )


def _state(stage: ApiStage, destination: str, form: str) -> ApiStageState:
    return ApiStageState(api=stage.api_name, protocol=stage.protocol, destination=destination, format=form)


def _notes(stage: ApiStage, way: Way) -> list[str]:
    notes = [f"stage {stage.stage} of {stage.api_name}"]
    if stage.protocol == "REST" and isinstance(way.lane.api_log_role, Unreadable | None):
        notes.append("whether API Gateway has a role by which it logs is unknown; if not, it refuses this")
    owned = owner_note(stage.api_name, stage.tags)
    return [*notes, owned] if owned else notes


PLANNER = Planner(refusal=_refusal, change=_change)
