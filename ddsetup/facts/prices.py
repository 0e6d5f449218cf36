"""What prices can be given for, and how many of a quantity one unit is. The amounts are the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ddsetup.model.cost import QuantityName

UNITS: Mapping[str, tuple[QuantityName, float]] = {
    "functions": ("functions", 1),
    "logs_gb": ("logs_gb", 1),
    "log_events_million": ("log_events", 1e6),
    "spans_million": ("spans", 1e6),
    "custom_metrics": ("custom_metrics", 1),
    "forwarder_invocations_million": ("forwarder_invocations", 1e6),
    "metric_updates_thousand": ("metric_updates", 1e3),
}
"""The units in which Datadog and AWS bill, each with the quantity and how many of it are one."""


def prices(given: Iterable[str]) -> Mapping[QuantityName, float]:
    """What one of a quantity costs, from checked texts like `logs_gb=0.10`."""
    found: dict[QuantityName, float] = {}
    for text in given:
        unit, _, amount = text.partition("=")
        name, many = UNITS[unit]
        found[name] = float(amount) / many
    return found
