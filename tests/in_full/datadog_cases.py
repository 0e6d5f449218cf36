"""Calls of Datadog's API by name: how each is made, and what Datadog answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ddsetup.gateways.datadog import (
    catalogues,
    dashboards,
    event_search,
    events,
    health,
    integration,
    keys,
    metric_tags,
    monitors,
    series,
    slos,
    telemetry,
)
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.model.states import DashboardState, IntegrationState, MetricTagsState, MonitorState, SloState

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WINDOW = telemetry.Window(START, START + timedelta(hours=1))
INSTANT = telemetry.Window(START, START)
ACCOUNT = "111122223333"
NAMES = tuple(f"f{n}" for n in range(150))
CROWD = tuple(f"f{n}" for n in range(401))
WANTED = IntegrationState(
    aws_account_id=ACCOUNT,
    partition="aws",
    role_name="DatadogIntegrationRole",
    namespaces_mode="exclude_only",
    namespaces=("AWS/SQS",),
    regions=("eu-west-1",),
    tags=("env:prod",),
)
RECORD = {
    "id": "c0nf",
    "type": "account",
    "attributes": {
        "aws_account_id": ACCOUNT,
        "aws_partition": "aws",
        "auth_config": {"role_name": "DatadogIntegrationRole", "external_id": "e" * 32},
        "metrics_config": {"enabled": True, "namespace_filters": {"exclude_only": ["AWS/SQS"]}},
        "aws_regions": {"include_only": ["eu-west-1"]},
        "account_tags": ["env:prod"],
        "logs_config": {
            "lambda_forwarder": {"lambdas": ["arn:theirs"], "sources": ["s3"], "tag_filters": []}
        },
        "resources_config": {"extended_collection": False},
    },
}
MONITOR = MonitorState(
    key="errors",
    scope="all",
    name="Errors",
    query="avg(last_5m):sum:x{*} > 1",
    message="why",
    tags=("created_by:ddsetup",),
    options={"thresholds": {"critical": 1}},
)
LIVE_MONITOR = {
    "id": 7,
    "name": "Errors",
    "query": "avg(last_5m):sum:x{*} > 1",
    "message": "why",
    "tags": ["created_by:ddsetup", "ddsetup_monitor:errors", "ddsetup_scope:all"],
    "options": {"thresholds": {"critical": 1.0}, "silenced": {}},
}
SLO = SloState(
    key="errors",
    scope="all",
    name="Good",
    type="metric",
    measure={"good": "sum:x{*}.as_count()", "total": "sum:y{*}.as_count()"},
    target=99.9,
    timeframe="30d",
    tags=("created_by:ddsetup",),
)
TIME_SLO = replace(SLO, type="time_slice", measure={"query": "max:x{*}", "comparator": "<", "threshold": 5})
LIVE_SLO = {
    "id": "s-1",
    "name": "Good",
    "type": "metric",
    "query": {"numerator": "sum:x{*}.as_count()", "denominator": "sum:y{*}.as_count()"},
    "thresholds": [{"target": 99.9, "timeframe": "30d", "target_display": "99.9"}],
    "tags": ["created_by:ddsetup", "a:b"],
}
LIVE_TIME_SLO = {
    **{name: value for name, value in LIVE_SLO.items() if name != "query"},
    "type": "time_slice",
    "sli_specification": {
        "time_slice": {
            "query": {
                "formulas": [{"formula": "query1"}],
                "queries": [{"data_source": "metrics", "name": "query1", "query": "max:x{*}"}],
            },
            "comparator": "<",
            "threshold": 5.0,
        }
    },
}
DASHBOARD = DashboardState(
    title="Lambda", description="made by ddsetup", widgets=[{"definition": {"type": "note"}}]
)
INNER = [{"id": 2}, {"id": 3, "definition": {"type": "note"}}, "odd"]
LIVE_DASHBOARD = {
    "id": "d-1",
    "url": "/dashboard/d-1",
    "title": "Lambda",
    "description": f"ours {dashboards.MARK}",
    "layout_type": "ordered",
    "widgets": [{"id": 1, "definition": {"type": "note"}}],
    "template_variables": [],
}
LOG = {
    "attributes": {
        "timestamp": "2026-11-22T09:30:00Z",
        "status": "error",
        "message": "boom",
        "tags": ["functionname:Orders", "region:eu-west-1"],
        "attributes": {"aws": {"awslogs": {"logStream": "s1"}}},
    }
}
REQUESTS: list[dict[str, Any]] = [
    {"lambda": {"request_id": "r1"}},
    {"lambda.request_id": "r2"},
    {"requestId": "r3"},
    {"record": {"requestId": "r4"}},
    {"AWSRequestId": "r5"},
    {"aws_request_id": "r6"},
    {"request_id": "no", "requestId": 7},
    {"requestId": "late", "lambda": {"request_id": "first"}},
]
SPAN = {
    "attributes": {
        "trace_id": "1",
        "span_id": "2",
        "parent_id": "0",
        "service": "orders",
        "resource_name": "GET /",
        "start_timestamp": "2026-11-22T09:30:00Z",
        "end_timestamp": "2026-11-22T09:30:01.500Z",
        "tags": ["functionname:Orders", "request_id:r1"],
        "attributes": {"operation_name": "aws.lambda", "status": "error"},
        "custom": {"error": {"message": "boom"}, "cold_start": "true"},
    }
}
MEASURED = {
    **SPAN["attributes"],
    "custom": {"duration": 2_500_000, "error.type": "E", "name": "x"},
    "attributes": {},
}
BUCKETS = [
    {"by": {"functionname": "Orders", "forwardername": "Fwd", "region": "eu-west-1"}, "computes": {"c0": 3}},
    {"by": {"functionname": "stock", "forwardername": "N/A"}, "computes": {"c0": 2}},
]
SPAN_BUCKETS = [
    {
        "attributes": {
            "by": {
                "functionname": "orders",
                "@function_arn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders",
            },
            "compute": {"c0": 1_500_000},
        }
    },
    {"attributes": {"by": {"functionname": "stock", "@function_arn": "N/A"}, "compute": {"c0": None}}},
]
COLUMNS = [
    {"type": "group", "name": "functionname", "values": [["Orders"], ["stock"], ["N/A"]]},
    {"type": "group", "name": "region", "values": [["eu-west-1"], [], None]},
    {"type": "number", "name": "a", "values": [3, None, 1.5]},
    {"type": "number", "name": "m0", "values": [None, 0]},
]
SCALAR = {"data": {"attributes": {"columns": COLUMNS}}}
POINTS = {
    "data": {
        "attributes": {
            "times": [1, 2],
            "series": [{"query_index": 0, "group_tags": ["a:b"]}, {"query_index": 9, "group_tags": []}, {}],
            "values": [[1, None], [2, 3], [None, 4.5]],
        }
    }
}
QUERIES = {
    "a": telemetry.MetricQuery("aws.lambda.invocations"),
    "b": telemetry.MetricQuery("aws.lambda.duration", "avg", "cold_start:true"),
}
TAGGED = {"data": {"attributes": {"tags": ["env:prod", "env:dev", "team"], "metric_type": "distribution"}}}
CONFIGURED = MetricTagsState(metric="m", tags=("env",), include_percentiles=True, exclude_tags_mode=True)

Call = Callable[[Datadog], Any]

CALLS: dict[str, tuple[Call, list[Any]]] = {
    "permissions": (catalogues.permissions, [{"data": {"attributes": {"permissions": ["ec2:Describe*"]}}}]),
    "log services": (catalogues.log_services, [{"data": {"attributes": {"logs_services": ["lambda"]}}}]),
    "namespaces": (catalogues.namespaces, [{"data": {"attributes": {"namespaces": ["AWS/Lambda"]}}}]),
    "dashboards": (
        lambda dd: dashboards.find_dashboards(dd, "Lambda"),
        [
            {
                "dashboards": [
                    {"id": "d-1", "title": "Lambda", "description": dashboards.MARK},
                    {"id": "d-2", "title": "Lambda", "description": "theirs"},
                    {"id": "d-3", "title": "Other", "description": dashboards.MARK},
                ]
            },
            LIVE_DASHBOARD,
        ],
    ),
    "a dashboard with a group of widgets that say nothing": (
        lambda dd: dashboards.read_dashboard(dd, "d-1"),
        [{**LIVE_DASHBOARD, "widgets": [{"id": 1, "definition": {"type": "group", "widgets": INNER}}]}],
    ),
    "a bare dashboard": (lambda dd: dashboards.read_dashboard(dd, "d-1"), [{"id": "d-1", "widgets": []}]),
    "a dashboard with parts of null": (
        lambda dd: dashboards.read_dashboard(dd, "d-1"),
        [
            {
                **dict.fromkeys(LIVE_DASHBOARD),
                "id": "d-1",
                "widgets": [],
                "template_variables": [{"name": "env", "default": None}],
            }
        ],
    ),
    "update dashboard": (
        lambda dd: dashboards.update_dashboard(
            dd,
            dashboards.LiveDashboard("d-1", "/u", DASHBOARD, {**LIVE_DASHBOARD, "notify_list": ["a"]}),
            DASHBOARD,
        ),
        [LIVE_DASHBOARD],
    ),
    "delete dashboard": (
        lambda dd: dashboards.delete_dashboard(dd, "d-1"),
        [{"deleted_dashboard_id": "d-1"}],
    ),
    "monitors": (lambda dd: monitors.find_monitors(dd, "created_by:ddsetup", "a:b"), [[LIVE_MONITOR]]),
    "objectives": (lambda dd: slos.find_slos(dd, "a:b"), [{"data": [LIVE_SLO, LIVE_TIME_SLO]}]),
    "create objective": (lambda dd: slos.create_slo(dd, SLO), [{"data": [LIVE_SLO]}]),
    "update objective": (
        lambda dd: slos.update_slo(
            dd, slos.LiveSlo("s-1", replace(TIME_SLO, tags=("a:b",))), TIME_SLO, replace(TIME_SLO, target=95)
        ),
        [{"data": [LIVE_TIME_SLO]}],
    ),
    "delete objective": (lambda dd: slos.delete_slo(dd, "s-1"), [{"data": ["s-1"]}]),
    "validate monitor": (lambda dd: monitors.validate_monitor(dd, MONITOR), [{}]),
    "create monitor": (lambda dd: monitors.create_monitor(dd, MONITOR), [LIVE_MONITOR]),
    "update monitor": (
        lambda dd: monitors.update_monitor(
            dd,
            monitors.LiveMonitor(7, MONITOR, {"thresholds": {"critical": 1}, "silenced": {}}),
            MONITOR,
            replace(MONITOR, message="new", options={"thresholds": {"critical": 2}}),
        ),
        [LIVE_MONITOR],
    ),
    "delete monitor": (lambda dd: monitors.delete_monitor(dd, 7), [{"deleted_monitor_id": 7}]),
    "search logs": (
        lambda dd: event_search.search_logs(dd, WINDOW, "source:lambda", limit=1_500, newest_first=False),
        [{"data": [LOG, {"attributes": {}}], "meta": {"page": {"after": "c1"}}}, {"data": [LOG]}],
    ),
    "where logs have the request": (
        lambda dd: [log.request_id for log in event_search.search_logs(dd, WINDOW, "x", limit=9)],
        [{"data": [{"attributes": {"attributes": own}} for own in REQUESTS]}],
    ),
    "search few logs": (
        lambda dd: event_search.search_logs(dd, INSTANT, "x", limit=1),
        [{"data": [LOG], "meta": {"page": {"after": "c1"}}}],
    ),
    "count logs": (lambda dd: event_search.count_logs(dd, WINDOW, "x"), [{"data": {"buckets": BUCKETS}}]),
    "search spans": (
        lambda dd: event_search.search_spans(dd, WINDOW, "x", limit=2_000),
        [{"data": [SPAN, {"attributes": MEASURED}, {"attributes": {"start_timestamp": "odd"}}]}],
    ),
    "span duration": (
        lambda dd: event_search.span_duration(dd, WINDOW, "x", "pc95"),
        [{"data": [*SPAN_BUCKETS[::-1]]}],
    ),
    "no span duration": (lambda dd: event_search.span_duration(dd, WINDOW, "x", "max"), [{"data": []}]),
    "carriers": (
        lambda dd: {k: sorted(v) for k, v in events.log_carriers(dd, WINDOW).items()},
        [{"data": {"buckets": BUCKETS}}],
    ),
    "carriers, and what has no facets": (
        lambda dd: {k: sorted(v) for k, v in events.log_carriers(dd, WINDOW).items()},
        [{"data": {"buckets": [{"computes": {"c0": 1}}, {"by": None}, *BUCKETS]}}],
    ),
    "metrics": (
        lambda dd: list(telemetry.metric_values(dd, WINDOW, {ACCOUNT: ("stock", "orders")}, QUERIES)),
        [SCALAR],
    ),
    "metrics of many": (
        lambda dd: list(telemetry.metric_values(dd, INSTANT, {ACCOUNT: NAMES}, QUERIES)),
        [{"data": {"attributes": {"columns": [COLUMNS[0], COLUMNS[2]]}}}],
    ),
    "metrics of so many that all are asked for": (
        lambda dd: list(telemetry.metric_values(dd, INSTANT, {ACCOUNT: CROWD}, QUERIES)),
        [{"data": {"attributes": {"columns": [COLUMNS[0], COLUMNS[2]]}}}],
    ),
    "metrics seen": (
        lambda dd: sorted(telemetry.metrics_seen(dd, WINDOW, ("my.orders", "my.tea"))),
        [SCALAR],
    ),
    "metrics seen, one without a point": (
        lambda dd: sorted(telemetry.metrics_seen(dd, WINDOW, ("my.orders", "my.tea"))),
        [
            {
                "data": {
                    "attributes": {
                        "columns": [
                            {"name": "m0", "type": "number", "values": [None]},
                            {"name": "m1", "type": "number", "values": [0.0]},
                        ]
                    }
                }
            }
        ],
    ),
    "no metrics asked for": (lambda dd: telemetry.metrics_seen(dd, WINDOW, ()), [SCALAR]),
    "a metric that is none": (lambda dd: telemetry.metrics_seen(dd, WINDOW, ("9 lives",)), [SCALAR]),
    "groups": (
        lambda dd: telemetry.grouped_values(
            dd, WINDOW, {"a": ("sum:x{*}", "avg")}, ("functionname", "region")
        ),
        [SCALAR],
    ),
    "one group": (lambda dd: telemetry.grouped_values(dd, WINDOW, {"a": ("sum:x{*}", "sum")}, ()), [SCALAR]),
    "points": (
        lambda dd: series.timeseries(dd, WINDOW, {"a": "avg:x{*}", "b": "sum:y{*}"}, 60),
        [POINTS],
    ),
    "points as they come": (lambda dd: series.timeseries(dd, WINDOW, {"a": "avg:x{*}"}), [POINTS]),
    "distributions": (
        lambda dd: metric_tags.list_distributions(dd, "functionname:orders", 3600),
        [
            {
                "data": [
                    {"id": "z", "type": "metrics"},
                    {
                        "id": "m",
                        "type": "manage_tags",
                        "attributes": {"tags": ["env"], "include_percentiles": True},
                    },
                ],
                "meta": {"pagination": {"next_cursor": "c1"}},
            },
            {"data": [{"id": "a"}]},
        ],
    ),
    "tag keys": (lambda dd: metric_tags.tag_keys(dd, "m"), [TAGGED]),
    "tag configuration": (lambda dd: metric_tags.read_configuration(dd, "m"), [TAGGED]),
    "create tag configuration": (lambda dd: metric_tags.create_configuration(dd, CONFIGURED), [TAGGED]),
    "update tag configuration": (lambda dd: metric_tags.update_configuration(dd, CONFIGURED), [TAGGED]),
    "delete tag configuration": (lambda dd: metric_tags.delete_configuration(dd, "m"), [{}]),
    "integration": (lambda dd: integration.read_integration(dd, ACCOUNT), [{"data": [RECORD]}]),
    "integration of another account": (
        lambda dd: integration.read_integration(dd, "9"),
        [{"data": [RECORD]}],
    ),
    "integration, bare": (
        lambda dd: integration.read_integration(dd, ACCOUNT),
        [
            {
                "data": [
                    {
                        "id": "x",
                        "attributes": {
                            "aws_account_id": ACCOUNT,
                            "auth_config": {"access_key_id": "AKIA"},
                            "metrics_config": {
                                "enabled": False,
                                "namespace_filters": {"include_only": ["AWS/EC2"]},
                            },
                            "aws_regions": {"include_all": True},
                            "resources_config": {"extended_collection": True},
                        },
                    }
                ]
            }
        ],
    ),
    "new external id": (
        integration.new_external_id,
        [{"data": {"attributes": {"external_id": "f" * 32}}}],
    ),
    "delete integration": (lambda dd: integration.delete_integration(dd, "c0nf"), [{}]),
    "one integration": (lambda dd: integration.get_integration(dd, "c0nf"), [{"data": RECORD}]),
    **{f"may it {name}": (probe, [{"data": [], "series": []}]) for name, probe in keys.PROBES.items()},
    "indexes": (
        health.log_indexes,
        [
            {
                "indexes": [
                    {
                        "name": "main",
                        "filter": {"query": "*"},
                        "is_rate_limited": True,
                        "exclusion_filters": [
                            {"is_enabled": True, "filter": {"query": "source:lambda", "sample_rate": 0.5}},
                            {"is_enabled": False, "filter": {"query": "x"}},
                            {"is_enabled": True},
                        ],
                    },
                    {"name": "bare"},
                ]
            }
        ],
    ),
}
