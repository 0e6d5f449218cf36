"""Other services whose logs Datadog shall get: state machines and stages of APIs that were chosen by name.

What they log to is subscribed by Datadog, which is told the log source (step collection), or by a filter of
our own. A role is never changed: one that lacks a right is named, with the command that gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ddsetup.facts.kinds import CHOSEN, sources_of
from ddsetup.model.account import Function, Lane
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select_services import all_chosen, unlisted
from ddsetup.plan.steps.forwarder_choice import partition_of_account
from ddsetup.plan.steps.sources import api_stages, state_machines
from ddsetup.plan.steps.sources.reaching import STEP, Planner, Refusal, Way, way_from
from ddsetup.plan.steps.wording import cannot_see

__all__ = ["STEP", "plan"]

_PLANNERS: Mapping[str, Planner] = {
    "state_machine": state_machines.PLANNER,
    "api_stage": api_stages.PLANNER,
}


def plan(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Plan:
    """What is changed about the state machines and stages chosen; each of them is in it.

    Raises UsageError for a name that is none.
    """
    if not sources_of(answers):
        return Plan()
    meant = all_chosen(snapshot, answers)
    used = {function.lane for function in selected}
    ways: dict[Lane, Way | Refusal] = {}

    def way(lane: Lane) -> Way | Refusal:
        if lane not in ways:
            ways[lane] = way_from(lane, snapshot, answers, used)
        return ways[lane]

    def partition(lane: Lane) -> str:
        return partition_of_account(lane.account, snapshot)

    return _once(
        (
            *(_PLANNERS[each.KIND].plan(each, way(each.lane), partition(each.lane)) for each in meant),
            _unlisted(snapshot, answers),
        )
    )


def _unlisted(snapshot: Snapshot, answers: Answers) -> Plan:
    """Where what was chosen could not be looked for."""
    found = []
    for lane, kind, why in unlisted(snapshot, answers):
        what = f"which {CHOSEN[kind].existing[1]} exist"
        found.append(
            Skipped(
                resource=ResourceId(kind, "*", lane.region, lane.account),
                status="skipped",
                reason=cannot_see(what, why),
                fix="grant the permission, then again",
                step=STEP,
            )
        )
    return Plan(skipped=tuple(found))


def _once(parts: Iterable[Plan]) -> Plan:
    """All together; a log group that several log to is made and subscribed once."""
    changes: dict[ResourceId, Change] = {}
    skipped: list[Skipped] = []
    for part in parts:
        for change in part.changes:
            changes.setdefault(change.resource, change)
        skipped.extend(part.skipped)
    return Plan(changes=tuple(changes.values()), skipped=tuple(skipped))
