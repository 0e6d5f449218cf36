"""An account among many is planned, and its plan carried out; each with a row to say of it.

Nothing of an account is held once its row is there, but what the row says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ddsetup.ask.asking import answers_from
from ddsetup.facts.kinds import exit_code_of, kind_name, sources_of
from ddsetup.flow.call import Call
from ddsetup.flow.carrying_out import carry_out
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, head
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.preparing import look, prepare
from ddsetup.flow.remembered import answers_of_plan, check_meta, functions_of_plan, plan_meta
from ddsetup.journal.planbook import Planbook, Plans
from ddsetup.model.answers import Answers
from ddsetup.model.change import Outcome, Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.organisation import Member
from ddsetup.model.report import left_alone
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import matches_name, select_in
from ddsetup.settings.given import Given
from ddsetup.show.jsonreport import plan_fields
from ddsetup.show.plan_lines import counts_of

COMMAND = "org apply"
NOTHING_MEANT = "nothing is meant here"


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans an account, and puts the plan into the book. `whole`: the row tells every change, too. `named` is
    what of the names of functions there is in any account."""

    call: Call
    book: Planbook | None
    whole: bool = False
    named: set[str] = field(default_factory=set)

    def __call__(self, session: Session, _member: Member) -> Row:
        snapshot = look(session, quiet(self.call.given, "role_name"))
        given = names_here(self.call.given, snapshot)
        if given is not self.call.given:
            self.named.update(given.items("function"))
        answers = answers_from(given, snapshot, None, command="plan", scope=session.scope)
        try:
            nothing = not select_in(snapshot, answers.selection) and not _beside_functions(snapshot, answers)
        except UsageError as error:
            # What is chosen by name is not in each account.
            return {"status": NOTHING_MEANT, "reason": error.what, "exit_code": 0}
        if nothing:
            return {"status": NOTHING_MEANT, "reason": "it has no functions that are meant", "exit_code": 0}
        prepared = prepare(session, given, command="plan", seen=snapshot)
        plan = prepared.plan
        if self.book is not None:
            self.book.add(plan, plan_meta(session, prepared.answers, prepared.selected))
        return _planned(plan, len(prepared.selected), whole=self.whole)


def names_here(given: Given, snapshot: Snapshot) -> Given:
    """What was given, of the names and globs of functions only those that there are in an account: what is
    meant is not in each. As it is where there is none of them."""
    raw = given.raw("function")
    here = [n for n in given.items("function") if any(matches_name(f, n) for f in snapshot.functions())]
    return Given({**given.values, "function": replace(raw, value=here)}) if raw and here else given


def _beside_functions(snapshot: Snapshot, answers: Answers) -> bool:
    """Whether more is meant than functions: metrics of services only where there are functions, too."""
    return bool(sources_of(answers) or (answers.integration_namespaces and snapshot.functions()))


def _planned(plan: Plan, functions: int, *, whole: bool) -> Row:
    outcomes = left_alone(plan)
    return {
        "status": "changes" if plan.changes else "nothing to do",
        "text": counts_of(plan),
        "exit_code": exit_code_of(outcomes),
        "changes": dict(Counter(change.action for change in plan.changes)),
        "functions": functions,
        "problems": problems_of(outcomes),
        **({"plan": plan_fields(plan)} if whole else {}),
    }


def rows_of_plans(call: Call, accounts: Accounts, plans: Plans) -> list[Row]:
    """The rows of accounts that there are saved plans of, as they were when these were made."""
    whole = call.given.text("output") == "json"
    rows: list[Row] = []
    for member in accounts.members:
        if member.account in plans.at:
            plan, meta = plans.of(member.account)
            rows.append({**head(member), **_planned(plan, len(functions_of_plan(meta)), whole=whole)})
    return rows


@dataclass(frozen=True, slots=True)
class Applying:
    """Carries out the plan of an account. `undone` and `since` are for the proof, by account."""

    accounts: Accounts
    plans: Plans
    run: str
    undone: dict[str, frozenset[str]] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)

    def undone_in(self, account: str) -> frozenset[str]:
        """The ids of what there is nothing to prove of: it failed, or was left alone."""
        if account in self.undone:
            return self.undone[account]
        plan, _ = self.plans.of(account)
        return frozenset(each.resource.id for each in plan.skipped if each.status == "skipped")

    def __call__(self, session: Session, member: Member) -> Row:
        plan, meta = self.plans.of(member.account)
        check_meta(session, meta)
        session = replace(session, scope=replace(session.scope, regions=meta.regions))
        snapshot = look(session, answers_of_plan(meta).role_name)
        host = replace(session.host, within=self.run)
        writing = replace(session, host=host).with_datadog(self.accounts.in_turn)
        applied = carry_out(writing, plan.changes, snapshot, command=COMMAND)
        outcomes = (*applied.outcomes, *left_alone(plan))
        undone = [o.resource.id for o in outcomes if o.status not in ("applied", "unchanged")]
        self.undone[member.account] = frozenset(undone)
        if applied.since is not None:
            self.since[member.account] = applied.since
        return carried_out(session, applied.run, applied.outcomes, outcomes)


def carried_out(session: Session, run: str, outcomes: Sequence[Outcome], every: Sequence[Outcome]) -> Row:
    """The row of changes that were carried out; `every` outcome counts for the exit code."""
    counts = Counter(outcome.status for outcome in outcomes)
    cut = session.host.cancel.is_set() and any(outcome.not_started for outcome in outcomes)
    code = 130 if cut else exit_code_of(tuple(every))
    status = "interrupted" if cut else "done" if code == 0 else "failed" if code == 1 else "partly done"
    return {
        "status": status,
        "text": ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in sorted(counts.items())),
        "exit_code": code,
        "run": run,
        "outcomes": dict(counts),
        "problems": problems_of(every),
    }


def problems_of(outcomes: Sequence[Outcome]) -> list[Row]:
    """What did not come about, or was left alone, each with the reason."""
    return [
        {"what": f"{kind_name(o.resource.kind)} {o.resource.name}", "reason": o.reason, "fix": o.fix}
        for o in outcomes
        if o.status in ("failed", "changed_since") or (o.status == "skipped" and not o.not_started)
    ]
