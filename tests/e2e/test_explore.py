"""Looking around in what arrived, with functions that work and functions that fail."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ddsetup.sandbox.traffic import traffic
from tests import nursery
from tests.e2e.conftest import OpenPlace, Place

pytestmark = pytest.mark.e2e

DEADLINE = 90.0
ENOUGH = (("traces", "failing", 3), ("errors", "patterns", 3), ("cold-starts", "functions", 10))


@pytest.fixture(scope="module")
def shop(open_place: OpenPlace) -> Place:
    """Healthy and failing functions, all of whose data has arrived."""
    place = open_place("healthy", "trouble", "chain")
    done = place.cli("setup", "--all", "--yes", "--no-verify")
    assert done.code == 0, done.stderr
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        traffic(place.sandbox, times=2)
        if all(map(place_has, (place,) * 3, ENOUGH)):
            return place
    raise AssertionError("the data of the sandbox did not arrive")


def place_has(place: Place, enough: tuple[str, str, int]) -> bool:
    command, name, number = enough
    return len(explore(place, command)["data"][name]) >= number


def run(place: Place, *arguments: str, code: int = 0, **environ: str) -> str:
    """Exit code and output. What functions logged is part of it, tracebacks too, so `Cli` will not do."""
    done = nursery.shared().run(arguments, place.cli.environ() | environ, place.cli.home)
    place.cli.check_secrets(done.stdout + done.stderr)
    assert done.code == code, done.stderr
    return done.stdout


def explore(place: Place, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(place, "explore", *arguments, "--output", "json"))
    return document


def test_cold_starts_are_told_by_function_and_over_time(shop: Place) -> None:
    found = explore(shop, "cold-starts", "--function", "coffee-*")
    rows = {row["function"]: row for row in found["data"]["functions"]}
    assert {"coffee-orders", "coffee-stock"} <= set(rows)
    assert "grinder-stuck" not in rows
    assert all(0 <= row["cold_starts"] <= row["invocations"] for row in rows.values())
    assert any(row["init_ms"] for row in rows.values())
    assert any("enhanced-metrics" in url for url in found["links"].values())
    text = run(shop, "explore", "cold-starts")
    assert "█" in text
    assert "Share over time" in text


def test_errors_are_told_by_pattern_with_a_link_to_the_same(shop: Place) -> None:
    found = explore(shop, "errors")
    patterns = {row["pattern"]: row for row in found["data"]["patterns"]}
    assert "MachineBroken: the grinder is stuck" in patterns
    assert "Task timed out after <n> seconds" in patterns
    tea = patterns["cannot make iced tea: not on the menu"]
    assert {row["function"] for row in tea["functions"]} <= {"coffee-kitchen", "coffee-stock"}
    assert "viz=pattern" in found["links"]["error patterns"]


def test_traces_are_told_with_spans_and_the_logs_of_their_request(shop: Place) -> None:
    chosen = ("--function", "roaster-*", "--function", "grinder-*")
    data = explore(shop, "traces", "--count", "2", *chosen)["data"]
    by_id = {trace["trace_id"]: trace for trace in data["traces"]}
    slowest = by_id[data["slowest"][0]]
    assert slowest["function"] == "roaster-slow"
    assert slowest["duration_ms"] > 1000
    failing = [by_id[trace] for trace in data["failing"]]
    stuck = next(trace for trace in failing if trace["function"] == "grinder-stuck")
    assert stuck["error"] == "the grinder is stuck"
    assert "aws.lambda" in {span["operation"] for span in stuck["spans"]}
    messages = "\n".join(log["message"] for log in stuck["logs"])
    assert "starting the machine" in messages
    assert "MachineBroken" in messages
    assert stuck["link"].endswith(f"/apm/trace/{stuck['trace_id']}")


def test_a_request_across_functions_is_led_back_to_the_callees_timeout(shop: Place) -> None:
    """Invoke, a queue, a topic and a bus carry one trace on."""
    chains = explore(shop, "traces", "--function", "chain-counter")["data"]["traces"]
    whole = max(chains, key=lambda trace: len(trace["functions"]))
    assert [row["function"] for row in whole["functions"]].count("chain-ledger") == 3
    assert {log["function"] for log in whole["logs"]} == {"chain-counter", "chain-ledger", "chain-roaster"}
    by_trace = explore(shop, "request", whole["trace_id"])["data"]
    assert by_trace["cause"]["called_by"] == ["chain-counter"]
    text = run(shop, "explore", "request", whole["request_id"])
    assert text.splitlines()[1] == "✗ chain-roaster ran into its timeout of 2 s, called by chain-counter"
    assert "--function-name chain-roaster --region us-east-1 --timeout 4" in text
    assert "waiting for the roaster" in text
    page = shop.cli.home / "request.html"
    example = explore(shop, "request", "--error", "1", "--html", str(page))["data"]
    assert example["cause"]["kind"] in ("timeout", "error")
    assert example["cause"]["function"] in page.read_text(encoding="utf-8")


def test_logs_are_shown_narrowed_down_and_followed(shop: Place) -> None:
    found = explore(shop, "logs", "--status", "error", "--count", "20")["data"]["logs"]
    assert {row["status"] for row in found} == {"error"}
    text = run(shop, "explore", "logs", "--pattern", "waiting for the roaster", "--count", "3")
    assert "roaster-slow" in text
    followed = explore(shop, "logs", "--function", "grinder-*", "--tail", "--wait", "1")["data"]
    assert followed["followed"]
    assert {row["function"] for row in followed["logs"]} == {"grinder-stuck"}


def test_errors_that_are_new_since_a_deployment_are_told_apart(shop: Place) -> None:
    data = explore(shop, "errors", "--since-deploy", "--function", "grinder-stuck")["data"]
    assert list(data["deployed"]) == ["grinder-stuck"]
    assert {row["pattern"] for row in data["patterns"]} == {"MachineBroken: the grinder is stuck"}


def test_a_custom_metric_is_explored_listed_and_proved(shop: Place) -> None:
    name = "coffee_house.order_value"
    series = explore(shop, "metrics", name, "--by", "product")["data"]["metrics"][0]["series"]
    assert {row["group"] for row in series} >= {"product:latte", "product:espresso"}
    listed = shop.cli("metrics", "list", "--function", "coffee-*", "-o", "json").json["data"]
    assert [row["metric"] for row in listed["distributions"]] == [name]
    proof = shop.cli("metrics", "verify", name, "coffee_house.order_valu", "-o", "json")
    assert proof.code == 6
    arrived, missing = proof.json["data"]["metrics"]
    assert "coffee-orders" in {row["function"] for row in arrived["functions"]}
    assert (missing["status"], missing["similar"]) == ("missing", name)


def test_it_fits_a_plain_terminal(shop: Place) -> None:
    """No colour, no UTF-8: the same lines in plain characters."""
    text = shop.cli.installed(
        "explore", "cold-starts", NO_COLOR="1", LC_ALL="C", PYTHONIOENCODING="ascii"
    ).stdout
    assert text.isascii()
    assert "###" in text
    assert "\x1b" not in text


def test_wrong_names_are_refused(shop: Place) -> None:
    run(shop, "explore", "errors", "--function", "cofee-orders", code=2)
    run(shop, "explore", "traces", "--count", "0", code=2)
    run(shop, "explore", "logs", "--status", "eror", code=2)
    run(shop, "explore", "request", "latest", code=2)
    run(shop, "explore", "request", code=2)
    run(shop, "explore", "request", "--error", "99", code=2)
