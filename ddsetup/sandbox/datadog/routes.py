"""Every endpoint in one table: path, who may call it, what limits it, whether it writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from ddsetup.sandbox.datadog import (
    auth_api,
    dashboards_api,
    firehose_api,
    intake,
    integration_api,
    logs_api,
    metric_stream_intake,
    metrics_api,
    monitors_api,
    query_api,
    slos_api,
    spans_api,
    workload_identity_api,
)
from ddsetup.sandbox.datadog.wire import Request, Response
from ddsetup.sandbox.datadog.world import World

Endpoint = Callable[[Request, World], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. ``scope``: what a scoped application key needs; ``auth`` "own": checks keys itself."""

    method: str
    path: str
    endpoint: Endpoint
    auth: Literal["own", "none", "api_key", "both"] = "both"
    scope: str | None = None
    limit: str | None = None
    writes: bool = False


_AWS = "/api/v2/integration/aws"
_WIF = "/api/v2/cloud_auth/aws/intake_mapping"
_READ_WIF = "workload_identity_federation_config_read"
_WRITE_WIF = "workload_identity_federation_config_write"
_READ, _EDIT, _MANAGE = "aws_configuration_read", "aws_configuration_edit", "aws_configurations_manage"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/v1/validate", auth_api.validate_v1, "own"),
    Route("GET", "/api/v2/validate", auth_api.validate_v2, "own"),
    Route("GET", "/api/v2/validate_keys", auth_api.validate_keys, "own"),
    Route("GET", "/api/v2/current_user", auth_api.current_user, "own"),
    # Intakes
    Route("POST", "/api/v2/logs", intake.submit_logs, "api_key", writes=True),
    Route("POST", "/v1/input", firehose_api.submit_records, "api_key", writes=True),
    Route("POST", "/api/v1/distribution_points", intake.submit_distribution_points, "api_key", writes=True),
    Route("POST", "/api/v1/series", intake.submit_series_v1, "api_key", writes=True),
    Route("POST", "/api/v2/series", intake.submit_series_v2, "api_key", writes=True),
    Route("POST", "/api/v0.2/traces", intake.submit_traces, "api_key", writes=True),
    Route("POST", "/api/v2/awsmetrics", metric_stream_intake.submit, "api_key", writes=True),
    # AWS integration
    Route("GET", f"{_AWS}/accounts", integration_api.list_accounts, scope=_READ),
    Route("POST", f"{_AWS}/accounts", integration_api.create_account, scope=_MANAGE, writes=True),
    Route("GET", f"{_AWS}/accounts/{{id}}", integration_api.get_account, scope=_READ),
    Route("PATCH", f"{_AWS}/accounts/{{id}}", integration_api.update_account, scope=_EDIT, writes=True),
    Route("DELETE", f"{_AWS}/accounts/{{id}}", integration_api.delete_account, scope=_MANAGE, writes=True),
    Route(
        "POST", f"{_AWS}/generate_new_external_id", integration_api.new_external_id, scope=_EDIT, writes=True
    ),
    Route("GET", f"{_AWS}/available_namespaces", integration_api.available_namespaces, scope=_READ),
    Route("GET", f"{_AWS}/logs/services", integration_api.log_services, scope=_READ),
    # The official quick-start template reads these without keys.
    Route("GET", f"{_AWS}/iam_permissions", integration_api.all_permissions, "none"),
    Route("GET", f"{_AWS}/iam_permissions/standard", integration_api.standard_permissions, "none"),
    Route(
        "GET",
        f"{_AWS}/iam_permissions/resource_collection",
        integration_api.resource_collection_permissions,
        "none",
    ),
    # Workload identity federation
    Route("POST", "/api/v2/intake-key", workload_identity_api.intake_key, "own"),
    Route("GET", "/api/v2/org", workload_identity_api.list_orgs, scope="org_management"),
    Route("GET", _WIF, workload_identity_api.list_mappings, scope=_READ_WIF),
    Route("POST", _WIF, workload_identity_api.create_mapping, scope=_WRITE_WIF, writes=True),
    Route("GET", f"{_WIF}/{{id}}", workload_identity_api.get_mapping, scope=_READ_WIF),
    Route("DELETE", f"{_WIF}/{{id}}", workload_identity_api.delete_mapping, scope=_WRITE_WIF, writes=True),
    # Queries
    Route("GET", "/api/v1/query", query_api.query_v1, scope="timeseries_query", limit="timeseries_query"),
    Route(
        "POST",
        "/api/v2/query/scalar",
        query_api.query_scalar,
        scope="timeseries_query",
        limit="timeseries_query",
    ),
    Route(
        "POST",
        "/api/v2/query/timeseries",
        query_api.query_timeseries,
        scope="timeseries_query",
        limit="timeseries_query",
    ),
    Route(
        "GET", "/api/v1/metrics", metrics_api.list_metrics_v1, scope="metrics_read", limit="metrics_retrieval"
    ),
    Route(
        "GET", "/api/v2/metrics", metrics_api.list_metrics_v2, scope="metrics_read", limit="metrics_retrieval"
    ),
    Route("GET", "/api/v2/metrics/{metric}/all-tags", metrics_api.all_tags, scope="metrics_read"),
    Route("GET", "/api/v2/metrics/{metric}/tags", metrics_api.get_tag_configuration, scope="metrics_read"),
    Route(
        "POST",
        "/api/v2/metrics/{metric}/tags",
        metrics_api.create_tag_configuration,
        scope="metric_tags_write",
        writes=True,
    ),
    Route(
        "PATCH",
        "/api/v2/metrics/{metric}/tags",
        metrics_api.update_tag_configuration,
        scope="metric_tags_write",
        writes=True,
    ),
    Route(
        "DELETE",
        "/api/v2/metrics/{metric}/tags",
        metrics_api.delete_tag_configuration,
        scope="metric_tags_write",
        writes=True,
    ),
    Route(
        "POST",
        "/api/v2/logs/events/search",
        logs_api.search_logs,
        scope="logs_read_data",
        limit="logs_search",
    ),
    Route(
        "POST",
        "/api/v2/logs/analytics/aggregate",
        logs_api.aggregate_logs,
        scope="logs_read_data",
        limit="logs_aggregate",
    ),
    Route("GET", "/api/v1/logs/config/indexes", logs_api.list_log_indexes, scope="logs_read_config"),
    Route(
        "POST", "/api/v2/spans/events/search", spans_api.search_spans, scope="apm_read", limit="spans_list"
    ),
    Route(
        "POST",
        "/api/v2/spans/analytics/aggregate",
        spans_api.aggregate_spans,
        scope="apm_read",
        limit="spans_aggregate",
    ),
    # Dashboards, monitors and service level objectives
    Route("GET", "/api/v1/dashboard", dashboards_api.list_dashboards, scope="dashboards_read"),
    Route(
        "POST", "/api/v1/dashboard", dashboards_api.create_dashboard, scope="dashboards_write", writes=True
    ),
    Route(
        "PUT",
        "/api/v1/dashboard/{id}",
        dashboards_api.update_dashboard,
        scope="dashboards_write",
        writes=True,
    ),
    Route("GET", "/api/v1/dashboard/{id}", dashboards_api.get_dashboard, scope="dashboards_read"),
    Route(
        "DELETE",
        "/api/v1/dashboard/{id}",
        dashboards_api.delete_dashboard,
        scope="dashboards_write",
        writes=True,
    ),
    Route("GET", "/api/v1/monitor", monitors_api.list_monitors, scope="monitors_read"),
    Route("PUT", "/api/v1/monitor/{id}", monitors_api.update_monitor, scope="monitors_write", writes=True),
    Route("POST", "/api/v1/monitor", monitors_api.create_monitor, scope="monitors_write", writes=True),
    Route("POST", "/api/v1/monitor/validate", monitors_api.validate_monitor, scope="monitors_read"),
    Route("GET", "/api/v1/monitor/search", monitors_api.search_monitors, scope="monitors_read"),
    Route("GET", "/api/v1/monitor/{id}", monitors_api.get_monitor, scope="monitors_read"),
    Route("DELETE", "/api/v1/monitor/{id}", monitors_api.delete_monitor, scope="monitors_write", writes=True),
    Route("GET", "/api/v1/slo", slos_api.list_slos, scope="slos_read"),
    Route("POST", "/api/v1/slo", slos_api.create_slo, scope="slos_write", writes=True),
    Route("GET", "/api/v1/slo/{id}", slos_api.get_slo, scope="slos_read"),
    Route("PUT", "/api/v1/slo/{id}", slos_api.update_slo, scope="slos_write", writes=True),
    Route("DELETE", "/api/v1/slo/{id}", slos_api.delete_slo, scope="slos_write", writes=True),
)


def find(request: Request) -> tuple[Route, Request] | None:
    """The route of a request, and the request with what its path captured; None when not known."""
    if request.query.get("dd-protocol") == firehose_api.PROTOCOL and request.path == "/api/v2/logs":
        request = replace(request, path="/v1/input")
    for route in ROUTES:
        if route.method == request.method and (match := _pattern(route.path).fullmatch(request.path)):
            return route, replace(request, captures=match.groupdict())
    return None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
