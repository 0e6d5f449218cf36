"""How metrics went over time: points of several queries in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.keys import QUERY_METRICS
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.gateways.datadog.telemetry import Window, path_in
from ddsetup.model.account import Json

_TIMESERIES = "/api/v2/query/timeseries"
_POINTS: Shape = {
    "data": {
        "attributes": {
            "times": [float],
            "series": [{"query_index?": int, "group_tags?": [str]}],
            "values": [[ANYTHING]],
        }
    }
}


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one query for one group of tags ("functionname:orders"); None where there is no point."""

    label: str
    group: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Timeseries:
    """Series on a common axis; `times` are milliseconds since the epoch."""

    times: tuple[int, ...] = ()
    series: tuple[Series, ...] = ()

    def of(self, label: str) -> tuple[float | None, ...]:
        """The values of the first series of a query; as many None as there are times if it has none."""
        found = (one.values for one in self.series if one.label == label)
        return next(found, (None,) * len(self.times))


def timeseries(
    dd: Datadog, window: Window, queries: Mapping[str, str], interval_seconds: int = 0
) -> Timeseries:
    """The points of queries, given by label. `interval_seconds` 0: as wide as Datadog finds right.

    Raises Denied when the permission `timeseries_query` is missing, and the other errors of `Datadog.call`.
    """
    start, end = window.milliseconds()
    attributes: dict[str, Json] = {
        "from": start,
        "to": end,
        "queries": [
            {"name": label, "data_source": "metrics", "query": text} for label, text in queries.items()
        ],
        "formulas": [{"formula": label} for label in queries],
    }
    if interval_seconds:
        attributes["interval"] = interval_seconds * 1000
    body = {"data": {"type": "timeseries_request", "attributes": attributes}}
    answer = dd.post(_TIMESERIES, body, action=QUERY_METRICS, shape=_POINTS)
    return _parsed(path_in(answer, "data", "attributes"), tuple(queries))


def _parsed(attributes: Json, labels: tuple[str, ...]) -> Timeseries:
    times = tuple(int(at) for at in path_in(attributes, "times") or ())
    found: list[Series] = []
    rows = zip(path_in(attributes, "series") or (), path_in(attributes, "values") or (), strict=False)
    for described, values in rows:
        index = path_in(described, "query_index") or 0
        tags = tuple(str(tag) for tag in path_in(described, "group_tags") or ())
        if isinstance(index, int) and index < len(labels):
            points = tuple(float(v) if isinstance(v, int | float) else None for v in values or ())
            found.append(Series(labels[index], tags, points))
    return Timeseries(times, tuple(found))
