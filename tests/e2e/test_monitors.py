"""Monitors, the overview dashboard and percentiles: planned, applied, applied again, given back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests import sandbox_chain
from tests.e2e.conftest import OpenPlace, Place
from tests.e2e.terminal import DOWN, ENTER, SPACE, Terminal

pytestmark = pytest.mark.e2e

METRIC = "coffee_house.order_value"


@pytest.fixture(scope="module")
def place(open_place: OpenPlace) -> Place:
    """An account with functions, and one custom metric that arrived."""
    found = open_place("healthy")
    tags = ["functionname:coffee-orders", "product:latte", f"aws_account:{found.sandbox.account}"]
    point = [int(time.time()), [7.8]]
    datadog(
        found,
        "POST",
        "/api/v1/distribution_points",
        {"series": [{"metric": METRIC, "points": [point], "tags": tags}]},
    )
    return found


def datadog(place: Place, method: str, path: str, body: Any = None) -> Any:
    """A call of root's own to the stand-in."""
    return sandbox_chain.datadog(place.sandbox, method, path, body)


def monitors(place: Place) -> dict[str, dict[str, Any]]:
    return {monitor["name"]: monitor for monitor in datadog(place, "GET", "/api/v1/monitor")}


def slos(place: Place) -> dict[str, dict[str, Any]]:
    return {slo["name"]: slo for slo in datadog(place, "GET", "/api/v1/slo")["data"]}


def test_monitors_are_planned_applied_once_changed_and_given_back(place: Place) -> None:
    scope = ("--env", "prod", "--function", "coffee-*")
    targets = ("--slo", "high_error_rate=99.9", "--slo", f"{METRIC}<1=99/7d")
    wish = (*scope, "--on-metric", f"{METRIC}<1", "--notify", "@slack-shop", *targets)
    planned = place.cli("monitors", "plan", *wish, "-o", "json")
    assert planned.code == 0, planned.stderr
    assert len(planned.json["plan"]["changes"]) == 10
    assert monitors(place) == {}

    assert place.cli("monitors", "apply", *wish, "-o", "json").code == 2  # nobody confirmed
    assert monitors(place) == {}
    applied = place.cli("monitors", "apply", *wish, "--yes", "-o", "json")
    assert applied.code == 0, applied.stderr
    there = monitors(place)
    assert len(there) == 8
    assert all("created_by:ddsetup" in monitor["tags"] for monitor in there.values())
    assert all("@slack-shop" in monitor["message"] for monitor in there.values())
    assert all("functionname:coffee-*" in monitor["query"] for monitor in there.values())
    objectives = slos(place)
    assert {slo["type"] for slo in objectives.values()} == {"metric", "time_slice"}

    again = place.cli("monitors", "apply", *scope, "--yes", "-o", "json")
    assert again.json["plan"]["changes"] == []
    changed = place.cli("monitors", "apply", *scope, "--threshold", "timeout=0.9", "--yes", "-o", "json")
    assert [o["status"] for o in changed.json["outcomes"] if "action" in o] == ["applied"]
    assert place.cli("undo", "--yes").code == 0
    assert monitors(place).keys() == there.keys()
    assert {m["query"] for m in monitors(place).values()} == {m["query"] for m in there.values()}

    removed = place.cli("monitors", "remove", *scope, "--yes", "-o", "json")
    assert removed.code == 0, removed.stderr
    assert monitors(place) == slos(place) == {}
    assert place.cli("undo", "--yes").code == 0
    assert monitors(place).keys() == there.keys()
    assert slos(place).keys() == objectives.keys()


def test_thresholds_and_who_is_told_are_asked_and_nothing_is_written_before_yes(place: Place) -> None:
    before = monitors(place)
    with Terminal(place.cli, "monitors", "apply", "--env", "asked") as terminal:
        terminal.answer("Which monitors?", "\x01" + DOWN + SPACE + ENTER)
        terminal.answer("Which thresholds do you want", SPACE + ENTER)
        terminal.until("Timeout: from which value on?").back("Which thresholds").press(ENTER)
        terminal.until("Which metric of your own").back("Which thresholds").press(SPACE + ENTER)
        terminal.answer("Timeout: from which value on?", "\x15" + "0.8" + ENTER)
        terminal.answer("Which metric of your own", f"max:{METRIC}>5" + ENTER)
        terminal.answer("Which logs", "status:error>10" + ENTER)
        terminal.answer("Who is told?", "slack" + ENTER)
        terminal.until("a handle begins with @").press("\x15" + "@slack-shop" + ENTER)
        terminal.until("Create or change these monitors?")
        assert monitors(place) == before
        terminal.press("y")
        assert terminal.end() == 0
    there = {name: monitor for name, monitor in monitors(place).items() if name not in before}
    assert len(there) == 3
    assert all(monitor["message"].endswith("@slack-shop") for monitor in there.values())
    assert sorted(monitor["options"]["thresholds"]["critical"] for monitor in there.values()) == [
        0.8,
        5.0,
        10.0,
    ]
    assert place.cli("undo", "--yes").code == 0
    assert monitors(place) == before


def test_the_same_monitors_as_terraform_and_nothing_else(place: Place) -> None:
    printed = place.cli("monitors", "plan", "--terraform", "--only", "timeout,high_throttles")
    assert printed.code == 0, printed.stderr
    assert printed.stdout.startswith("terraform {")
    assert printed.stdout.count('resource "datadog_monitor"') == 2
    assert printed.stdout.count("{") == printed.stdout.count("}")


def test_wrong_wishes_are_refused_before_anything_is_asked(place: Place) -> None:
    for wish in (
        ("--only", "tmeout"),
        ("--threshold", "timeout=x"),
        ("--on-metric", "x"),
        ("--on-logs", ">5"),
        ("--notify", "me"),
    ):
        refused = place.cli("monitors", "plan", *wish, "-o", "json")
        assert refused.code == 2
        assert refused.json["error"]["kind"] == "UsageError"
        assert "AWS account" not in refused.stderr


def test_the_overview_is_created_once_updated_and_given_back(place: Place) -> None:
    created = place.cli("dashboards", "create", "--yes", "-o", "json")
    assert created.code == 0, created.stderr
    dashboards = datadog(place, "GET", "/api/v1/dashboard")["dashboards"]
    assert [d["title"] for d in dashboards] == ["Serverless overview"]
    assert created.json["links"]["Serverless overview"].endswith(dashboards[0]["url"])
    assert place.cli("dashboards", "create", "--yes", "-o", "json").json["plan"]["changes"] == []
    assert "Serverless overview" in place.cli("dashboards", "open", "-o", "json").json["links"]
    updated = place.cli("dashboards", "create", "--env", "prod", "--yes", "-o", "json")
    assert [o["status"] for o in updated.json["outcomes"]] == ["applied"]
    assert len(datadog(place, "GET", "/api/v1/dashboard")["dashboards"]) == 1
    assert place.cli("undo", "--yes").code == 0
    assert place.cli("undo", "--yes").code == 0
    assert datadog(place, "GET", "/api/v1/dashboard")["dashboards"] == []
    assert place.cli("dashboards", "open", "nonsense").code == 2


def own_dashboards(place: Place) -> dict[str, dict[str, Any]]:
    listed = datadog(place, "GET", "/api/v1/dashboard")["dashboards"]
    return {d["title"]: datadog(place, "GET", f"/api/v1/dashboard/{d['id']}") for d in listed}


def test_custom_metrics_and_copies_have_dashboards_and_edits_by_hand_stay(place: Place) -> None:
    wish = ("dashboards", "create", "--metric", METRIC, "--by", "product")
    assert place.cli(*wish, "--yes").code == 0
    made = own_dashboards(place)[METRIC]
    note = {"definition": {"type": "note", "content": "call me"}}
    datadog(place, "PUT", f"/api/v1/dashboard/{made['id']}", {**made, "widgets": [note, *made["widgets"]]})
    kept = place.cli(*wish, "--yes", "-o", "json")
    assert kept.json["plan"]["changes"] == []
    assert "note" in kept.json["plan"]["skipped"][0]["reason"]
    with Terminal(place.cli, *wish) as terminal:
        terminal.answer("Do you want to keep that?", DOWN + ENTER)
        terminal.until("replaced, as edited by hand").until("Create or change this dashboard?").press("y")
        assert terminal.end() == 0
    assert [w["definition"]["title"] for w in own_dashboards(place)[METRIC]["widgets"]] == [METRIC]

    cloned = place.cli("dashboards", "clone", METRIC, "--title", "Mine", "--yes", "-o", "json")
    assert cloned.code == 0, cloned.stderr
    assert own_dashboards(place)["Mine"]["widgets"][0]["definition"]["title"] == METRIC
    assert place.cli("dashboards", "clone", made["id"], "--title", "Mine", "--yes").code == 0
    assert len(own_dashboards(place)) == 2
    assert "Clone on its page" in place.cli("dashboards", "clone", "kinesis", "--yes").stderr
    printed = place.cli("dashboards", "create", "--terraform", "--title", "Later")
    assert printed.stdout.startswith("terraform {")
    assert "datadog_dashboard_json" in printed.stdout
    assert "redshift" in str(place.cli("dashboards", "open", "redshift", "-o", "json").json["links"]).lower()
    for _ in range(2):
        assert place.cli("undo", "--yes").code == 0
    # What was edited by hand is there again, and not taken away.
    assert own_dashboards(place)[METRIC]["widgets"][0]["definition"]["content"] == "call me"
    datadog(place, "DELETE", f"/api/v1/dashboard/{made['id']}")


def test_nobody_loses_a_tag_unasked(place: Place) -> None:
    path = f"/api/v2/metrics/{METRIC}/tags"
    for answer, code in (("n", 1), ("y", 0)):
        with Terminal(place.cli, "metrics", "percentiles", METRIC, "--tag-key", "product") as terminal:
            terminal.until("Change which tags of these metrics can be queried?")
            for lost in ("functionname", "aws_account"):
                assert lost in terminal.text.partition("!")[2]
            terminal.press(answer)
            assert terminal.end() == code
    assert datadog(place, "GET", path)["data"]["attributes"]["tags"] == ["product"]
    assert place.cli("undo", "--yes").code == 0


def test_percentiles_say_which_tags_vanish_and_are_given_back(place: Place) -> None:
    path = f"/api/v2/metrics/{METRIC}/tags"
    planned = place.cli("metrics", "percentiles", METRIC, "--tag-key", "product", "--dry-run", "-o", "json")
    assert "functionname" in " ".join(planned.json["plan"]["warnings"])
    assert place.cli("metrics", "percentiles", METRIC).code == 2
    done = place.cli("metrics", "percentiles", METRIC, "--yes", "-o", "json")
    assert done.code == 0, done.stderr
    held = datadog(place, "GET", path)["data"]["attributes"]
    assert held["include_percentiles"] is True
    assert {"functionname", "product"} <= set(held["tags"])
    assert place.cli("metrics", "percentiles", METRIC, "--yes", "-o", "json").json["plan"]["changes"] == []
    assert place.cli("undo", "--yes").code == 0
    listed = place.cli("metrics", "list", "-o", "json").json["data"]["distributions"]
    assert [(row["metric"], row["percentiles"], row["tags"]) for row in listed] == [(METRIC, False, "all")]
    assert place.cli("metrics", "percentiles", "no.such.metric", "--yes").code == 2
