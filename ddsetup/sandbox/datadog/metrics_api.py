"""Lists of metrics, and which tags of a metric can be queried."""

from __future__ import annotations

import base64

from ddsetup.sandbox.datadog.integrations import iso_timestamp
from ddsetup.sandbox.datadog.metric_query import QueryError, Scope, parse_scope
from ddsetup.sandbox.datadog.store import is_integration_metric
from ddsetup.sandbox.datadog.wire import JsonObject, Request, Response, text_error
from ddsetup.sandbox.datadog.world import World

DEFAULT_WINDOW = 3600
DEFAULT_TAGS_WINDOW = 14_400
MAX_PAGE = 10_000

_LIST_PARAMETERS = {
    "filter[tags]",
    "filter[configured]",
    "filter[metric_type]",
    "window[seconds]",
    "page[size]",
    "page[cursor]",
}
_CONFIGURABLE = {"metric_type", "tags", "include_percentiles", "exclude_tags_mode", "aggregations"}


def list_metrics_v2(request: Request, world: World) -> Response:
    """``GET /api/v2/metrics``: metrics that reported within ``window[seconds]``, by tags, page by page."""
    if unknown := set(request.query) - _LIST_PARAMETERS:
        raise text_error(400, f"Invalid parameter: {min(unknown)} is not known here")
    now = world.clock()
    window = request.integer("window[seconds]", DEFAULT_WINDOW)
    scope = _scope(request.query.get("filter[tags]", "*"))
    names = sorted(
        name for name, tags in world.telemetry.metrics(now - window, now).items() if scope(frozenset(tags))
    )
    if (category := request.query.get("filter[metric_type]")) is not None:
        if category not in ("distribution", "non_distribution"):
            raise text_error(400, "Invalid filter[metric_type]")
        wanted = category == "distribution"
        names = [name for name in names if (world.telemetry.kind_of(name) == "distribution") is wanted]
    data = [_listed(name, world) for name in names]
    if (configured := request.query.get("filter[configured]")) is not None:
        data = [item for item in data if (item["type"] == "manage_tags") is (configured == "true")]
    return Response(200, _paged(data, request))


def list_metrics_v1(request: Request, world: World) -> Response:
    """``GET /api/v1/metrics?from=&tag_filter=``: names that reported since ``from`` (seconds)."""
    start = request.integer("from")
    scope = _scope(request.query.get("tag_filter") or "*")
    found = world.telemetry.metrics(start, world.clock())
    names = sorted(name for name, tags in found.items() if scope(frozenset(tags)))
    return Response(200, {"from": str(start), "metrics": names})


def get_tag_configuration(request: Request, world: World) -> Response:
    """``GET /api/v2/metrics/{metric}/tags``: 404 without a configuration."""
    metric = request.captures["metric"]
    with world.documents.lock:
        configuration = world.documents.tag_configurations.get(metric)
    if configuration is None:
        raise text_error(404, f"{metric} not found")
    return Response(200, {"data": _configured(metric, configuration)})


def create_tag_configuration(request: Request, world: World) -> Response:
    """``POST /api/v2/metrics/{metric}/tags``: 201; 409 when configured, 400 for metrics of integrations."""
    metric = request.captures["metric"]
    attributes = _attributes(request)
    if is_integration_metric(metric):
        raise text_error(400, "Cannot configure tags on metric because metric is an integration metric")
    if (kind := world.telemetry.kind_of(metric)) is None:
        raise text_error(400, f"{metric} does not exist")
    if attributes.get("metric_type") != kind:
        raise text_error(400, f"metric_type must be {kind}")
    if attributes.get("include_percentiles") is not None and kind != "distribution":
        raise text_error(400, "include_percentiles can only be set for distributions")
    now = iso_timestamp(world.clock())
    with world.documents.lock:
        if metric in world.documents.tag_configurations:
            raise text_error(409, f"{metric} already has a tag configuration")
        configuration = {**attributes, "created_at": now, "modified_at": now}
        world.documents.tag_configurations[metric] = configuration
    return Response(201, {"data": _configured(metric, configuration)})


def update_tag_configuration(request: Request, world: World) -> Response:
    """``PATCH /api/v2/metrics/{metric}/tags``: needs an existing configuration."""
    metric = request.captures["metric"]
    attributes = _attributes(request)
    with world.documents.lock:
        stored = world.documents.tag_configurations.get(metric)
        if stored is None:
            raise text_error(404, f"{metric} not found")
        configuration = {**stored, **attributes, "modified_at": iso_timestamp(world.clock())}
        world.documents.tag_configurations[metric] = configuration
    return Response(200, {"data": _configured(metric, configuration)})


def delete_tag_configuration(request: Request, world: World) -> Response:
    """``DELETE /api/v2/metrics/{metric}/tags``."""
    metric = request.captures["metric"]
    with world.documents.lock:
        if world.documents.tag_configurations.pop(metric, None) is None:
            raise text_error(404, f"{metric} not found")
    return Response(204)


def all_tags(request: Request, world: World) -> Response:
    """``GET /api/v2/metrics/{metric}/all-tags?window[seconds]=``: of the last four hours unless asked
    otherwise, and of no less."""
    metric = request.captures["metric"]
    if world.telemetry.kind_of(metric) is None:
        raise text_error(404, f"{metric} not found")
    window = request.integer("window[seconds]", DEFAULT_TAGS_WINDOW)
    if window < DEFAULT_TAGS_WINDOW:
        raise text_error(400, f"window[seconds] must be at least {DEFAULT_TAGS_WINDOW}")
    now = world.clock()
    tags = sorted(world.telemetry.metrics(now - window, now).get(metric, ()))
    return Response(200, {"data": {"id": metric, "type": "metrics", "attributes": {"tags": tags}}})


def _scope(text: str) -> Scope:
    try:
        return parse_scope(text)
    except QueryError as error:
        raise text_error(400, str(error)) from None


def _listed(metric: str, world: World) -> JsonObject:
    with world.documents.lock:
        configuration = world.documents.tag_configurations.get(metric)
    return {"type": "metrics", "id": metric} if configuration is None else _configured(metric, configuration)


def _configured(metric: str, configuration: JsonObject) -> JsonObject:
    return {"type": "manage_tags", "id": metric, "attributes": dict(configuration)}


def _paged(data: list[JsonObject], request: Request) -> JsonObject:
    if "page[size]" not in request.query and "page[cursor]" not in request.query:
        return {"data": data}
    size = request.integer("page[size]", MAX_PAGE)
    if not 1 <= size <= MAX_PAGE:
        raise text_error(400, f"Invalid page[size]: must be between 1 and {MAX_PAGE}")
    cursor = request.query.get("page[cursor]")
    try:
        start = int(base64.urlsafe_b64decode(cursor)) if cursor else 0
    except ValueError:
        raise text_error(400, "Invalid page[cursor]") from None
    more = start + size < len(data)
    following = base64.urlsafe_b64encode(str(start + size).encode()).decode() if more else None
    pagination = {"type": "cursor_limit", "limit": size, "cursor": cursor, "next_cursor": following}
    return {"data": data[start : start + size], "meta": {"pagination": pagination}}


def _attributes(request: Request) -> JsonObject:
    data = request.json_object().get("data")
    if (
        not isinstance(data, dict)
        or data.get("type") != "manage_tags"
        or data.get("id") != request.captures["metric"]
    ):
        raise text_error(400, "invalid request: data needs type manage_tags and the metric as id")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict) or set(attributes) - _CONFIGURABLE:
        raise text_error(400, "invalid request: attributes")
    tags = attributes.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise text_error(400, "invalid request: tags must be a list of tag keys")
    return attributes
