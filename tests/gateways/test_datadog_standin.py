"""The stand-in for Datadog, called through the public client: keys, integration, monitors, limits, faults."""

# The Datadog client's constructors carry no annotations.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import base64
import gzip
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.dashboards_api import DashboardsApi
from datadog_api_client.v1.api.metrics_api import MetricsApi as MetricsV1
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v2.api.aws_integration_api import AWSIntegrationApi
from datadog_api_client.v2.api.aws_logs_integration_api import AWSLogsIntegrationApi
from datadog_api_client.v2.api.key_management_api import KeyManagementApi

from tests.gateways.standin import API_KEY, Standin, refused, running

FORWARDER = "arn:aws:lambda:us-east-1:123456789012:function:Forwarder"
ACCOUNTS = "/api/v2/integration/aws/accounts"


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running() as started:
        yield started


def account_body(**attributes: Any) -> dict[str, Any]:
    defaults = {
        "aws_account_id": "123456789012",
        "aws_partition": "aws",
        "auth_config": {"role_name": "DatadogRole"},
    }
    return {"data": {"type": "account", "attributes": {**defaults, **attributes}}}


# --- keys


def test_keys_are_validated_as_each_version_does(standin: Standin) -> None:
    assert AuthenticationApi(standin.client()).validate().valid is True
    keys = KeyManagementApi(standin.client())
    status, body, _ = standin.call("GET", "/api/v2/validate")
    assert (status, body["data"]["attributes"]["valid"]) == (200, True)
    assert str(keys.validate_api_key().status) == "ok"
    wrong = standin.client(api_key="c" * 32)
    assert refused(AuthenticationApi(wrong).validate) == (403, {"errors": ["Forbidden"]})
    assert refused(KeyManagementApi(wrong).validate_api_key)[0] == 401
    swapped = standin.client(api_key=API_KEY, app_key="d" * 40)
    assert refused(KeyManagementApi(swapped).validate_api_key)[0] == 403
    status, body, _ = standin.call("GET", "/api/v1/validate", DD_API_KEY="")
    assert (status, body) == (403, {"errors": ["API key required"]})
    assert standin.call("GET", f"/api/v1/validate?api_key={API_KEY}", DD_API_KEY="")[0] == 200


def test_a_scoped_application_key_reaches_only_its_scopes() -> None:
    with running(
        {"app_keys": {"reader": ["aws_configuration_read"], "all": "*"}, "api_keys": ["second"]}
    ) as standin:
        client = standin.client(api_key="second", app_key="reader")
        assert AWSIntegrationApi(client).list_aws_accounts().data == []
        status, body = refused(AWSIntegrationApi(client).create_new_aws_external_id)
        assert (status, body) == (403, {"errors": [{"title": "Forbidden"}]})
        now = int(standin.clock())
        status, body = refused(MetricsV1(client).query_metrics, now - 60, now, "avg:a.b{*}")
        assert (status, body) == (403, {"errors": ["Forbidden"]})
        assert AWSIntegrationApi(standin.client(app_key="all")).create_new_aws_external_id().data.id


def test_what_is_not_known_is_404(standin: Standin) -> None:
    for path in ("/api/v1/org", "/api/v2/monitor/recommended", "/", "/api/v2/integration/aws/event_bridge"):
        assert standin.call("GET", path)[0] == 404
    assert standin.call("PUT", ACCOUNTS, {})[0] == 404


# --- AWS integration


def test_a_minimal_account_gets_the_recorded_defaults(standin: Standin) -> None:
    status, body, headers = standin.call("POST", ACCOUNTS, account_body())
    assert status == 200
    assert headers["Content-Type"] == "application/vnd.api+json"
    attributes = body["data"]["attributes"]
    assert attributes["metrics_config"]["namespace_filters"] == {
        "exclude_only": ["AWS/SQS", "AWS/ElasticMapReduce"]
    }
    assert attributes["aws_regions"] == {"include_all": True}
    assert attributes["logs_config"]["lambda_forwarder"] == {
        "lambdas": [],
        "sources": [],
        "log_source_config": {"tag_filters": []},
    }
    assert attributes["traces_config"] == {"xray_services": {"include_only": []}}
    assert len(attributes["auth_config"]["external_id"]) == 32
    api = AWSIntegrationApi(standin.client())
    [listed] = api.list_aws_accounts(aws_account_id="123456789012").data
    assert str(listed.id) == body["data"]["id"]
    assert listed.attributes.resources_config.extended_collection is True
    assert api.list_aws_accounts(aws_account_id="999999999999").data == []
    assert api.get_aws_account(listed.id).data.attributes.auth_config.role_name == "DatadogRole"


def test_creating_accepts_only_external_ids_that_datadog_issued(standin: Standin) -> None:
    own = account_body(auth_config={"role_name": "R", "external_id": "f" * 32})
    assert standin.call("POST", ACCOUNTS, own)[0] == 400
    issued = AWSIntegrationApi(standin.client()).create_new_aws_external_id().data.attributes.external_id
    assert len(issued) == 32
    standin.clock.now += 49 * 3600
    late = account_body(auth_config={"role_name": "R", "external_id": issued})
    assert standin.call("POST", ACCOUNTS, late)[0] == 400
    issued = AWSIntegrationApi(standin.client()).create_new_aws_external_id().data.attributes.external_id
    fresh = account_body(auth_config={"role_name": "R", "external_id": issued})
    status, body, _ = standin.call("POST", ACCOUNTS, fresh)
    assert (status, body["data"]["attributes"]["auth_config"]["external_id"]) == (200, issued)


def test_patch_merges_fields_and_replaces_arrays_and_unions(standin: Standin) -> None:
    created = account_body(
        account_tags=["team:a"],
        aws_regions={"include_only": ["eu-west-1"]},
        logs_config={"lambda_forwarder": {"lambdas": [FORWARDER], "sources": ["s3"]}},
        metrics_config={"namespace_filters": {"exclude_only": ["AWS/EC2"]}, "collect_custom_metrics": True},
    )
    config_id = standin.call("POST", ACCOUNTS, created)[1]["data"]["id"]
    change = {
        "aws_account_id": "123456789012",
        "logs_config": {"lambda_forwarder": {"sources": ["s3", "lambda"]}},
        "metrics_config": {"namespace_filters": {"include_only": ["AWS/Lambda"]}},
        "traces_config": {},
    }
    status, body, _ = standin.call(
        "PATCH", f"{ACCOUNTS}/{config_id}", {"data": {"type": "account", "attributes": change}}
    )
    assert status == 200
    attributes = body["data"]["attributes"]
    assert attributes["logs_config"]["lambda_forwarder"]["lambdas"] == [FORWARDER]
    assert attributes["logs_config"]["lambda_forwarder"]["sources"] == ["s3", "lambda"]
    assert attributes["metrics_config"]["namespace_filters"] == {"include_only": ["AWS/Lambda"]}
    assert attributes["metrics_config"]["collect_custom_metrics"] is True
    assert attributes["aws_regions"] == {"include_only": ["eu-west-1"]}
    assert attributes["account_tags"] == ["team:a"]
    assert attributes["traces_config"] == {"xray_services": {"include_only": []}}
    assert AWSIntegrationApi(standin.client()).get_aws_account(config_id).data.attributes.logs_config


@pytest.mark.parametrize(
    "attributes",
    [
        {"aws_regions": {"include_all": True, "include_only": ["us-east-1"]}},
        {
            "metrics_config": {
                "namespace_filters": {"include_only": ["AWS/Lambda"], "exclude_only": ["AWS/SQS"]}
            }
        },
        {"metrics_config": {"namespace_filters": {"include_only": ["AWS/Lamda"]}}},
        {"metrics_config": {"enabeld": True}},
        {"logs_config": {"lambda_forwarder": {"lambdas": ["Forwarder"]}}},
        {"logs_config": {"lambda_forwarder": {"sources": ["lamda"]}}},
        {"auth_config": {"role_name": "r", "access_key_id": "k"}},
        {"auth_config": {"role_name": "/path/r"}},
        {"aws_account_id": "123"},
        {
            "resources_config": {
                "cloud_security_posture_management_collection": True,
                "extended_collection": False,
            }
        },
        {"unheard_of": 1},
    ],
)
def test_invalid_accounts_are_refused(standin: Standin, attributes: dict[str, Any]) -> None:
    status, body, _ = standin.call("POST", ACCOUNTS, account_body(**attributes))
    assert (status, body["errors"][0]["detail"]) == (400, "invalid value")
    assert standin.call("GET", ACCOUNTS)[1] == {"data": []}


def test_errors_have_the_recorded_bodies(standin: Standin) -> None:
    status, body, _ = standin.call("POST", ACCOUNTS, account_body(aws_partition="aws-invalid"))
    error = {
        "status": "400",
        "title": "Bad Request",
        "detail": "invalid value",
        "meta": {"aws_partition": "invalid partition: aws-invalid"},
    }
    assert (status, body) == (400, {"errors": [error]})
    config_id = standin.call("POST", ACCOUNTS, account_body())[1]["data"]["id"]
    status, body, _ = standin.call("POST", ACCOUNTS, account_body())
    assert status == 409
    assert body["errors"][0]["title"] == "Account already exists"
    api = AWSIntegrationApi(standin.client())
    status, body = refused(api.delete_aws_account, "00000000-0000-4000-8000-000000000000")
    assert (status, body["errors"][0]["title"]) == (404, "Account not found")
    status, body, _ = standin.call("GET", f"{ACCOUNTS}/123456789012")
    assert (status, body["errors"][0]["title"]) == (400, "Invalid Parameter")
    switch = account_body(auth_config={"access_key_id": "AKIA", "secret_access_key": "s"})
    del switch["data"]["attributes"]["aws_partition"]
    status, body, _ = standin.call("PATCH", f"{ACCOUNTS}/{config_id}", switch)
    expected = {"title": "Generic Error", "detail": "cannot switch between role and key based auth"}
    assert (status, body) == (400, {"errors": [expected]})
    api.delete_aws_account(config_id)
    assert api.list_aws_accounts().data == []


def test_secret_access_keys_are_never_given_back(standin: Standin) -> None:
    keyed = account_body(auth_config={"access_key_id": "AKIA", "secret_access_key": "planted-secret"})
    status, body, _ = standin.call("POST", ACCOUNTS, keyed)
    assert (status, body["data"]["attributes"]["auth_config"]) == (200, {"access_key_id": "AKIA"})


def test_the_recorded_lists_are_served(standin: Standin) -> None:
    api = AWSIntegrationApi(standin.client())
    assert "AWS/Lambda" in api.list_aws_namespaces().data.attributes.namespaces
    services = AWSLogsIntegrationApi(standin.client()).list_aws_logs_services().data.attributes.logs_services
    assert "lambda" in services
    standard = api.get_aws_integration_iam_permissions_standard().data.attributes.permissions
    assert {"lambda:List*", "tag:GetResources", "logs:PutSubscriptionFilter"} <= set(standard)
    whole = api.get_aws_integration_iam_permissions_resource_collection().data.attributes.permissions
    path = "/api/v2/integration/aws/iam_permissions/resource_collection?chunked=true"
    status, body, _ = standin.call("GET", path, DD_API_KEY="", DD_APPLICATION_KEY="")
    chunks = body["data"]["attributes"]["permissions"]
    assert status == 200
    assert [name for chunk in chunks for name in chunk] == whole
    assert all(len(chunk) <= 150 for chunk in chunks)
    assert set(api.get_aws_integration_iam_permissions().data.attributes.permissions) == {*standard, *whole}


def test_integrations_survive_a_restart(tmp_path: Path) -> None:
    with running(state_dir=tmp_path) as standin:
        config_id = standin.call("POST", ACCOUNTS, account_body())[1]["data"]["id"]
    with running(state_dir=tmp_path) as standin:
        assert standin.call("GET", f"{ACCOUNTS}/{config_id}")[0] == 200
    assert (tmp_path / "integrations.json").stat().st_mode & 0o077 == 0


def test_a_seeded_account_is_there_from_the_start() -> None:
    seeded = account_body(auth_config={"role_name": "Old", "external_id": "e" * 32})["data"]["attributes"]
    config_id = "4ee52a3f-d0e9-487b-bde9-cd1cbc0e4cb0"
    with running({"accounts": [{**seeded, "id": config_id}]}) as standin:
        [account] = AWSIntegrationApi(standin.client()).list_aws_accounts().data
        assert (str(account.id), account.attributes.auth_config.external_id) == (config_id, "e" * 32)


# --- dashboards and monitors


def test_dashboards_come_and_go(standin: Standin) -> None:
    api = DashboardsApi(standin.client())
    query = {"data_source": "metrics", "name": "a", "query": "sum:aws.lambda.enhanced.invocations{*}"}
    request = {"response_format": "timeseries", "queries": [query], "formulas": [{"formula": "a"}]}
    widget = {"definition": {"type": "timeseries", "title": "Cold starts", "requests": [request]}}
    body = {"title": "Mine", "layout_type": "ordered", "widgets": [widget]}
    status, created, _ = standin.call("POST", "/api/v1/dashboard", body)
    assert status == 200
    assert api.get_dashboard(created["id"]).title == "Mine"
    assert [one.title for one in api.list_dashboards().dashboards] == ["Mine"]
    assert api.delete_dashboard(created["id"]).deleted_dashboard_id == created["id"]
    assert refused(api.get_dashboard, created["id"])[0] == 404
    assert standin.call("POST", "/api/v1/dashboard", {**body, "layout_type": "wild"})[0] == 400


def test_monitors_are_validated_found_and_deleted(standin: Standin) -> None:
    query = (
        "sum(last_15m):sum:aws.lambda.errors{*} by {functionname}.as_count()"
        " / sum:aws.lambda.invocations{*} by {functionname}.as_count() >= 0.1"
    )
    body = {
        "name": "High error rate",
        "type": "query alert",
        "query": query,
        "message": "look",
        "tags": ["created_by:ddsetup"],
        "options": {"thresholds": {"critical": 0.1}},
    }
    api = MonitorsApi(standin.client())
    assert standin.call("POST", "/api/v1/monitor/validate", body)[:2] == (200, {})
    for wrong in (
        {"query": "sum:aws.lambda.errors{*} > 1"},
        {"query": "sum(last_15m):nonsense{ > 0.1"},
        {"options": {"thresholds": {"critical": 5}}},
        {"type": "mystery alert"},
    ):
        assert standin.call("POST", "/api/v1/monitor/validate", {**body, **wrong})[0] == 400
    change = "pct_change(avg(last_5m),last_5m):avg:aws.lambda.enhanced.estimated_cost{*} > 20"
    assert (
        standin.call("POST", "/api/v1/monitor/validate", {"type": "query alert", "query": change})[0] == 200
    )
    logs = 'logs("source:lambda status:error").index("*").rollup("count").last("5m") > 5'
    assert standin.call("POST", "/api/v1/monitor/validate", {"type": "log alert", "query": logs})[0] == 200
    created = standin.call("POST", "/api/v1/monitor", body)[1]
    assert api.get_monitor(created["id"]).name == "High error rate"
    found = api.search_monitors(query='tag:"created_by:ddsetup"')
    assert [one.id for one in found.monitors] == [created["id"]]
    assert api.search_monitors(query='tag:"created_by:other"').monitors == []
    assert api.delete_monitor(created["id"]).deleted_monitor_id == created["id"]
    assert refused(api.get_monitor, created["id"])[0] == 404


# --- limits, faults, the log of requests


def test_rate_limits_are_counted_and_told() -> None:
    with running({"limits": {"logs_search": 2}}, time_scale=600) as standin:
        calls = [standin.call("POST", "/api/v2/logs/events/search", {}) for _ in range(3)]
        assert [status for status, _, _ in calls] == [200, 200, 429]
        headers = calls[-1][2]
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Period"]) == ("2", "6")
        assert (headers["X-RateLimit-Remaining"], headers["X-RateLimit-Reset"]) == ("0", "6")
        standin.clock.now += 6
        assert standin.call("POST", "/api/v2/logs/events/search", {})[0] == 200


def test_a_fault_answers_so_many_times_and_no_more() -> None:
    fault = {
        "path": ACCOUNTS,
        "method": "GET",
        "status": 429,
        "times": 2,
        "headers": {"X-RateLimit-Reset": "1"},
    }
    with running({"faults": [fault]}) as standin:
        answers = [standin.call("GET", ACCOUNTS) for _ in range(3)]
        assert [status for status, _, _ in answers] == [429, 429, 200]
        assert answers[0][2]["X-RateLimit-Reset"] == "1"


def test_a_request_can_take_effect_and_then_seem_to_fail(standin: Standin) -> None:
    fault = {"path": ACCOUNTS, "method": "POST", "status": 502, "after_effect": True}
    assert standin.call("POST", "/__sandbox/faults", {"faults": [fault]})[0] == 200
    assert standin.call("POST", ACCOUNTS, account_body())[0] == 502
    assert standin.call("POST", ACCOUNTS, account_body())[0] == 409  # what a client's own retry meets


def test_a_connection_can_be_dropped_before_or_after_the_effect(standin: Standin) -> None:
    for after, count in ((False, 0), (True, 1)):
        standin.call(
            "POST", "/__sandbox/faults", {"path": "/api/v2/*", "method": "POST", "after_effect": after}
        )
        with pytest.raises(http.client.RemoteDisconnected):
            standin.call("POST", ACCOUNTS, account_body())
        assert len(standin.call("GET", ACCOUNTS)[1]["data"]) == count


def test_requests_are_kept_without_keys_and_bodies(tmp_path: Path) -> None:
    with running(state_dir=tmp_path) as standin:
        standin.call("POST", ACCOUNTS, account_body())
        standin.call("GET", f"/api/v1/validate?api_key={API_KEY}")
        standin.call("POST", "/api/v2/logs/events/search", {})
        entries = standin.call("GET", "/__sandbox/requests")[1]["requests"]
    shown = [(entry["method"], entry["path"], entry["status"], entry["write"]) for entry in entries]
    assert shown == [
        ("POST", ACCOUNTS, 200, True),
        ("GET", "/api/v1/validate", 200, False),
        ("POST", "/api/v2/logs/events/search", 200, False),
    ]
    kept = (tmp_path / "requests.jsonl").read_text()
    assert len(kept.splitlines()) == 3
    assert API_KEY not in kept


def test_what_firehose_delivers_becomes_logs_at_both_addresses_by_its_own_header(standin: Standin) -> None:
    event = {"id": "1", "timestamp": int(standin.clock() * 1000), "message": "hello"}
    payload = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/ecs/shop", "logEvents": [event]}
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE"}]}
    records = [
        {"data": base64.b64encode(gzip.compress(json.dumps(each).encode())).decode()}
        for each in (payload, control)
    ]
    body = gzip.compress(json.dumps({"requestId": "r", "timestamp": 1, "records": records}).encode())
    said = {
        "DD_API_KEY": "",
        "Content_Encoding": "gzip",
        "X_Amz_Firehose_Request_Id": "r",
        "X_Amz_Firehose_Source_Arn": "arn:aws:firehose:us-east-1:1:deliverystream/logs",
    }
    newer = "/api/v2/logs?dd-protocol=aws-kinesis-firehose"
    for path in ("/v1/input", newer):
        status, answer, _ = standin.call("POST", path, body, X_Amz_Firehose_Access_Key=API_KEY, **said)
        assert (status, answer["requestId"]) == (200, "r")
        assert standin.call("POST", path, body, X_Amz_Firehose_Access_Key="x", **said)[0] == 403
    assert standin.call("POST", newer, b"{}", X_Amz_Firehose_Access_Key=API_KEY, DD_API_KEY="")[0] == 400
    query = {
        "filter": {
            "from": "now-1h",
            "to": "now",
            "query": f'@aws.firehose.arn:"{said["X_Amz_Firehose_Source_Arn"]}"',
        }
    }
    found = standin.call("POST", "/api/v2/logs/events/search", query)[1]["data"]
    assert [each["attributes"]["message"] for each in found] == ["hello", "hello"]
