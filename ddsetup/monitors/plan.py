"""What has to change for the monitors to be as wanted, or to be gone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ddsetup.gateways.datadog.monitors import LiveMonitor, differing, owned_part
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.states import MonitorState

STEP = "monitors"


def resource_of(state: MonitorState, account: str) -> ResourceId:
    """The monitor as a resource: which one, and for what."""
    name = state.key if state.scope == "all" else f"{state.key} [{state.scope}]"
    return ResourceId("monitor", name, account=account)


def plan_monitors(wanted: Sequence[MonitorState], live: Sequence[LiveMonitor], account: str) -> Plan:
    """Create what is missing, change what differs. Monitors of other scopes are none of its business."""
    changes: list[Change] = []
    skipped: list[Skipped] = []
    for state in wanted:
        found = next((one for one in live if _identity(one.state) == _identity(state)), None)
        resource = resource_of(state, account)
        if found is None:
            changes.append(
                Change(step=STEP, resource=resource, before=None, after=state, why=f"alerts on: {state.name}")
            )
            continue
        before = owned_part(found, state)
        if off := differing(before, state):
            why = f"differs in {', '.join(off)}"
            changes.append(Change(step=STEP, resource=resource, before=before, after=state, why=why))
        else:
            skipped.append(
                Skipped(resource=resource, status="unchanged", reason="it is as wanted", step=STEP)
            )
    return Plan(changes=tuple(changes), skipped=tuple(skipped))


def plan_removal(live: Sequence[LiveMonitor], account: str) -> Plan:
    """Delete these monitors, each of which ddsetup made."""
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


def _identity(state: MonitorState) -> tuple[str, str]:
    return state.key, state.scope
