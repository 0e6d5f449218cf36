"""The stacks of a set, in the accounts of the organisation: made, changed and deleted by the emulator's own
CloudFormation, in the name of the role that StackSets has in every account."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from ddsetup.sandbox.emulator import member_roles, org_tree, stack_rights
from ddsetup.sandbox.emulator.stack_sets.records import Instance, StackSet

_LOOK_SECONDS = 0.05
_ENDS = ("_COMPLETE", "_FAILED")
_NO_UPDATES = "No updates are to be performed."


class StackFailed(Exception):
    """What CloudFormation says of a stack that did not come about."""


def role_name(management: str) -> str:
    """The role by which StackSets works in an account: `stacksets-exec-` and 32 characters."""
    return f"stacksets-exec-{org_tree.named(management, 32)}"


def service_role(management: str) -> str:
    """The role of the management account that may assume it."""
    path = f"arn:aws:iam::{management}:role/aws-service-role/stacksets.cloudformation.amazonaws.com"
    return f"{path}/AWSServiceRoleForCloudFormationStackSetsOrgAdmin"


def let_in(account: str, management: str) -> None:
    """Make that role, unless there is one of its name. Raises StackFailed if that one lets nobody in."""
    from ministack.core.responses import get_region, request_scope
    from ministack.services import iam

    name = role_name(management)
    service = service_role(management)
    with request_scope(account, get_region()):
        held = iam._roles.get(name)
        if held is None:
            member_roles.create(name, service)
        elif service not in str(held["AssumeRolePolicyDocument"]):
            said = f"Account {account} should have '{name}' role with trust relationship to Role "
            raise StackFailed(f"{said}'{service.rpartition('/')[2]}'.")


async def put(held: StackSet, instance: Instance) -> None:
    """Bring the instance's stack to what the set wants. Raises StackFailed."""
    from ministack.core.responses import request_scope

    wanted = {
        "TemplateBody": [held.template],
        **_members("Parameters", "Parameter", {**held.parameters, **instance.overrides}),
        **{f"Capabilities.member.{n}": [each] for n, each in enumerate(held.capabilities, 1)},
        **_members("Tags", "", {each["Key"]: each["Value"] for each in held.tags}),
    }
    with request_scope(instance.account, instance.region):
        stack = _stack(instance)
        if stack is not None and stack["StackStatus"] in {"ROLLBACK_COMPLETE", "CREATE_FAILED"}:
            await remove(instance)
            stack = None
        if stack is None:
            name = f"StackSet-{held.name}-{org_tree.named(held.number + instance.account, 12)}"
            answered = _ask("CreateStack", {"StackName": [name], **wanted})
            found = re.search(r"<StackId>(.*?)</StackId>", answered)
            instance.stack_id = found[1] if found else ""
        else:
            try:
                _ask("UpdateStack", {"StackName": [instance.stack_id], **wanted})
            except StackFailed as failed:
                if str(failed) != _NO_UPDATES:
                    raise
                return
        await _ended(instance, {"CREATE_COMPLETE", "UPDATE_COMPLETE"})


async def remove(instance: Instance) -> None:
    """Delete the instance's stack; none is none. Raises StackFailed."""
    from ministack.core.responses import request_scope

    with request_scope(instance.account, instance.region):
        if _stack(instance) is None:
            return
        _ask("DeleteStack", {"StackName": [instance.stack_id]})
        await asyncio.sleep(_LOOK_SECONDS)
        await _ended(instance, {"DELETE_COMPLETE"})


def find(stack_id: str) -> dict[str, Any] | None:
    """The stack of that id, wherever it is."""
    from ministack.core.responses import request_scope

    _, _, _, region, account, *_ = [*stack_id.split(":"), *[""] * 5]
    with request_scope(account, region):
        return _stack(Instance(account, region, "", stack_id))


def _stack(instance: Instance) -> dict[str, Any] | None:
    from ministack.services.cloudformation import _stacks

    held = [each for each in _stacks.values() if each["StackId"] == instance.stack_id]
    return held[0] if held and held[0]["StackStatus"] != "DELETE_COMPLETE" else None


def _ask(action: str, parameters: Mapping[str, Any]) -> str:
    """What CloudFormation answers. Raises StackFailed with its words."""
    from ministack.services.cloudformation import handlers

    # Whoever called StackSets is not who works here: that is StackSets' own role, which may do all.
    with stack_rights.with_all_rights():
        status, _, body = handlers._ACTION_HANDLERS[action](dict(parameters))
    text = body.decode()
    if status >= 400:
        found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        raise StackFailed(unescape(found[1] if found else text))
    return str(text)


async def _ended(instance: Instance, well: set[str]) -> None:
    while (stack := _stack(instance)) is not None:
        status = str(stack["StackStatus"])
        if status.endswith(_ENDS) and "CLEANUP" not in status:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    status = "DELETE_COMPLETE" if stack is None else str(stack["StackStatus"])
    if status not in well:
        raise StackFailed(_cause(instance.stack_id) or f"The stack is {status}.")


def _cause(stack_id: str) -> str:
    """The first resource that failed, as StackSets names it."""
    from ministack.services.cloudformation import _stack_events

    for event in _stack_events.get(stack_id) or ():
        if event["ResourceStatus"].endswith("_FAILED") and event["PhysicalResourceId"] != stack_id:
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return ""


def _members(name: str, kind: str, values: Mapping[str, str]) -> dict[str, list[str]]:
    pairs: Iterable[tuple[int, tuple[str, str]]] = enumerate(values.items(), 1)
    return {
        key: [text]
        for number, (left, right) in pairs
        for key, text in (
            (f"{name}.member.{number}.{kind}Key", left),
            (f"{name}.member.{number}.{kind}Value", right),
        )
    }
