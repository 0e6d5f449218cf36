"""Errors that are new since a deployment: each function by its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ddsetup.explore.deploys import compared, deployed_at
from ddsetup.explore.errors import error_blocks
from ddsetup.gateways.datadog.event_search import Log
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.lines import Look
from ddsetup.show.layout import plain_text
from tests.builders import function

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NARROW = Look(width=80)
WINDOW = Window(NOON - timedelta(days=7), NOON + timedelta(hours=1))


def log(message: str, minutes: int, name: str = "pay") -> Log:
    return Log(at=NOON + timedelta(minutes=minutes), function=name, status="error", message=message)


def test_only_what_a_function_did_not_log_before_its_last_change_is_new() -> None:
    deployed = deployed_at([function("Pay", last_modified="2026-11-22T12:00:00.000+0000"), function("stock")])
    assert deployed == {"pay": NOON}
    logs = [log("order 7 refused", 5), log("boom", 6), log("boom", 7, "stock"), log("order 3 refused", -50)]
    data = compared(logs, logs, WINDOW, deployed)
    assert [(row["pattern"], row["count"]) for row in data["patterns"]] == [("boom", 1)]
    assert (data["known"], data["deployed"]) == (1, {"pay": "2026-11-22T12:00:00.000Z"})
    assert "boom" in plain_text(error_blocks(data, NARROW), NARROW)


def test_an_error_that_another_function_had_before_is_new_to_this_one() -> None:
    deployed = {"pay": NOON, "stock": NOON}
    data = compared([log("boom", 5)], [log("boom", -5, "stock")], WINDOW, deployed)
    assert len(data["patterns"]) == 1
    nothing = compared([log("boom", 5)], [log("boom", -5)], WINDOW, deployed)
    assert "No error is new; 1 error log" in plain_text(error_blocks(nothing, NARROW), NARROW)
