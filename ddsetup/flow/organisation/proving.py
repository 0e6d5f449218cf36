"""Of many accounts: whether their data arrived. Each is looked at by itself; Datadog is asked for all of them
together, as often as for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.carrying_out import prove
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row, as_known, tell
from ddsetup.flow.organisation.doing import NOTHING_MEANT, Applying, names_here
from ddsetup.flow.organisation.who import Accounts
from ddsetup.flow.preparing import look
from ddsetup.flow.proof import awaited, make_traffic, monitored, things_of, watch_for
from ddsetup.flow.remembered import answers_of_plan, functions_of_plan
from ddsetup.flow.results import with_signals
from ddsetup.gateways.aws.members import Together
from ddsetup.gateways.aws.session import Aws
from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.clock import hour
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report, Signal
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import select_in
from ddsetup.show.signal_lines import summary
from ddsetup.verify.invoke_again import Rounds
from ddsetup.verify.progress import Watch, others_than
from ddsetup.verify.things import Thing, told_apart

_TOGETHER = 10_000
"""Functions that are watched together: of so many Datadog tells in one answer what arrived."""
_PORTION = 64
"""Accounts that are looked at before it is known how many functions they have."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """What is to be proven of an account, and the way into it."""

    aws: Aws
    answers: Answers
    functions: tuple[Function, ...]
    things: tuple[Thing, ...]
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to be proven, and for how many seconds at most it is waited for: of each account what was
    `applied` there, else of the functions meant, which are those that have Datadog where nothing is said.

    `offer`: a person is asked whether functions without traffic are to be invoked.
    """

    call: Call
    wait: int
    applied: Applying | None = None
    offer: bool = False

    def __call__(self, session: Session, member: Member) -> Row:
        """Look at an account: what there is to prove, as `meant` of its row."""
        done = self.applied
        if done is not None:
            _, meta = done.plans.of(member.account)
            session = replace(session, scope=replace(session.scope, regions=meta.regions))
        snapshot = look(session, quiet(self.call.given, "role_name"))
        if done is not None:
            answers, arns = answers_of_plan(meta), functions_of_plan(meta)
            undone = done.undone_in(member.account)
        else:
            answers, arns = self._said(session, snapshot)
            undone = frozenset()
        meant = tuple(f for f in snapshot.functions() if f.arn in arns and f.arn not in undone)
        functions = monitored(snapshot, meant)
        things = things_of(snapshot, answers, Plan(), functions, undone)
        if not functions and not things:
            return {"status": NOTHING_MEANT, "reason": "no function has Datadog", "exit_code": 0}
        others = others_than(functions, snapshot.functions())
        return {"meant": _Meant(session.aws, answers, functions, things, others)}

    def _said(self, session: Session, snapshot: Snapshot) -> tuple[Answers, frozenset[str]]:
        given = names_here(self.call.given, snapshot)
        answers = answers_from(given, snapshot, None, command="verify", scope=session.scope)
        selection = answers.selection
        if not selection.given:
            selection = replace(selection, all=True, state="instrumented")
        try:
            functions = select_in(snapshot, selection) if snapshot.functions() else ()
        except UsageError:
            functions = ()  # What is chosen by name is not in each account.
        return answers, frozenset(function.arn for function in functions)

    def row(self, signals: Sequence[Signal]) -> Row:
        """What there is to say of an account whose signals these are."""
        required = self.call.given.on("require_proof")
        code = with_signals(Report(command="verify"), signals, require_proof=required).exit_code
        arrived = any(each.status == "arrived" for each in signals)
        return {
            "status": "not seen" if code else "arrived" if arrived else "unproven",
            "text": summary(signals),
            "exit_code": code,
            "signals": dict(Counter(signal.status for signal in signals)),
            "problems": [
                {"what": f"{each.subject}: {each.signal}", "reason": each.reason or each.status}
                for each in signals
                if each.status not in ("arrived", "no_traffic")
            ],
        }


def prove_all(accounts: Accounts, members: Sequence[Member], proof: Proof) -> list[Row]:
    """A row for each member, in their order; each is told as soon as all of it has arrived, or the time is
    over, which is one for all."""
    call, host = proof.call, accounts.base.host
    until = host.clock.monotonic() + proof.wait
    rows: dict[str, Row] = {}
    left = list(members)
    while left:
        held: dict[str, tuple[Row, _Meant]] = {}
        while left and sum(len(meant.functions) for _, meant in held.values()) < _TOGETHER:
            portion, left = left[:_PORTION], left[_PORTION:]
            for row in as_known(call, accounts, portion, proof):
                meant = row.pop("meant", None)
                if meant is None:
                    rows[row["account"]] = tell(call, accounts, row)
                else:
                    held[row["account"]] = (row, meant)
        if held:
            wait = max(0.0, until - host.clock.monotonic())
            rows |= _Together(accounts, proof, held).rows(wait)
    return [rows[member.account] for member in members]


@dataclass(slots=True)
class _Together:
    """The proof of accounts that are watched together. `done` are the rows of those of which all is there."""

    accounts: Accounts
    proof: Proof
    held: Mapping[str, tuple[Row, _Meant]]
    done: dict[str, Row] = field(default_factory=dict)

    def rows(self, wait: float) -> dict[str, Row]:
        """A row for each of the accounts. Ctrl-C ends the waiting: what is known by then is the result."""
        call, base = self.proof.call, self.accounts.base
        if base.host.cancel.is_set():
            return {account: self._told(account, _INTERRUPTED) for account in self.held}
        session = self._session()
        watch = self._watch(session)
        of_plans = watch.answers_of if self.proof.applied is not None else None
        rounds = make_traffic(call, session, watch.functions, of_plans, offer=self.proof.offer)
        watch = awaited(call, watch, rounds)
        latest: list[Signal] = []
        until = base.host.clock.now() + timedelta(seconds=wait)
        ends = "; Ctrl-C ends the wait" if wait else ""
        most = f", until {hour(until)} at most" if wait else ""
        with base.host.busy(f"looking in Datadog for the data of {self._so_far()}{most}{ends}") as far:

            def show(signals: Sequence[Signal]) -> None:
                latest[:] = signals
                self._news(watch, signals, rounds)
                far(f"{len(self.done):,} of {self._so_far()} with everything in Datadog{ends}")

            try:
                prove(session, watch, wait_seconds=wait, on_update=show)
            except KeyboardInterrupt:
                base.host.say("stopped waiting")
        by_account = watch.by_account(latest) if latest else {}
        left = {account: by_account.get(account) for account in self.held if account not in self.done}
        rest = {a: self._told(a, self.proof.row(own) if own else _INTERRUPTED) for a, own in left.items()}
        return {**self.done, **rest}

    def _so_far(self) -> str:
        return counted(len(self.held), "account")

    def _news(self, watch: Watch, signals: Sequence[Signal], rounds: Rounds | None) -> None:
        for account, own in watch.by_account(signals).items():
            if account not in self.done and all(signal.status == "arrived" for signal in own):
                self.done[account] = self._told(account, self.proof.row(own))
        if rounds is not None:
            rounds.again(lambda: watch.wanting(signals))

    def _told(self, account: str, row: Row) -> Row:
        return tell(self.proof.call, self.accounts, {**self.held[account][0], **row})

    def _session(self) -> Session:
        """One in all of the accounts. Their connections are as they were when they were looked at."""
        base = self.accounts.base
        others = {a: meant.aws for a, (_, meant) in self.held.items() if meant.aws is not base.aws}
        places = (f.region for _, meant in self.held.values() for f in meant.functions)
        regions = tuple(dict.fromkeys((*base.scope.regions, *places)))
        return replace(base, aws=Together(base.aws, others), scope=replace(base.scope, regions=regions))

    def _watch(self, session: Session) -> Watch:
        call, applied = self.proof.call, self.proof.applied
        by_account = {account: meant.answers for account, (_, meant) in self.held.items()}
        since = None
        if applied is not None:
            since = min((at for a, at in applied.since.items() if a in self.held), default=None)
        elif call.given.on("invoke"):
            since = session.host.clock.now()
        functions = [f for _, meant in self.held.values() for f in meant.functions]
        things = told_apart(thing for _, meant in self.held.values() for thing in meant.things)
        first = next(iter(by_account.values()))
        watch = watch_for(call, session, functions, first, since, things)
        others = frozenset().union(*(meant.others for _, meant in self.held.values()))
        return replace(watch, differing=by_account, others=others)


_INTERRUPTED: Row = {"status": "not looked at", "reason": "interrupted before that", "exit_code": 130}
