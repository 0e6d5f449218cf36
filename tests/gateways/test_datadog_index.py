"""The stand-in looks at the events of the functions that a query names, and answers as if it did at all."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ddsetup.sandbox.datadog.search import compile_query, functions_of
from ddsetup.sandbox.datadog.spans import RESERVED
from ddsetup.sandbox.datadog.store import Event, Telemetry

NAMES = ("orders", "stock", "7", "true")
VALUES: tuple[Any, ...] = (None, *NAMES, 7, 7.0, True, ["orders", "stock"], [7, "stock"], [])

QUERIES = {
    "*": None,
    "functionname:orders": {"orders"},
    "@functionname:orders": {"orders"},
    'functionname:"orders"': {"orders"},
    "functionname:(orders OR stock)": {"orders", "stock"},
    "@functionname:(7 OR true)": {"7", "true"},
    "(functionname:orders OR @functionname:(orders OR stock))": {"orders", "stock"},
    "env:dev functionname:stock": {"stock"},
    "functionname:(orders OR stock) @functionname:7 env:dev": {"7"},
    "functionname:nobody": {"nobody"},
    "functionname:o*": None,
    "functionname:*": None,
    "-functionname:orders": None,
    "NOT (functionname:orders OR functionname:stock)": None,
    "functionname:orders OR env:dev": None,
    "functionname:(orders OR s*)": None,
    "(functionname:orders env:dev) OR (@functionname:stock env:prod)": {"orders", "stock"},
    "service:orders": None,
    "orders": None,
}


@pytest.fixture(scope="module")
def telemetry() -> Telemetry:
    """Many events, of each way to name a function, some at the same time and with the same id."""
    random = Random(7)
    made = Telemetry(lambda: 0.0)
    events = [
        Event(
            id=f"{random.randrange(50):04}",
            at=random.randrange(100),
            fields={"service": random.choice(NAMES), "env": random.choice(("dev", "prod"))},
            tags=tuple(f"functionname:{name}" for name in random.sample(NAMES, random.randrange(3))),
            attributes={} if (value := random.choice(VALUES)) is None else {"functionname": value, "n": n},
            message=random.choice(("orders", "")),
            tier=random.choice(("indexes", "flex")),
        )
        for n in range(3_000)
    ]
    for batch in range(0, len(events), 500):
        made.add_spans(events[batch : batch + 500])
        made.add_logs(events[batch : batch + 500])
    return made


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_names_functions_is_answered_as_if_all_were_looked_at(
    telemetry: Telemetry, query: str
) -> None:
    matches = compile_query(query, RESERVED)
    named = functions_of(matches)
    assert named == QUERIES[query]
    for start, end in ((0, 100), (20, 60), (60, 60)):
        spans = [e for e in telemetry.spans(start, end) if matches(e)]
        assert [e for e in telemetry.spans(start, end, named) if matches(e)] == spans
        for tier in ("indexes", "flex", "none"):
            logs = [e for e in telemetry.logs(start, end, tier) if matches(e)]
            assert [e for e in telemetry.logs(start, end, tier, named) if matches(e)] == logs


def test_of_what_is_named_nothing_else_is_looked_at(telemetry: Telemetry) -> None:
    assert telemetry.spans(0, 100, {"nobody"}) == []
    found = telemetry.spans(0, 100, {"stock"})
    assert 0 < len(found) < len(telemetry.spans(0, 100))
    told = [(*e.tag_values("functionname"), *e.attribute_values("functionname")) for e in found]
    assert all("stock" in each for each in told)
