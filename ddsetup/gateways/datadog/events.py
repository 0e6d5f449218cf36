"""The Forwarders that logs came through, as Datadog tells them."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.facts.searches import datadog_name
from ddsetup.gateways.datadog.client import Datadog
from ddsetup.gateways.datadog.sightings import log_groups
from ddsetup.gateways.datadog.telemetry import Window

_NAME, _FORWARDER = "functionname", "forwardername"
_FORWARDERS = 5


def log_carriers(dd: Datadog, window: Window) -> Mapping[str, frozenset[str]]:
    """The Forwarders through which logs of functions came, by the function's name in Datadog, in one call
    for up to 2,000 functions. Raises Denied when `logs_read_data` is missing."""
    found: dict[str, set[str]] = {}
    facets = {_NAME: 10_000 // _FORWARDERS, _FORWARDER: _FORWARDERS}
    for group in log_groups(dd, window, f"source:lambda {_FORWARDER}:*", facets):
        if carrier := group.get(_FORWARDER, ""):
            found.setdefault(datadog_name(group.get(_NAME, "")), set()).add(datadog_name(carrier))
    return {name: frozenset(carriers) for name, carriers in found.items()}
