"""Of an account among many: what a run over all of them changed there is given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ddsetup.flow.call import Call
from ddsetup.flow.giving_back import Part, Wish, give_back, plan_parts, role_in, shown
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row
from ddsetup.flow.organisation.doing import carried_out
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.preparing import look
from ddsetup.flow.remembered import over_many
from ddsetup.flow.verbs import settle_failed_events
from ddsetup.journal.brief import Brief, standing
from ddsetup.journal.memory import Memory
from ddsetup.journal.runs import list_runs, read_runs
from ddsetup.journal.undo import built_on, changes_of
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import names
from ddsetup.model.organisation import Member
from ddsetup.show.plan_lines import counts_of


def parts_of(memory: Memory, run: str | None, site: str) -> tuple[str, Mapping[str, Brief], Sequence[Brief]]:
    """The run over many accounts to give back (the newest that still has effects), its parts by account, and
    all runs. Raises UsageError when there is none."""
    runs = list_runs(memory)
    within = in_force(runs.readable)
    chosen = run or max(within, default="")
    if chosen not in within:
        for error in runs.unreadable:
            raise error
        raise _no_such_run(run, runs.readable)
    parts = within[chosen]
    if any(part.header.site != site for part in parts):
        sites = names(sorted({part.header.site for part in parts}), 3)
        raise UsageError(f"run {chosen} is for site {sites}, and this one for {site}", fix=f"--site {sites}")
    return chosen, {part.header.accounts[0]: part for part in parts}, runs.readable


def _no_such_run(run: str | None, runs: Sequence[Brief]) -> UsageError:
    """Why there is nothing to give back, of any run or of the one that is named."""
    fix = "ddsetup undo --list shows all runs"
    if run is None:
        return UsageError("there is no run over many accounts to undo", fix=fix)
    named = next((each for each in runs if run in (each.id, each.header.within)), None)
    if named is None:
        return UsageError(f"no run {run}", fix=fix)
    if named.id == run and not over_many(named):
        account = names(named.header.accounts, 1)
        return UsageError(f"run {run} was made in account {account} only", fix=f"there: ddsetup undo {run}")
    return UsageError(f"nothing is left of run {run} over many accounts", fix=fix)


def in_force(runs: Sequence[Brief]) -> Mapping[str, list[Brief]]:
    """The runs over many accounts of which something is left, by id, each with its parts that are."""
    within: dict[str, list[Brief]] = {}
    for each in runs:
        if each.header.within and not each.header.undoes and standing(each, runs):
            within.setdefault(each.header.within, []).append(each)
    return within


@dataclass(frozen=True, slots=True)
class Undoing:
    """Plans what is to be given back in an account, and gives it back unless it is to `look_only`. `undo` is
    the run that all of it is within."""

    call: Call
    accounts: Accounts
    parts: Mapping[str, Brief]
    runs: Sequence[Brief]
    undo: str = ""
    look_only: bool = False

    def __call__(self, session: Session, member: Member) -> Row:
        brief = self.parts[member.account]
        session = replace(session, scope=replace(session.scope, regions=brief.header.regions))
        whole = read_runs(session.host.memory, [brief.id])
        changes = tuple((brief, changes_of(run, self.runs)) for run in whole)
        keep = bool(self.call.value("keep_shared"))
        later = tuple(run.id for run in built_on(brief, self.runs))
        if later and not keep and not self.look_only:
            what = f"{names(later, 3)} may rely on what run {brief.id} made"
            raise UsageError(what, fix="give those back first, or leave what they rely on: --keep-shared")
        snapshot = look(session, role_in(changes))
        wish = Wish(keep_shared=keep, later=later, look_only=self.look_only)
        planned, warnings = plan_parts(session, snapshot, changes, self.runs, wish)
        plan = shown(planned, warnings)
        if self.look_only:
            status = "changes" if plan.changes else "nothing to do"
            return {"status": status, "text": counts_of(plan), "exit_code": 0, "undoes": brief.id}
        host = replace(session.host, within=self.undo)
        writing = replace(session, host=host).with_datadog(self.accounts.in_turn)
        run, outcomes = give_back(writing, self._settled(session, planned), snapshot, command="org undo")
        every = (*outcomes, *(outcome for part in planned for outcome in part.outcomes))
        return {**carried_out(session, run, outcomes, every), "undoes": brief.id}

    def _settled(self, session: Session, parts: Sequence[Part]) -> tuple[Part, ...]:
        lose = bool(self.call.value("delete_failed_events"))
        return tuple(
            replace(part, divided=replace(part.divided, left=left))
            for part in parts
            for left in [settle_failed_events(session, part.divided.left, lose=lose)]
        )
