"""Functions that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddsetup.sandbox.model import FAILED
from ddsetup.sandbox.roles import create_role
from ddsetup.sandbox.scenarios.functions import SampleFunction, create

if TYPE_CHECKING:
    from ddsetup.sandbox.scenarios.world import World


def furnish(world: World) -> None:
    """One that raises an exception every time, one that runs into its timeout."""
    create(world, SampleFunction("grinder-stuck", "failing", traffic="empty"))
    create(world, SampleFunction("roaster-slow", "slow", timeout=2, traffic="empty"))


def furnish_failed(world: World) -> None:
    """A function that AWS could not bring up."""
    create(world, SampleFunction("espresso-failed", more={"Description": FAILED}))


def furnish_silent(world: World) -> None:
    """A function whose role may not write logs, so there never are any."""
    role = create_role(world.client("iam", world.region), "silent-function", "lambda.amazonaws.com")
    create(world, SampleFunction("silent-role", traffic="orders", more={"Role": role}))
