"""What the commands of monitors share: the wish, asked for where it is open, and the plan that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ddsetup.facts.links import monitors_link
from ddsetup.flow.call import Call
from ddsetup.flow.looking import LIKE
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.faults import Rejected
from ddsetup.gateways.datadog.metric_tags import read_configuration
from ddsetup.gateways.datadog.monitors import find_monitors, validate_monitor
from ddsetup.gateways.datadog.slos import find_slos
from ddsetup.gateways.datadog.telemetry import Window, metrics_seen
from ddsetup.model.change import Plan
from ddsetup.model.errors import Denied, UsageError
from ddsetup.model.foreign import Lines
from ddsetup.model.states import MonitorState, SloState
from ddsetup.monitors.ask import ask_for
from ddsetup.monitors.objectives import Slo, parse_slo, slos_for
from ddsetup.monitors.on_logs import parse_on_logs
from ddsetup.monitors.plan import plan_monitors, plan_slos
from ddsetup.monitors.recommended import BY_KEY, OF_SERVICES
from ddsetup.monitors.scope_of import scope_of
from ddsetup.monitors.wish import (
    Wish,
    chosen_keys,
    in_use,
    monitors_for,
    parse_handles,
    parse_on_metric,
    parse_threshold,
    without_data,
)

if TYPE_CHECKING:
    from ddsetup.flow.verbs import Session

_OPTIONS = ("only", "services", "threshold", "on_metric", "on_logs", "notify", "slo")
_LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A session, the monitors and objectives that shall be there, and what it takes."""

    session: Session
    monitors: tuple[MonitorState, ...]
    slos: tuple[SloState, ...]
    plan: Plan


def connect(call: Call) -> Session:
    """Checked credentials. Raises what `flow.connect` raises."""
    from ddsetup.flow import verbs

    return verbs.connect(call.given, call.host(), command=LIKE)


def wanted(call: Call) -> Wanted:
    """Settle the wish, look what is there, and have Datadog check what would be sent. Nothing is written.

    Raises UsageError for wrong options, and when Datadog refuses a definition.
    """
    given, targets = wish_of(call), slos_of(call)
    session = connect(call)
    wish, used = _settled(call, session, replace(given, scope=scope_of(call, session)))
    live = find_monitors(session.datadog)
    monitors = monitors_for(wish, tuple(one.state for one in live))
    lacking = tuple(
        f"{key} is left out: Datadog estimates no cost of functions on managed instances"
        for key in without_data(wish)
    )
    if not monitors and lacking:
        raise UsageError(lacking[0], fix="choose others: --only")
    if not monitors and not targets:
        fix = "leave out --only none, or give --on-metric or --on-logs"
        raise UsageError("no monitor is asked for", fix=fix)
    plan = plan_monitors(monitors, live, session.identity.account)
    _validate(session, plan)
    states = slos_for(targets, wish, (*monitors, *(one.state for one in live)))
    if states:
        plan += plan_slos(states, find_slos(session.datadog), session.identity.account)
    plan = replace(plan, warnings=lacking + _unseen(session, wish) + _left_out(wish, used))
    return Wanted(session=session, monitors=monitors, slos=states, plan=plan)


def _settled(call: Call, session: Session, wish: Wish) -> tuple[Wish, tuple[str, ...]]:
    """The wish with the monitors of services, and with what a person says; and the monitors of services that
    are in use, as far as somebody wants to know."""
    services = bool(call.value("services"))
    # Who names monitors, and not the services, is told nothing of these.
    looked = services or wish.keys == chosen_keys(())
    used, unread = services_in_use(session.datadog, session.host.clock.now()) if looked else ((), None)
    if services:
        if unread is not None:
            raise unread
        wish = replace(wish, keys=tuple(key for key in BY_KEY if key in (*wish.keys, *used)))
    asked = not any(call.value(name) for name in _OPTIONS)
    if asked and session.host.prompter is not None:
        wish = ask_for(wish, session.host.prompter, used)
    return wish, used


def wish_of(call: Call) -> Wish:
    """What the options say. Raises UsageError for what is wrong with them, before anything is asked."""
    return Wish(
        keys=chosen_keys(call.value("only") or ()),
        thresholds=dict(parse_threshold(text) for text in call.value("threshold") or ()),
        on_metrics=tuple(parse_on_metric(text) for text in call.value("on_metric") or ()),
        on_logs=tuple(parse_on_logs(text) for text in call.value("on_logs") or ()),
        notify=parse_handles(call.value("notify") or ()),
    )


def slos_of(call: Call) -> tuple[Slo, ...]:
    """The objectives that the options name."""
    return tuple(parse_slo(text) for text in call.value("slo") or ())


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


def services_in_use(dd: Datadog, now: datetime) -> tuple[tuple[str, ...], Denied | None]:
    """The monitors of services of which Datadog has metrics, or why that cannot be told: a key for monitors
    alone need not be allowed to ask for metrics."""
    names = tuple(dict.fromkeys(each.seen for each in OF_SERVICES))
    try:
        return in_use(metrics_seen(dd, _lately(now), names)), None
    except Denied as error:
        return (), error


def _lately(now: datetime) -> Window:
    return Window(now - _LOOK_BACK, now)


def _left_out(wish: Wish, used: tuple[str, ...]) -> tuple[str, ...]:
    """Services without the monitors that they could have, where nothing was said of them."""
    others = [key for key in used if key not in wish.keys]
    if not others or wish.keys != chosen_keys(()):
        return ()
    return (f"these services are in use and not watched: {', '.join(others)}. --services adds them",)


def _unseen(session: Session, wish: Wish) -> tuple[str, ...]:
    """A monitor on a metric that nobody sends, or on percentiles that are off, never alerts."""
    names = tuple(dict.fromkeys(each.metric for each in wish.on_metrics))
    seen = metrics_seen(session.datadog, _lately(session.host.clock.now()), names)
    percentiles = {each.metric for each in wish.on_metrics if each.is_percentile} & seen
    off = [name for name in names if name in percentiles and not _has_percentiles(session, name)]
    return (
        *(f"no point of {name} arrived within a day" for name in names if name not in seen),
        *(f"percentiles of {name} are off: ddsetup metrics percentiles {name}" for name in off),
    )


def _has_percentiles(session: Session, metric: str) -> bool:
    held = read_configuration(session.datadog, metric)
    return held is not None and bool(held.include_percentiles)


def pages(site: str) -> dict[str, str]:
    """Where the monitors are seen."""
    return {"monitors": monitors_link(site)}
