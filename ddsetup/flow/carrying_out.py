"""After the confirmation: apply under the lock, invoke, and prove that data arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from ddsetup._version import __version__
from ddsetup.apply.run import Writer, apply, workers_for
from ddsetup.apply.writers import make_writers
from ddsetup.apply.writers.logs import nothing_recent
from ddsetup.ask.prompter import Back, Prompt
from ddsetup.flow.host import Host, Session
from ddsetup.flow.known_tags import forget_put, keep_put
from ddsetup.journal.records import Header
from ddsetup.journal.runs import Journal, new_run_id
from ddsetup.model.account import Lane
from ddsetup.model.change import Change, Outcome
from ddsetup.model.errors import Interrupted, UsageError
from ddsetup.model.report import Signal
from ddsetup.model.snapshot import Snapshot
from ddsetup.observe.filters_in_background import LateChanges
from ddsetup.plan.preflight import check_permissions
from ddsetup.verify.progress import Watch
from ddsetup.verify.watch import OnUpdate, cloudwatch_counts, cloudwatch_traffic, streamed_lanes, watch

_SEES_TAGS = ("setup",)
"""The commands whose snapshot has the tags of all functions."""


class Declined(Interrupted):
    """The user looked at the plan and said no."""

    exit_code = 1


def confirm(host: Host, question: str, *, yes: bool) -> None:
    """Have the plan confirmed; returns if it is.

    Raises UsageError without a terminal and without `--yes`, Declined when the answer is no, Interrupted
    when it is none.
    """
    if yes:
        return
    if host.prompter is None:
        raise UsageError(
            "there are changes, and nobody can confirm them",
            fix="give --yes to apply them, or --dry-run to see them only",
        )
    try:
        agreed = host.prompter.ask(Prompt(kind="confirm", text=question, default=False))
    except Back:
        agreed = False
    except KeyboardInterrupt:
        raise Interrupted("stopped; nothing of this was done") from None
    if not agreed:
        raise Declined("nothing was changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a plan. `run` is the id by which it can be undone; empty if there was nothing to do."""

    run: str = ""
    outcomes: tuple[Outcome, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undoing:
    """The run that is given back, and what of it needs no write any more: that is remembered, so that nobody
    looks at it again."""

    run: str
    settled: tuple[tuple[Change, Outcome], ...] = ()


def carry_out(
    session: Session,
    changes: Sequence[Change],
    snapshot: Snapshot,
    *,
    command: str,
    undoes: Undoing | None = None,
    late: LateChanges | None = None,
) -> Applied:
    """Apply changes under the account's lock, each in the journal before it is sent; those that come `late`
    join them.

    Raises CredentialsError when a permission is known to be missing, Busy when another run holds the lock;
    in both cases nothing was written.
    """
    host = session.host
    started = host.clock.now()
    settled = undoes.settled if undoes else ()
    if not changes and not settled:
        return Applied(since=started)
    check_permissions(snapshot, changes)
    planned = len(changes) + len(settled)
    header = header_of(session, started, command, undoes.run if undoes else "", planned)
    outcomes = _under_lock(session, header, changes, snapshot, settled, late)
    return Applied(run=header.run, outcomes=outcomes, since=started)


def _under_lock(
    session: Session,
    header: Header,
    changes: Sequence[Change],
    snapshot: Snapshot,
    settled: Sequence[tuple[Change, Outcome]],
    late: LateChanges | None,
) -> tuple[Outcome, ...]:
    host = session.host
    writers = _writers(session, snapshot, late)
    with (
        host.memory.lock(header.accounts, header.run, header.started),
        closing(Journal.create(host.memory, header)) as journal,
    ):
        _remember(journal, settled, header.started)
        forget_put(session, changes)
        outcomes = apply(
            changes,
            writers,
            journal,
            clock=host.clock,
            on_event=host.on_event,
            cancel=host.cancel,
            workers=workers_for(host.side_by_side),
            more=late,
        )
        keep_put(session, snapshot if header.command in _SEES_TAGS else None, changes, outcomes)
    return outcomes


def _writers(session: Session, snapshot: Snapshot, late: LateChanges | None) -> Mapping[str, Writer]:
    """The writers of all kinds; they know the filters that `late` has just read."""
    host = session.host
    recent = late.recent if late else nothing_recent
    return make_writers(
        session.aws, session.dd, session.keys, snapshot, host.clock, host.on_event, recent=recent
    )


def _remember(journal: Journal, settled: Sequence[tuple[Change, Outcome]], at: datetime) -> None:
    """Have in the journal what needs no write."""
    if settled:
        seqs = journal.start_all([change for change, _ in settled], at)
        for seq, (_, outcome) in zip(seqs, settled, strict=True):
            journal.done(seq, outcome, at)


def header_of(
    session: Session, started: datetime, command: str, undoes: str = "", planned: int = 0
) -> Header:
    """What a new run begins its journal with: its id, and where it works."""
    return Header(
        run=new_run_id(started),
        version=__version__,
        command=command,
        accounts=tuple(each.account for each in session.identities),
        regions=session.scope.regions,
        site=session.scope.site,
        started=started,
        undoes=undoes,
        sandbox=session.host.sandbox,
        planned=planned,
        within=session.host.within,
    )


def prove(session: Session, wanted: Watch, *, wait_seconds: float, on_update: OnUpdate) -> tuple[Signal, ...]:
    """Ask Datadog, until all that is `wanted` has arrived or the time is over, what came of each function.

    CloudWatch tells which of them were invoked at all, and where a stream makes its metrics come sooner.
    """
    accounts = {thing.resource.account for thing in wanted.things}
    lanes = [Lane(account, region) for account in sorted(accounts) for region in session.scope.regions]
    wanted = replace(
        wanted,
        streamed=streamed_lanes(session.aws, wanted.functions),
        count=cloudwatch_counts(session.aws, lanes),
    )
    return watch(
        session.datadog,
        cloudwatch_traffic(session.aws),
        wanted,
        wait_seconds=wait_seconds,
        clock=session.host.clock,
        on_update=on_update,
    )
