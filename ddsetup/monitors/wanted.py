"""What the commands of monitors share: the wish, asked for where it is open, and the plan that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ddsetup.facts.links import monitors_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.monitors import find_monitors, validate_monitor
from ddsetup.gateways.datadog.telemetry import Window, metrics_seen
from ddsetup.model.change import Plan
from ddsetup.model.errors import UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.states import MonitorState
from ddsetup.monitors.ask import ask_for
from ddsetup.monitors.plan import plan_monitors
from ddsetup.monitors.scope_of import scope_of
from ddsetup.monitors.wish import (
    Wish,
    chosen_keys,
    monitors_for,
    parse_handles,
    parse_on_metric,
    parse_threshold,
    without_data,
)

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session

_OPTIONS = ("only", "threshold", "on_metric", "notify")
_LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A session, the monitors that shall be there, and what it takes."""

    session: Session
    monitors: tuple[MonitorState, ...]
    plan: Plan


def connect(call: Call) -> Session:
    """Checked credentials. Raises what `flow.connect` raises."""
    from ddsetup.flow import verbs

    return verbs.connect(call.given, call.host(), command=LIKE)


def wanted(call: Call) -> Wanted:
    """Settle the wish, look what is there, and have Datadog check what would be sent. Nothing is written.

    Raises UsageError for wrong options, and when Datadog refuses a definition.
    """
    given = wish_of(call)
    session = connect(call)
    wish = replace(given, scope=scope_of(call, session))
    asked = not any(call.value(name) for name in _OPTIONS)
    if asked and session.host.prompter is not None:
        wish = ask_for(wish, session.host.prompter)
    live = find_monitors(session.datadog)
    monitors = monitors_for(wish, tuple(one.state for one in live))
    lacking = tuple(
        f"{key} is left out: Datadog estimates no cost of functions on managed instances"
        for key in without_data(wish)
    )
    if not monitors and lacking:
        raise UsageError(lacking[0], fix="choose others: --only")
    if not monitors:
        raise UsageError("no monitor is asked for", fix="leave out --only none, or give --on-metric")
    plan = plan_monitors(monitors, live, session.identity.account)
    _validate(session, plan)
    plan = replace(plan, warnings=lacking + _unseen(session, wish))
    return Wanted(session=session, monitors=monitors, plan=plan)


def wish_of(call: Call) -> Wish:
    """What the options say. Raises UsageError for what is wrong with them, before anything is asked."""
    return Wish(
        keys=chosen_keys(call.value("only") or ()),
        thresholds=dict(parse_threshold(text) for text in call.value("threshold") or ()),
        on_metrics=tuple(parse_on_metric(text) for text in call.value("on_metric") or ()),
        notify=parse_handles(call.value("notify") or ()),
    )


def _validate(session: Session, plan: Plan) -> None:
    """Have Datadog check every definition that would be sent; all that it refuses are named at once."""
    refused = []
    for change in plan.changes:
        if isinstance(change.after, MonitorState):
            try:
                validate_monitor(session.datadog, change.after)
            except Rejected as error:
                refused.append(f"{change.resource.id}: {error.what}")
    if refused:
        raise UsageError(Lines.of("Datadog refuses what would be sent:", *refused))


def _unseen(session: Session, wish: Wish) -> tuple[str, ...]:
    """A monitor on a metric that nobody sends never alerts."""
    names = tuple(each.metric for each in wish.on_metrics)
    now = session.host.clock.now()
    seen = metrics_seen(session.datadog, Window(now - _LOOK_BACK, now), names)
    return tuple(f"no point of {name} arrived within a day" for name in names if name not in seen)


def pages(site: str) -> dict[str, str]:
    """Where the monitors are seen."""
    return {"monitors": monitors_link(site)}
