"""What the stand-in understands of Datadog's queries for logs and spans, case by case.

Sources: Log Search Syntax and Trace Explorer's query syntax (documentation); the shape of spans as the
official client's recordings have it: what a library says of a span is in `custom`, never in `tags`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.gateways.standin import Standin, running

ARN = "arn:aws:lambda:eu-west-1:123456789012:function"

LOGS: Mapping[str, dict[str, Any]] = {
    "plain": {"message": "all is well", "ddtags": "functionname:orders,region:eu-west-1,env:prod"},
    "failed": {"message": "[ERROR] no milk", "ddtags": "functionname:Job_,forwardername:fwd,env:prod"},
    "json": {
        "message": '{"level": "WARN", "message": "late", "requestId": "r-7", "order": {"id": 7}}',
        "ddtags": "functionname:billing__nightly,region:us-east-1",
    },
    "extension": {"message": {"message": "hi", "lambda": {"arn": f"{ARN}:stock", "request_id": "r-8"}}},
    "start": {"message": "START RequestId: 7a894775-f62a-4464-95b6-9292bad0877f Version: $LATEST"},
}

LOG_CASES: Mapping[str, Sequence[str]] = {
    "*": ("plain", "failed", "json", "extension", "start"),
    "source:lambda": ("plain", "failed", "json", "extension", "start"),
    # Tags are as they are kept, and values are compared as they are written.
    "functionname:orders": ("plain",),
    "functionname:Orders": (),
    "functionname:job": ("failed",),
    "functionname:job_": (),
    "functionname:billing_nightly": ("json",),
    "functionname:billing__nightly": (),
    "functionname:stock": ("extension",),  # added where only the ARN tells it
    "functionname:(orders OR job)": ("plain", "failed"),
    "functionname:(orders OR job*)": ("plain", "failed"),
    "functionname:o*s": ("plain",),
    "functionname:?rders": ("plain",),
    "functionname:*": ("plain", "failed", "json", "extension"),
    # An attribute needs its @, and a tag must have none.
    "@functionname:orders": (),
    "@order.id:7": ("json",),
    "order.id:7": (),
    "@order.id:>6": ("json",),
    "@order.id:[8 TO 9]": (),
    "@requestId:r-7": ("json",),
    "@lambda.request_id:(r-8 OR r-9)": ("extension",),
    "@lambda.request_id:7a894775-f62a-4464-95b6-9292bad0877f": ("start",),
    r"@lambda.arn:arn\:aws\:lambda\:eu-west-1\:*": ("extension",),
    r"@lambda.arn:*\:stock": ("extension",),
    # Reserved attributes have none.
    "status:error": ("failed",),
    "status:(error OR warn)": ("failed", "json"),
    "@status:error": (),
    "service:orders": (),
    # Negation, absence, and what binds how.
    "-functionname:*": ("start",),
    "NOT functionname:*": ("start",),
    "-functionname:(orders OR job OR stock)": ("json", "start"),
    "functionname:orders OR status:error env:prod": ("plain", "failed"),
    "(functionname:orders OR status:warn) region:eu-west-1": ("plain",),
    "(region:us-east-1 OR -region:*) -status:error": ("json", "extension", "start"),
    "forwardername:* -region:*": ("failed",),
    # Text is looked for in the message, which a JSON log names itself.
    '"all is well"': ("plain",),
    "milk": ("failed",),
    "late": ("json",),
    '"7a894775-f62a-4464-95b6-9292bad0877f"': ("start",),
    "hi": ("extension",),
}


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with running() as started:
        logs = [
            {"ddsource": "lambda", "timestamp": int(started.clock() * 1000), "marker": name, **described}
            for name, described in LOGS.items()
        ]
        assert started.call("POST", "/api/v2/logs", logs)[0] == 202
        for described in TRACES:
            headers = {"Content_Type": "application/json"}
            assert started.call("POST", "/api/v0.2/traces", _timed(described, started), **headers)[0] == 200
        yield started


@pytest.mark.parametrize("query", LOG_CASES)
def test_logs(standin: Standin, query: str) -> None:
    body = {"filter": {"query": query, "from": "now-15m", "to": "now"}, "page": {"limit": 100}}
    found = standin.call("POST", "/api/v2/logs/events/search", body)[1]["data"]
    assert {one["attributes"]["attributes"]["marker"] for one in found} == set(LOG_CASES[query])


def _span(number: int, name: str, meta: Mapping[str, str], **more: Any) -> dict[str, Any]:
    base = {"trace_id": f"{number:x}", "span_id": f"{number:x}", "parent_id": "0", "service": f"s{number}"}
    return {**base, "name": name, "resource": f"r{number}", "duration": number * 1000, "meta": meta, **more}


TRACES: Sequence[dict[str, Any]] = (
    {  # 1, 2: a library's, through a Forwarder, which adds its tags to what the library says
        "traces": [
            [
                _span(
                    1,
                    "aws.lambda",
                    {"functionname": "job_", "function_arn": f"{ARN}:job_", "request_id": "r1"},
                ),
                _span(2, "http.request", {"http.status_code": "502", "error.message": "no milk"}, error=1),
            ]
        ],
        "tags": "forwardername:fwd,region:eu-west-1,env:prod,Team:Coffee__House_",
    },
    {  # 3: the Extension's, whose function tags are tags
        "traces": [[_span(3, "aws.lambda", {"request_id": "r3"})]],
        "_dd.tags.function": "functionname:Stock_,region:us-east-1,aws_account:123456789012,"
        f"function_arn:{ARN}:stock_",
    },
    {  # 4: OpenTelemetry's
        "traces": [[_span(4, "opentelemetry_instrumentation_aws_lambda.server", {"faas.name": "tea"})]],
    },
)

SPAN_CASES: Mapping[str, Sequence[int]] = {
    "*": (1, 2, 3, 4),
    # What a library says is an attribute: never a tag, never normalised.
    "functionname:job_": (),
    "functionname:job": (),
    "@functionname:job_": (1,),
    "@functionname:job": (),
    "@request_id:r1": (1,),
    "request_id:r1": (),
    "forwardername:fwd": (),
    "@forwardername:fwd": (1, 2),
    "region:eu-west-1": (),
    "@region:eu-west-1": (1, 2),
    "@Team:Coffee__House_": (1, 2),
    # What the Extension says of its function is a tag: normalised, never an attribute.
    "functionname:stock": (3,),
    "functionname:stock_": (),
    "@functionname:stock": (),
    "region:us-east-1 aws_account:123456789012": (3,),
    # So both are asked for.
    "(functionname:(job OR stock) OR @functionname:(job_ OR stock_))": (1, 3),
    r"@function_arn:arn\:aws\:lambda\:eu-west-1\:123456789012\:*": (1,),
    r"(@function_arn:arn\:*\:123456789012\:* OR function_arn:arn\:*\:123456789012\:*)": (1, 3),
    "-@function_arn:* -function_arn:*": (2, 4),
    # Reserved attributes need no @, and are found with none.
    "operation_name:aws.lambda": (1, 3),
    "operation_name:(aws.lambda OR opentelemetry_instrumentation_aws_lambda.server)": (1, 3, 4),
    "@operation_name:aws.lambda": (),
    "resource_name:r2": (2,),
    "service:(s1 OR s4)": (1, 4),
    "status:error": (2,),
    "env:prod": (1, 2),
    "trace_id:(1 OR 4)": (1, 4),
    "ingestion_reason:auto status:ok": (1, 3, 4),
    # Nested attributes have dotted names; figures are compared.
    "@http.status_code:502": (2,),
    "@http.status_code:[500 TO 599]": (2,),
    "@error.message:*milk": (2,),
    "@duration:>=3000": (3, 4),
    "@faas.name:te?": (4,),
}


def _timed(payload: dict[str, Any], standin: Standin) -> dict[str, Any]:
    start = int(standin.clock() * 1e9)
    return {
        **payload,
        "traces": [[{**span, "start": start} for span in trace] for trace in payload["traces"]],
    }


def _spans(standin: Standin, query: str) -> list[dict[str, Any]]:
    attributes = {"filter": {"query": query, "from": "now-15m", "to": "now"}, "page": {"limit": 100}}
    body = {"data": {"type": "search_request", "attributes": attributes}}
    return [one["attributes"] for one in standin.call("POST", "/api/v2/spans/events/search", body)[1]["data"]]


@pytest.mark.parametrize("query", SPAN_CASES)
def test_spans(standin: Standin, query: str) -> None:
    assert {int(span["span_id"]) for span in _spans(standin, query)} == set(SPAN_CASES[query])


def test_no_span_has_what_its_library_says_among_its_tags(standin: Standin) -> None:
    tags = {int(span["span_id"]): set(span["tags"]) for span in _spans(standin, "*")}
    assert tags[1] == tags[2] == {"source:apm", "env:prod"}
    assert {"functionname:stock", "region:us-east-1"} < tags[3]
    (failed,) = _spans(standin, "status:error")
    assert (failed["operation_name"], failed["custom"]["http"]["status_code"]) == ("http.request", "502")


@pytest.mark.parametrize(
    ("facets", "groups"),
    [
        ([{"facet": "@functionname"}], {("job_",)}),
        ([{"facet": "functionname"}], {("stock",)}),
        ([{"facet": "@functionname", "missing": "N/A"}], {("job_",), ("N/A",)}),
        (
            [{"facet": "operation_name"}],
            {
                (name,)
                for name in ("aws.lambda", "http.request", "opentelemetry_instrumentation_aws_lambda.server")
            },
        ),
        (
            [{"facet": "@region", "missing": "-"}, {"facet": "region", "missing": "-"}],
            {("eu-west-1", "-"), ("-", "us-east-1"), ("-", "-")},
        ),
        ([{"facet": "operation_name", "limit": 1}], {("aws.lambda",)}),
    ],
)
def test_groups(standin: Standin, facets: list[dict[str, Any]], groups: set[tuple[str, ...]]) -> None:
    attributes = {
        "filter": {"query": "*", "from": "now-15m", "to": "now"},
        "compute": [{"aggregation": "count", "type": "total"}],
        "group_by": facets,
    }
    body = {"data": {"type": "aggregate_request", "attributes": attributes}}
    buckets = standin.call("POST", "/api/v2/spans/analytics/aggregate", body)[1]["data"]
    assert {tuple(bucket["attributes"]["by"][f["facet"]] for f in facets) for bucket in buckets} == groups
