"""The stand-in for Datadog, called through the public client: logs, spans, intakes."""

# The Datadog client's constructors carry no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client.v1.api.logs_indexes_api import LogsIndexesApi
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.api.spans_api import SpansApi
from datadog_api_client.v2.model.logs_aggregate_request import LogsAggregateRequest
from datadog_api_client.v2.model.logs_list_request import LogsListRequest
from datadog_api_client.v2.model.logs_list_request_page import LogsListRequestPage
from datadog_api_client.v2.model.logs_query_filter import LogsQueryFilter
from datadog_api_client.v2.model.spans_aggregate_request import SpansAggregateRequest
from datadog_api_client.v2.model.spans_list_request import SpansListRequest

from tests.gateways.standin import Standin, running, typed


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running() as started:
        yield started


# --- logs


def send_logs(standin: Standin, *logs: dict[str, Any]) -> None:
    body = gzip.compress(json.dumps(list(logs)).encode())
    assert standin.call("POST", "/api/v2/logs", body, Content_Encoding="gzip")[0] == 202


def log(function: str, message: str, **more: Any) -> dict[str, Any]:
    return {
        "message": message,
        "ddsource": "lambda",
        "ddtags": f"functionname:{function},env:prod,forwardername:fwd",
        "service": function,
        "host": f"arn:{function}",
        **more,
    }


def found_messages(standin: Standin, query: str) -> list[str]:
    request = LogsListRequest(filter=LogsQueryFilter(_from="now-15m", to="now", query=query, indexes=["*"]))
    return [str(one.attributes.message) for one in LogsApi(standin.client()).list_logs(body=request).data]


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("source:lambda functionname:fn1", {"[ERROR] boom", '{"level": "WARN", "order": {"id": 7}}'}),
        ("*", {"[ERROR] boom", '{"level": "WARN", "order": {"id": 7}}', "hello world"}),
        ("status:error", {"[ERROR] boom"}),
        ("@order.id:7", {'{"level": "WARN", "order": {"id": 7}}'}),
        ("@order.id:>=8", set()),
        ("@order.id:[1 TO 9] status:warn", {'{"level": "WARN", "order": {"id": 7}}'}),
        ("@order.id:[8 TO 9]", set()),
        ("functionname:(fn2 OR fn3)", {"hello world"}),
        ("source:lambda -functionname:fn1", {"hello world"}),
        ("NOT functionname:fn*", set()),
        ("functionname:fn1 (status:error OR status:info)", {"[ERROR] boom"}),
        ('"hello world"', {"hello world"}),
        ("hel*", {"hello world"}),
        ("service:fn2 forwardername:*", {"hello world"}),
        ("functionname:FN1", set()),
        ("host:arn\\:fn2", {"hello world"}),
    ],
)
def test_log_search(standin: Standin, query: str, messages: set[str]) -> None:
    send_logs(
        standin,
        log("fn1", "[ERROR] boom"),
        log("fn1", '{"level": "WARN", "order": {"id": 7}}'),
        log("fn2", "hello world"),
    )
    assert set(found_messages(standin, query)) == messages


@pytest.mark.parametrize("query", ["(a", "a)", "a OR", "AND", "service:", "-"])
def test_log_queries_that_cannot_be_read_are_400(standin: Standin, query: str) -> None:
    body = {"filter": {"query": query, "from": "now-15m", "to": "now"}}
    assert standin.call("POST", "/api/v2/logs/events/search", body)[0] == 400


def test_logs_are_paged_newest_first(standin: Standin) -> None:
    now = int(standin.clock() * 1000)
    send_logs(standin, *(log("fn", f"line {i}", timestamp=now - 1000 * (10 - i)) for i in range(5)))
    body = {
        "filter": {"from": "now-1h", "to": "now", "query": "*"},
        "page": {"limit": 2},
        "sort": "-timestamp",
    }
    status, first, headers = standin.call("POST", "/api/v2/logs/events/search", body)
    assert status == 200
    assert headers["X-RateLimit-Remaining"] == "299"
    body["page"] = {"limit": 2, "cursor": first["meta"]["page"]["after"]}
    second = standin.call("POST", "/api/v2/logs/events/search", body)[1]
    shown = [one["attributes"]["message"] for one in first["data"] + second["data"]]
    assert shown == ["line 4", "line 3", "line 2", "line 1"]
    oldest = {**body, "page": {"limit": 1}, "sort": "timestamp"}
    [first] = standin.call("POST", "/api/v2/logs/events/search", oldest)[1]["data"]
    assert first["attributes"]["message"] == "line 0"
    request = LogsListRequest(page=LogsListRequestPage(limit=2))
    assert len(list(LogsApi(standin.client()).list_logs_with_pagination(body=request))) == 5
    assert standin.call("POST", "/api/v2/logs/events/search", {"filter": {"from": "yesterday"}})[0] == 400


def test_logs_aggregate_by_function(standin: Standin) -> None:
    send_logs(standin, log("fn1", "a"), log("fn1", "b"), log("fn2", "c"), {"message": "elsewhere"})
    described = {
        "filter": {"from": "now-15m", "to": "now", "query": "source:lambda"},
        "compute": [{"aggregation": "count", "type": "total"}],
        "group_by": [{"facet": "functionname", "limit": 1000}],
    }
    request = typed(LogsAggregateRequest, described)
    answer = LogsApi(standin.client()).aggregate_logs(request)
    counts = {bucket.by["functionname"]: bucket.computes["c0"] for bucket in answer.data.buckets}
    assert counts == {"fn1": 2, "fn2": 1}
    limited = {**described, "group_by": [{"facet": "functionname", "limit": 1}]}
    assert len(standin.call("POST", "/api/v2/logs/analytics/aggregate", limited)[1]["data"]["buckets"]) == 1
    greedy = {
        **described,
        "group_by": [{"facet": "functionname", "limit": 200}, {"facet": "env", "limit": 51}],
    }
    assert standin.call("POST", "/api/v2/logs/analytics/aggregate", greedy)[0] == 400
    by_two = {**described, "group_by": [{"facet": "functionname"}, {"facet": "team", "missing": "none"}]}
    buckets = standin.call("POST", "/api/v2/logs/analytics/aggregate", by_two)[1]["data"]["buckets"]
    assert buckets[0] == {"by": {"functionname": "fn1", "team": "none"}, "computes": {"c0": 2}}
    empty = {**described, "filter": {"query": "source:none"}}
    assert standin.call("POST", "/api/v2/logs/analytics/aggregate", empty)[1]["data"]["buckets"] == []


def test_function_name_comes_from_the_arn_when_no_tag_says_it(standin: Standin) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:MyFunction"
    send_logs(standin, {"message": "x", "ddsource": "lambda", "lambda": {"arn": arn}})
    assert found_messages(standin, "functionname:myfunction @lambda.arn:*MyFunction") == ["x"]


def test_excluded_and_flex_logs_are_not_in_a_plain_search() -> None:
    indexes = [
        {
            "name": "cheap",
            "filter": {"query": "env:dev"},
            "num_retention_days": 0,
            "num_flex_logs_retention_days": 30,
        },
        {
            "name": "main",
            "filter": {"query": "*"},
            "exclusion_filters": [
                {"name": "noise", "is_enabled": True, "filter": {"query": "status:debug", "sample_rate": 1.0}}
            ],
        },
    ]
    with running({"log_indexes": indexes}) as standin:
        send_logs(
            standin,
            {"message": "kept"},
            {"message": "noise", "level": "debug"},
            {"message": "flexed", "ddtags": "env:dev"},
        )
        assert found_messages(standin, "*") == ["kept"]
        body = {"filter": {"query": "*", "storage_tier": "flex"}}
        [flexed] = standin.call("POST", "/api/v2/logs/events/search", body)[1]["data"]
        assert flexed["attributes"]["message"] == "flexed"
        listed = LogsIndexesApi(standin.client()).list_log_indexes().indexes
        assert [index.name for index in listed] == ["cheap", "main"]
        assert listed[1].exclusion_filters[0].filter.sample_rate == 1.0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v2/logs", b"{", 400),
        ("/api/v2/logs", [1], 400),
        ("/api/v2/logs", [{"message": "x"}] * 1001, 413),
        ("/api/v2/logs", [{"message": "x" * 5_000_001}], 413),
        ("/api/v1/distribution_points", {"series": [{"metric": "a", "points": [[1, 2]]}]}, 400),
        ("/api/v1/distribution_points", {"series": [{"metric": "", "points": [[1, [2]]]}]}, 400),
        ("/api/v1/series", {"series": [{"metric": "a", "points": [[1, "2"]]}]}, 400),
        ("/api/v1/series", {"series": [{"metric": "a", "points": [[1, 2]], "tags": ["x" * 3_200_000]}]}, 413),
        (
            "/api/v2/series",
            {"series": [{"metric": "a", "type": 9, "points": [{"timestamp": 1, "value": 1}]}]},
            400,
        ),
        ("/api/v0.2/traces", b"{}", 415),
    ],
)
def test_intakes_refuse_what_is_malformed_or_too_large(
    standin: Standin, path: str, body: Any, status: int
) -> None:
    assert standin.call("POST", path, body)[0] == status
    assert standin.call("GET", "/__sandbox/state")[1] == {
        "accounts": [],
        "automatic_filters": [],
        "monitors": 0,
        "dashboards": 0,
        "metrics": {},
        "logs": 0,
        "spans": 0,
    }


def test_intakes_need_the_api_key_and_sound_compression(standin: Standin) -> None:
    assert standin.call("POST", "/api/v2/logs", [{"message": "x"}], DD_API_KEY="wrong")[0] == 403
    assert standin.call("POST", "/api/v2/logs", b"not gzip", Content_Encoding="gzip")[0] == 400
    cut = gzip.compress(b'[{"message": "x"}]')[:-10]
    assert standin.call("POST", "/api/v2/logs", cut, Content_Encoding="gzip")[0] == 400
    bomb = gzip.compress(b"[" + b" " * 6_000_000 + b"]")
    assert standin.call("POST", "/api/v2/logs", bomb, Content_Encoding="gzip")[0] == 413


# --- spans


def span(function: str, name: str = "aws.lambda", **more: Any) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "service": function,
        "name": name,
        "resource": function,
        "trace_id": "00000000000000ff",
        "span_id": "0000000000000002",
        "start": now - 60_000_000_000,
        "duration": 1_500_000,
        "error": 0,
        "meta": {"functionname": function, "cold_start": "true"},
        "metrics": {"_top_level": 1.0},
        "type": "serverless",
        **more,
    }


def test_spans_are_found_by_operation_and_function(standin: Standin) -> None:
    payload = {
        "traces": [[span("fn1"), span("fn1", "http.request")], [span("fn2", error=1)]],
        "tags": "env:prod,team:a",
    }
    status, _, _ = standin.call("POST", "/api/v0.2/traces", payload, Content_Type="application/json")
    assert status == 200

    def search(query: str) -> Any:
        attributes = {"filter": {"from": "now-15m", "to": "now", "query": query}, "page": {"limit": 5}}
        described = {"data": {"type": "search_request", "attributes": attributes}}
        request = typed(SpansListRequest, described)
        return SpansApi(standin.client()).list_spans(request).data

    assert search("operation_name:aws.lambda functionname:fn1") == []  # meta is no tag
    [found] = search("operation_name:aws.lambda @functionname:fn1")
    assert found.attributes.resource_name == "fn1"
    assert (found.attributes.env, found.attributes.trace_id) == ("prod", "255")
    assert found.attributes.operation_name == "aws.lambda"
    assert found.attributes.custom["team"] == "a"
    assert found.attributes.tags == ["source:apm", "env:prod"]
    assert len(search("status:error")) == 1
    assert len(search("@cold_start:true env:prod")) == 3
    grouped = {
        "type": "aggregate_request",
        "attributes": {
            "filter": {"from": "now-15m", "to": "now", "query": "operation_name:aws.lambda"},
            "compute": [{"aggregation": "count", "type": "total"}],
            "group_by": [{"facet": "@functionname"}],
        },
    }
    request = typed(SpansAggregateRequest, {"data": grouped})
    buckets = SpansApi(standin.client()).aggregate_spans(request).data
    assert {b.attributes.by["@functionname"]: b.attributes.compute["c0"] for b in buckets} == {
        "fn1": 1,
        "fn2": 1,
    }
    wrong = {"data": {"type": "search_request", "attributes": {"filter": {"from": "nonsense"}}}}
    assert standin.call("POST", "/api/v2/spans/events/search", wrong)[0] == 422


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def test_the_protobuf_of_the_official_forwarder_is_understood(standin: Standin) -> None:
    start = time.time_ns() - 60_000_000_000
    meta = field(10, field(1, "functionname") + field(2, "fn1"))
    metric = field(11, field(1, "_sample") + varint(2 << 3 | 1) + b"\x00\x00\x00\x00\x00\x00\xf0\x3f")
    pb_span = field(1, "svc") + field(2, "aws.lambda") + field(3, "fn1") + field(4, 2**63) + field(5, 3)
    pb_span += field(7, start) + field(8, 1000) + meta + metric
    payload = field(2, "prod") + field(3, field(1, 2**63) + field(2, pb_span) + field(6, start))
    headers = {"Content_Type": "application/x-protobuf", "Content_Encoding": "identity"}
    assert standin.call("POST", "/api/v0.2/traces", payload, **headers)[0] == 200
    attributes = {"filter": {"query": "operation_name:aws.lambda @functionname:fn1 env:prod @_sample:1"}}
    body = {"data": {"type": "search_request", "attributes": attributes}}
    [found] = standin.call("POST", "/api/v2/spans/events/search", body)[1]["data"]
    assert found["attributes"]["trace_id"] == str(2**63)
    assert standin.call("POST", "/api/v0.2/traces", payload[:-5], **headers)[0] == 400
