"""From what was asked for to the monitors that shall be there. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ddsetup.gateways.datadog.monitors import LOGS, identity_tags
from ddsetup.model.account import Json
from ddsetup.model.errors import UsageError
from ddsetup.model.nearest import did_you_mean
from ddsetup.model.states import MonitorState
from ddsetup.monitors.on_logs import OnLogs, log_query
from ddsetup.monitors.recommended import (
    BY_KEY,
    CLOUDWATCH_DELAY,
    OF_SERVICES,
    RECOMMENDED,
    Recommended,
    scoped,
)
from ddsetup.monitors.scope import EVERYTHING, MonitorScope
from ddsetup.monitors.wording import plain, tag_keys, tag_parts

NONE = "none"

_ON_METRIC = re.compile(
    r"\s*(?:(?P<how>avg|sum|min|max|p50|p75|p90|p95|p99):)?(?P<metric>[A-Za-z][A-Za-z0-9_.]{0,199})"
    r"\s*(?:\{(?P<tags>[^{}]*)\})?\s*(?:by\s*\{(?P<by>[^{}]*)\})?"
    r"\s*(?P<than><=|>=|<|>)\s*(?P<value>-?\d+(?:\.\d+)?)\s*"
)
_TAG = re.compile(r"!?[A-Za-z][\w./-]*:[\w.*/:@-]+")
_NOT_IN_KEYS = re.compile(r"[^a-z0-9_./-]+")
_HANDLE = re.compile(r"@[A-Za-z0-9][\w.+@/-]*")
_HANDLES = re.compile(r"(?<!\S)@[A-Za-z0-9][\w.+@/-]*")


@dataclass(frozen=True, slots=True)
class OnMetric:
    """A monitor on a custom metric: alert when its aggregate is `than` (`<`, `>=`, ...) the threshold.

    `tags` narrow down which series are meant, `by` are the keys of tags whose values are told apart.
    """

    metric: str
    than: str
    threshold: float
    how: str = "avg"
    tags: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The id that tells it from the others; the direction is part of it, and what narrows it down."""
        told = f"custom_metric:{self.metric}:{'below' if self.than.startswith('<') else 'above'}"
        more = [self.how] if self.is_percentile else []
        more += [*self.tags, *(f"by_{tag}" for tag in self.by)]
        return ":".join((told, *(_NOT_IN_KEYS.sub("_", part.lower()) for part in more)))

    @property
    def is_percentile(self) -> bool:
        return self.how.startswith("p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which monitors, for what, from which value on, and who is told.

    Thresholds that are not given, and `notify` None, stay as they are on monitors that are there.
    """

    keys: tuple[str, ...] = tuple(each.key for each in RECOMMENDED)
    scope: MonitorScope = field(default_factory=MonitorScope)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    on_metrics: tuple[OnMetric, ...] = ()
    on_logs: tuple[OnLogs, ...] = ()
    notify: tuple[str, ...] | None = None


def chosen_keys(only: Sequence[str]) -> tuple[str, ...]:
    """The monitors that are meant, in their order; without a choice all that are recommended for functions.

    Raises UsageError for a name that is none, with the nearest one.
    """
    if not only:
        return tuple(each.key for each in RECOMMENDED)
    wanted = {part.strip() for text in only for part in text.split(",") if part.strip()}
    for name in sorted(wanted - {NONE, *BY_KEY}):
        raise UsageError(f"{name!r} is no recommended monitor", fix=_nearest(name))
    return tuple(key for key in BY_KEY if key in wanted)


def parse_threshold(text: str) -> tuple[str, float]:
    """`high_error_rate=0.05`. Raises UsageError for another monitor, or what is no number."""
    key, separator, value = text.partition("=")
    key = key.strip()
    if key not in BY_KEY:
        raise UsageError(f"--threshold {text}: {key!r} is no recommended monitor", fix=_nearest(key))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not separator or not -1e15 < number < 1e15:
        raise UsageError(f"--threshold {text}: expected a number, e.g. {key}={plain(BY_KEY[key].threshold)}")
    return key, number


def parse_on_metric(text: str) -> OnMetric:
    """`coffee_house.order_value<1`, `max:queue.length>100`. Raises UsageError for anything else."""
    match = _ON_METRIC.fullmatch(text)
    if match is None:
        fix = "e.g. --on-metric 'coffee_house.order_value<1' or 'max:queue.length>100'"
        raise UsageError(f"--on-metric {text}: expected a metric, < or >, and a number", fix=fix)
    tags, by = tag_parts(match["tags"]), tag_keys(match["by"], f"--on-metric {text}")
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise UsageError(f"--on-metric {text}: {tag!r} cannot stand in braces", fix="e.g. product:tea")
    value = float(match["value"])
    return OnMetric(match["metric"], match["than"], value, match["how"] or "avg", tags, by)


def parse_handles(texts: Sequence[str]) -> tuple[str, ...] | None:
    """`@slack-shop`, or `none` for nobody; None if nothing is said about it.

    Raises UsageError for what Datadog would take for plain text.
    """
    handles = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not handles:
        return None
    for handle in handles:
        if handle != NONE and not _HANDLE.fullmatch(handle):
            fix = "e.g. @slack-shop or @me@example.com; none for nobody"
            raise UsageError(f"--notify {handle}: a handle begins with @", fix=fix)
    return tuple(dict.fromkeys(handle for handle in handles if handle != NONE))


def monitors_for(wish: Wish, live: Sequence[MonitorState] = ()) -> tuple[MonitorState, ...]:
    """The monitors that shall be there, recommended ones first. `live` are those that are.

    One that could never alert, for want of its metric (`without_data`), is not among them.
    """
    there = {(state.key, state.scope): state for state in live}
    label = wish.scope.label
    chosen = [BY_KEY[key] for key in wish.keys if key not in without_data(wish)]
    return (
        *(_recommended(each, wish, there.get((each.key, scope_for(each, wish).label))) for each in chosen),
        *(_on_metric(each, wish, there.get((each.key, label))) for each in wish.on_metrics),
        *(_on_logs(each, wish, there.get((each.key, label))) for each in wish.on_logs),
    )


def scope_for(each: Recommended, wish: Wish) -> MonitorScope:
    """What a monitor is about. Metrics of services do not tell functions."""
    return replace(wish.scope, functions=()) if each.seen else wish.scope


def in_use(seen: Collection[str]) -> tuple[str, ...]:
    """The monitors of services that these metrics show to be in use."""
    return tuple(each.key for each in OF_SERVICES if each.seen in seen)


def without_data(wish: Wish) -> tuple[str, ...]:
    """The recommended monitors on a metric that there is not for what is meant."""
    return tuple(key for key in wish.keys if BY_KEY[key].cost and not wish.scope.priced)


def _recommended(each: Recommended, wish: Wish, live: MonitorState | None) -> MonitorState:
    scope = scope_for(each, wish)
    threshold = wish.thresholds.get(each.key, _threshold(live, each.threshold))
    query = scoped(each.query, scope.query).replace("{BY}", each.by).replace("{T}", plain(threshold))
    text = (
        f"{each.what} {each.kind} {each.subject} in {{{{region.name}}}}, "
        f"account {{{{aws_account.name}}}}.\n\n"
        f"{{{{#is_alert}}}}{each.resolve}{{{{/is_alert}}}}"
    )
    options = _options(threshold, CLOUDWATCH_DELAY if each.cloudwatch else 0)
    state = _state(each.key, f"{each.title} of {each.subject}", query, scope)
    return replace(state, message=_told(text, wish, live), options=options)


def _on_metric(each: OnMetric, wish: Wish, live: MonitorState | None) -> MonitorState:
    scope = wish.scope.query(*each.tags)
    by = f" by {{{','.join(each.by)}}}" if each.by else ""
    over_time = "percentile" if each.is_percentile else each.how
    of = f"{each.how}:{each.metric}{{{scope}}}{by}"
    query = f"{over_time}(last_15m):{of} {each.than} {plain(each.threshold)}"
    narrowed = f" of {', '.join(each.tags)}" if each.tags else ""
    what = f"{each.how} of {each.metric}" if each.is_percentile else each.metric
    title = f"{what}{narrowed} {each.than} {plain(each.threshold)}"
    where = "".join(f", {tag} {{{{{tag}.name}}}}" for tag in each.by)
    text = f"The custom metric {what}{narrowed} is {{{{value}}}}{where}."
    state = _state(each.key, title, query, wish.scope)
    return replace(state, message=_told(text, wish, live), options=_options(each.threshold, 0))


def _on_logs(each: OnLogs, wish: Wish, live: MonitorState | None) -> MonitorState:
    where = "".join(f", {tag} {{{{{tag}.name}}}}" for tag in each.by)
    # Not the query itself: in a message, an attribute like @duration would be somebody to tell.
    text = f"{{{{value}}}} such logs came within 15 minutes{where}."
    state = _state(each.key, f"Logs like {each.query}", log_query(each, wish.scope), wish.scope)
    options = {
        "thresholds": {"critical": each.threshold},
        "notify_no_data": False,
        "include_tags": True,
        "enable_logs_sample": True,
    }
    return replace(state, type=LOGS, message=_told(text, wish, live), options=options)


def _state(key: str, title: str, query: str, scope: MonitorScope) -> MonitorState:
    return MonitorState(
        key=key,
        scope=scope.label,
        name=title if scope.label == EVERYTHING else f"{title} [{scope.label}]",
        query=query,
        tags=(*identity_tags(key, scope.label), *scope.tags),
    )


def _options(threshold: float, delay: int) -> dict[str, Json]:
    options: dict[str, Json] = {
        "thresholds": {"critical": threshold},
        "notify_no_data": False,
        "include_tags": True,
        "require_full_window": False,
    }
    return options | {"evaluation_delay": delay} if delay else options


def _threshold(live: MonitorState | None, recommended: float) -> float:
    critical = (live.options.get("thresholds") or {}).get("critical") if live else None
    return critical if isinstance(critical, int | float) else recommended


def _told(text: str, wish: Wish, live: MonitorState | None) -> str:
    """The message with those who are told; without a wish, whoever is told now."""
    kept = _HANDLES.findall(live.message.rsplit("\n", 1)[-1]) if live else []
    handles = kept if wish.notify is None else wish.notify
    return f"{text}\n\n{' '.join(handles)}" if handles else text


def _nearest(name: str) -> str:
    return did_you_mean(name, BY_KEY, f"one of: {', '.join(BY_KEY)}")
