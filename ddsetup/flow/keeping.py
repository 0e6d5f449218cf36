"""What has drifted from what was set up, in as few calls as that takes, and the plan that puts it right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from ddsetup.ask.asking import answers_from
from ddsetup.facts.kinds import CHOSEN
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.known_tags import known_tags, read_again
from ddsetup.flow.preparing import Prepared, look, plan_closely, with_surroundings
from ddsetup.flow.remembered import with_applied
from ddsetup.gateways.aws.trail import Event, last_deeds
from ddsetup.gateways.overlap import Jobs, side_by_side
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.lines import counted
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import RoleState
from ddsetup.model.trail import Deed
from ddsetup.observe.chosen import (
    add_filters,
    observe_filters,
    observe_for_drift,
    observe_in_datadog,
)
from ddsetup.observe.in_bulk import ABOUT_DRIFT, FOR_DRIFT, with_fields, with_roles
from ddsetup.plan.drift import (
    OF_FUNCTIONS,
    Deeds,
    Drift,
    find_drift,
    find_lost_filters,
    suspects,
    told,
    with_log_groups,
)
from ddsetup.plan.preflight import check_readable
from ddsetup.plan.select import select_in
from ddsetup.plan.steps.subscriptions import Filters
from ddsetup.settings.given import Given

_CHANGED: tuple[Event, ...] = ("CreateFunction20150331", "UpdateFunctionConfiguration20150331v2")
_DELETED: tuple[Event, ...] = ("DeleteSubscriptionFilter",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a look found. `notes` say what could not be told."""

    snapshot: Snapshot
    answers: Answers
    selected: tuple[Function, ...]
    drift: tuple[Drift, ...]
    notes: tuple[str, ...] = ()

    @property
    def due(self) -> tuple[Function, ...]:
        """The functions that something is to be done about."""
        arns = {arn for each in self.drift for arn in each.due}
        return tuple(function for function in self.selected if function.arn in arns)

    @property
    def filters(self) -> Mapping[tuple[Lane, str], Filters]:
        """The filters that were read, by region and log group."""
        lanes = self.snapshot.lanes
        return {(lane, group): found for lane in lanes for group, found in lanes[lane].filters.items()}


def look_for_drift(session: Session, given: Given) -> Kept:
    """Read in bulk, compare, and ask CloudTrail who it was. Nobody is asked which functions are meant.

    Raises UsageError naming every answer that is missing, CredentialsError when a foundation may not be
    looked at, and what `look` raises.
    """
    chosen = {row.field for kind, row in CHOSEN.items() if kind in given}
    known = known_tags(session, given)
    snapshot = look(session, quiet(given, "role_name"), fields=FOR_DRIFT | chosen, known=known)
    answers = answers_from(given, snapshot, None, command="plan", scope=session.scope)
    selected = select_in(snapshot, answers.selection)
    snapshot = observe_in_datadog(session.dd, with_applied(session, snapshot), answers)
    with session.host.busy(f"comparing {counted(len(selected), 'function')}"):
        snapshot = observe_for_drift(session.aws, snapshot, answers, selected)
        found = find_drift(snapshot, answers, selected)
        if found.drift:
            if known is not None and known.served:
                snapshot = read_again(session, snapshot)
            snapshot = with_fields(session.aws, snapshot, ABOUT_DRIFT)
            if any(each.resource.kind == RoleState.KIND for each in found.drift):
                snapshot = with_roles(session.aws, snapshot)
            found = find_drift(snapshot, answers, selected)
        check_readable(found.foundation)
        lanes = sorted({function.lane for function in selected})
        changed, blind = _deeds(session, _CHANGED, _lanes_of(found.drift, snapshot))
        deleted, blind_to_filters = _deeds(session, _DELETED, lanes if answers.forwards else ())
        blind = tuple(f"who changed functions is not known: {why}" for why in blind)
        blind += tuple(f"a filter that an idle log group lost is not seen: {why}" for why in blind_to_filters)
        snapshot = with_log_groups(snapshot, answers, selected)
        groups, more = suspects(snapshot, answers, selected, deleted)
        snapshot = observe_filters(session.aws, snapshot, groups)
        filters = find_lost_filters(snapshot, answers, selected, deleted)
    drift = (*told(found.drift, changed, snapshot), *filters)
    notes = (*found.notes, *blind, *_unread(more))
    return Kept(snapshot=snapshot, answers=answers, selected=selected, drift=drift, notes=notes)


def _lanes_of(drift: Iterable[Drift], snapshot: Snapshot) -> tuple[Lane, ...]:
    """The regions of which it matters who changed a function."""
    arns = {each.resource.id for each in drift if each.kind in OF_FUNCTIONS}
    return tuple(sorted({f.lane for f in snapshot.functions() if f.arn in arns}))


def _unread(more: int) -> tuple[str, ...]:
    if not more:
        return ()
    groups = counted(more, "log group")
    return (f"{groups} more may have lost their filter: ddsetup plan looks at all of them",)


def _deeds(session: Session, events: Iterable[Event], lanes: Iterable[Lane]) -> tuple[Deeds, tuple[str, ...]]:
    """Who did this last, by region and subject; and what could not be told, said once."""
    jobs: Jobs = {
        (event, lane, ""): partial(last_deeds, session.aws, lane, event) for lane in lanes for event in events
    }
    found: dict[Lane, dict[str, Deed]] = {}
    blind: dict[str, None] = {}
    for (_, lane, _), deeds in side_by_side(session.aws, jobs).items():
        if isinstance(deeds, Unreadable):
            blind[f"{deeds.reason} (needs {deeds.action})"] = None
            continue
        assert lane is not None
        assert isinstance(deeds, Mapping)
        here = found.setdefault(lane, {})
        for subject, deed in deeds.items():
            if subject not in here or here[subject].at < deed.at:
                here[subject] = deed
    return found, tuple(blind)


def prepare_repair(session: Session, given: Given, kept: Kept) -> Prepared:
    """The ordinary plan, of the functions that drifted and of all that is shared.

    Raises as `prepare` does.
    """
    answers = kept.answers
    snapshot = look(session, quiet(given, "role_name"))
    selected = select_in(snapshot, answers.selection)
    snapshot = with_surroundings(session, snapshot, answers, selected)
    # What was read is known better than by evidence, which is up to three hours old.
    snapshot = add_filters(snapshot, kept.filters)
    arns = {function.arn for function in kept.due}
    due = tuple(function for function in selected if function.arn in arns)
    return plan_closely(session, snapshot, answers, selected, due)
