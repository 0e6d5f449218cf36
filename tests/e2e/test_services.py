"""State machines and APIs beside the functions: seen, set up by their settings, given back to the letter."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ddsetup.sandbox.emulator.environments import HEARD
from ddsetup.sandbox.traffic import traffic
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.world import differences
from tests.patience import until
from tests.sandbox_chain import datadog

pytestmark = pytest.mark.e2e

SETUP = ("setup", "--all", "--yes", "--no-verify", "--output", "json")
CHOSEN = ("--state-machine", "all", "--api-stage", "all")
BREWING = "/aws/vendedlogs/states/brewing-Logs"


@pytest.fixture(scope="module")
def services(open_place: OpenPlace) -> Place:
    return open_place("services")


@pytest.fixture(scope="module")
def before(services: Place) -> dict[str, Any]:
    return services.world.everything()


def arrived(place: Place, source: str, saying: str = "") -> list[dict[str, Any]]:
    """The logs of that source with those words which Datadog has, as soon as there are any."""
    query = {"filter": {"query": f"source:{source}", "from": "now-1h", "to": "now"}}

    def found() -> list[dict[str, Any]]:
        logs = datadog(place.sandbox, "POST", "/api/v2/logs/events/search", query)["data"]
        return [each for each in logs if saying in each["attributes"]["message"]]

    return until(found, "what was sent")


def test_status_shows_what_there_is_and_a_setup_leaves_it_alone_unless_asked(
    services: Place, before: dict[str, Any]
) -> None:
    data = services.cli("status", "--output", "json").json["data"]
    rows = {row["state_machine"]: row for row in data["state_machines"]}
    assert {name: row["level"] for name, row in rows.items()} == {
        "brewing": "OFF",
        "delivering": "OFF",
        "restocking": "OFF",
        "stocktaking": "ERROR",
    }
    assert rows["restocking"]["owner"] == "CloudFormation (stack coffee-warehouse)"
    assert {(row["api"], row["protocol"], row["access_logs"]) for row in data["api_stages"]} == {
        ("shop", "REST", ""),
        ("menu", "HTTP", ""),
    }
    assert data["unreadable"] == []
    planned = services.cli("plan", "--all", "--output", "json").json["plan"]["changes"]
    assert planned
    assert not [c for c in planned if c["step"] == "sources"]


def test_what_is_chosen_logs_to_datadog_and_is_given_back(services: Place, before: dict[str, Any]) -> None:
    result = services.cli(*SETUP, *CHOSEN, "--owned", "skip")
    assert result.code == 0, result.stderr
    machines = result.outcomes("state_machine")
    assert {name: o["status"] for name, o in machines.items()} == {
        "brewing": "applied",
        "stocktaking": "applied",
        "restocking": "skipped",
        "delivering": "skipped",
    }
    assert "owned by CloudFormation" in machines["restocking"]["reason"]
    assert "put-role-policy --role-name delivering-role" in machines["delivering"]["fix"]
    assert {o["status"] for o in result.outcomes("api_stage").values()} == {"applied"}
    now = services.world.state_machines()
    assert now["brewing"]["logging"]["level"] == now["stocktaking"]["logging"]["level"] == "ALL"
    assert now["brewing"]["tags"] == {"team": "bar", "ddsetup-sandbox": "orders", "DD_TRACE_ENABLED": "true"}
    group = now["stocktaking"]["logging"]["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    assert group.endswith("log-group:/coffee/stocktaking:*")
    assert now["restocking"] == before["us-east-1"]["state_machines"]["restocking"]
    (account,) = services.world.integrations()
    sources = account["attributes"]["logs_config"]["lambda_forwarder"]["sources"]
    assert sources == ["lambda", "states", "apigw-access-logs"]

    writes = len(services.world.operator_writes())
    again = services.cli(*SETUP, *CHOSEN, "--owned", "skip")
    assert again.json["plan"]["changes"] == []
    assert len(services.world.operator_writes()) == writes

    undone = services.cli("undo", "--yes", "--output", "json")
    assert undone.code == 0, undone.stderr
    assert differences(before, services.world.everything()) == []


def menu(place: Place) -> str:
    """The address of the HTTP API."""
    apis = place.world.client("apigatewayv2").get_apis()["Items"]
    return f"{place.world.sandbox.aws_endpoint_url}/_aws/execute-api/{apis[0]['ApiId']}/$default"


def assert_that_traffic_wakes_nobody_unheard(place: Place) -> None:
    """A request to an API starts no function whose log nobody reads, if it asks for that: else its cold start
    would be lost, and there is no other."""
    logs, group = place.world.client("logs"), "/aws/lambda/barista"
    (held,) = place.world.filters()[group]
    logs.delete_subscription_filter(logGroupName=group, filterName=held["filterName"])
    with pytest.raises(HTTPError, match="409"):
        urlopen(Request(f"{menu(place)}/menu", headers={HEARD: "barista"}), timeout=60)
    kept = ("logGroupName", "filterName", "filterPattern", "destinationArn")
    logs.put_subscription_filter(**{key: held[key] for key in kept})


def test_executions_and_requests_arrive_by_filters_of_our_own(services: Place) -> None:
    result = services.cli(*SETUP, *CHOSEN, "--subscribe", "direct")
    assert result.code == 0, result.stderr
    filters = services.world.filters()
    assert [f["filterName"] for f in filters[BREWING]] == ["ddsetup-datadog-forwarder"]
    assert_that_traffic_wakes_nobody_unheard(services)
    traffic(services.world.sandbox)
    with urlopen(f"{menu(services)}/menu", timeout=60) as answer:
        assert answer.status == 200
    executions = arrived(services, "stepfunction")
    assert executions
    assert "execution:brewing:" in executions[0]["attributes"]["message"]
    # The sandbox's own traffic asks the API for `/`, which may be there before.
    requests = arrived(services, "apigateway", "/menu")
    assert json.loads(requests[0]["attributes"]["message"])["resourcePath"] == "/menu"

    namespaces = ("--integration-namespace", "stepfunctions", "--integration-namespace", "apigateway")
    watched = ("--state-machine", "brewing", "--state-machine", "stocktaking", "--api-stage", "menu/*")
    proof = services.cli("verify", *watched, *namespaces, "--wait", "40", "--output", "json")
    found = {
        (signal["resource"]["kind"], signal["resource"]["id"].rpartition(":")[2], signal["signal"]): signal
        for signal in proof.json["signals"]
        if "resource" in signal
    }
    stage = menu(services).rpartition("/execute-api/")[2]
    assert {key[:2]: signal["status"] for key, signal in found.items()} == {
        ("state_machine", "brewing"): "arrived",
        ("state_machine", "stocktaking"): "no_traffic",
        ("api_stage", stage): "arrived",
        ("namespace", "AWS/States"): "arrived",
        ("namespace", "AWS/ApiGateway"): "arrived",
        ("forwarder", "datadog-forwarder"): "arrived",
    }, proof.json["signals"]
    assert {key[2] for key in found if key[1] == "brewing"} == {
        "logs",
        "cloudwatch_metrics",
        "traces",
    }
    assert proof.code == 0, proof.stderr
