"""What has to change for monitors and objectives to be as wanted, or to be gone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ddsetup.gateways.datadog import monitors, slos
from ddsetup.gateways.datadog.monitors import LiveMonitor
from ddsetup.gateways.datadog.slos import LiveSlo
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.states import MonitorState, SloState

STEP = "monitors"

S = TypeVar("S", MonitorState, SloState)


def resource_of(state: MonitorState | SloState, account: str) -> ResourceId:
    """The monitor or objective as a resource: which one, and for what."""
    name = state.key if state.scope == "all" else f"{state.key} [{state.scope}]"
    return ResourceId(state.KIND, name, account=account)


def plan_monitors(wanted: Sequence[MonitorState], live: Sequence[LiveMonitor], account: str) -> Plan:
    """Create what is missing, change what differs. Monitors of other scopes are none of its business."""
    by_identity = {_identity(one.state): one for one in reversed(live)}

    def before(state: MonitorState) -> MonitorState | None:
        found = by_identity.get(_identity(state))
        return None if found is None else monitors.owned_part(found, state)

    pairs = [(before(state), state) for state in wanted]
    return _plan(pairs, monitors.differing, lambda state: f"alerts on: {state.name}", account)


def plan_slos(wanted: Sequence[SloState], live: Sequence[LiveSlo], account: str) -> Plan:
    """The same for objectives."""
    by_identity = {_identity(one.state): one for one in reversed(live)}

    def before(state: SloState) -> SloState | None:
        found = by_identity.get(_identity(state))
        return None if found is None else slos.owned_part(found, state)

    pairs = [(before(state), state) for state in wanted]
    return _plan(pairs, slos.differing, lambda s: f"{s.target:g} % in {s.timeframe}: {s.name}", account)


def _plan(
    pairs: Sequence[tuple[S | None, S]],
    differing: Callable[[S, S], tuple[str, ...]],
    purpose: Callable[[S], str],
    account: str,
) -> Plan:
    changes: list[Change] = []
    skipped: list[Skipped] = []
    for before, after in pairs:
        resource = resource_of(after, account)
        off = () if before is None else differing(before, after)
        if before is not None and not off:
            reason = "it is as wanted"
            skipped.append(Skipped(resource=resource, status="unchanged", reason=reason, step=STEP))
            continue
        why = f"differs in {', '.join(off)}" if off else purpose(after)
        changes.append(Change(step=STEP, resource=resource, before=before, after=after, why=why))
    return Plan(changes=tuple(changes), skipped=tuple(skipped))


def plan_removal(live: Sequence[LiveMonitor | LiveSlo], account: str) -> Plan:
    """Delete these monitors and objectives, each of which ddsetup made."""
    changes = tuple(
        Change(
            step=STEP,
            resource=resource_of(one.state, account),
            before=one.state,
            after=None,
            why="ddsetup made it",
        )
        for one in live
    )
    return Plan(changes=changes)


def _identity(state: MonitorState | SloState) -> tuple[str, str]:
    return state.key, state.scope
