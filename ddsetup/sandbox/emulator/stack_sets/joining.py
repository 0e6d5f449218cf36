"""Automatic deployment: accounts that join a target get a set's stacks, those that leave it lose them.

`OperationPreferences` do not apply to these operations (botocore's model), nor do filters of accounts: a unit
is a target as a whole (CloudFormation user guide, "Enable or disable automatic deployments for StackSets in
AWS Organizations").
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from ddsetup.sandbox.emulator.org_tree import Organization
from ddsetup.sandbox.emulator.stack_sets.records import Instance, Operation, StackSet
from ddsetup.sandbox.emulator.stack_sets.running import Runner


def watch(organization: Organization, sets: list[StackSet], runner: Runner) -> None:
    """Let the sets follow the accounts, from now on."""
    if organization.moved:
        return

    def moved(account: str, before: str, after: str) -> None:
        for held in sets:
            if held.status == "ACTIVE" and held.auto.get("Enabled"):
                _follow(held, runner, account, (organization.around(before), organization.around(after)))

    organization.moved.append(moved)


def _follow(
    held: StackSet, runner: Runner, account: str, places: tuple[Iterable[str], Iterable[str]]
) -> None:
    """Begin what follows from a move between two places, each with all the units around it."""
    before, after = (set(each) & set(held.targets) for each in places)
    gone = [each for each in held.instances.values() if each.account == account and not after]
    if before and gone:
        operation = _operation("DELETE", gone)
        operation.retain = bool(held.auto.get("RetainStacksOnAccountRemoval"))
        runner.start(held, operation)
    for unit in after - before:
        regions = held.targets[unit]
        made = [Instance(account, each, unit) for each in regions if (account, each) not in held.instances]
        if made:
            runner.start(held, _operation("CREATE", made))


def _operation(action: str, instances: list[Instance]) -> Operation:
    regions = list(dict.fromkeys(each.region for each in instances))
    return Operation(str(uuid.uuid4()), action, lambda: instances, regions)
