"""The states that a sandbox can start in. Adding one is an entry here and, if it makes things, a module."""

from __future__ import annotations

from collections.abc import Mapping

from ddsetup.sandbox.scenarios import healthy
from ddsetup.sandbox.scenarios.world import Scenario, World

__all__ = ["SCENARIOS", "Scenario", "World"]

SCENARIOS: Mapping[str, Scenario] = {
    "empty": Scenario("an account without a single function"),
    "healthy": Scenario("six Python functions of a coffee house, all well", healthy.furnish),
}
