"""Of an account among many: whether its data arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ddsetup.ask.asking import answers_from
from ddsetup.flow.call import Call
from ddsetup.flow.carrying_out import prove
from ddsetup.flow.connecting import quiet
from ddsetup.flow.host import Session
from ddsetup.flow.organisation.across import Row
from ddsetup.flow.organisation.doing import NOTHING_MEANT, Applying
from ddsetup.flow.preparing import look
from ddsetup.flow.proof import monitored, things_of, watch_for
from ddsetup.flow.remembered import answers_of_plan, functions_of_plan
from ddsetup.flow.results import with_signals
from ddsetup.model.answers import Answers
from ddsetup.model.change import Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.organisation import Member
from ddsetup.model.report import Report, Signal
from ddsetup.model.snapshot import Snapshot
from ddsetup.plan.select import select_in
from ddsetup.show.signal_lines import summary


@dataclass(frozen=True, slots=True)
class Proving:
    """Looks for the data of an account for up to `wait` seconds: of what was `applied` there just now, else
    of the functions meant, which are those that have Datadog where nothing is said."""

    call: Call
    wait: int
    applied: Applying | None = None

    def __call__(self, session: Session, member: Member) -> Row:
        done = self.applied
        if done is not None:
            _, meta = done.plans.of(member.account)
            session = replace(session, scope=replace(session.scope, regions=meta.regions))
        snapshot = look(session, quiet(self.call.given, "role_name"))
        if done is not None:
            answers, arns = answers_of_plan(meta), functions_of_plan(meta)
            since, undone = done.since.get(member.account), done.undone.get(member.account, frozenset())
        else:
            answers, arns = self._meant(session, snapshot)
            since, undone = None, frozenset()
        meant = tuple(f for f in snapshot.functions() if f.arn in arns and f.arn not in undone)
        functions = monitored(snapshot, meant)
        things = things_of(snapshot, answers, Plan(), functions, undone)
        watch = watch_for(self.call, session, functions, answers, since, things)
        if not watch.functions and not watch.things:
            return {"status": NOTHING_MEANT, "reason": "no function has Datadog", "exit_code": 0}
        return self._row(prove(session, watch, wait_seconds=self.wait, on_update=_unheard))

    def _meant(self, session: Session, snapshot: Snapshot) -> tuple[Answers, frozenset[str]]:
        answers = answers_from(self.call.given, snapshot, None, command="verify", scope=session.scope)
        selection = answers.selection
        if not selection.given:
            selection = replace(selection, all=True, state="instrumented")
        try:
            functions = select_in(snapshot, selection) if snapshot.functions() else ()
        except UsageError:
            functions = ()  # What is chosen by name is not in each account.
        return answers, frozenset(function.arn for function in functions)

    def _row(self, signals: Sequence[Signal]) -> Row:
        required = self.call.given.on("require_proof")
        code = with_signals(Report(command="verify"), signals, require_proof=required).exit_code
        return {
            "status": "not seen" if code else "arrived" if _any_arrived(signals) else "unproven",
            "text": summary(signals),
            "exit_code": code,
            "signals": dict(Counter(signal.status for signal in signals)),
            "problems": [
                {"what": f"{each.subject}: {each.signal}", "reason": each.reason or each.status}
                for each in signals
                if each.status not in ("arrived", "no_traffic")
            ],
        }


def _any_arrived(signals: Sequence[Signal]) -> bool:
    return any(each.status == "arrived" for each in signals)


def _unheard(_signals: tuple[Signal, ...]) -> None:
    """What arrives in many accounts at once nobody can follow."""
