"""Stacks that exist, taken into a set: at most ten a call, of active accounts in the units that are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ddsetup.sandbox.emulator.org_tree import Organization
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets import member_stacks
from ddsetup.sandbox.emulator.stack_sets.records import Instance, StackSet

_MOST = 10


def prepared(
    organization: Organization, data: Mapping[str, Any], sets: list[StackSet]
) -> tuple[list[str], Callable[[], list[Instance]]]:
    """The regions of the stacks, and their instances. Raises Refusal."""
    ids = list(data.get("StackIds", []))
    if not 1 <= len(ids) <= _MOST:
        raise Refusal("LimitExceededException", f"Between 1 and {_MOST} stacks can be imported at a time")
    units = data.get("OrganizationalUnitIds", [])
    taken = {each.stack_id for other in sets for each in other.instances.values()}
    found = []
    for stack_id in ids:
        if member_stacks.find(stack_id) is None:
            raise Refusal("StackNotFoundException", f"Stack {stack_id} not found")
        _, _, _, region, account, *_ = stack_id.split(":")
        unit = next((u for u in units if account in {m.id for m in organization.below(u)}), "")
        if stack_id in taken or not unit:
            text = f"Stack {stack_id} is in a StackSet, or in none of the organizational units"
            raise Refusal("InvalidOperationException", text)
        found.append(Instance(account, region, unit, stack_id))
    return list(dict.fromkeys(each.region for each in found)), lambda: found


def take(held: StackSet, instance: Instance) -> str:
    """Why the stack cannot be taken in; empty if it could. Its own values stay, as overrides: that is an
    assumption."""
    stack = member_stacks.find(instance.stack_id)
    if stack is None:
        return f"Stack {instance.stack_id} not found"
    if stack["_template_body"].strip() != held.template.strip():
        return "The template of the stack does not match the template of the StackSet"
    values = {name: str(each["Value"]) for name, each in stack["_resolved_params"].items()}
    instance.overrides = {k: v for k, v in values.items() if held.parameters.get(k) != v}
    return ""
