"""How operations run: region by region, some accounts at a time, until too many have failed.

The failure tolerance counts accounts in a region; a region that exceeds it stops the operation there and
in the regions after it (`StackSetOperationPreferences`). With strict tolerance, the default, no more
accounts are worked on at a time than may still fail, and one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddsetup.sandbox.emulator import org_tree
from ddsetup.sandbox.emulator.stack_sets import importing, member_stacks
from ddsetup.sandbox.emulator.stack_sets.member_stacks import StackFailed
from ddsetup.sandbox.emulator.stack_sets.records import Instance, Operation, Result, StackSet

PREPARING_SECONDS = 0.5
"""Before the first stack; AWS takes longer, and says that it does (`CreationTimestamp` of an operation)."""

Strike = Callable[[str, str, str], str]
_tasks: set[asyncio.Task[None]] = set()


@dataclass(slots=True)
class Runner:
    """Starts the operations of all sets. `strike` gives the reason why what is done in a set, an
    account and a region is meant to fail."""

    strike: Strike = lambda _set, _account, _region: ""

    def start(self, held: StackSet, operation: Operation) -> None:
        """Begin, now or when it is its turn."""
        waits = bool(held.under_way)
        held.operations[operation.id] = operation
        if not waits:
            self._begin(held, operation)

    def _begin(self, held: StackSet, operation: Operation) -> None:
        operation.status = "RUNNING"
        for instance in operation.choose():
            operation.results[instance.key] = Result(instance)
            held.instances.setdefault(instance.key, instance)
            instance.detail, instance.operation, instance.reason = "PENDING", operation.id, ""
        task = asyncio.get_running_loop().create_task(self._run(held, operation))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    async def _run(self, held: StackSet, operation: Operation) -> None:
        await asyncio.sleep(PREPARING_SECONDS)
        well = False
        try:
            well = await self._regions(held, operation)
        finally:
            _cancel_rest(operation)
            self._end(held, operation, well=well)

    async def _regions(self, held: StackSet, operation: Operation) -> bool:
        """Whether in none of them more accounts failed than may; the first such one ends it, if they come one
        after the other."""
        if operation.preferences.get("RegionConcurrencyType") == "PARALLEL":
            return all(await asyncio.gather(*(self._region(held, operation, r) for r in operation.regions)))
        for region in operation.regions:
            if not await self._region(held, operation, region):
                return False
        return True

    def stop(self, operation: Operation) -> None:
        """What was not begun is not going to be; one that waits for its turn ends at once."""
        if operation.status == "QUEUED":
            operation.status, operation.ended = "STOPPED", time.time()
        else:
            operation.status = "STOPPING"

    def _end(self, held: StackSet, operation: Operation, *, well: bool) -> None:
        operation.ended = time.time()
        if operation.status == "STOPPING":
            operation.status = "STOPPED"
        else:
            operation.status = "SUCCEEDED" if well else "FAILED"
        waiting = [each for each in held.under_way if each.status == "QUEUED"]
        if waiting:
            self._begin(held, waiting[0])

    async def _region(self, held: StackSet, operation: Operation, region: str) -> bool:
        """Whether no more accounts of the region failed than may."""
        if operation.status == "STOPPING":
            return True
        here = [each for each in operation.results.values() if each.instance.region == region]
        tolerated, most = _limits(operation, len(here))
        strict = operation.preferences.get("ConcurrencyMode") != "SOFT_FAILURE_TOLERANCE"
        waiting = list(here)
        while waiting and operation.status != "STOPPING":
            failed = sum(each.status == "FAILED" for each in here)
            if failed > tolerated:
                return False
            size = max(1, min(most, tolerated + 1 - failed) if strict else most)
            batch, waiting = waiting[:size], waiting[size:]
            await asyncio.gather(*(self._work(held, operation, each) for each in batch))
        return sum(each.status == "FAILED" for each in here) <= tolerated

    async def _work(self, held: StackSet, operation: Operation, result: Result) -> None:
        instance = result.instance
        result.status = instance.detail = "RUNNING"
        try:
            if not _is_active(instance):
                _skip(held, operation, result)
                return
            if not operation.retain:
                member_stacks.let_in(instance.account, held.account)
            if reason := self.strike(held.name, instance.account, instance.region):
                raise StackFailed(reason)
            await _carry_out(held, operation, instance)
        except StackFailed as failed:
            result.status = "FAILED"
            result.reason = instance.reason = str(failed)
            unstable = operation.action == "DELETE" or operation.imports
            instance.status = "INOPERABLE" if unstable else "OUTDATED"
            instance.detail = "FAILED_IMPORT" if operation.imports else "FAILED"
        else:
            result.status = instance.detail = "SUCCEEDED"


async def _carry_out(held: StackSet, operation: Operation, instance: Instance) -> None:
    """What the operation is for, in one account and region. Raises StackFailed."""
    if operation.action == "DELETE":
        if not operation.retain:
            await member_stacks.remove(instance)
        held.instances.pop(instance.key, None)
        return
    if operation.imports:
        if reason := importing.take(held, instance):
            raise StackFailed(reason)
    else:
        instance.overrides.update(operation.overrides)
        await member_stacks.put(held, instance)
    instance.status = "CURRENT"


def _is_active(instance: Instance) -> bool:
    organization = org_tree.current()
    member = organization.members.get(instance.account) if organization else None
    return member is not None and member.active


def _skip(held: StackSet, operation: Operation, result: Result) -> None:
    """An account that is not active is left out; what it had of the set stays in it. That there is no result
    for it is an assumption."""
    instance = result.instance
    operation.results.pop(instance.key)
    instance.detail = "SKIPPED_SUSPENDED_ACCOUNT"
    if operation.action == "DELETE":
        held.instances.pop(instance.key, None)


def _cancel_rest(operation: Operation) -> None:
    reason = "Cancelled since failure tolerance has exceeded"
    if operation.status == "STOPPING":
        reason = "Cancelled by user"
    for result in operation.results.values():
        if result.status == "PENDING":
            result.status = result.instance.detail = "CANCELLED"
            result.reason = result.instance.reason = reason


def _limits(operation: Operation, accounts: int) -> tuple[int, int]:
    """How many accounts of a region may fail, and on how many is worked at a time."""
    said = operation.preferences
    tolerated = said.get("FailureToleranceCount")
    if tolerated is None:
        tolerated = accounts * said.get("FailureTolerancePercentage", 0) // 100
    most = said.get("MaxConcurrentCount")
    if most is None:
        most = max(1, accounts * said.get("MaxConcurrentPercentage", 0) // 100)
    return tolerated, most


def order(regions: Sequence[str], preferences: Mapping[str, Any]) -> list[str]:
    """The regions in the order in which they are worked on."""
    wanted = preferences.get("RegionOrder", [])
    return [*(each for each in wanted if each in regions), *(each for each in regions if each not in wanted)]
