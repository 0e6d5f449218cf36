"""Writes from which roles Datadog takes data without an API key."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.apply.writers.one_by_one import OneByOne
from ddsetup.apply.writers.outcomes import already_so, applied, gone
from ddsetup.facts.variables import ORG_UUID
from ddsetup.gateways.aws.functions import list_functions
from ddsetup.gateways.aws.session import Aws
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.workload_identity import create_mapping, delete_mapping, find_mapping
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.change import Change, Outcome
from ddsetup.model.states import IntakeMappingState
from ddsetup.plan.steps.instrument.workload_identity import pattern_of

_MOMENT = 30.0
"""Seconds for which a list of functions is good that shows nobody who relies on a mapping."""


class IntakeMappingWriter(OneByOne):
    """Makes mappings, and takes away those on whose role no function relies any more."""

    def __init__(self, aws: Aws, dd: Datadog, lanes: Iterable[Lane]) -> None:
        super().__init__(None)
        self._aws = aws
        self._dd = dd
        self._lanes = tuple(lanes)
        self._seen: dict[Lane, tuple[float, tuple[Function, ...] | Unreadable]] = {}

    def write_one(self, change: Change) -> Outcome:
        wanted = change.after or change.before
        if not isinstance(wanted, IntakeMappingState):
            raise TypeError("not a change of an intake mapping")
        there = find_mapping(self._dd, wanted.arn_pattern)
        if change.after is not None:
            if there is not None:
                return already_so(change)
            create_mapping(self._dd, wanted.arn_pattern)
            return applied(change)
        if there is None:
            return gone(change)
        place = (wanted.arn_pattern, change.resource.account)
        # What was seen a moment ago may be what this run has changed since.
        used = self._used_by(*place, newer_than=_MOMENT) and self._used_by(*place, newer_than=0.0)
        if used:
            return already_so(change, f"it stays: {used}")
        delete_mapping(self._dd, there)
        return applied(change)

    def _used_by(self, pattern: str, account: str, *, newer_than: float) -> str:
        """Who relies on it, in words: functions that this run does not know of, where it works; seen within
        so many seconds, or looked at now."""
        for lane in self._lanes:
            if lane.account != account:
                continue
            found = self._functions(lane, newer_than)
            if isinstance(found, Unreadable):
                return f"whether functions in {lane.region} rely on it cannot be seen (needs {found.action})"
            for function in found:
                if _relies(function, pattern):
                    return f"{function.name} ({lane.region}) sends by it"
        return ""

    def _functions(self, lane: Lane, newer_than: float) -> tuple[Function, ...] | Unreadable:
        now = self._aws.clock.monotonic()
        at, found = self._seen.get(lane, (0.0, None))
        if found is None or now - at >= newer_than:
            found = list_functions(self._aws, lane)
            self._seen[lane] = (now, found)
        return found


def _relies(function: Function, pattern: str) -> bool:
    return bool((function.env or {}).get(ORG_UUID)) and pattern_of(function) == pattern
