"""A look at what has arrived, offered at the end of a guided setup: what `ddsetup explore` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from ddsetup.ask.prompter import Back, Prompt
from ddsetup.ask.questions import Choice
from ddsetup.explore.cold_starts import cold_start_blocks, cold_starts
from ddsetup.explore.errors import error_blocks, errors
from ddsetup.explore.masking import masked
from ddsetup.explore.trace_blocks import trace_blocks
from ddsetup.explore.traces import linked_traces
from ddsetup.flow.call import Call
from ddsetup.flow.whose import Whose
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.account import Function, Json
from ddsetup.model.blocks import Block
from ddsetup.model.errors import DdsetupError
from ddsetup.model.lines import Look
from ddsetup.model.report import Signal

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session

_Ask: TypeAlias = Callable[[Datadog, Window, Whose], Mapping[str, Json]]
_Draw: TypeAlias = Callable[[Mapping[str, Json], Look], Sequence[Block]]

_VIEWS: Mapping[str, tuple[_Ask, _Draw]] = {
    "cold-starts": (cold_starts, cold_start_blocks),
    "errors": (errors, error_blocks),
    "traces": (linked_traces, trace_blocks),
}
_CHOICES = (
    Choice("cold-starts", "Cold starts", "by function, and their share over time"),
    Choice("errors", "Errors", "the most frequent patterns in the logs"),
    Choice("traces", "Traces", "the slowest and the failing ones, with their logs"),
)


def offer_to_explore(
    call: Call,
    session: Session,
    functions: Sequence[Function],
    signals: Sequence[Signal],
    since: datetime | None,
) -> None:
    """Show what a person wants to see of the data of this run; nothing if there is none, or nobody.

    `since` None: this run changed nothing, and nothing new is there to be looked at. A question that
    Datadog does not answer is told, and ends nothing.
    """
    prompter = session.host.prompter
    if prompter is None or call.given.on("yes") or since is None:
        return
    if not any(signal.status == "arrived" for signal in signals):
        return
    whose = Whose(
        account=session.identity.account,
        regions=session.scope.regions,
        functions=tuple(sorted({function.name for function in functions})),
    )
    later = "the sandbox is gone then" if call.value("sandbox") else "ddsetup explore shows it at any time"
    prompt = Prompt(
        kind="one",
        text="Look at what has arrived?",
        why="All is set up; this only shows data.",
        choices=(Choice("no", "No, on to the summary", later), *_CHOICES),
        default="no",
    )
    try:
        while (wanted := str(prompter.ask(prompt))) != "no":
            _show(call, session, wanted, Window(since, session.host.clock.now()).of_counts(), whose)
    except (Back, KeyboardInterrupt):
        return


def _show(call: Call, session: Session, view: str, window: Window, whose: Whose) -> None:
    ask, draw = _VIEWS[view]
    console = call.console
    try:
        with session.host.busy("asking Datadog"):
            data = masked(ask(session.datadog, window, whose))
    except DdsetupError as error:
        console.say(f"that cannot be shown: {error.what}", "warn")
        return
    console.blocks([(), *draw(data, console.room()), ()], marked=False)
