"""Custom metrics: the list, the proof, and percentiles with their allow-list of tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ddsetup.explore.custom_metrics import (
    metric_list_blocks,
    metric_proof_blocks,
    plan_percentiles,
    plan_without_percentiles,
    proof_data,
)
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.model.lines import Look
from ddsetup.model.states import MetricTagsState, from_json, to_json
from ddsetup.show.layout import plain_text

ACCOUNT = "111122223333"
METRIC = "coffee_house.order_value"
KEYS = ("functionname", "order", "product")
END = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
WINDOW = Window(END - timedelta(hours=1), END)
NARROW = Look(width=80)


def test_without_a_configuration_all_tag_keys_stay_and_it_is_said_what_that_means() -> None:
    plan = plan_percentiles(METRIC, None, KEYS, (), ACCOUNT)
    after = plan.changes[0].after
    assert after == MetricTagsState(metric=METRIC, tags=KEYS, include_percentiles=True)
    assert plan.changes[0].before is None
    assert "only 3 tag keys" in " ".join(plan.warnings)
    assert "no longer" not in " ".join(plan.warnings)


def test_tag_keys_that_vanish_are_named_above_all_the_function() -> None:
    plan = plan_percentiles(METRIC, None, KEYS, ("product",), ACCOUNT)
    said = "\n".join(plan.warnings)
    assert "can no longer be queried: functionname, order" in said
    assert "cannot be told which function" in said


def test_an_existing_list_of_tag_keys_is_kept() -> None:
    live = MetricTagsState(metric=METRIC, tags=("product",), include_percentiles=False)
    plan = plan_percentiles(METRIC, live, KEYS, (), ACCOUNT)
    change = plan.changes[0]
    assert (change.before, change.action) == (live, "update")
    assert change.after == MetricTagsState(metric=METRIC, tags=("product",), include_percentiles=True)
    assert plan.warnings == ()


def test_a_list_of_excluded_tag_keys_is_kept_as_such() -> None:
    live = MetricTagsState(metric=METRIC, tags=("order",), exclude_tags_mode=True)
    plan = plan_percentiles(METRIC, live, KEYS, (), ACCOUNT)
    after = plan.changes[0].after
    assert isinstance(after, MetricTagsState)
    assert (after.tags, after.exclude_tags_mode) == (("order",), True)
    assert plan.warnings == ()


def test_percentiles_that_are_there_need_nothing() -> None:
    live = MetricTagsState(metric=METRIC, tags=KEYS, include_percentiles=True)
    assert plan_percentiles(METRIC, live, KEYS, (), ACCOUNT).changes == ()
    off = plan_without_percentiles(METRIC, live, ACCOUNT).changes[0]
    assert off.after == MetricTagsState(metric=METRIC, tags=KEYS, include_percentiles=False)
    assert plan_without_percentiles(METRIC, None, ACCOUNT).changes == ()
    assert from_json("metric_tags", to_json(live)) == live


def test_the_proof_names_who_sent_a_metric_who_did_not_and_what_to_look_at() -> None:
    row = {"function": "orders", "avg": 7.0, "min": 2.4, "max": 10.8, "sum": 63.0}
    found: list[dict[str, Any]] = [
        {"metric": METRIC, "status": "arrived", "functions": [row], "missing_from": ["stock"]},
        {"metric": "coffee_house.order_valu", "status": "missing", "functions": [], "missing_from": []},
    ]
    data = proof_data(found, [METRIC, "other.metric"], WINDOW)
    text = plain_text(metric_proof_blocks(data, NARROW), NARROW)
    assert "✓ coffee_house.order_value arrived" in text
    assert "10.8" in text
    assert "nothing from stock" in text
    assert "✗ coffee_house.order_valu did not arrive" in text
    assert "coffee_house.order_value did: is the name spelt right?" in text


def test_the_list_says_which_tags_can_be_queried() -> None:
    data = {
        "distributions": [
            {"metric": METRIC, "percentiles": True, "tags": ["product", "order"]},
            {"metric": "other.metric", "percentiles": False, "tags": "all"},
        ],
        "left_out": 8,
    }
    text = plain_text(metric_list_blocks(data, NARROW), NARROW)
    assert "2 distributions" in text
    assert "product, order" in text
    assert "8 metrics of Datadog's own left out" in text
