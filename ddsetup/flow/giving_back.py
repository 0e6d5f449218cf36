"""How runs are given back: planned on what is there, unless others rely on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ddsetup.ask.prompter import Prompt, Prompter
from ddsetup.ask.questions import Choice
from ddsetup.facts.kinds import KINDS, kind_name
from ddsetup.flow.carrying_out import Undoing, carry_out
from ddsetup.flow.host import Session
from ddsetup.flow.preparing import look
from ddsetup.journal.brief import Brief, standing
from ddsetup.model.change import Change, Outcome, Plan, ResourceId, Skipped
from ddsetup.model.errors import Interrupted, UsageError
from ddsetup.model.lines import names
from ddsetup.model.snapshot import Snapshot
from ddsetup.model.states import RoleState
from ddsetup.observe.chosen import observe_at_work, observe_filters
from ddsetup.plan.steps.giving_back import Divided, Standing, carried_by, divided, sending, standings
from ddsetup.plan.steps.relied_on import Going, groups_to_read, lanes_with_many, relied_on, remembered

_NAMED = 3
_STAYS = "it stays, as it is relied on by "


@dataclass(frozen=True, slots=True)
class Part:
    """What is to become of one run."""

    run: Brief
    divided: Divided

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What there is to say of it before anything is sent."""
        return (*(outcome for _, outcome in self.divided.settled), *self.divided.alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`keep_shared`: what others rely on stays, and nobody is asked; `later` are runs that may. `look_only`:
    nothing will be done."""

    keep_shared: bool = False
    later: tuple[str, ...] = ()
    look_only: bool = False
    prompter: Prompter | None = None


def plan_parts(
    session: Session,
    snapshot: Snapshot,
    parts: Sequence[tuple[Brief, tuple[Change, ...]]],
    runs: Sequence[Brief],
    wish: Wish,
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """What is to be given back of each run, the newest first, and warnings.

    Raises UsageError when what goes is relied on and nobody can be asked, Interrupted when the person would
    rather not.
    """
    every = tuple(change for _, changes in parts for change in changes)
    snapshot, going = _going(session, snapshot, every, [run for run, _ in parts], runs)
    relied = relied_on(going)
    if wish.keep_shared and wish.later:
        by = tuple(f"run {run}" for run in wish.later)
        shared = [c.resource for c in every if c.after is None and KINDS[c.resource.kind].shared]
        relied = {**dict.fromkeys(shared, by), **relied}
    kept = _kept(relied, wish, parts[-1][0].id if parts else "")
    warnings = tuple(
        f"{resource.name} is relied on by {names(by, _NAMED)}, which no run here knows of"
        for resource, by in relied.items()
        if resource not in kept
    )
    planned = list[Part]()
    touched = set[ResourceId]()
    for run, changes in parts:
        # What an earlier part gives back is not yet as this one will find it.
        found = standings((c for c in changes if c.resource not in touched), snapshot)
        held = {**kept, **_holding(changes, found, snapshot, wish)}
        planned.append(Part(run, divided(changes, found, held)))
        touched |= {change.resource for change in changes}
    return tuple(planned), warnings


def shown(parts: Sequence[Part], warnings: tuple[str, ...]) -> Plan:
    """All of it, as a plan."""
    return Plan(
        changes=tuple(change for part in parts for change in part.divided.left),
        skipped=tuple(_skipped(outcome) for part in parts for outcome in part.outcomes),
        warnings=warnings,
    )


def _skipped(outcome: Outcome) -> Skipped:
    return Skipped(
        resource=outcome.resource,
        status="unchanged" if outcome.status == "unchanged" else "skipped",
        reason=outcome.reason,
        step=outcome.step,
    )


def _going(
    session: Session,
    snapshot: Snapshot,
    changes: tuple[Change, ...],
    given: Sequence[Brief],
    runs: Sequence[Brief],
) -> tuple[Snapshot, Going]:
    """What goes, with what has to be known of who relies on it."""
    in_force = (t.resource for run in runs if not run.header.undoes for t in standing(run, runs))
    since = min((run.header.started for run in given), default=snapshot.at)
    going = Going(snapshot, changes, remembered(in_force, changes), since)
    snapshot = observe_at_work(session.aws, snapshot, lanes_with_many(going))
    going = replace(going, snapshot=snapshot)
    snapshot = observe_filters(session.aws, snapshot, groups_to_read(going))
    return snapshot, replace(going, snapshot=snapshot)


def _kept(relied: Mapping[ResourceId, tuple[str, ...]], wish: Wish, run: str) -> Mapping[ResourceId, str]:
    """What stays as others rely on it, with the reason."""
    stays = {resource: f"{_STAYS}{names(by, _NAMED)}" for resource, by in relied.items()}
    if not relied or wish.look_only or wish.keep_shared:
        return stays if wish.keep_shared else {}
    said = "; ".join(f"{kind_name(r.kind)} {r.name} by {names(by, _NAMED)}" for r, by in relied.items())
    what = f"what run {run} made is relied on by what no run here knows of: {said}"
    if wish.prompter is None:
        fix = f"give back the rest: ddsetup undo {run} --keep-shared; or all of Datadog: ddsetup teardown"
        raise UsageError(what, fix=fix)
    answer = wish.prompter.ask(
        Prompt(
            kind="one",
            text="What shall become of it?",
            why=f"{what}. Another machine or tool set it up after this run.",
            choices=(
                Choice("keep", "Leave it, and give back the rest"),
                Choice("all", "Give it back all the same", "no data of theirs arrives any more"),
                Choice("no", "Change nothing"),
            ),
            default="keep",
        )
    )
    if answer == "no":
        raise Interrupted("nothing was changed")
    return stays if answer == "keep" else {}


def _holding(
    changes: Sequence[Change], found: Mapping[ResourceId, Standing], snapshot: Snapshot, wish: Wish
) -> Mapping[ResourceId, str]:
    """Functions that were changed since: they keep what they send to, unless a person says otherwise.

    Those that carry nothing of Datadog's any more need nothing.
    """
    still = sending(changes, found, snapshot)
    held = carried_by(changes, still)
    if not held or wish.prompter is None or wish.look_only:
        return held
    many = f"{names([f.name for f in still], _NAMED)} {'was' if len(still) == 1 else 'were'} changed since"
    stays = wish.prompter.ask(
        Prompt(
            kind="confirm",
            text=f"{many}, and still send data. Leave them what they send to?",
            why="Functions that somebody has changed are left as they are. Without their Forwarder, no data "
            "of theirs arrives any more.",
            default=True,
        )
    )
    return held if stays else {}


def role_in(parts: Sequence[tuple[Brief, tuple[Change, ...]]]) -> str:
    """The name of the integration's role as these runs have it; empty if they are not about it."""
    roles = (c.resource.name for _, changes in parts for c in changes if c.resource.kind == RoleState.KIND)
    return next(roles, "")


def give_back(
    session: Session, parts: Sequence[Part], snapshot: Snapshot, command: str = "undo"
) -> tuple[str, tuple[Outcome, ...]]:
    """Give back one run after the other; the id of the last undo, and what came of each change. What could
    not be given back of one ends it before the next."""
    outcomes: list[Outcome] = []
    last = ""
    for number, part in enumerate(parts):
        seen = look(session) if number else snapshot
        undoing = Undoing(part.run.id, part.divided.settled)
        applied = carry_out(session, part.divided.left, seen, command=command, undoes=undoing)
        outcomes += applied.outcomes
        last = applied.run or last
        # What is left of this run may still rely on what the next one would take away.
        failed = any(o.status in ("failed", "changed_since") for o in applied.outcomes)
        if session.host.cancel.is_set() or failed or part.divided.alone:
            break
    return last, tuple(outcomes)
