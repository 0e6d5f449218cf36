"""What has to change for monitors and objectives to be as wanted, or to be gone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ddsetup.gateways.datadog import monitors, slos
from ddsetup.gateways.datadog.monitors import LiveMonitor
from ddsetup.gateways.datadog.slos import LiveSlo
from ddsetup.model.change import Plan, ResourceId, Step
from ddsetup.model.states import MonitorState, SloState

STEP = Step("monitors")

S = TypeVar("S", MonitorState, SloState)
L = TypeVar("L", LiveMonitor, LiveSlo)


def resource_of(state: MonitorState | SloState, account: str) -> ResourceId:
    """The monitor or objective as a resource: which one, and for what."""
    name = state.key if state.scope == "all" else f"{state.key} [{state.scope}]"
    return ResourceId(state.KIND, name, account=account)


def plan_monitors(wanted: Sequence[MonitorState], live: Sequence[LiveMonitor], account: str) -> Plan:
    """Create what is missing, change what differs. Monitors of other scopes are none of its business."""
    pairs = _pairs(wanted, live, monitors.owned_part)
    return _plan(pairs, monitors.differing, lambda state: f"alerts on: {state.name}", account)


def plan_slos(wanted: Sequence[SloState], live: Sequence[LiveSlo], account: str) -> Plan:
    """The same for objectives."""
    pairs = _pairs(wanted, live, slos.owned_part)
    return _plan(pairs, slos.differing, lambda s: f"{s.target:g} % in {s.timeframe}: {s.name}", account)


def _pairs(
    wanted: Sequence[S], live: Sequence[L], owned_part: Callable[[L, S], S]
) -> Iterator[tuple[S | None, S]]:
    """What is there of each, None for nothing, and what shall be."""
    by_identity = {_identity(one.state): one for one in reversed(live)}
    for state in wanted:
        found = by_identity.get(_identity(state))
        yield (None if found is None else owned_part(found, state)), state


def _plan(
    pairs: Iterator[tuple[S | None, S]],
    differing: Callable[[S, S], tuple[str, ...]],
    purpose: Callable[[S], str],
    account: str,
) -> Plan:
    parts = []
    for before, after in pairs:
        resource = resource_of(after, account)
        off = () if before is None else differing(before, after)
        if before is not None and not off:
            parts.append(STEP.keep(resource, "it is as wanted"))
            continue
        why = f"differs in {', '.join(off)}" if off else purpose(after)
        parts.append(STEP.change(resource, before, after, why))
    return Plan.joined(parts)


def plan_removal(live: Sequence[LiveMonitor | LiveSlo], account: str) -> Plan:
    """Delete these monitors and objectives, each of which ddsetup made."""
    return Plan.joined(
        STEP.change(resource_of(one.state, account), one.state, None, "ddsetup made it") for one in live
    )


def _identity(state: MonitorState | SloState) -> tuple[str, str]:
    return state.key, state.scope
