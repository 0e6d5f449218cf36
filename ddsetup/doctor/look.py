"""One visit of the doctor: credentials, a look at everything, a diagnosis; again after mending.

Nothing here prints. Faults of credentials and of Datadog's reachability are findings, not the end: what can
be looked at without them is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ddsetup.ask.asking import answers_from
from ddsetup.doctor.checks.case import Case, make_case
from ddsetup.doctor.checks.check import Check
from ddsetup.doctor.diagnose import Diagnosis, Found, Ignore, can_mend, diagnose, mending
from ddsetup.doctor.history import look_back
from ddsetup.doctor.read_evidence import gather, look_around
from ddsetup.doctor.what_to_read import on_its_way
from ddsetup.flow import verbs
from ddsetup.flow.verbs import Applied, Host, Session
from ddsetup.model.account import Function, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.change import Change, Plan
from ddsetup.model.errors import CredentialsError, GatewayError
from ddsetup.model.evidence import Evidence, Fault, Looking, Past
from ddsetup.model.lines import counted
from ddsetup.model.report import Severity
from ddsetup.model.snapshot import DatadogSnapshot, Snapshot
from ddsetup.observe.chosen import look_closer
from ddsetup.observe.in_bulk import observe
from ddsetup.plan.steps.subscriptions import groups_to_read
from ddsetup.settings.given import Given

EVERY = 15.0
"""Seconds between two looks while waiting; Datadog's rate limits allow a few each minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which checks, what of them counts, and what is known and accepted."""

    checks: tuple[Check, ...]
    severity: Severity = "info"
    ignores: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was seen and what is to be said about it. `session` None: AWS does not know us."""

    session: Session | None
    case: Case
    diagnosis: Diagnosis


def enter(given: Given, host: Host) -> tuple[Session | None, tuple[Fault, ...]]:
    """Connect as far as possible; what is not possible comes back as faults.

    Raises UsageError when answers are missing or wrong.
    """
    try:
        return verbs.connect(given, host, command="doctor"), ()
    except (CredentialsError, GatewayError) as error:
        kept = error
    try:
        session = verbs.connect(given, host, command="doctor", datadog=False)
    except (CredentialsError, GatewayError) as error:
        return None, (Fault(kind="aws", what=error.what, fix=error.fix),)
    refused = isinstance(kept, CredentialsError)
    return session, (Fault(kind="keys" if refused else "unreachable", what=kept.what, fix=kept.fix),)


def examine(session: Session | None, given: Given, looking: Looking, wanted: Wanted) -> Visit:
    """Look at everything and judge it. Nothing is written.

    Raises UsageError for functions that do not exist, and Denied when they cannot be told.
    """
    if session is None:
        case = _nothing_seen(looking)
    else:
        role = given.text("role_name")
        session.host.say("looking at what is there")
        snapshot = observe(session.aws, lambda: session.dd, session.identities, session.lanes, role_name=role)
        answers = _answers(session, given, snapshot)
        session.host.say("looking at what arrives, and how the Forwarder does")
        looking = replace(looking, history=_history(session, snapshot, answers))
        snapshot, evidence = gather(session.aws, session.dd, snapshot, answers, looking)
        case = make_case(snapshot, evidence, answers)
    diagnosis = diagnose(case, wanted.checks, severity=wanted.severity, ignores=wanted.ignores)
    return Visit(session=session, case=case, diagnosis=diagnosis)


def watch(
    first: Visit,
    again: Callable[[], Visit],
    *,
    seconds: float,
    good: Callable[[Visit], bool],
) -> Visit:
    """Visit again until all is well and what ran has arrived, or the time is over; the last visit."""
    visit = first
    if visit.session is None:
        return visit
    clock, host = visit.session.host.clock, visit.session.host
    deadline = clock.monotonic() + seconds
    while not _settled(visit, good) and (left := deadline - clock.monotonic()) > 0:
        if host.cancel.is_set():
            break
        waiting = len([s for s in visit.case.subjects if on_its_way(s)])
        said = counted(len(visit.diagnosis.causes), "finding")
        said += f", data of {counted(waiting, 'function')} on its way" if waiting else ""
        host.say(f"not well yet ({said}); looking again for {left:.0f} s")
        clock.sleep(min(EVERY, left))
        visit = again()
    return visit


def _settled(visit: Visit, good: Callable[[Visit], bool]) -> bool:
    """Whether all is well, and is so because data arrived and not because it is still awaited."""
    return good(visit) and not any(on_its_way(s) for s in visit.case.subjects)


def plan_mending(visit: Visit, found: Sequence[Found], *, confirmed: bool) -> tuple[Visit, Plan]:
    """The changes that mend what was found, planned on a closer look; and the visit with that look."""
    session, case = visit.session, visit.case
    if session is None:
        return visit, Plan()
    session.host.say("planning how to fix it")
    if any(can_mend(f) and f.problem.mends for f in found):
        concerned = _concerned(case, found)
        groups = groups_to_read(case.snapshot, case.answers, concerned)
        snapshot = look_closer(session.aws, case.snapshot, case.answers, concerned, groups)
        visit = replace(visit, case=make_case(snapshot, case.evidence, case.answers))
    return visit, mending(visit.case, found, confirmed=confirmed)


def _concerned(case: Case, found: Sequence[Found]) -> tuple[Function, ...]:
    """The functions that mending has to know more of; each log group takes a call."""
    abouts = [f.problem.about for f in found if can_mend(f) and f.problem.mends]
    named = frozenset[str]().union(*abouts) if all(abouts) else None
    return tuple(s.function for s in case.subjects if named is None or s.function.arn in named)


def mend(visit: Visit, changes: Sequence[Change]) -> Applied:
    """Carry the changes out, journalled like those of a setup, so that `ddsetup undo` gives them back."""
    assert visit.session is not None
    return verbs.carry_out(visit.session, changes, visit.case.snapshot, command="doctor --fix")


def _answers(session: Session, given: Given, snapshot: Snapshot) -> Answers:
    answers = answers_from(given, snapshot, session.host.prompter, command="doctor", scope=session.scope)
    return answers if session.scope.site else replace(answers, site=snapshot.datadog.site)


def _history(session: Session, snapshot: Snapshot, answers: Answers) -> Mapping[str, Past | Unreadable]:
    return look_back(session.aws, session.host.memory, snapshot, answers)


def _nothing_seen(looking: Looking) -> Case:
    nothing = Snapshot(accounts={}, lanes={}, datadog=DatadogSnapshot(site=""), at=datetime.now(UTC))
    evidence = Evidence(local=look_around(looking.environ, None), faults=looking.faults)
    return make_case(nothing, evidence, Answers(site="", regions=()))
