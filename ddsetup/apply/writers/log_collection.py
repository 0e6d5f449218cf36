"""Writes the forwarders and log sources that are registered with Datadog's record of an AWS account.

Datadog keeps one list for all regions, replaces it whole, and has no revision to write on. Runs side by side,
one for each region, read the same list and write theirs over each other's, and each sees its own in it. So
what was written is looked at again at the end of the run, and put right.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ddsetup.apply.writers.integration import readable
from ddsetup.apply.writers.issued import Issued
from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, failed, gone, moved
from ddsetup.apply.writers.triggers import take_back
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.integration import read_integration, set_log_collection
from ddsetup.model.account import Integration
from ddsetup.model.change import Change, Outcome, ResourceId
from ddsetup.model.clock import Clock
from ddsetup.model.errors import GatewayError
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import LogCollectionState
from ddsetup.plan.steps.uninstrument import STEP as UNINSTRUMENT

SETTLES = 1.5
"""Seconds after a write until whoever read the list before it has written as well: a slow call and some."""
AT_ONCE = "run the command again, and not at the same time as the others"
_ROUNDS = 6


class LogCollectionWriter(OneByOne):
    """Adds forwarders and log sources to an integration, or takes them out; others stay."""

    def __init__(self, aws: Aws, dd: Datadog, issued: Issued, snapshot: Snapshot, clock: Clock) -> None:
        super().__init__(issued)
        self._aws = aws
        self._dd = dd
        self._snapshot = snapshot
        self._clock = clock
        self._written: list[Change] = []
        self._settled_at = 0.0

    def resolve(self, change: Change) -> Change:
        """The change without the log sources that a run for another region added meanwhile: they are on both
        of its sides then, so that its undo leaves them."""
        change = super().resolve(change)
        before, after = _lists(change.before), _lists(change.after)
        new = set(after.sources) - set(before.sources)
        live = read_integration(self._dd, change.resource.account) if new else None
        held = live.sources if isinstance(live, Integration) else ()
        there = tuple(source for source in after.sources if source in new and source in held)
        if not there:
            return change
        return replace(change, before=replace(before, sources=(*before.sources, *there)))

    def write_one(self, change: Change) -> Outcome:
        live = readable(read_integration(self._dd, change.resource.account))
        before, after = _lists(change.before), _lists(change.after)
        if live is None:
            if not after.lambdas and not after.sources:
                return gone(change)
            return moved(change, "the account is not registered with Datadog")
        if _is_so(live, before, after):
            return already_so(change)
        off = [
            *_off("forwarder", live.lambdas, before.lambdas, after.lambdas),
            *_off("log source", live.sources, before.sources, after.sources),
        ]
        if off:
            return moved(change, off)
        if not self._registered(change, live, sure=False):
            return failed(change, "Datadog keeps other forwarders or log sources than were sent", AT_ONCE)
        self._written.append(change)
        taken_out = set(before.lambdas) - set(after.lambdas)
        # Where nothing but functions goes, Datadog can take its filters out itself: of many groups that takes
        # it minutes, and would take as long to do for it.
        stays = change.step == UNINSTRUMENT
        left = take_back(self._aws, self._snapshot, change.resource.account, taken_out, few=stays)
        return applied(change, f"filters that Datadog made may be left: {'; '.join(left)}" if left else "")

    def settle(self, cancelled: Callable[[], bool]) -> Mapping[ResourceId, Outcome]:
        """Look again at what was written, once whoever read the lists before that has written them, too."""
        lost: dict[ResourceId, Outcome] = {}
        for change in self._written:
            if not cancelled():
                self._wait()
            try:
                live = readable(read_integration(self._dd, change.resource.account))
                # An undo takes the whole record away as well, and with it what was to be taken out.
                ended = live is None and not _lists(change.after).lambdas
                if ended or self._registered(change, live, sure=True):
                    continue
                reason = "somebody registered others at the same time, and Datadog keeps one list"
            except GatewayError as error:
                reason = f"whether others registered theirs at the same time cannot be seen: {error.what}"
            lost[change.resource] = failed(change, reason, AT_ONCE)
        return lost

    def _registered(self, change: Change, live: Integration | None, *, sure: bool) -> bool:
        """Write until what is kept is what was wanted; whether it is. `sure`: also after a while."""
        before, after = _lists(change.before), _lists(change.after)
        for _ in range(_ROUNDS):
            if live is None:
                return False
            if _is_so(live, before, after):
                return True
            lambdas = _merged(live.lambdas, before.lambdas, after.lambdas)
            sources = _merged(live.sources, before.sources, after.sources)
            began = self._clock.monotonic()
            kept = set_log_collection(self._dd, live, lambdas, sources)
            ended = self._clock.monotonic()
            # Not all at the same moment, or those that repair would meet again.
            self._settled_at = ended + max(SETTLES, 2 * (ended - began)) + secrets.randbelow(1000) / 1000
            if not sure and _is_so(kept, before, after):
                return True
            self._wait()
            live = readable(read_integration(self._dd, change.resource.account))
        return live is not None and _is_so(live, before, after)

    def _wait(self) -> None:
        self._clock.sleep(max(0.0, self._settled_at - self._clock.monotonic()))


def _lists(state: object) -> LogCollectionState:
    if state is None:
        return LogCollectionState()
    if not isinstance(state, LogCollectionState):
        raise TypeError("not a change of the log collection")
    return state


def _as_wanted(live: Sequence[str], before: Sequence[str], after: Sequence[str]) -> bool:
    return set(after) <= set(live) and not (set(before) - set(after)) & set(live)


def _off(what: str, live: Sequence[str], before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What the change takes out and is not there, or is there although the change was to add it."""
    lost = [name for name in before if name not in live]
    came = [name for name in after if name not in before and name in live]
    return [f"{what} {name} is not registered" for name in lost] + [
        f"{what} {name} is registered already" for name in came
    ]


def _merged(live: Sequence[str], before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    out = set(before) - set(after)
    return (*(name for name in live if name not in out), *(name for name in after if name not in live))


def _is_so(live: Integration, before: LogCollectionState, after: LogCollectionState) -> bool:
    """Whether the record is as the change wanted it, whatever others registered."""
    forwarders = _as_wanted(live.lambdas, before.lambdas, after.lambdas)
    return forwarders and _as_wanted(live.sources, before.sources, after.sources)
