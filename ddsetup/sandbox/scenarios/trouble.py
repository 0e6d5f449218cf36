"""Functions that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World


def furnish(world: World) -> None:
    """One that raises an exception every time, one that runs into its timeout."""
    create(world, SampleFunction("grinder-stuck", "failing", traffic="empty"))
    create(world, SampleFunction("roaster-slow", "slow", timeout=2, traffic="empty"))
