"""Step Functions: state machines, how they log, and their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddsetup.gateways.aws.errors import readable, readable_or_none
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.aws.tags import resource_tags
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Json, Lane, Unreadable
from ddsetup.model.services import StateMachine, StateMachineSettings

MOST_DESCRIBED = 100
"""State machines whose settings are read at a look; there is no bulk call for them. Step Functions lets a
burst of 200 pass (its quotas page), so that this takes no longer than functions do."""

_AT_ONCE = 8
_TOKEN = ("nextToken", "nextToken")


@readable
def list_state_machines(aws: Aws, lane: Lane) -> tuple[StateMachine, ...]:
    """Every state machine with its tags, and the settings of the first hundred.

    Needs states:ListStateMachines, states:DescribeStateMachine and tag:GetResources; without one of the last
    two the settings or tags are unreadable.
    """
    items = aws.pages("states:ListStateMachines", lane, "stateMachines", token=_TOKEN, maxResults=1000)
    if not items:
        return ()
    tags = resource_tags(aws, lane, "states:stateMachine")
    machines = [
        StateMachine(
            name=item["name"],
            arn=item["stateMachineArn"],
            region=lane.region,
            account=lane.account,
            type=item.get("type") or "STANDARD",
        )
        for item in sorted(items, key=lambda item: str(item["name"]))
    ]
    known = each(lambda m: read_settings(aws, m.lane, m.arn), machines[:MOST_DESCRIBED], _AT_ONCE)
    settings = {m.arn: found for m, found in zip(machines, known, strict=False)}
    return tuple(
        replace(
            machine,
            tags=tags if isinstance(tags, Unreadable) else tags.get(machine.arn, {}),
            settings=settings.get(machine.arn),
        )
        for machine in machines
    )


@readable_or_none
def read_settings(aws: Aws, lane: Lane, arn: str) -> StateMachineSettings:
    """How a state machine logs, None if there is no such one. Needs states:DescribeStateMachine.

    The definition is not asked for: reading it may take a permission on the key that encrypts it.
    """
    action = "states:DescribeStateMachine"
    answer = aws.call(action, lane, stateMachineArn=arn, includedData="METADATA_ONLY")
    logging: Mapping[str, Json] = answer.get("loggingConfiguration") or {}
    groups = (each.get("cloudWatchLogsLogGroup") or {} for each in logging.get("destinations") or ())
    return StateMachineSettings(
        level=logging.get("level") or "OFF",
        include_execution_data=bool(logging.get("includeExecutionData")),
        destinations=tuple(group["logGroupArn"] for group in groups if group.get("logGroupArn")),
        role=answer.get("roleArn") or "",
    )


def read_tags(aws: Aws, lane: Lane, arn: str) -> Mapping[str, str]:
    """The tags of one state machine. Needs states:ListTagsForResource; raises GatewayError."""
    answer = aws.call("states:ListTagsForResource", lane, resourceArn=arn)
    return {tag["key"]: tag.get("value") or "" for tag in answer.get("tags") or ()}


def set_logging(aws: Aws, lane: Lane, arn: str, settings: StateMachineSettings) -> None:
    """Replace how a state machine logs; its definition and role stay.

    Needs states:UpdateStateMachine. Raises RoleRefused when the state machine's own role may not deliver
    logs, NotFound when it is not there.
    """
    logging: dict[str, Json] = {
        "level": settings.level,
        "includeExecutionData": settings.include_execution_data,
        "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": group}} for group in settings.destinations
        ],
    }
    aws.call("states:UpdateStateMachine", lane, stateMachineArn=arn, loggingConfiguration=logging)


def tag_state_machine(aws: Aws, lane: Lane, arn: str, tags: Mapping[str, str]) -> None:
    """Set these tags; all others stay. Needs states:TagResource."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    aws.call("states:TagResource", lane, resourceArn=arn, tags=pairs)


def untag_state_machine(aws: Aws, lane: Lane, arn: str, keys: Sequence[str]) -> None:
    """Remove these tag keys. Needs states:UntagResource."""
    aws.call("states:UntagResource", lane, resourceArn=arn, tagKeys=list(keys))
