"""Thread-safe state of the telemetry that arrived: metric points, logs, spans."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MetricKind = Literal["count", "rate", "gauge", "distribution"]
Tier = Literal["indexes", "flex", "none"]

#: Metric names that only integrations produce: their tags cannot be configured.
INTEGRATION_PREFIXES = ("aws.",)
#: ... except those that code in the customer's account submits.
SUBMITTED_PREFIXES = ("aws.lambda.enhanced.", "aws.dd_forwarder.")


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


@dataclass(slots=True)
class _Series:
    kind: MetricKind
    points: dict[int, list[float]]


class Telemetry:
    """What was sent to the intakes, and what the backend collected."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._series: dict[str, dict[frozenset[str], _Series]] = {}
        self._logs: list[Event] = []
        self._spans: list[Event] = []
        self._ids = itertools.count(1)
        self._queried: set[str] = set()
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
            self._logs.extend(logs)

    def add_spans(self, spans: Iterable[Event]) -> None:
        """Keep spans."""
        with self._lock:
            self._spans.extend(spans)

    def logs(self, start: float, end: float, tier: str) -> list[Event]:
        """Logs of a storage tier from ``start`` to ``end`` (milliseconds), oldest first."""
        with self._lock:
            return sorted(
                (e for e in self._logs if start <= e.at <= end and e.tier == tier), key=lambda e: (e.at, e.id)
            )

    def spans(self, start: float, end: float) -> list[Event]:
        """Spans from ``start`` to ``end`` (milliseconds), oldest first."""
        with self._lock:
            return sorted((e for e in self._spans if start <= e.at <= end), key=lambda e: (e.at, e.id))

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
