"""What outlives a run: the run that an undo gives back, and the circumstances of a saved plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ddsetup._version import __version__
from ddsetup.errors import UsageError
from ddsetup.flow.host import Session
from ddsetup.journal import Run, list_runs
from ddsetup.planfile import PlanMeta
from ddsetup.undo import undo_changes


def choose_run(state_dir: Path, run_id: str | None, account: str) -> tuple[Run, tuple[Run, ...]]:
    """The run to give back (the newest of the account that still has effects), and all runs.

    Raises UsageError when there is none, or the journal cannot be trusted.
    """
    runs = list_runs(state_dir)
    if run_id is None:
        for run in reversed(runs.readable):
            mine = run.header.account == account and not run.header.undoes
            if mine and undo_changes(run, runs.readable):
                return run, runs.readable
        for error in runs.unreadable:
            raise error
        raise UsageError("there is no run to undo", fix="ddsetup undo --list shows all runs")
    for run in runs.readable:
        if run.id == run_id:
            if run.header.account != account:
                where = run.header.account
                raise UsageError(
                    f"run {run_id} was made in account {where}; these credentials are for {account}"
                )
            return run, runs.readable
    for error in runs.unreadable:
        if run_id in error.where:
            raise error
    raise UsageError(f"no run {run_id}", fix="ddsetup undo --list shows all runs")


def plan_meta(session: Session, extra: Mapping[str, object]) -> PlanMeta:
    """What a saved plan has to remember of its circumstances."""
    return PlanMeta(
        account=session.identity.account,
        regions=session.scope.regions,
        site=session.scope.site,
        version=__version__,
        made=session.host.clock.now(),
        sandbox=session.host.sandbox,
        extra=dict(extra),
    )


def check_meta(session: Session, meta: PlanMeta) -> None:
    """Raise UsageError when a saved plan is for another account or site than the session's."""
    if meta.account != session.identity.account:
        here = session.identity.account
        raise UsageError(f"the plan is for account {meta.account}, and these credentials are for {here}")
    if meta.site != session.scope.site:
        raise UsageError(f"the plan is for site {meta.site}, and this run is for {session.scope.site}")
