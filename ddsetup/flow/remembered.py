"""What outlives a run: what it instrumented, how an undo gives it back, the circumstances of a saved plan."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import replace

from ddsetup._version import __version__
from ddsetup.ask.asking import answers_from
from ddsetup.ask.prompter import Prompt, Prompter
from ddsetup.facts.disclose import text
from ddsetup.flow.host import Session
from ddsetup.journal.applied import last_applied
from ddsetup.journal.brief import Brief, standing
from ddsetup.journal.memory import Memory
from ddsetup.journal.planfile import PlanMeta
from ddsetup.journal.runs import Runs, list_runs
from ddsetup.journal.undo import built_on
from ddsetup.model.account import Function
from ddsetup.model.answers import Answers
from ddsetup.model.errors import Interrupted, UsageError
from ddsetup.model.lines import counted, names
from ddsetup.model.snapshot import Snapshot
from ddsetup.settings.fields import values_of
from ddsetup.settings.given import from_flags

_NAMED = 3
"""How many later runs are named."""


def choose_run(memory: Memory, run_id: str | None, account: str) -> tuple[Brief, tuple[Brief, ...]]:
    """The run to give back (the newest of the account that still has effects), and all runs.

    Raises UsageError when there is none, or the journal cannot be trusted.
    """
    runs = list_runs(memory)
    if run_id is None:
        for run in reversed(runs.readable):
            mine = account in run.header.accounts and not run.header.undoes and not over_many(run)
            if mine and standing(run, runs.readable):
                return run, runs.readable
        for error in runs.unreadable:
            raise error
        raise UsageError("there is no run to undo", fix="ddsetup undo --list shows all runs")
    return _named(runs, run_id, account), runs.readable


def _named(runs: Runs, run_id: str, account: str) -> Brief:
    """Raises UsageError as `choose_run` does."""
    for run in runs.readable:
        if run.id == run_id:
            if over_many(run):
                fix = f"ddsetup org undo {run_id}"
                raise UsageError(f"run {run_id} was one over many accounts", fix=fix)
            if account not in run.header.accounts:
                where = names(run.header.accounts, _NAMED)
                raise UsageError(
                    f"run {run_id} was made in account {where}; these credentials are for {account}"
                )
            return run
    for error in runs.unreadable:
        if run_id in error.where:
            raise error
    raise UsageError(f"no run {run_id}", fix="ddsetup undo --list shows all runs")


def over_many(run: Brief) -> bool:
    """Whether a run was one over many accounts, each of which has a run of its own within it."""
    return run.header.command.startswith("org ") and not run.header.within


def last_setup(memory: Memory, account: str) -> Brief | None:
    """The newest run of the account, if it is a setup that still has effects."""
    runs = list_runs(memory).readable
    newest = next((run for run in reversed(runs) if account in run.header.accounts), None)
    made = newest is not None and newest.header.command in ("setup", "apply") and standing(newest, runs)
    return newest if made else None


def check_built_on(chosen: Brief, runs: Sequence[Brief], prompter: Prompter | None) -> None:
    """Have it confirmed that a run is given back under later ones that may rely on what it made.

    Raises UsageError when nobody can be asked, Interrupted when the person would rather not.
    """
    later = built_on(chosen, runs)
    if not later:
        return
    many = counted(len(later), "later run")
    what = (
        f"{many} may rely on what run {chosen.id} made: {names([run.id for run in reversed(later)], _NAMED)}"
    )
    if prompter is None:
        raise UsageError(
            what,
            fix=f"give them back as well, the newest first: ddsetup undo {chosen.id} --with-later; or leave "
            "what they rely on: --keep-shared",
        )
    why = "Without its Forwarder, secret, role or integration no data of theirs arrives any more."
    if not prompter.ask(Prompt(kind="confirm", text=f"{what}. Give it back all the same?", why=why)):
        raise Interrupted(
            "nothing was changed", fix=f"give the newest back first: ddsetup undo {later[-1].id}"
        )


def with_applied(session: Session, snapshot: Snapshot) -> Snapshot:
    """Add what earlier runs left in force: what may be taken back, and what a killed one may have left."""
    accounts = frozenset(snapshot.accounts)
    host = session.host
    applied = last_applied(host.memory, accounts, host.state_dir, site=session.scope.site)
    return replace(snapshot, applied=applied)


def plan_meta(session: Session, answers: Answers, functions: Sequence[Function]) -> PlanMeta:
    """What a saved plan has to remember of its circumstances: where it is for, what it was made from, and
    the functions that it is about."""
    values = values_of(answers).items()
    extra = {
        "answers": {key: list(value) if isinstance(value, tuple) else value for key, value in values},
        "functions": [function.arn for function in functions],
    }
    return PlanMeta(
        account=session.identity.account,
        regions=session.scope.regions,
        site=session.scope.site,
        version=__version__,
        made=session.host.clock.now(),
        sandbox=session.host.sandbox,
        by=session.identity.arn,
        on=platform.node(),
        addresses=_addresses(session),
        extra=extra,
    )


def answers_of_plan(meta: PlanMeta) -> Answers:
    """The answers that a plan was made from, which tell what data is to be expected."""
    values = meta.extra.get("answers", {})
    if not isinstance(values, dict):
        raise UsageError("the plan does not say from which answers it was made", fix="make it again")
    return answers_from(from_flags(values), None, None, command="apply")


def functions_of_plan(meta: PlanMeta) -> frozenset[str]:
    """The ARNs of the functions that a plan is about. Raises UsageError when it does not tell."""
    arns = meta.extra.get("functions", [])
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise UsageError("the plan does not say which functions it is about", fix="make it again")
    return frozenset(arns)


def whose_plan(meta: PlanMeta) -> str:
    """Who made a saved plan, when, on which machine and for what, as the plan itself says."""
    by = meta.by.split(":", 5)[-1] or "somebody (it does not say who)"
    on = f" on {meta.on}" if meta.on else ""
    where = f"account {meta.account}, {', '.join(meta.regions)}, {meta.site}"
    return f"plan made {meta.made:%Y-%m-%d %H:%M} UTC by {by}{on} with ddsetup {meta.version}, for {where}"


def check_meta(session: Session, meta: PlanMeta) -> None:
    """Raise UsageError when a saved plan is for another account, site or address than the session's."""
    if meta.account != session.identity.account:
        here = session.identity.account
        raise UsageError(f"the plan is for account {meta.account}, and these credentials are for {here}")
    if meta.site != session.scope.site:
        raise UsageError(f"the plan is for site {meta.site}, and this run is for {session.scope.site}")
    here_now = _addresses(session)
    for whose, title, variable in _ADDRESSES:
        made, now = (each.get(whose) or "the public address" for each in (meta.addresses, here_now))
        if made != now:
            raise UsageError(
                f"the plan was made with {title} at {made}, and this run would go to {now}",
                fix=f"set {variable} as it was, or make the plan again",
            )


_ADDRESSES = (("aws", "AWS", "AWS_ENDPOINT_URL"), ("datadog", "Datadog", "DDSETUP_DATADOG_URL"))


def _addresses(session: Session) -> dict[str, str]:
    """Where AWS and Datadog are called, if not at their own addresses; without what signs in there."""
    datadog = session.datadog.url if session.datadog.overridden else ""
    found = {"aws": session.aws.address, "datadog": datadog}
    return {whose: text(url) for whose, url in found.items() if url}
