"""Every list of Datadog that has pages is read to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.dashboards import MARK, find_dashboards
from ddsetup.gateways.datadog.event_search import search_logs, search_spans
from ddsetup.gateways.datadog.metric_tags import TAGS_OF_DAYS, list_distributions, tag_keys
from ddsetup.gateways.datadog.monitors import CREATED_BY, find_monitors
from ddsetup.gateways.datadog.slos import find_slos
from ddsetup.gateways.datadog.telemetry import Window
from ddsetup.sandbox.datadog import routes
from tests.builders import function
from tests.gateways.datadog_world import World, datadog, logs, metrics, spans

MANY = 2_105
"""More than two pages of each list, and not a multiple of any."""
WITHOUT_PAGES = {
    "/api/v1/metrics",
    "/api/v1/logs/config/indexes",
    "/api/v1/monitor/search",
    "/api/v2/integration/aws/accounts",
    "/api/v2/cloud_auth/aws/intake_mapping",
    "/api/v2/org",
}
"""Lists that come as a whole, and two that nothing here asks for."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with datadog() as started:
        documents = started.standin.server.world.documents
        metrics(started, (f"shop.value{number}" for number in range(MANY)), ["functionname:orders"])
        for number in range(MANY):
            documents.monitors[number] = {
                "id": number,
                "name": "x",
                "query": "x",
                "type": "query alert",
                "message": "",
                "tags": [CREATED_BY],
                "options": {},
            }
            documents.slos[f"s{number}"] = {
                "id": f"s{number}",
                "name": "x",
                "type": "metric",
                "query": {"numerator": "x", "denominator": "x"},
                "tags": [CREATED_BY],
                "thresholds": [{"target": 99.0, "timeframe": "7d"}],
            }
        for number in range(MANY):
            documents.dashboards[f"d{number}"] = _dashboard(number)
        logs(started, [function("orders")], each=MANY)
        for _ in range(0, MANY, 1_000):
            spans(started, [function(f"f{n}") for n in range(1_000)])
        yield started


def _dashboard(number: int) -> dict[str, Any]:
    return {
        "id": f"d{number}",
        "title": "Shop" if number % 1_000 == 104 else "Other",
        "description": MARK,
        "layout_type": "ordered",
        "widgets": [],
        "url": "/x",
        "created_at": "2026-11-01T10:00:00.000000+00:00",
        "modified_at": "2026-11-01T10:00:00.000000+00:00",
        "author_handle": "",
        "is_read_only": False,
    }


LISTS: Mapping[str, tuple[Callable[[Datadog, Window], int], int]] = {
    "/api/v1/monitor": (lambda dd, _: len(find_monitors(dd)), MANY),
    "/api/v1/slo": (lambda dd, _: len(find_slos(dd)), MANY),
    "/api/v1/dashboard": (lambda dd, _: len(find_dashboards(dd, "Shop")), 3),
    "/api/v2/metrics": (lambda dd, _: len(list_distributions(dd, "*", 3_600)), MANY),
    "/api/v2/logs/events/search": (lambda dd, at: len(search_logs(dd, at, "*", limit=9_999)), MANY),
    "/api/v2/spans/events/search": (lambda dd, at: len(search_spans(dd, at, "*", limit=9_999)), 3_000),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_read_to_its_end(world: World, path: str) -> None:
    read, expected = LISTS[path]
    window = Window(world.now() - timedelta(minutes=5), world.now() + timedelta(seconds=1))
    assert read(world.connect(), window) == expected
    assert len([call for call in world.calls(path) if call["path"] == path]) >= 3


def test_all_lists_are_known_here() -> None:
    many = (r for r in routes.ROUTES if r.endpoint.__name__.startswith(("list_", "search_")))
    lists = {route.path for route in many if "{" not in route.path}
    assert lists == {*LISTS, *WITHOUT_PAGES}


def test_tags_that_a_metric_had_weeks_ago_are_known(world: World) -> None:
    telemetry = world.standin.server.world.telemetry
    ages = {"today": 60, "last_month": (TAGS_OF_DAYS - 1) * 86_400, "long_ago": (TAGS_OF_DAYS + 1) * 86_400}
    for key, ago in ages.items():
        at = int(world.standin.clock.now) - ago
        telemetry.add_points("idle.value", "distribution", [f"{key}:x"], [(at, [1.0])])
    assert tag_keys(world.connect(), "idle.value") == ("last_month", "today")
