"""The end of a run that changed something: traffic if it is wanted, and the proof that data arrives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ddsetup.answers import Answers
from ddsetup.cli.call import Call
from ddsetup.errors import UsageError
from ddsetup.lines import counted
from ddsetup.model import Function, LaneSnapshot, Snapshot, Unreadable
from ddsetup.ownership import is_datadog_helper, is_forwarder
from ddsetup.prompter import Prompt
from ddsetup.render import outcome_text
from ddsetup.report import Signal

if TYPE_CHECKING:
    from ddsetup.flow import Session

LOOK_BACK_MINUTES = 60


def monitored(snapshot: Snapshot, functions: Sequence[Function]) -> tuple[Function, ...]:
    """The functions without Datadog's own, which carry data and have none to show."""
    return tuple(f for f in functions if not _is_datadogs(f, snapshot.lanes[f.lane]))


def _is_datadogs(function: Function, lane: LaneSnapshot) -> bool:
    tags = {} if isinstance(lane.tags, Unreadable) else lane.tags.get(function.arn, {})
    return is_forwarder(function, tags, lane) or is_datadog_helper(function, tags)


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


def make_traffic(call: Call, session: Session, functions: Sequence[Function]) -> None:
    """Invoke the functions if that is wanted, and confirmed."""
    if not call.given.on("invoke") or not functions:
        return
    payload = payload_of(call)
    host = session.host
    if not call.given.on("yes"):
        if host.prompter is None:
            fix = "give --yes as well, or leave out --invoke"
            raise UsageError("--invoke runs your functions, and nobody can confirm it", fix=fix)
        text = f"Invoke {counted(len(functions), 'function')} now? They do whatever they do with this event."
        # In a sandbox they are ours, and without traffic there is nothing to see.
        if not host.prompter.ask(Prompt(kind="confirm", text=text, default=call.sandbox)):
            return
    from ddsetup.traffic import invoke_all

    call.console.say(f"invoking {counted(len(functions), 'function')}")
    outcomes = invoke_all(session.aws, functions, payload)
    call.console.lines(outcome_text(o) for o in outcomes if o.status != "applied")


def prove(
    call: Call,
    session: Session,
    functions: Sequence[Function],
    answers: Answers,
    *,
    since: datetime | None = None,
    wait: int,
) -> tuple[Signal, ...]:
    """Look for the data of each function, waiting as long as was asked for.

    Ctrl-C ends the waiting, not the run: what is known by then is the result.
    """
    from ddsetup import flow

    if not functions:
        return ()
    back = call.given.number("since", LOOK_BACK_MINUTES)
    if since is None or "since" in call.given:
        since = session.host.clock.now() - timedelta(minutes=back)
    latest: list[Signal] = []

    def show(signals: Sequence[Signal]) -> None:
        latest[:] = signals
        call.console.signals(signals)

    try:
        return flow.prove(
            session,
            functions,
            answers,
            since=since,
            wait_seconds=call.given.number("wait", wait),
            custom_metrics=call.given.items("custom_metric"),
            on_update=show,
        )
    except KeyboardInterrupt:
        return tuple(latest)
    finally:
        call.console.rest()
