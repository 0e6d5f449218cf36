"""The stand-in for Datadog, called through the public client: metrics."""

# The Datadog client's constructors carry no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client.v1.api.metrics_api import MetricsApi as MetricsV1
from datadog_api_client.v2.api.metrics_api import MetricsApi as MetricsV2
from datadog_api_client.v2.model.scalar_formula_query_request import ScalarFormulaQueryRequest
from datadog_api_client.v2.model.timeseries_formula_query_request import TimeseriesFormulaQueryRequest

from tests.gateways.standin import API_KEY, Standin, refused, running, typed


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running() as started:
        yield started


def send_invocations(standin: Standin, **values: float) -> int:
    """Enhanced invocations by function, one cold start each; gives the second they happened."""
    at = int(standin.clock()) - 60
    series = [
        {"metric": "aws.lambda.enhanced.invocations", "points": [[at, [1.0] * int(value)]], "tags": tags}
        for function, value in values.items()
        for tags in [[f"functionname:{function}", "cold_start:true", "region:us-east-1"]]
    ]
    body = zlib.compress(json.dumps({"series": series}).encode())
    status, _, _ = standin.call(
        "POST",
        f"/api/v1/distribution_points?api_key={API_KEY}",
        body,
        DD_API_KEY="",
        Content_Encoding="deflate",
    )
    assert status == 202
    return at


def test_v1_query_groups_and_counts(standin: Standin) -> None:
    at = send_invocations(standin, fn1=2, fn2=3)
    query = "sum:aws.lambda.enhanced.invocations{cold_start:true} by {functionname}.as_count()"
    api = MetricsV1(standin.client())
    answer = api.query_metrics(at - 600, at + 60, query)
    assert answer.status == "ok"
    assert {s.scope: s.pointlist[0].value[1] for s in answer.series} == {
        "functionname:fn1": 2,
        "functionname:fn2": 3,
    }
    assert answer.series[0].tag_set == ["functionname:fn1"]
    assert abs(answer.series[0].pointlist[0].value[0] / 1000 - at) < 20
    assert api.query_metrics(at - 600, at + 60, "sum:aws.lambda.invocations{*}").series == []
    assert api.query_metrics(at - 600, at - 100, query).series == []


@pytest.mark.parametrize(
    ("scope", "total"),
    [
        ("*", 10),
        ("functionname:fn1", 2),
        ("functionname:FN1", 2),
        ("functionname:fn1 OR functionname:fn2", 5),
        ("functionname IN (fn1,fn3)", 7),
        ("functionname NOT IN (fn1,fn3)", 3),
        ("!functionname:fn1", 8),
        ("functionname:fn*,!functionname:fn3", 5),
        ("region:us-east-1 AND (functionname:fn1 OR functionname:fn2)", 5),
        ("region:eu-west-1", 0),
    ],
)
def test_metric_scopes(standin: Standin, scope: str, total: float) -> None:
    at = send_invocations(standin, fn1=2, fn2=3, fn3=5)
    query = f"sum:aws.lambda.enhanced.invocations{{{scope}}}.as_count()"
    series = MetricsV1(standin.client()).query_metrics(at - 600, at + 60, query).series
    assert sum(point.value[1] for one in series for point in one.pointlist) == total


@pytest.mark.parametrize(
    "query",
    [
        "",
        "aws.lambda.duration",
        "sum:a{",
        "p98:a.b{*}",
        "sum:a.b{}",
        "sum:a.b{*}.foo()",
        "sum:a.b{x:1 OR}",
        "sum:a.b{*} +",
    ],
)
def test_metric_queries_that_cannot_be_read_are_400(standin: Standin, query: str) -> None:
    now = int(standin.clock())
    status, body = refused(MetricsV1(standin.client()).query_metrics, now - 60, now, query)
    assert status == 400
    assert isinstance(body["errors"][0], str)


def test_series_of_each_kind_aggregate_as_datadog_does(standin: Standin) -> None:
    at = int(standin.clock()) // 60 * 60 - 120
    series = [
        {"metric": "my.count", "type": "count", "points": [[at, 3], [at + 1, 4]], "tags": ["a:1"]},
        {"metric": "my.gauge", "type": "gauge", "points": [[at, 10], [at + 1, 20]], "tags": ["a:1"]},
        {"metric": "my.gauge", "type": "gauge", "points": [[at, 1]], "tags": ["a:2"]},
    ]
    assert standin.call("POST", "/api/v1/series", {"series": series})[0] == 202
    v2 = {
        "series": [{"metric": "my.v2", "type": 1, "points": [{"timestamp": at, "value": 6}], "tags": ["a:1"]}]
    }
    status, body, _ = standin.call("POST", "/api/v2/series", v2)
    assert (status, body) == (202, {"errors": []})
    api = MetricsV1(standin.client())

    def value(query: str) -> float:
        [found] = api.query_metrics(at - 60, at + 60, query).series
        return float(found.pointlist[0].value[1])

    assert value("sum:my.count{*}.as_count()") == 7
    assert value("avg:my.gauge{*}") == 8  # the mean of 15 and 1
    assert value("max:my.gauge{a:1}.rollup(max, 60)") == 20
    assert value("sum:my.v2{*}.as_rate()") == 6 / 20
    assert value("sum:my.count{*}.as_count() / sum:my.v2{*}.as_count() * 6") == 7


def test_scalar_and_timeseries_queries(standin: Standin) -> None:
    at = send_invocations(standin, fn1=2, fn2=3)
    query = {
        "name": "a",
        "data_source": "metrics",
        "aggregator": "sum",
        "query": "sum:aws.lambda.enhanced.invocations{*} by {functionname}.as_count()",
    }
    span = {"from": (at - 600) * 1000, "to": (at + 60) * 1000}

    def body(kind: str, queries: list[Any], formula: str) -> dict[str, Any]:
        return {
            "data": {
                "type": kind,
                "attributes": {**span, "queries": queries, "formulas": [{"formula": formula}]},
            }
        }

    api = MetricsV2(standin.client())
    request = typed(ScalarFormulaQueryRequest, body("scalar_request", [query], "a * 2"))
    group, number = api.query_scalar_data(request).data.attributes.columns
    assert (group.name, group.values) == ("functionname", [["fn1"], ["fn2"]])
    assert (number.name, number.values) == ("a * 2", [4, 6])
    none = {**query, "query": "sum:nothing{*} by {functionname}"}
    assert standin.call("POST", "/api/v2/query/scalar", body("scalar_request", [none], "a"))[1]["data"][
        "attributes"
    ] == {"columns": []}
    ungrouped = {**query, "query": "sum:nothing{*}"}
    answer = standin.call("POST", "/api/v2/query/scalar", body("scalar_request", [ungrouped], "a"))[1]
    assert answer["data"]["attributes"]["columns"][0]["values"] == [None]
    timed = {key: value for key, value in query.items() if key != "aggregator"}
    request = typed(TimeseriesFormulaQueryRequest, body("timeseries_request", [timed], "a"))
    found = api.query_timeseries_data(request).data.attributes
    assert [one.group_tags.value for one in found.series.value] == [
        ["functionname:fn1"],
        ["functionname:fn2"],
    ]
    assert [[v for v in one.value if v is not None] for one in found.values.value] == [[2], [3]]
    logs = {**query, "data_source": "logs"}
    assert standin.call("POST", "/api/v2/query/scalar", body("scalar_request", [logs], "a"))[0] == 400
    assert standin.call("POST", "/api/v2/query/scalar", body("scalar_request", [query], "b"))[0] == 400


def test_metrics_are_listed_by_tag_and_page(standin: Standin) -> None:
    at = send_invocations(standin, fn1=1)
    standin.call(
        "POST", "/api/v1/series", {"series": [{"metric": "other", "points": [[at, 1]], "tags": ["x:y"]}]}
    )
    api = MetricsV2(standin.client())
    listed = api.list_tag_configurations(filter_tags="functionname:fn1", window_seconds=3600)
    assert [item.id for item in listed.data] == ["aws.lambda.enhanced.invocations"]
    assert len(list(api.list_tag_configurations_with_pagination(page_size=1))) == 2
    names = MetricsV1(standin.client()).list_active_metrics(at - 10).metrics
    assert names == ["aws.lambda.enhanced.invocations", "other"]
    assert MetricsV1(standin.client()).list_active_metrics(at - 10, tag_filter="x:y").metrics == ["other"]
    assert standin.call("GET", "/api/v2/metrics?filter[queried]=true")[0] == 400
    standin.clock.now += 7200
    assert api.list_tag_configurations(window_seconds=3600).data == []


def test_tag_configurations_follow_the_rules(standin: Standin) -> None:
    at = int(standin.clock()) - 10
    series = [{"metric": "coffee.order", "points": [[at, [4.5]]], "tags": ["product:latte"]}]
    standin.call("POST", "/api/v1/distribution_points", {"series": series})
    standin.call("POST", "/api/v1/series", {"series": [{"metric": "aws.lambda.errors", "points": [[at, 1]]}]})
    api = MetricsV2(standin.client())
    status, body = refused(api.list_tag_configuration_by_name, "coffee.order")
    assert (status, body) == (404, {"errors": ["coffee.order not found"]})
    assert api.list_tags_by_metric_name("coffee.order").data.attributes.tags == ["product:latte"]
    path = "/api/v2/metrics/coffee.order/tags"
    attributes = {"metric_type": "distribution", "include_percentiles": True, "tags": ["product"]}
    data = {"type": "manage_tags", "id": "coffee.order", "attributes": attributes}
    assert standin.call("PATCH", path, {"data": data})[0] == 404
    assert standin.call("POST", path, {"data": data})[0] == 201
    assert standin.call("POST", path, {"data": data})[0] == 409
    changed = {**data, "attributes": {"tags": ["product", "order"]}}
    assert standin.call("PATCH", path, {"data": changed})[0] == 200
    found = api.list_tag_configuration_by_name("coffee.order").data.attributes
    assert (found.include_percentiles, found.tags) == (True, ["product", "order"])
    api.delete_tag_configuration("coffee.order")
    assert standin.call("DELETE", path)[0] == 404
    of_integration = {**data, "id": "aws.lambda.errors"}
    status, body, _ = standin.call("POST", "/api/v2/metrics/aws.lambda.errors/tags", {"data": of_integration})
    assert (status, "integration metric" in body["errors"][0]) == (400, True)
