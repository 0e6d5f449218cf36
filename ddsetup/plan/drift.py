"""What is no longer as it was set up, told from reads in bulk alone. Pure.

A drift is what the ordinary plan would change, with the reason: what was applied last (the record kept with
the journals, or the mark on the function) tells a function that lost Datadog from one that never had it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ddsetup.facts.filters import leads_to_datadog_by_name
from ddsetup.facts.ownership import MARKER
from ddsetup.facts.recognise import has_datadog
from ddsetup.model.account import Function, Lane, LogGroup, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan, ResourceId, Skipped
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import FunctionState, TagsState
from ddsetup.model.trail import Deed
from ddsetup.plan.steps import collection, forwarder, instrument, integration, unwanted
from ddsetup.plan.steps.instrument.subject import Subject, function_resource, subject_of
from ddsetup.plan.steps.subscriptions import groups_to_read, late_planner
from ddsetup.plan.steps.subscriptions.groups import groups_by_lane
from ddsetup.plan.steps.wording import REMOVE, listed

Kind: TypeAlias = Literal["lost", "new", "outdated", "changed", "filter", "foundation", "left"]
Deeds: TypeAlias = Mapping[Lane, Mapping[str, Deed]]
"""Who changed what last, by region and the name of the function or log group."""

KINDS: Mapping[Kind, str] = {
    "lost": "Functions that ddsetup instrumented have Datadog",
    "new": "Functions that the rule chooses have Datadog",
    "outdated": "Layers have the version that is wanted",
    "changed": "What is set on functions is as it is wanted",
    "filter": "Log groups lead to the Forwarder",
    "foundation": "Integration, Forwarder and log collection are as they are wanted",
    "left": "Functions that the rule no longer chooses are without Datadog",
}
"""What holds where nothing has drifted, by the kind of drift."""
OF_FUNCTIONS: tuple[Kind, ...] = ("lost", "changed", "new")
"""Drift of which it matters who changed the function last."""
_BY_KIND = {kind: number for number, kind in enumerate(KINDS)}
_LEAST_LOOKED_AT = 10
_ONE_IN = 100
"""Filters are read of ten log groups, and one for each hundred functions, in a look: at 5 a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that is no longer as it is wanted. `by` is who changed it last, where that is known.

    `due` are the ARNs of the functions whose plan puts it right. `fix` is set where ddsetup cannot: the tool
    that deploys the function must.
    """

    kind: Kind
    resource: ResourceId
    what: str
    due: tuple[str, ...] = ()
    by: Deed | None = None
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All drift, what could not be told, and whatever must be readable before anything is carried out."""

    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()
    foundation: Plan = field(default_factory=Plan)


def find_drift(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Look:
    """All that needs no closer look than `ListFunctions` and the bulk reads beside it.

    Raises UsageError for answers that contradict each other or what is there.
    """
    foundation = Plan.joined(
        step(snapshot, answers, selected) for step in (integration.plan, forwarder.plan, collection.plan)
    )
    functions = instrument.plan(snapshot, answers, selected)
    left = unwanted.plan(snapshot, answers, selected)
    subjects = {function_resource(f): subject_of(f, snapshot, answers) for f in selected}
    found = [
        *(_foundation(change) for change in foundation.changes),
        *_functions(functions, subjects),
        *(_left(function) for function in _no_longer_chosen(snapshot, answers, selected)),
    ]
    return Look(
        drift=tuple(sorted(found, key=lambda d: (_BY_KIND[d.kind], d.resource))),
        notes=tuple(w for w in left.warnings if w.startswith(REMOVE)),
        foundation=foundation,
    )


def _foundation(change: Change) -> Drift:
    gone = {"create": "is not there", "update": "is not as it is wanted", "delete": "is no longer wanted"}
    return Drift(
        kind="foundation", resource=change.resource, what=f"{gone[change.action]}: {change.why}".rstrip(": ")
    )


def _functions(plan: Plan, subjects: Mapping[ResourceId, Subject]) -> Iterable[Drift]:
    told: set[str] = set()
    for change in plan.changes:
        subject = subjects.get(change.resource)
        if subject is not None and isinstance(change.after, FunctionState):
            told.add(subject.function.arn)
            yield _function(subject, change, change.after)
    for change in plan.changes:
        if isinstance(change.after, TagsState) and change.resource.id not in told:
            keys = listed(sorted(change.after.tags))
            yield Drift(kind="changed", resource=change.resource, what=f"its tags: {keys}", due=_due(change))
    for skipped in plan.skipped:
        subject = subjects.get(skipped.resource)
        if subject is not None and skipped.status == "skipped" and _lost(subject):
            yield _out_of_reach(skipped)


def _function(subject: Subject, change: Change, after: FunctionState) -> Drift:
    before = change.before if isinstance(change.before, FunctionState) else FunctionState()
    if _lost(subject):
        kind, what = "lost", f"has lost Datadog: {_differing(before, after)}"
    elif not has_datadog(subject.function):
        kind, what = "new", "has no Datadog yet"
    elif before == replace(after, layers=before.layers) and (newer := _newer(before, after)):
        kind, what = "outdated", newer
    else:
        kind, what = "changed", _differing(before, after)
    return Drift(kind=kind, resource=change.resource, what=what, due=_due(change))  # type: ignore[arg-type]


def _due(change: Change) -> tuple[str, ...]:
    return (change.resource.id,)


def _lost(subject: Subject) -> bool:
    """Whether ddsetup instrumented it, here or elsewhere, and nothing of that is left."""
    return (subject.written_before or MARKER in subject.tags) and not has_datadog(subject.function)


def _out_of_reach(skipped: Skipped) -> Drift:
    return Drift(
        kind="lost",
        resource=skipped.resource,
        what=f"has lost Datadog, and is left alone: {skipped.reason}",
        fix=skipped.fix or "see to it where it is deployed",
    )


def _newer(before: FunctionState, after: FunctionState) -> str:
    """The versions of layers, where nothing but these differs; else empty."""
    was, wanted = ([arn.rpartition(":") for arn in state.layers] for state in (before, after))
    if [name for name, _, _ in was] != [name for name, _, _ in wanted]:
        return ""
    pairs = zip(was, wanted, strict=True)
    return listed(
        [f"layer {name.rpartition(':')[2]} {a} instead of {b}" for (name, _, a), (_, _, b) in pairs if a != b]
    )


def _differing(before: FunctionState, after: FunctionState) -> str:
    """What would be changed, by name: values are for the plan to show."""
    layers = [arn.rsplit(":", 2)[-2] for arn in after.layers if arn not in before.layers]
    gone = [arn.rsplit(":", 2)[-2] for arn in before.layers if arn not in after.layers]
    names = {n for n in {*before.env, *after.env} if before.env.get(n) != after.env.get(n)}
    parts = [
        *((f"layer {listed(sorted({*layers, *gone}))}",) if layers or gone else ()),
        *(("handler",) if before.handler != after.handler else ()),
        *((listed(sorted(names)),) if names else ()),
    ]
    return ", ".join(parts) or "settings"


def _no_longer_chosen(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> tuple[Function, ...]:
    return unwanted.left_functions(snapshot, answers, selected) if answers.prune else ()


def _left(function: Function) -> Drift:
    return Drift(
        kind="left", resource=function_resource(function), what="has Datadog, and is no longer chosen"
    )


def suspects(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], deleted: Deeds
) -> tuple[Mapping[Lane, tuple[str, ...]], int]:
    """Log groups whose filter may be gone, by region, as many as a look may read, and how many are left.

    Those of which CloudTrail knows that somebody deleted a filter, and those that led to Datadog within two
    weeks and did not within three hours.
    """
    unproven = groups_to_read(snapshot, answers, selected)
    found: list[tuple[Lane, str]] = []
    for lane, groups in groups_by_lane(snapshot, answers, selected).items():
        here, ever = deleted.get(lane, {}), snapshot.lanes[lane].delivered
        told = {name for name, deed in here.items() if not deed.ours}
        quiet = {
            group
            for group in unproven.get(lane, ())
            if isinstance(ever, Mapping) and any(map(leads_to_datadog_by_name, ever.get(group, ())))
        }
        found += [(lane, group.name) for group in groups if group.name in told | quiet]
    most = _LEAST_LOOKED_AT + len(selected) // _ONE_IN
    wanted: dict[Lane, tuple[str, ...]] = {}
    for lane, name in found[:most]:
        wanted[lane] = (*wanted.get(lane, ()), name)
    return wanted, max(0, len(found) - most)


def find_lost_filters(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...], deleted: Deeds
) -> tuple[Drift, ...]:
    """Of the log groups whose filters were read, those that no longer lead to the Forwarder."""
    planner = late_planner(snapshot, answers, selected)
    writers = _writers(snapshot, answers, selected)
    return tuple(
        Drift(
            kind="filter",
            resource=change.resource,
            what=f"no filter leads to the Forwarder: {change.why}".rstrip(": "),
            due=writers.get((lane, group), ()),
            by=_not_ours(deleted.get(lane, {}).get(group)),
        )
        for lane, seen in snapshot.lanes.items()
        for group, filters in seen.filters.items()
        for change in planner(lane, group, filters).changes
        if change.action == "create"
    )


def _writers(
    snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Mapping[tuple[Lane, str], tuple[str, ...]]:
    return {
        (lane, group.name): tuple(f.arn for f in group.functions)
        for lane, groups in groups_by_lane(snapshot, answers, selected).items()
        for group in groups
    }


def with_log_groups(snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]) -> Snapshot:
    """The snapshot with the log groups of the selected functions, which a look at drift does not list.

    Whether one is missing is not its business: AWS makes it with the next invocation.
    """
    lanes = dict(snapshot.lanes)
    for lane, groups in groups_by_lane(snapshot, answers, selected).items():
        if not isinstance(lanes[lane].log_groups, Unreadable):
            lanes[lane] = replace(lanes[lane], log_groups={g.name: LogGroup(g.name) for g in groups})
    return replace(snapshot, lanes=lanes)


def told(drift: Iterable[Drift], deeds: Deeds, snapshot: Snapshot) -> tuple[Drift, ...]:
    """The same with who changed each function last, unless that was ddsetup itself."""
    by_arn = {f.arn: f for f in snapshot.functions()}

    def author(each: Drift) -> Deed | None:
        function = by_arn.get(each.resource.id)
        if function is None or each.kind not in OF_FUNCTIONS:
            return each.by
        return _not_ours(deeds.get(function.lane, {}).get(function.name))

    return tuple(replace(each, by=author(each)) for each in drift)


def _not_ours(deed: Deed | None) -> Deed | None:
    return None if deed is None or deed.ours else deed
