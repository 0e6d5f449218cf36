"""Stacks that exist, taken into a set: at most ten a call, of accounts in the units that are named.

What may be imported is said in the CloudFormation user guide, "Import stacks into CloudFormation StackSets"
and "Service-managed stack import": no template with NoEcho, no stack of another set, none of the management
account, none outside of the units, at least one of which has to be named. In which words it is refused is an
assumption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ddsetup.sandbox.emulator.org_tree import Organization
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets import member_stacks
from ddsetup.sandbox.emulator.stack_sets.records import Instance, StackSet

_MOST = 10
_FAILED = "FAILED_IMPORT"
_SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


def prepared(
    held: StackSet, organization: Organization, data: Mapping[str, Any], sets: list[StackSet]
) -> tuple[list[str], Callable[[], list[Instance]]]:
    """The regions of the stacks, and their instances. Raises Refusal."""
    ids, units = list(data.get("StackIds", [])), data.get("OrganizationalUnitIds", [])
    if not 1 <= len(ids) <= _MOST:
        raise Refusal("LimitExceededException", f"Between 1 and {_MOST} stacks can be imported at a time")
    if not units:
        raise Refusal("ValidationError", "At least one OrganizationalUnitId has to be specified")
    found = [_instance(held, organization, units, stack_id, sets) for stack_id in ids]
    return list(dict.fromkeys(each.region for each in found)), lambda: found


def _instance(
    held: StackSet, organization: Organization, units: list[str], stack_id: str, sets: list[StackSet]
) -> Instance:
    _, _, _, region, account, *_ = [*stack_id.split(":"), *[""] * 5]
    member = organization.members.get(account)
    around = organization.around(member.parent) if member and account != organization.management else []
    # The nearest one of those that are named.
    unit = next((each for each in reversed(around) if each in units), "")
    if not unit or member_stacks.find(stack_id) is None:
        raise Refusal("StackNotFoundException", f"Stack {stack_id} not found")
    there = held.instances.get((account, region))
    if there is not None and (there.detail, there.stack_id) == (_FAILED, stack_id):
        return there
    if there or any(each.stack_id == stack_id for other in sets for each in other.instances.values()):
        raise Refusal("InvalidOperationException", f"Stack {stack_id} is part of a StackSet already")
    return Instance(account, region, unit, stack_id)


def take(held: StackSet, instance: Instance) -> str:
    """Why the stack cannot be taken in; empty if it could. Its own values stay, as overrides."""
    stack = member_stacks.find(instance.stack_id)
    if stack is None:
        return f"Stack {instance.stack_id} not found"
    if stack["StackStatus"] not in _SETTLED:
        return f"Stack {instance.stack_id} is in {stack['StackStatus']} state"
    hidden = [name for name, each in stack["_resolved_params"].items() if each["NoEcho"]]
    if hidden:
        return f"NoEcho parameters are not supported by stack import: [{', '.join(sorted(hidden))}]"
    if stack["_template_body"].strip() != held.template.strip():
        return "The template of the stack does not match the template of the StackSet"
    values = {name: str(each["Value"]) for name, each in stack["_resolved_params"].items()}
    instance.overrides = {k: v for k, v in values.items() if held.parameters.get(k) != v}
    return ""
