"""State machines, and stages of APIs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ddsetup.model.services import ApiStageState, StateMachineState
from ddsetup.model.states import State
from tests.in_full.calls.world import MACHINE
from tests.in_full.written.case import DENIED, Case, Refusal

OFF = StateMachineState()
ON = StateMachineState(
    level="ALL", include_execution_data=True, destinations=("arn:aws:logs:g:*",), tags={"DD_TRACE": "true"}
)


def logging(level: str = "OFF", data: bool = False, group: str = "") -> dict[str, Any]:
    where = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}] if group else []
    said = {"level": level, "includeExecutionData": data, "destinations": where}
    return {"stateMachineArn": MACHINE, "roleArn": "arn:aws:iam::1:role/m", "loggingConfiguration": said}


def a_machine(before: State | None, after: State | None, live: Any, tags: Any = (), **answers: Any) -> Case:
    known = [{"tags": [{"key": key, "value": value} for key, value in tags]}]
    answers = {"DescribeStateMachine": [live], "ListTagsForResource": known, **answers}
    return Case("state_machine", MACHINE, before, after, answers)


SET = logging("ALL", True, "arn:aws:logs:g:*")
NO_RIGHT: Refusal = ("AccessDeniedException", "The state machine IAM Role is not authorized to log", 400)
MACHINES = {
    "set": a_machine(OFF, ON, logging()),
    "set, as it is": a_machine(OFF, ON, SET, [("DD_TRACE", "true")]),
    "set, tags left": a_machine(OFF, ON, SET),
    "set, logging left": a_machine(OFF, ON, logging(), [("DD_TRACE", "true")]),
    "set, moved": a_machine(OFF, ON, logging("ERROR"), [("DD_TRACE", "x")]),
    "set, gone": a_machine(OFF, ON, ("StateMachineDoesNotExist", "gone", 400)),
    "set, not to be seen": a_machine(OFF, ON, DENIED),
    "set, role refused": a_machine(OFF, ON, logging(), UpdateStateMachine=[NO_RIGHT]),
    "taken back": a_machine(ON, OFF, SET, [("DD_TRACE", "true")]),
    "only tags": a_machine(
        replace(OFF, tags={"a": "1"}), replace(OFF, tags={"b": "2"}), logging(), [("a", "1")]
    ),
    "only logging": a_machine(OFF, replace(ON, tags={}), logging()),
    "made": a_machine(None, ON, logging()),
}
BARE = ApiStageState(api="shop", protocol="REST")
LOGGED = replace(BARE, destination="arn:g", format="$context")


def a_stage(before: State | None, after: State | None, destination: str, form: str, **answers: Any) -> Case:
    rest = {"stageName": "prod", "accessLogSettings": {"destinationArn": destination, "format": form}}
    http = {"StageName": "prod", "AccessLogSettings": {"DestinationArn": destination, "Format": form}}
    protocol = getattr(after or before, "protocol", "REST")
    answers = {"GetStage": [rest if protocol == "REST" else http], **answers}
    return Case("api_stage", "a1/prod", before, after, answers)


STAGES = {
    "set": a_stage(BARE, LOGGED, "", ""),
    "set, as it is": a_stage(BARE, LOGGED, "arn:g", "$context"),
    "set, another format": a_stage(BARE, LOGGED, "arn:g", "x"),
    "set, moved": a_stage(BARE, LOGGED, "arn:z", ""),
    "set, gone": a_stage(BARE, LOGGED, "", "", GetStage=[("NotFoundException", "gone", 404)]),
    "set, not to be seen": a_stage(BARE, LOGGED, "", "", GetStage=[DENIED]),
    "taken back": a_stage(LOGGED, BARE, "arn:g", "$context"),
    "set, http": a_stage(replace(BARE, protocol="HTTP"), replace(LOGGED, protocol="HTTP"), "", ""),
    "taken back, http": a_stage(
        replace(LOGGED, protocol="HTTP"), replace(BARE, protocol="HTTP"), "arn:g", "$context"
    ),
    "made": a_stage(None, LOGGED, "", ""),
}
