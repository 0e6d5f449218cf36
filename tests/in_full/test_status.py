"""What `status` tells of each account of the plans' cases, and every link, to the letter.

After a change that is meant: `UPDATE_GOLDEN=1 pytest -n 0 tests/in_full`, and read what differs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ddsetup.facts import links
from ddsetup.facts.functions_at_a_glance import status
from tests import builders as b
from tests.in_full.plan_cases import CASES
from tests.in_full.plan_world import World
from tests.unit.show.test_render import matches_golden

PARTS = ("functions", "accounts", "forwarders", "sources")


def told(data: Any, at: str = "") -> list[str]:
    """Every value with its place."""
    if isinstance(data, dict):
        return [line for key, value in data.items() for line in told(value, f"{at}.{key}" if at else key)]
    if isinstance(data, (list, tuple)) and any(isinstance(each, dict) for each in data):
        return [line for number, value in enumerate(data) for line in told(value, f"{at}[{number}]")]
    return [f"{at}: {json.dumps(data)}"]


def of(world: World) -> list[str]:
    snapshot, _ = world.snapshot()
    return told(status(snapshot))


@pytest.mark.parametrize("part", PARTS)
def test_what_differs_in_an_account_is_told(part: str) -> None:
    usual = of(World())
    lines = ["[usual]", *usual, ""]
    for name, world in CASES[part].items():
        if world.function.get("region"):  # of no region that the snapshot has
            continue
        lines += [f"[{name}]", *(line for line in of(world) if line not in usual), ""]
    matches_golden(f"status/{part}", "\n".join(lines))


def test_every_link() -> None:
    span = (1_000, 2_000)
    lines: list[str] = []
    for site in ("datadoghq.eu", "us3.datadoghq.com", "ddog-gov.com"):
        for region in ("eu-west-1", "us-gov-west-1", "cn-north-1"):
            function = b.function("Orders 1", region=region)
            lines += told(dict(links.function_links(site, function)))
        lines += told(dict(links.links(site, [b.function("Orders")], ["1", "2"])))
        lines += told(dict(links.settings_links(site)))
        lines += told(dict(links.dashboards_links(site)))
        lines += [
            links.metric_link(site, "a b"),
            links.monitors_link(site),
            links.dashboard_link(site, "/dashboard/x"),
            links.logs_link(site, "a:b c"),
            links.logs_link(site, "a:b c", span),
            links.error_patterns_link(site, "a:b"),
            links.error_patterns_link(site, "a:b", span),
            links.traces_link(site, "a:b"),
            links.traces_link(site, "a:b", span),
            links.trace_link(site, "a/b"),
        ]
    matches_golden("status/links", "\n".join([*lines, ""]))
