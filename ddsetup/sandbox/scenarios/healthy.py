"""A small shop whose functions all work: what a newcomer starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

FUNCTIONS = (
    SampleFunction("coffee-orders", runtime="python3.12", traffic="orders", tags={"team": "front"}),
    SampleFunction("coffee-payments", runtime="python3.11", traffic="orders", tags={"team": "money"}),
    SampleFunction(
        "coffee-kitchen", "kitchen", runtime="python3.13", traffic="kitchen", tags={"team": "back"}
    ),
    SampleFunction("coffee-loyalty", runtime="python3.12", architecture="arm64", traffic="orders"),
    SampleFunction("coffee-invoices", runtime="python3.13", architecture="arm64", traffic="orders"),
    SampleFunction("coffee-stock", "kitchen", runtime="python3.11", architecture="arm64", traffic="kitchen"),
)


def furnish(world: World) -> None:
    """All of them in the first region, the first two in every other one."""
    for function in FUNCTIONS:
        create(world, function)
    for region in world.regions[1:]:
        for function in FUNCTIONS[:2]:
            create(world, function, region)
