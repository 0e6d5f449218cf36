"""Everything up to the confirmation: observe, settle the answers, choose the functions, plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ddsetup.ask.asking import Chooser, answers_from
from ddsetup.facts.kinds import sources_of
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.known_tags import KnownTags, keep_read, known_tags, read_again
from ddsetup.flow.pruning import with_left_behind
from ddsetup.flow.remembered import with_applied
from ddsetup.gateways.aws.credentials import profile_of
from ddsetup.journal.names import remember_names
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.errors import DdsetupError, Denied, UsageError
from ddsetup.model.lines import counted
from ddsetup.model.snapshot import LaneSnapshot, Snapshot
from ddsetup.observe.chosen import (
    add_filters,
    look_closer,
    observe_deliveries,
    observe_in_datadog,
    refreshed,
)
from ddsetup.observe.filters_in_background import LateChanges, Sweep, start_sweep
from ddsetup.observe.in_bulk import Progress, bulk_fields, observe, observe_secrets
from ddsetup.plan.preflight import check_readable
from ddsetup.plan.select import none_here, select_in
from ddsetup.plan.steps.subscriptions import groups_to_read, late_planner
from ddsetup.plan.whole import make_plan
from ddsetup.settings.given import Given

_LOOKING = "looking at what is there"
DEFAULT_ROLE = Answers(site="", regions=()).role_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything up to the confirmation.

    `sweep` still reads subscription filters that the plan did not wait for; whoever asked for it closes it.
    """

    snapshot: Snapshot
    answers: Answers
    selected: tuple[Function, ...]
    plan: Plan
    sweep: Sweep | None = None

    @property
    def late(self) -> LateChanges | None:
        """The changes that follow from what is read after the plan, where there can be any that need no
        further question: filters of our own, and those that the answers give away."""
        if self.sweep is None or (
            self.answers.subscribe != "direct" and self.answers.on_conflict != "replace"
        ):
            return None
        return LateChanges(
            self.sweep, late_planner(self.snapshot, self.answers, self.selected), self.snapshot
        )


def _progress(session: Session, tell: Callable[[str], None], wanted: frozenset[str]) -> Progress:
    """Tells what is still being read; called from several threads."""
    lanes = {lane: bulk_fields(session.aws, lane) for lane in session.lanes}
    left = {(lane, field) for lane, fields in lanes.items() for field in fields if field in wanted}

    def told(lane: Lane, field: str) -> None:
        left.discard((lane, field))
        names = sorted({field.replace("_", " ") for _, field in tuple(left)})
        tell(f"{_LOOKING}, still {', '.join(names)}" if names else f"{_LOOKING}, still Datadog")

    return told


def look(
    session: Session,
    role_name: str = "",
    *,
    fields: frozenset[str] = frozenset(),
    known: KnownTags | None = None,
) -> Snapshot:
    """Observe everything that can be read in bulk, or only these fields of lanes (`observe.in_bulk.GLANCE`).

    `role_name` is the integration's role where it has another name than ours. Tags that are `known` are not
    read.

    Regions whose functions cannot be listed are left out, and said: nothing sensible can be said about them.
    Raises Denied, or UsageError for regions that are not enabled, when that is so in all of them.
    """
    wanted = fields or _wanted_fields(session)
    began = session.host.clock.now()
    with session.host.busy(_LOOKING) as tell:
        snapshot = observe(
            session.aws,
            lambda: session.dd,
            session.identities,
            session.lanes,
            role_name=role_name or DEFAULT_ROLE,
            on_progress=_progress(session, tell, wanted),
            fields=wanted,
            known_tags=known,
        )
    lost = _lost(session, snapshot)
    left = {lane: seen for lane, seen in snapshot.lanes.items() if lane not in lost}
    _remember(session, left)
    keep_read(session, left, began, known)
    return replace(snapshot, lanes=left, left_out=lost)


def _lost(session: Session, snapshot: Snapshot) -> Mapping[Lane, Unreadable]:
    """The regions whose functions cannot be listed. Raises as `look` does where these are all."""
    lost = {
        lane: seen.functions
        for lane, seen in snapshot.lanes.items()
        if isinstance(seen.functions, Unreadable)
    }
    if lost and len(lost) == len(snapshot.lanes):
        raise _nothing_to_see(lost)
    for lane, why in sorted(lost.items()):
        session.host.say(f"{lane.region} is left out: {why.reason}")
    return lost


def _remember(session: Session, lanes: Mapping[Lane, LaneSnapshot]) -> None:
    """Keep the names of functions for completion."""
    profile = profile_of(session.aws.options, session.host.environ) or ""
    for lane, seen in lanes.items():
        if not isinstance(seen.functions, Unreadable):
            names = (function.name for function in seen.functions)
            remember_names(session.host.state_dir, lane.account, lane.region, profile, names)


def _wanted_fields(session: Session) -> frozenset[str]:
    """Which services have metrics only preselects an answer: nobody needs it who is asked nothing."""
    every = frozenset(field for lane in session.lanes for field in bulk_fields(session.aws, lane))
    return every if session.host.prompter is not None else every - {"resources"}


def _nothing_to_see(lost: Mapping[Lane, Unreadable]) -> DdsetupError:
    """The error of a run that can look at none of its regions; it is a wrong answer where none is enabled."""
    lane, why = min(lost.items())
    if all(each.region_off for each in lost.values()):
        return UsageError(why.reason, where=lane.region, fix=why.fix)
    return Denied(
        f"the functions of {lane.region} cannot be listed: {why.reason}",
        action=why.action,
        fix=why.fix or f"grant {why.action}; `ddsetup policy` prints all that is needed",
        where=lane.region,
    )


def prepare(
    session: Session,
    given: Given,
    *,
    command: str = "setup",
    choose: Chooser | None = None,
    late: bool = False,
    seen: Snapshot | None = None,
) -> Prepared:
    """Observe, unless that was `seen` already, settle the answers, choose the functions, and plan.

    Nothing is written. With `late` the plan does not wait for subscription filters that are not likely to
    change it; `complete` gives the plan with all of them. Raises CredentialsError when a foundation (role,
    integration, stack, secret) may not be looked at, UsageError where there is no function and nothing else
    is to be set up, and `Back` when the person returns to where to look.
    """
    known = None if seen or session.host.prompter else known_tags(session, given)
    snapshot = seen or look(session, quiet(given, "role_name"), known=known)
    ways = _Ways(command, choose, late)
    prepared = _prepared(session, given, snapshot, ways)
    if known is None or not known.served or not prepared.plan.changes:
        return prepared
    # Tags also tell of Forwarders: whatever is to be written, none of it is on the word of what was kept.
    return _prepared(session, given, _with_tags_read(session, prepared), ways)


@dataclass(frozen=True, slots=True)
class _Ways:
    """How `prepare` was asked to go about it."""

    command: str
    choose: Chooser | None
    late: bool


def _with_tags_read(session: Session, prepared: Prepared) -> Snapshot:
    """What is there, with the tags of functions as they are now: something is to be written."""
    snapshot = prepared.snapshot
    if prepared.sweep is not None:
        prepared.sweep.close()
        snapshot = prepared.sweep.onto(snapshot)
    return read_again(session, snapshot)


def _prepared(session: Session, given: Given, snapshot: Snapshot, ways: _Ways) -> Prepared:
    """Settle the answers, choose the functions, and plan, from what is there."""
    answers = answers_from(
        given,
        snapshot,
        session.host.prompter,
        command=ways.command,
        scope=session.scope,
        choose=ways.choose,
        dialogue=session.host.dialogue,
        at_hand=session.host.at_hand,
    )
    selected = select_in(snapshot, answers.selection)
    if not (snapshot.functions() or sources_of(answers)):
        raise none_here(snapshot)
    snapshot = with_surroundings(session, snapshot, answers, selected)
    asked = _asked_about_filters(session, given)
    if not ways.late:
        return plan_closely(session, snapshot, answers, selected, selected, asked=asked)
    with _looking_closely(session, selected):
        snapshot = observe_deliveries(session.aws, snapshot, answers, selected)
        groups = groups_to_read(snapshot, answers, selected, asked=asked)
        return _prepare_with_sweep(session, snapshot, answers, selected, groups)


def with_surroundings(
    session: Session, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Snapshot:
    """Add what earlier runs left in force, and what Datadog's role has to be allowed."""
    snapshot = observe_secrets(session.aws, with_applied(session, snapshot))
    snapshot = with_left_behind(session, snapshot, answers, selected)
    return observe_in_datadog(session.dd, snapshot, answers)


def plan_closely(
    session: Session,
    snapshot: Snapshot,
    answers: Answers,
    selected: tuple[Function, ...],
    due: tuple[Function, ...],
    *,
    asked: bool = False,
) -> Prepared:
    """Look closely at those functions that are `due` of the selected ones, and plan what is to be done about
    them and about all that they share.

    `asked`: somebody is to decide on filters that are in the way. Raises CredentialsError as `prepare` does.
    """
    with _looking_closely(session, due):
        snapshot = observe_deliveries(session.aws, snapshot, answers, due)
        groups = groups_to_read(snapshot, answers, due, asked=asked)
        snapshot = look_closer(session.aws, snapshot, answers, due, groups)
    selected, due = refreshed(selected, snapshot), refreshed(due, snapshot)
    plan = make_plan(snapshot, answers, selected, due)
    check_readable(plan)
    return Prepared(snapshot=snapshot, answers=answers, selected=due, plan=plan)


def _looking_closely(
    session: Session, functions: tuple[Function, ...]
) -> AbstractContextManager[Callable[[str], None]]:
    return session.host.busy(f"looking closely at {counted(len(functions), 'function')}")


def _asked_about_filters(session: Session, given: Given) -> bool:
    """Whether somebody is there to decide on filters that are in the way, and nothing that was given does."""
    undecided = given.text("on_conflict") in ("", "ask") and not given.on("yes")
    return session.host.prompter is not None and undecided


def _prepare_with_sweep(
    session: Session,
    snapshot: Snapshot,
    answers: Answers,
    selected: tuple[Function, ...],
    groups: Mapping[Lane, tuple[str, ...]],
) -> Prepared:
    """Plan on the filters that are likely to matter, while the others are read in the background.

    All are waited for if there is nothing else to do meanwhile, or if conflicts must be asked about.
    """
    asked = session.host.prompter is not None
    sweep, first = start_sweep(session.aws, snapshot, answers, groups, asked=asked)
    try:
        snapshot = look_closer(session.aws, snapshot, answers, selected, {})
        selected = refreshed(selected, snapshot)
        sweep.wait(first)
        _refuse_signed_out(sweep)
        # What could not be read stops a run only among the first: the others may come before or after.
        read = {at: f for at, f in sweep.arrived(0) if at in first or not isinstance(f, Unreadable)}
        snapshot = add_filters(snapshot, read)
        plan = make_plan(snapshot, answers, selected)
        check_readable(plan)
        prepared = Prepared(snapshot=snapshot, answers=answers, selected=selected, plan=plan, sweep=sweep)
        if not plan.changes or answers.on_conflict == "ask":
            prepared = complete(session, prepared)
            _refuse_signed_out(sweep)
            return prepared
    except BaseException:
        sweep.close()
        raise
    if sweep.left:
        many = counted(sweep.left, "log group")
        session.host.say(f"{many} more will be checked for subscription filters while the rest is done")
    return prepared


def _refuse_signed_out(sweep: Sweep) -> None:
    """Before anything is written, credentials that have ended are a reason to stop, or to sign in again."""
    if sweep.signed_out is not None:
        raise sweep.signed_out


def complete(session: Session, prepared: Prepared) -> Prepared:
    """The same with all subscription filters read: the plan is then what it would have been with them from
    the start. Takes as long as AWS's five calls a second make it."""
    if prepared.sweep is None:
        return prepared
    if prepared.sweep.left:
        left = prepared.sweep.left
        session.host.say(f"looking at the subscription filters of {left:,} more log groups (5 a second)")
        prepared.sweep.wait()
    snapshot = prepared.sweep.onto(prepared.snapshot)
    plan = make_plan(snapshot, prepared.answers, prepared.selected)
    return replace(prepared, snapshot=snapshot, plan=plan)
