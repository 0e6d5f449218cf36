"""A large account: many small functions that are looked at, never run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World

_RUNTIMES = ("python3.11", "python3.12", "python3.13")


def furnish(world: World) -> None:
    """`World.many` functions in the first region, of three runtimes and both architectures."""
    world.lambda_()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: create(world, _function(number)), range(world.many)))


def _function(number: int) -> SampleFunction:
    return SampleFunction(
        f"many-{number:04}",
        runtime=_RUNTIMES[number % len(_RUNTIMES)],
        architecture="arm64" if number % 2 else "x86_64",
        tags={"team": f"team-{number % 10}"},
    )
