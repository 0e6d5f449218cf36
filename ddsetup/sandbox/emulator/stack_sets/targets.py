"""Which accounts an operation is about (`DeploymentTargets`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddsetup.sandbox.emulator.org_tree import Organization
from ddsetup.sandbox.emulator.refusals import Refusal
from ddsetup.sandbox.emulator.stack_sets.records import Instance, StackSet

_MOST_UNITS = 50


def checked(organization: Organization, targets: Mapping[str, Any], action: str) -> Mapping[str, Any]:
    """The targets. Raises Refusal for those that name no unit, an unknown one or too many, and for accounts
    without the way in which they are meant where instances are made."""
    units = targets.get("OrganizationalUnitIds") or []
    if not units:
        text = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
        raise Refusal("ValidationError", text)
    if len(units) > _MOST_UNITS:
        raise Refusal("ValidationError", f"At most {_MOST_UNITS} organizational units can be specified.")
    for unit in units:
        if unit not in organization.units:
            raise Refusal("ValidationError", f"OrganizationalUnit {unit} does not exist.")
    if action == "CREATE" and targets.get("Accounts") and not targets.get("AccountFilterType"):
        text = "AccountFilterType must be specified with Accounts and OrganizationalUnitIds."
        raise Refusal("ValidationError", text)
    return targets


def accounts(organization: Organization, targets: Mapping[str, Any]) -> dict[str, str]:
    """The accounts by the unit that each came by; never the management account."""
    found = {
        member.id: unit
        for unit in targets["OrganizationalUnitIds"]
        for member in organization.below(unit)
        if member.id != organization.management
    }
    named = set(targets.get("Accounts") or ())
    way = targets.get("AccountFilterType") or ("UNION" if named else "NONE")
    if way == "INTERSECTION":
        return {account: unit for account, unit in found.items() if account in named}
    if way == "DIFFERENCE":
        return {account: unit for account, unit in found.items() if account not in named}
    if way == "UNION":
        others = (organization.members[each] for each in named & set(organization.members))
        found = {each.id: each.parent for each in others if each.id != organization.management} | found
    return found


def wanted(
    held: StackSet, organization: Organization, targets: Mapping[str, Any], regions: list[str]
) -> list[Instance]:
    """An instance for each account of the targets and region: the set's own where it has one."""
    chosen = accounts(organization, targets)
    return [
        held.instances.get((account, region)) or Instance(account, region, unit)
        for region in regions
        for account, unit in chosen.items()
    ]


def present(
    held: StackSet, organization: Organization, targets: Mapping[str, Any], regions: list[str]
) -> list[Instance]:
    """The set's instances that the targets take in, also of accounts that have left their unit."""
    chosen = accounts(organization, targets)
    way = targets.get("AccountFilterType")
    excluded = set(targets.get("Accounts") or ()) if way == "DIFFERENCE" else set()
    units = [] if way == "INTERSECTION" else targets["OrganizationalUnitIds"]

    def taken(each: Instance) -> bool:
        return each.account in chosen or (each.unit in units and each.account not in excluded)

    return [each for each in held.instances.values() if each.region in regions and taken(each)]
