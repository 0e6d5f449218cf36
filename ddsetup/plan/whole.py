"""The steps of a setup, in order, and the plan that they make together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan, ResourceId, Skipped
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.keep_install import leads_back
from ddsetup.plan.keep_template import STACK as KEEPER
from ddsetup.plan.preflight import permission_warnings
from ddsetup.plan.steps import (
    collection,
    durable,
    forwarder,
    instrument,
    integration,
    metric_stream,
    sources,
    subscriptions,
    unwanted,
)
from ddsetup.plan.steps.delivery_stack import our_stack

Step: TypeAlias = Callable[[Snapshot, Answers, tuple[Function, ...]], Plan]
"""From what is, what is wanted and the functions meant to what to do. Pure."""

STEPS: tuple[tuple[str, Step], ...] = (
    ("integration", integration.plan),
    ("forwarder", forwarder.plan),
    ("collection", collection.plan),
    ("instrument", instrument.plan),
    ("durable", durable.plan),
    ("metric_stream", metric_stream.plan),
    ("subscriptions", subscriptions.plan),
    ("sources", sources.plan),
    ("prune", unwanted.plan),
)
"""In the order in which a person would do them; what must wait for what is in `Change.needs`."""
_OF_FUNCTIONS = frozenset({"instrument", "durable", "subscriptions"})
"""The steps that look at each function by itself."""


def make_plan(
    snapshot: Snapshot,
    answers: Answers,
    selected: tuple[Function, ...],
    due: tuple[Function, ...] | None = None,
) -> Plan:
    """All that setting up the selected functions changes, step by step, and all that it leaves alone.

    `due`: those of them that something is to be done about, where the others were looked at and are as they
    should be. Raises UsageError for answers that contradict each other or what is there.
    """
    said = (*permission_warnings(snapshot), *_keepers(snapshot, answers))
    result = Plan(warnings=said, skipped=_left_out(snapshot))
    for name, step in STEPS:
        meant = selected if due is None or name not in _OF_FUNCTIONS else due
        result += step(snapshot, answers, meant)
    return Plan(
        changes=result.changes, skipped=result.skipped, warnings=tuple(dict.fromkeys(result.warnings))
    )


def _keepers(snapshot: Snapshot, answers: Answers) -> Iterator[str]:
    """Keepers in AWS that were installed for another site: what they keep is what this run changes."""
    for lane, held in sorted(snapshot.lanes.items()):
        keeper = our_stack(held, KEEPER)
        if keeper and (said := leads_back(keeper, answers.site)):
            yield f"the keeper in {lane.region} {said}"


def _left_out(snapshot: Snapshot) -> tuple[Skipped, ...]:
    """Regions in which nothing can be looked at."""
    return tuple(
        Skipped(
            resource=ResourceId("region", lane.region, lane.region, lane.account),
            status="skipped",
            reason=why.reason,
            fix=why.fix,
        )
        for lane, why in sorted(snapshot.left_out.items())
    )
