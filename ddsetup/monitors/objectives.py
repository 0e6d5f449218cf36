"""Service level objectives (SLO) of monitors: what share of events, or of time, has to be good. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddsetup.gateways.datadog.monitors import identity_tags
from ddsetup.gateways.datadog.slos import EVENTS, TIME
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.states import MonitorState, SloState
from ddsetup.monitors.recommended import BY_KEY, Recommended, scoped
from ddsetup.monitors.scope import EVERYTHING, MonitorScope
from ddsetup.monitors.wish import OnMetric, Wish, parse_on_metric, scope_for
from ddsetup.monitors.wording import plain

TIMEFRAMES = ("7d", "30d", "90d")
_SLO = re.compile(r"(?P<of>.+)=\s*(?P<target>\d{1,2}(?:\.\d{1,6})?)\s*%?\s*(?:/\s*(?P<timeframe>\w+))?\s*")
_GOOD = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Slo:
    """An objective: of which monitor (its key, or what one on a custom metric alerts on), how many percent,
    and in which timeframe."""

    of: str | OnMetric
    target: float
    timeframe: str = "30d"


def with_objectives() -> tuple[str, ...]:
    """The keys of monitors that have an objective."""
    return tuple(key for key, each in BY_KEY.items() if each.objective)


def parse_slo(text: str) -> Slo:
    """`high_error_rate=99.9`, `sqs_old_messages=99/7d`, `p95:shop.value>3=99.5`.

    Raises UsageError for another monitor, and for what is no target in percent.
    """
    match = _SLO.fullmatch(text)
    fix = "e.g. --slo high_error_rate=99.9 or 'p95:shop.value>3=99.5/7d'"
    if match is None or not 0 < float(match["target"]) < 100:
        raise UsageError(f"--slo {text}: expected a monitor, = and a target below 100 percent", fix=fix)
    timeframe = match["timeframe"] or "30d"
    if timeframe not in TIMEFRAMES:
        raise UsageError(
            f"--slo {text}: {timeframe!r} is no timeframe", fix=f"one of: {', '.join(TIMEFRAMES)}"
        )
    return Slo(_of(match["of"].strip(), text), float(match["target"]), timeframe)


def _of(of: str, text: str) -> str | OnMetric:
    known = with_objectives()
    if of in known:
        return of
    if "<" in of or ">" in of:
        return parse_on_metric(of)
    said = "has no objective: it counts no good events" if of in BY_KEY else "is none of the monitors"
    raise UsageError(
        f"--slo {text}: {of!r} {said}", fix=did_you_mean(of, known, f"one of: {', '.join(known)}")
    )


def slos_for(slos: Sequence[Slo], wish: Wish, monitors: Sequence[MonitorState] = ()) -> tuple[SloState, ...]:
    """The objectives that shall be there. Thresholds are those of the wish, else of the monitors that are or
    will be there, else the recommended ones."""
    return tuple(_slo(slo, wish, monitors) for slo in slos)


def _slo(slo: Slo, wish: Wish, monitors: Sequence[MonitorState]) -> SloState:
    if isinstance(slo.of, OnMetric):
        on, scope = slo.of, wish.scope
        query = f"{on.how}:{on.metric}{{{scope.query(*on.tags)}}}"
        measure = _time(query, _GOOD[on.than], on.threshold)
        narrowed = f" of {', '.join(on.tags)}" if on.tags else ""
        title = f"Time in which {on.how} of {on.metric}{narrowed} is {_GOOD[on.than]} {plain(on.threshold)}"
        return _state(slo, (on.key, title), TIME, measure, scope)
    each = BY_KEY[slo.of]
    scope, wanted = scope_for(each, wish), each.objective
    if wanted is None:
        raise UsageError(f"{slo.of} has no objective")
    if wanted.good:
        counted = {name: scoped(getattr(wanted, name), scope.query) for name in ("good", "total")}
        return _state(slo, (each.key, wanted.title), EVENTS, counted, scope)
    threshold = _threshold(each, wish, scope, monitors)
    measure = _time(scoped(wanted.query, scope.query), wanted.than, threshold)
    return _state(slo, (each.key, wanted.title), TIME, measure, scope)


def _time(query: str, comparator: str, threshold: float) -> Mapping[str, Json]:
    return {"query": query, "comparator": comparator, "threshold": threshold}


def _threshold(each: Recommended, wish: Wish, scope: MonitorScope, monitors: Sequence[MonitorState]) -> float:
    if each.key in wish.thresholds:
        return wish.thresholds[each.key]
    held = next((one for one in monitors if (one.key, one.scope) == (each.key, scope.label)), None)
    critical = (held.options.get("thresholds") or {}).get("critical") if held else None
    return critical if isinstance(critical, int | float) else each.threshold


def _state(
    slo: Slo, named: tuple[str, str], kind: str, measure: Mapping[str, Json], scope: MonitorScope
) -> SloState:
    key, title = named
    return SloState(
        key=key,
        scope=scope.label,
        name=title if scope.label == EVERYTHING else f"{title} [{scope.label}]",
        type=kind,
        measure=measure,
        target=slo.target,
        timeframe=slo.timeframe,
        description="Made by ddsetup: `ddsetup monitors apply --slo` changes it.",
        tags=(*identity_tags(key, scope.label), *scope.tags),
    )
