"""Lists of metrics, their tags, and which of these can be queried (`/api/v2/metrics`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.pages import Items, by_cursor
from ddsetup.gateways.datadog.shapes import ANYTHING, Shape
from ddsetup.gateways.datadog.telemetry import path_in
from ddsetup.model.account import Json
from ddsetup.model.errors import NotFound
from ddsetup.model.states import MetricTagsState

READ = "metrics_read"
WRITE = "metric_tags_write"

_METRICS = "/api/v2/metrics"
_PAGE = 1_000

TAGS_OF_DAYS = 30
"""How far back the tags of a metric are asked for. Datadog's default is 4 hours: tags that a metric did not
come with in that time would be left out (API reference, list tags by metric name)."""

_OPTIONS: dict[str, Shape] = {
    "metric_type?": str,
    "include_percentiles?": bool,
    "exclude_tags_mode?": bool,
}
_TAGGED: Shape = {"data": {"attributes": {"tags": [str], **_OPTIONS}}}
_LISTED: Shape = {
    "data": [{"id": str, "type?": str, "attributes?": {"tags?": [str], **_OPTIONS}}],
    "meta?": {"pagination?": {"next_cursor?": str}},
}


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A metric of the list. `configuration` None: all its tags can be queried."""

    name: str
    configuration: MetricTagsState | None


def list_distributions(dd: Datadog, scope: str, seconds: int) -> tuple[ListedMetric, ...]:
    """The distributions that reported with these tags within the last `seconds`, by name.

    `scope` is a filter on tags ("functionname:orders OR functionname:stock"). Raises Denied when
    `metrics_read` is missing.
    """
    query = {
        "filter[tags]": scope,
        "filter[metric_type]": "distribution",
        "window[seconds]": str(seconds),
        "page[size]": str(_PAGE),
    }

    def read(cursor: str) -> tuple[Items, str]:
        more = {"page[cursor]": cursor} if cursor else {}
        answer = dd.get(_METRICS, action=READ, query={**query, **more}, shape=_LISTED)
        return answer["data"], str(path_in(answer, "meta", "pagination", "next_cursor") or "")

    found = (_listed(item) for item in by_cursor(read))
    return tuple(sorted(found, key=lambda metric: metric.name))


def active_metrics(dd: Datadog, since: datetime, scope: str) -> frozenset[str]:
    """The names of all metrics that reported with this tag since then, in one call.

    Raises Denied when `metrics_read` is missing.
    """
    query = {"from": str(int(since.timestamp())), "tag_filter": scope}
    answer = dd.get("/api/v1/metrics", action=READ, query=query, shape={"metrics": [str]})
    return frozenset(answer["metrics"])


def tag_keys(dd: Datadog, metric: str) -> tuple[str, ...]:
    """The keys of all tags that the metric came with in the last `TAGS_OF_DAYS`.

    Raises NotFound when there is no such metric.
    """
    query = {"window[seconds]": str(TAGS_OF_DAYS * 86_400)}
    answer = dd.get(f"{_METRICS}/{metric}/all-tags", action=READ, shape=_TAGGED, query=query)
    tags: Iterable[str] = answer["data"]["attributes"]["tags"]
    return tuple(sorted({tag.partition(":")[0] for tag in tags}))


def read_configuration(dd: Datadog, metric: str) -> MetricTagsState | None:
    """The tag configuration of the metric, None if it has none (or there is no such metric)."""
    try:
        answer = dd.get(_tags_path(metric), action=READ, shape=_TAGGED)
    except NotFound:
        return None
    return _configuration(metric, path_in(answer, "data", "attributes"))


def create_configuration(dd: Datadog, state: MetricTagsState) -> None:
    """Configure a metric that has no configuration yet; 409 (Rejected) if it has one."""
    _send(dd, "POST", state.metric, _body(state, metric_type=True))


def update_configuration(dd: Datadog, state: MetricTagsState) -> None:
    """Change the configuration that a metric has. Raises NotFound without one."""
    _send(dd, "PATCH", state.metric, _body(state, metric_type=False))


def delete_configuration(dd: Datadog, metric: str) -> None:
    """Take the configuration away: all tags can be queried again. Raises NotFound without one."""
    _send(dd, "DELETE", metric, None)


def _send(dd: Datadog, method: str, metric: str, body: Json) -> None:
    """Nothing is read from the answer: the writer reads the configuration afterwards."""
    dd.call(method, _tags_path(metric), action=WRITE, body=body, shape=ANYTHING)


def _tags_path(metric: str) -> str:
    return f"{_METRICS}/{metric}/tags"


def _listed(item: Json) -> ListedMetric:
    name = str(path_in(item, "id") or "")
    configured = path_in(item, "type") == "manage_tags"
    return ListedMetric(name, _configuration(name, path_in(item, "attributes")) if configured else None)


def _configuration(metric: str, attributes: Json) -> MetricTagsState:
    percentiles, exclude = (path_in(attributes, n) for n in ("include_percentiles", "exclude_tags_mode"))
    return MetricTagsState(
        metric=metric,
        metric_type=str(path_in(attributes, "metric_type") or "distribution"),
        tags=tuple(sorted(str(tag) for tag in path_in(attributes, "tags") or ())),
        include_percentiles=percentiles if isinstance(percentiles, bool) else None,
        exclude_tags_mode=exclude if isinstance(exclude, bool) else None,
    )


def _body(state: MetricTagsState, *, metric_type: bool) -> Json:
    """Only what is set: a type that is not a distribution must not name percentiles."""
    attributes: dict[str, Json] = {"tags": list(state.tags)}
    if metric_type:
        attributes["metric_type"] = state.metric_type
    if state.include_percentiles is not None:
        attributes["include_percentiles"] = state.include_percentiles
    if state.exclude_tags_mode is not None:
        attributes["exclude_tags_mode"] = state.exclude_tags_mode
    return {"data": {"type": "manage_tags", "id": state.metric, "attributes": attributes}}
