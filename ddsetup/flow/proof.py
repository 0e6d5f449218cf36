"""The end of a run that changed something: traffic if it is wanted, and the proof that data arrives."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.ask.prompter import Back, Prompt, Prompter, Row
from ddsetup.ask.questions import Choice
from ddsetup.facts.ownership import is_datadogs_own
from ddsetup.flow.call import Call
from ddsetup.gateways.overlap import each
from ddsetup.model.account import Function, Lane, Unreadable
from ddsetup.model.answers import Answers
from ddsetup.model.clock import hour
from ddsetup.model.errors import UsageError
from ddsetup.model.lines import counted
from ddsetup.model.report import Signal
from ddsetup.model.snapshot import Snapshot
from ddsetup.show.report_lines import outcome_text

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session
    from ddsetup.model.change import Outcome, Plan
    from ddsetup.verify.invoke_again import Rounds
    from ddsetup.verify.progress import Watch
    from ddsetup.verify.things import Thing

LOOK_BACK_MINUTES = 60
LOOK_AGAIN = "ddsetup verify --wait 900"
"""What goes on waiting once a run has ended."""
_DOES = "each does whatever it does with this event"


def monitored(snapshot: Snapshot, functions: Sequence[Function]) -> tuple[Function, ...]:
    """The functions without Datadog's own, which carry data and have none to show."""
    return tuple(f for f in functions if not is_datadogs_own(f, snapshot.lanes[f.lane]))


def payload_of(call: Call) -> bytes:
    """The event for `--invoke`. Raises UsageError when the file is not JSON."""
    named = call.given.text("payload")
    if not named:
        return b"{}"
    path = call.directory / Path(named).expanduser()
    try:
        data = path.read_bytes()
        json.loads(data)
    except OSError as error:
        raise UsageError(f"cannot read the payload: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise UsageError(f"the payload is not JSON: {error}", where=str(path)) from None
    return data


def make_traffic(
    call: Call,
    session: Session,
    functions: Sequence[Function],
    answers_of: Callable[[str], Answers] | None = None,
    *,
    offer: bool = False,
) -> Rounds | None:
    """Invoke the functions if that is wanted, and confirmed; what goes on invoking them, if anything does.

    With `offer` a person is asked even without `--invoke`, where functions had no traffic of late. What was
    answered of an account tells whether log groups are about to be subscribed there, which is waited for.
    """
    wanted = _to_invoke(call, session, functions, offer=offer)
    if not wanted:
        return None
    from ddsetup.verify.invoke_again import Rounds

    def told(outcomes: Sequence[Outcome]) -> None:
        call.console.lines(outcome_text(o) for o in outcomes if o.status != "applied")

    rounds = Rounds(session.aws, wanted, payload_of(call), session.host.clock, told)
    try:
        _wait_for_subscriptions(session, wanted, answers_of)
        with session.host.busy(f"invoking {counted(len(wanted), 'function')}"):
            rounds.begin()
    except KeyboardInterrupt:
        call.console.say("stopped invoking")
        return None
    return rounds


def _to_invoke(
    call: Call, session: Session, functions: Sequence[Function], *, offer: bool
) -> tuple[Function, ...]:
    """The functions that the person, or `--invoke --yes`, wants to be invoked."""
    prompter = session.host.prompter
    # A call of these must name a tenant, which nobody here knows.
    functions = [f for f in functions if not f.tenant_isolation]
    if not functions or ("invoke" in call.given and not call.given.on("invoke")):
        return ()
    check_invoke(call, prompter)
    if call.given.on("invoke") and call.given.on("yes"):
        return tuple(functions)
    if prompter is None:
        return ()
    if call.given.on("invoke"):
        text = f"Invoke {_how_many(functions)} now? They do whatever they do with this event."
        try:
            agreed = prompter.ask(Prompt(kind="confirm", text=text, default=call.sandbox))
        except Back:
            agreed = False
        return tuple(functions) if agreed else ()
    if not offer or call.given.on("yes"):
        return ()
    return _chosen_to_invoke(call, prompter, _without_traffic(session, functions))


def check_invoke(call: Call, prompter: Prompter | None) -> None:
    """Raises UsageError where `--invoke` cannot be: better before a run than after it."""
    payload_of(call)
    if call.given.on("invoke") and not call.given.on("yes") and prompter is None:
        fix = "give --yes as well, or leave out --invoke"
        raise UsageError("--invoke runs your functions, and nobody can confirm it", fix=fix)


def _how_many(functions: Sequence[Function]) -> str:
    accounts = len({function.account for function in functions})
    where = f" in {counted(accounts, 'account')}" if accounts > 1 else ""
    return f"{counted(len(functions), 'function')}{where}"


def _without_traffic(session: Session, functions: Sequence[Function]) -> tuple[Function, ...]:
    """Those that CloudWatch has not seen running of late; all where that cannot be told."""
    from ddsetup.verify.watch import cloudwatch_traffic

    count = cloudwatch_traffic(session.aws)
    by_lane: dict[Lane, list[Function]] = {}
    for function in functions:
        by_lane.setdefault(function.lane, []).append(function)

    def idle(lane: Lane) -> list[Function]:
        counts = count(lane, [f.name for f in by_lane[lane]], LOOK_BACK_MINUTES)
        return [f for f in by_lane[lane] if isinstance(counts, Unreadable) or not counts.get(f.name)]

    return tuple(function for found in each(idle, by_lane) for function in found)


def _chosen_to_invoke(call: Call, prompter: Prompter, idle: Sequence[Function]) -> tuple[Function, ...]:
    """The offer to make traffic. Only functions that run have something to show."""
    if not idle:
        return ()
    named = call.given.text("payload")
    event = f"the event of {named}" if named else "an empty event, {}"
    choices = [
        Choice("none", "No, wait for their own traffic", "Ctrl-C ends the wait; ddsetup verify looks again"),
        Choice("all", f"Invoke {'all ' if len(idle) > 1 else ''}{len(idle):,} with {event}", _DOES),
        Choice("pick", "Let me pick", _DOES),
    ]
    prompt = Prompt(
        kind="one",
        text=f"{_how_many(idle)} had no traffic in the last hour. Invoke them for the proof?",
        why="Data only arrives from functions that run. They are invoked again if it does not come at once.",
        choices=tuple(choices),
        default="all" if call.sandbox else "none",
    )
    while True:
        try:
            answer = prompter.ask(prompt)
            if answer != "pick":
                return tuple(idle) if answer == "all" else ()
            accounts = len({f.account for f in idle}) > 1
            rows = [Row(value=f.arn, cells=_cells(f, account=accounts)) for f in idle]
            picked = set(prompter.pick("Which ones should be invoked?", rows))
            return tuple(f for f in idle if f.arn in picked)
        except Back:
            continue


def _cells(function: Function, *, account: bool) -> tuple[str, ...]:
    first = (function.account,) if account else ()
    return (*first, function.name, function.region, function.runtime or "image")


def _wait_for_subscriptions(
    session: Session, functions: Sequence[Function], answers_of: Callable[[str], Answers] | None
) -> None:
    """Do not let the first invocations be lost: Datadog subscribes log groups within minutes, not at once."""
    from ddsetup.verify.invoke_again import wait_for_subscriptions

    if answers_of is None:
        return
    every = ((function, answers_of(function.account)) for function in functions)
    functions = [f for f, answers in every if answers.datadog_subscribes and answers.logs]
    if not functions:
        return
    try:
        with session.host.busy("waiting for Datadog to subscribe the log groups; Ctrl-C invokes at once"):
            wait_for_subscriptions(session.aws, functions, session.host.clock)
    except KeyboardInterrupt:
        session.host.say("not waiting for the subscriptions any longer")


def things_of(
    snapshot: Snapshot,
    answers: Answers,
    plan: Plan,
    functions: Sequence[Function],
    skipped: Collection[str] = (),
) -> tuple[Thing, ...]:
    """What is switched on beside functions, as the answers say, without the ids in `skipped`.

    Of Forwarders those that a plan leads to or that Datadog has registered, where data goes through one.
    """
    from ddsetup.verify.things import forwarders_of, switched_on

    carriers: tuple[str, ...] = ()
    if answers.forwards and answers.via == "forwarder":
        carriers = forwarders_of(snapshot, plan, {function.lane for function in functions})
    found = switched_on(snapshot, answers, carriers)
    return tuple(thing for thing in found if thing.resource.id not in skipped)


def watch_for(
    call: Call,
    session: Session,
    functions: Sequence[Function],
    answers: Answers,
    since: datetime | None = None,
    things: Sequence[Thing] = (),
) -> Watch:
    """What has to arrive of these functions and things; `since` None, or `--since`: of the last minutes."""
    from ddsetup.verify.progress import Watch

    if since is None or "since" in call.given:
        since = session.host.clock.now() - timedelta(minutes=call.given.number("since", LOOK_BACK_MINUTES))
    metrics = tuple(call.given.items("custom_metric"))
    return Watch(
        functions=tuple(functions),
        answers=answers,
        since=since,
        custom_metrics=metrics,
        things=tuple(things),
    )


def among(snapshot: Snapshot, watch: Watch) -> Watch:
    """The same, with the names of what else is there: data of a namesake is no proof."""
    from ddsetup.verify.progress import others_than

    return replace(watch, others=others_than(watch.functions, snapshot.functions()))


def prove(
    call: Call, session: Session, watch: Watch, *, wait: int, rounds: Rounds | None = None
) -> tuple[Signal, ...]:
    """Look for the data of each function, waiting as long as was asked for, with `rounds` of traffic.

    Ctrl-C ends the waiting, not the run: what is known by then is the result.
    """
    from ddsetup.flow import verbs

    if not watch.functions and not watch.things and not watch.custom_metrics:
        return ()
    watch = awaited(call, watch, rounds)
    now, latest = session.host.clock.now(), list[Signal]()
    seconds = call.given.number("wait", wait)
    note = _how_long(call, now + timedelta(seconds=seconds)) if seconds else ""

    def show(signals: Sequence[Signal]) -> None:
        latest[:] = signals
        call.console.signals(signals, note)
        if rounds is not None:
            rounds.again(lambda: watch.wanting(signals))

    try:
        return verbs.prove(session, watch, wait_seconds=seconds, on_update=show)
    except KeyboardInterrupt:
        call.console.rest()
        later = "" if call.value("sandbox") else f"; to look again later: {LOOK_AGAIN}"
        call.console.say(f"stopped waiting{later}")
        return tuple(latest)
    finally:
        call.console.rest()


def awaited(call: Call, watch: Watch, rounds: Rounds | None) -> Watch:
    """The watch, told whether somebody makes traffic: this run, the sandbox, or a person who is there."""
    somebody = call.can_ask and not call.given.on("yes")
    return replace(watch, awaited=rounds is not None or call.sandbox or somebody)


def _how_long(call: Call, until: datetime) -> str:
    """How long the wait takes at most, how it is ended, and what goes on with it."""
    ends = f"Until {hour(until)} at most; Ctrl-C ends the wait"
    return ends if call.value("sandbox") else f"{ends}. In the background:\n{LOOK_AGAIN} --no-input &"
