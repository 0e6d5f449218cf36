"""What one of a quantity costs by the units in which Datadog and AWS bill."""

from __future__ import annotations

import pytest

from ddsetup.facts.prices import UNITS, prices

ONE_OF = {
    "functions": ("functions", 1),
    "logs_gb": ("logs_gb", 1),
    "log_events_million": ("log_events", 1e-6),
    "spans_million": ("spans", 1e-6),
    "custom_metrics": ("custom_metrics", 1),
    "forwarder_invocations_million": ("forwarder_invocations", 1e-6),
    "metric_updates_thousand": ("metric_updates", 1e-3),
}


def test_a_price_is_that_of_one() -> None:
    assert UNITS.keys() == ONE_OF.keys()
    for unit, (quantity, share) in ONE_OF.items():
        assert prices([f"{unit}=2.5"]) == {quantity: pytest.approx(2.5 * share, rel=1e-9)}
    assert prices(["logs_gb=0.10", "functions=5"]) == {"logs_gb": 0.1, "functions": 5.0}
    assert prices([]) == {}
