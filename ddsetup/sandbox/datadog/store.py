"""Thread-safe state of the telemetry that arrived: metric points, logs, spans."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MetricKind = Literal["count", "rate", "gauge", "distribution"]
Tier = Literal["indexes", "flex", "none"]

#: Metric names that only integrations produce: their tags cannot be configured.
INTEGRATION_PREFIXES = ("aws.",)
#: ... except those that code in the customer's account submits.
SUBMITTED_PREFIXES = ("aws.lambda.enhanced.", "aws.dd_forwarder.")

#: How long a namespace counts as streamed after anything came of it. Datadog notices within five minutes that
#: a stream is there or gone; that is half a second at the sandbox's pace, and a stream sends by the minute.
STREAMED_SECONDS = 5.0

#: What the name of a function is called, as a tag and as an attribute.
FUNCTION = "functionname"


@dataclass(frozen=True, slots=True)
class Points:
    """One time series within a window: seconds since the epoch -> the values of that second."""

    metric: str
    kind: MetricKind
    tags: frozenset[str]
    values: Mapping[int, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Event:
    """A log or a span: reserved fields, ``key:value`` tags, and attributes (flat, dotted names).

    ``at`` is in milliseconds since the epoch. ``tier`` says where a log is kept: "none" are logs that an
    exclusion filter keeps out of every index.
    """

    id: str
    at: int
    fields: Mapping[str, str]
    tags: tuple[str, ...]
    attributes: Mapping[str, Any]
    message: str = ""
    tier: Tier = "indexes"
    index: str = "main"
    nested: Mapping[str, Any] = field(default_factory=dict)

    def tag_values(self, key: str) -> list[str]:
        """The values of the tag ``key``."""
        prefix = f"{key}:"
        return [tag[len(prefix) :] for tag in self.tags if tag.startswith(prefix)]

    def attribute_values(self, name: str) -> list[Any]:
        """The values of the attribute ``name``, which may be a list of them."""
        value = self.attributes.get(name)
        return [] if value is None else value if isinstance(value, list) else [value]


@dataclass(slots=True)
class _Series:
    kind: MetricKind
    points: dict[int, list[float]]


class _Events:
    """Logs or spans as they arrived, and the places of those of each function: a busy account has too many to
    look at all of them for every question about a few."""

    def __init__(self) -> None:
        self._all: list[Event] = []
        self._of: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            named = map(text_of, (*event.tag_values(FUNCTION), *event.attribute_values(FUNCTION)))
            for name in set(named):
                self._of.setdefault(name, []).append(len(self._all))
            self._all.append(event)

    def between(self, start: float, end: float, functions: Collection[str] | None) -> list[Event]:
        """Those from ``start`` to ``end``, oldest first; of these functions only, where some are named."""
        looked_at: Iterable[Event] = self._all
        if functions is not None:
            places = {place for name in functions for place in self._of.get(name, ())}
            looked_at = (self._all[place] for place in sorted(places))
        return sorted((e for e in looked_at if start <= e.at <= end), key=lambda e: (e.at, e.id))


class Telemetry:
    """What was sent to the intakes, and what the backend collected."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._series: dict[str, dict[frozenset[str], _Series]] = {}
        self._logs, self._spans = _Events(), _Events()
        self._ids = itertools.count(1)
        self._queried: set[str] = set()
        self._streamed: dict[tuple[str, str, str], float] = {}
        self._resource_tags: dict[tuple[str, str], Mapping[str, Mapping[str, str]]] = {}
        self.has_percentiles: Callable[[str], bool] = lambda _metric: False

    def next_id(self) -> int:
        """A number not given out before."""
        with self._lock:
            return next(self._ids)

    def add_points(
        self, metric: str, kind: MetricKind, tags: Iterable[str], points: Iterable[tuple[int, list[float]]]
    ) -> None:
        """Keep points (second, values). Distributions collect values; for other kinds the last one counts."""
        with self._lock:
            by_tags = self._series.setdefault(metric, {})
            series = by_tags.setdefault(frozenset(tags), _Series(kind, {}))
            series.kind = kind
            for second, values in points:
                if kind == "distribution":
                    series.points.setdefault(second, []).extend(values)
                else:
                    series.points[second] = values[-1:]

    def note_query(self, metric: str) -> None:
        """Remember that somebody asked for a metric."""
        with self._lock:
            self._queried.add(metric)

    def was_queried(self, metric: str) -> bool:
        """Whether anybody has asked for a metric."""
        with self._lock:
            return metric in self._queried

    def note_streamed(self, account: str, region: str, namespace: str) -> None:
        """Remember that a metric stream brings this namespace."""
        with self._lock:
            self._streamed[account, region, namespace] = self.clock()

    def is_streamed(self, account: str, region: str, namespace: str) -> bool:
        """Whether a metric stream brought anything of it lately, so that it is not polled."""
        with self._lock:
            return self.clock() - self._streamed.get((account, region, namespace), 0.0) < STREAMED_SECONDS

    def keep_tags(self, account: str, region: str, tags: Mapping[str, Mapping[str, str]]) -> None:
        """Keep the tags of functions, by name, as polling found them last."""
        with self._lock:
            self._resource_tags[account, region] = tags

    def tags_of(self, account: str, region: str) -> Mapping[str, Mapping[str, str]]:
        """The tags of functions by name, as far as polling has found them."""
        with self._lock:
            return self._resource_tags.get((account, region), {})

    def points(self, metric: str, start: float, end: float) -> list[Points]:
        """The series of ``metric`` that have points from ``start`` to ``end`` (seconds), both included."""
        found = []
        with self._lock:
            for tags, series in self._series.get(metric, {}).items():
                values = {s: tuple(v) for s, v in sorted(series.points.items()) if start <= s <= end}
                if values:
                    found.append(Points(metric, series.kind, tags, values))
        return found

    def metrics(self, start: float, end: float) -> dict[str, set[str]]:
        """The metrics with points in the window, with all the tags they came with."""
        with self._lock:
            return {
                name: set().union(*tag_sets)
                for name, by_tags in self._series.items()
                if (
                    tag_sets := [
                        tags
                        for tags, s in by_tags.items()
                        if any(start <= second <= end for second in s.points)
                    ]
                )
            }

    def kind_of(self, metric: str) -> MetricKind | None:
        """The type of a metric, None if it never reported."""
        with self._lock:
            return next((series.kind for series in self._series.get(metric, {}).values()), None)

    def add_logs(self, logs: Iterable[Event]) -> None:
        """Keep logs."""
        with self._lock:
            self._logs.add(logs)

    def add_spans(self, spans: Iterable[Event]) -> None:
        """Keep spans."""
        with self._lock:
            self._spans.add(spans)

    def logs(
        self, start: float, end: float, tier: str, functions: Collection[str] | None = None
    ) -> list[Event]:
        """Logs of a storage tier from ``start`` to ``end`` (milliseconds), oldest first; of these functions
        only, by tag or attribute, where some are named."""
        with self._lock:
            return [e for e in self._logs.between(start, end, functions) if e.tier == tier]

    def spans(self, start: float, end: float, functions: Collection[str] | None = None) -> list[Event]:
        """Spans from ``start`` to ``end`` (milliseconds), oldest first; of these functions only, by tag or
        attribute, where some are named."""
        with self._lock:
            return self._spans.between(start, end, functions)

    def counts(self) -> dict[str, Any]:
        """How much arrived, for the sandbox's own status."""
        with self._lock:
            series = {
                name: sum(len(s.points) for s in by_tags.values()) for name, by_tags in self._series.items()
            }
            return {"metrics": series, "logs": len(self._logs), "spans": len(self._spans)}


def is_integration_metric(metric: str) -> bool:
    """Whether Datadog's own crawlers produce this metric."""
    return metric.startswith(INTEGRATION_PREFIXES) and not metric.startswith(SUBMITTED_PREFIXES)


def text_of(value: Any) -> str:
    """A value of a tag or an attribute as it is written in a query."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested attributes with dotted names: ``{"a": {"b": 1}}`` -> ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            flat.update(flatten(inner, f"{name}."))
        else:
            flat[name] = inner
    return flat


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The way back: ``{"a.b": 1}`` -> ``{"a": {"b": 1}}``. A name that is a value and a part stays dotted."""
    tree: dict[str, Any] = {}
    for name, value in sorted(flat.items()):
        *parts, last = name.split(".")
        place: Any = tree
        for part in parts:
            place = place.setdefault(part, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = value
        else:
            tree[name] = value
    return tree
