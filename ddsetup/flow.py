"""The verbs, once each: connect, prepare, carry out, prove. Every command is made of these.

Nothing here prints, and nothing knows whether a person is watching: what is to be said goes to the callback
of `Host`, what has to be asked to its prompter. Until `carry_out` is called nothing was written anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ddsetup._version import __version__
from ddsetup.answers import Answers
from ddsetup.apply import Event, OnEvent, apply
from ddsetup.asking import Chooser, Missing, Scope, answers_from, scope_from
from ddsetup.change import Change, Outcome, Plan
from ddsetup.clock import SYSTEM_CLOCK, Clock
from ddsetup.credentials import KeyReaders, KeyRefs, missing_keys, os_keyring
from ddsetup.dialogue import Dialogue
from ddsetup.errors import Denied, GatewayError, Interrupted, UsageError
from ddsetup.gateways.aws import secrets
from ddsetup.gateways.aws.functions import invoke
from ddsetup.gateways.aws.session import Aws, AwsOptions
from ddsetup.gateways.datadog.client import Datadog, DatadogKeys
from ddsetup.gateways.datadog.keys import KeyCheck
from ddsetup.given import Given
from ddsetup.journal import Header, Journal, Run, list_runs, new_run_id
from ddsetup.lines import counted
from ddsetup.lock import account_lock
from ddsetup.model import Function, Identity, Lane, Snapshot, Unreadable
from ddsetup.observe import GLANCE, add_filters, look_closer, observe
from ddsetup.plan import make_plan
from ddsetup.planfile import PlanMeta
from ddsetup.preflight import check_permissions, check_readable
from ddsetup.prompter import Back, Prompt, Prompter
from ddsetup.report import Signal
from ddsetup.select import select_in
from ddsetup.signin import Wanted, sign_in_to_aws, sign_in_to_datadog
from ddsetup.steps.subscriptions import late_planner
from ddsetup.sweep import LateChanges, Sweep, start_sweep
from ddsetup.undo import undo_changes
from ddsetup.verify import verify
from ddsetup.writers import make_writers
from ddsetup.writers.logs import nothing_recent

DEFAULT_ROLE = Answers(site="", regions=()).role_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the process lends to a verb. `prompter` None: nobody can be asked.

    `dialogue` is what was typed so far; `working` shows for the length of a block that something takes its
    time.
    """

    environ: Mapping[str, str]
    state_dir: Path
    on_event: OnEvent
    prompter: Prompter | None = None
    dialogue: Dialogue = field(default_factory=Dialogue)
    working: Callable[[str], AbstractContextManager[None]] | None = None
    clock: Clock = SYSTEM_CLOCK
    cancel: threading.Event = field(default_factory=threading.Event)
    sandbox: bool = False

    def say(self, text: str) -> None:
        """Tell whoever watches what is going on."""
        self.on_event(Event(kind="log", at=self.clock.now(), text=text))

    def busy(self, text: str) -> AbstractContextManager[None]:
        """Tell whoever watches what takes its time now."""
        if self.working is not None:
            return self.working(text)
        self.say(text)
        return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Checked credentials, and where to work. Commands that do without Datadog have neither `dd` nor keys."""

    host: Host
    aws: Aws
    identity: Identity
    scope: Scope
    dd: Datadog | None = None
    keys: DatadogKeys | None = None
    keys_from: tuple[str, ...] = ()
    key_check: KeyCheck | None = None

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return tuple(Lane(self.identity.account, region) for region in self.scope.regions)

    @property
    def datadog(self) -> Datadog:
        """The Datadog connection of a command that has one."""
        if self.dd is None:
            raise UsageError("this needs a Datadog site and keys", fix="set DD_SITE, DD_API_KEY, DD_APP_KEY")
        return self.dd


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a plan. `run` is the id by which it can be undone; empty if there was nothing to do."""

    run: str = ""
    outcomes: tuple[Outcome, ...] = ()
    since: datetime | None = None


def connect(given: Given, host: Host, *, command: str, datadog: bool = True) -> Session:
    """Find and check credentials and scope. Nothing is written.

    Raises UsageError that names every missing answer at once, or CredentialsError.
    """
    while True:
        try:
            return _connect(given, host, command, datadog)
        except Back:
            continue  # the last answer was taken back, so its question comes again


def _connect(given: Given, host: Host, command: str, datadog: bool) -> Session:
    """`connect`, until somebody goes back; `Back` then."""
    aws = sign_in_to_aws(_aws_options(given, host), host.prompter, host.dialogue, clock=host.clock)
    refs = KeyRefs(_quiet(given, "api_key_secret"), _quiet(given, "app_key_secret"))
    readers = _key_readers(aws, host)
    missing: tuple[Missing, ...] = ()
    if datadog and host.prompter is None:
        absent = missing_keys(host.environ, readers, refs)
        missing = tuple(Missing(key.title, key.option, key.variable) for key in absent)
    here = (aws.default_region,) if aws.default_region else ()
    scope = scope_from(
        given,
        host.prompter,
        command=command,
        default_regions=here,
        missing=missing,
        dialogue=host.dialogue,
    )
    identity = aws.identity()
    host.say(f"AWS account {identity.account} as {identity.arn}, {', '.join(scope.regions)}")
    if not datadog:
        return Session(host=host, aws=aws, identity=identity, scope=scope)
    wanted = Wanted(
        site=scope.site,
        url=_quiet(given, "datadog_url") or None,
        environ=host.environ,
        readers=readers,
        refs=refs,
        clock=host.clock,
    )
    signed_in = sign_in_to_datadog(wanted, host.prompter, host.dialogue, host.say)
    if "site" in host.dialogue.typed:
        host.dialogue.typed["site"] = {"site": signed_in.site}
    origin = (signed_in.found.api_key_from, signed_in.found.app_key_from)
    host.say(f"Datadog site {signed_in.site}: keys are valid ({', '.join(origin)})")
    return Session(
        host=host,
        aws=aws,
        identity=identity,
        scope=replace(scope, site=signed_in.site),
        dd=signed_in.dd,
        keys=signed_in.found.keys,
        keys_from=origin,
        key_check=signed_in.check,
    )


def look(session: Session, role_name: str = DEFAULT_ROLE, *, glance: bool = False) -> Snapshot:
    """Observe everything that can be read in bulk; at a `glance` only what tells how things are.

    Raises Denied when the functions of a region cannot be listed: nothing sensible can be said without them.
    """
    with session.host.busy("looking at what is there"):
        snapshot = observe(
            session.aws,
            session.dd,
            session.identity,
            session.lanes,
            role_name=role_name,
            fields=GLANCE if glance else None,
        )
    for lane in snapshot.lanes.values():
        if isinstance(lane.functions, Unreadable):
            raise Denied(
                f"the functions of {lane.lane.region} cannot be listed: {lane.functions.reason}",
                action=lane.functions.action,
                fix=f"grant {lane.functions.action}; `ddsetup policy` prints all that is needed",
                where=lane.lane.region,
            )
    return snapshot


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
    integration, stack, secret) may not be looked at, and `Back` when the person returns to where to look.
    """
    snapshot = seen or look(session, _quiet(given, "role_name") or DEFAULT_ROLE)
    answers = answers_from(
        given,
        snapshot,
        session.host.prompter,
        command=command,
        scope=session.scope,
        choose=choose,
        dialogue=session.host.dialogue,
    )
    selected = select_in(snapshot, answers.selection)
    with session.host.busy(f"looking closely at {counted(len(selected), 'function')}"):
        if late:
            return _prepare_with_sweep(session, snapshot, answers, selected)
        snapshot = look_closer(session.aws, snapshot, answers, selected)
    plan = make_plan(snapshot, answers, selected)
    check_readable(plan)
    return Prepared(snapshot=snapshot, answers=answers, selected=selected, plan=plan)


def _prepare_with_sweep(
    session: Session, snapshot: Snapshot, answers: Answers, selected: tuple[Function, ...]
) -> Prepared:
    """Plan on the filters that are likely to matter, while the others are read in the background.

    All are waited for if there is nothing else to do meanwhile, or if conflicts must be asked about.
    """
    asked = session.host.prompter is not None
    sweep, first = start_sweep(session.aws, snapshot, answers, selected, asked=asked)
    try:
        snapshot = look_closer(session.aws, snapshot, answers, selected, filters=False)
        sweep.wait(first)
        snapshot = add_filters(snapshot, dict(sweep.arrived(0)))
        plan = make_plan(snapshot, answers, selected)
        check_readable(plan)
        prepared = Prepared(snapshot=snapshot, answers=answers, selected=selected, plan=plan, sweep=sweep)
        if not plan.changes or answers.on_conflict == "ask":
            return complete(session, prepared)
    except BaseException:
        sweep.close()
        raise
    if sweep.left:
        groups = counted(sweep.left, "log group")
        session.host.say(f"{groups} more will be checked for subscription filters while the rest is done")
    return prepared


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


def carry_out(
    session: Session,
    changes: Sequence[Change],
    snapshot: Snapshot,
    *,
    command: str,
    undoes: str = "",
    late: LateChanges | None = None,
) -> Applied:
    """Apply changes under the account's lock, each in the journal before it is sent; those that come `late`
    join them.

    Raises CredentialsError when a permission is known to be missing, Busy when another run holds the lock;
    in both cases nothing was written.
    """
    host = session.host
    started = host.clock.now()
    if not changes:
        return Applied(since=started)
    check_permissions(snapshot, changes)
    run = new_run_id(started)
    header = Header(
        run=run,
        version=__version__,
        command=command,
        account=session.identity.account,
        regions=session.scope.regions,
        site=session.scope.site,
        started=started,
        undoes=undoes,
        sandbox=host.sandbox,
    )
    with account_lock(host.state_dir, session.identity.account, run, started):
        record = Journal.create(host.state_dir, header)
        try:
            writers = make_writers(
                session.aws,
                session.dd,
                session.keys,
                snapshot,
                host.clock,
                host.on_event,
                recent=late.recent if late else nothing_recent,
            )
            outcomes = apply(
                changes,
                writers,
                record,
                clock=host.clock,
                on_event=host.on_event,
                cancel=host.cancel,
                more=late,
            )
        finally:
            record.close()
    return Applied(run=run, outcomes=outcomes, since=started)


def invoke_all(session: Session, functions: Sequence[Function], payload: bytes) -> None:
    """Run each function once with `payload`. One that cannot be run, or fails, is said and no more."""

    def invoke_one(function: Function) -> str:
        try:
            done = invoke(session.aws, function.lane, function.name, payload)
        except GatewayError as error:
            return f"{function.name} could not be invoked: {error.what}"
        return f"{function.name} failed: {done.error}" if done.error else f"{function.name} invoked"

    with ThreadPoolExecutor(max_workers=8) as pool:
        for text in pool.map(invoke_one, functions):
            session.host.say(text)


def prove(  # noqa: PLR0913 - what to look for, and how long
    session: Session,
    functions: Sequence[Function],
    answers: Answers,
    *,
    since: datetime,
    wait_seconds: float,
    custom_metrics: Sequence[str] = (),
    on_update: Callable[[tuple[Signal, ...]], None],
) -> tuple[Signal, ...]:
    """Ask Datadog, until everything has arrived or the time is over, what came of each function."""
    return verify(
        session.datadog,
        session.aws,
        functions,
        answers,
        since=since,
        wait_seconds=wait_seconds,
        custom_metrics=custom_metrics,
        clock=session.host.clock,
        on_update=on_update,
    )


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


def confirm(host: Host, question: str, *, yes: bool) -> None:
    """Have the plan confirmed; returns if it is.

    Raises UsageError without a terminal and without `--yes`, Declined when the answer is no.
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
    if not agreed:
        raise Declined("nothing was changed")


class Declined(Interrupted):
    """The user looked at the plan and said no."""

    exit_code = 1


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


def _aws_options(given: Given, host: Host) -> AwsOptions:
    return AwsOptions(
        profile=_quiet(given, "profile") or None,
        role_arn=_quiet(given, "role_arn") or None,
        interactive=host.prompter is not None,
    )


def _key_readers(aws: Aws, host: Host) -> KeyReaders:
    prompter = host.prompter

    def ask(title: str) -> str:
        assert prompter is not None
        return str(prompter.ask(Prompt(kind="secret", text=title, check=_key_typed)))

    return KeyReaders(
        secret=lambda arn: secrets.read_secret_value(aws, arn),
        keyring=os_keyring(),
        ask=ask if prompter is not None else None,
    )


def _key_typed(value: object) -> str:
    return "" if value else "paste the key; nothing of it is shown"


def _quiet(given: Given, key: str) -> str:
    """A setting's value, empty if it is wrong: `scope_from` reports all that is wrong at once."""
    try:
        return given.text(key)
    except ValueError:
        return ""
