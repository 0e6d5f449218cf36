"""Makes functions from the sample code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ddsetup.sandbox.layers import archive_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddsetup.sandbox.scenarios.world import World

SAMPLE_TAG = "ddsetup-sandbox"
"""Functions that `traffic` may invoke carry this tag; its value names the events to send."""
CALLS_TAG = "ddsetup-sandbox-calls"
"""Names the functions, with spaces between them, that a sample function calls."""


@dataclass(frozen=True, slots=True)
class SampleFunction:
    """One function, described by what sets it apart."""

    name: str
    code: str = "coffee"
    """The module in `sample_code` that becomes its code."""
    runtime: str = "python3.12"
    handler: str = ""
    """Left empty: the sample's own."""
    architecture: str = "x86_64"
    memory: int = 256
    timeout: int = 60
    environment: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    traffic: str = ""
    """What `traffic` sends (see `ddsetup.sandbox.traffic`); empty: it is never invoked."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of `CreateFunction`."""


def create(world: World, function: SampleFunction, region: str = "") -> None:
    """Make the function in that region (default: the first one)."""
    tags = dict(function.tags)
    if function.traffic:
        tags[SAMPLE_TAG] = function.traffic
    parameters: dict[str, Any] = {
        "FunctionName": function.name,
        "Role": world.role,
        "MemorySize": function.memory,
        "Timeout": function.timeout,
        "Architectures": [function.architecture],
        "Environment": {"Variables": dict(function.environment)},
        "Layers": list(function.layers),
        "Tags": tags,
        **function.more,
    }
    if "Code" not in parameters:
        parameters["Code"] = {"ZipFile": package(function.code)}
        parameters["Runtime"] = function.runtime
        parameters["Handler"] = function.handler or f"{function.code}.handler"
    if not function.environment:
        del parameters["Environment"]
    world.lambda_(region).create_function(**parameters)


@cache
def package(code: str) -> bytes:
    """The deployment package of one sample: its module (`coffee.py`, or another language's file)."""
    samples = resources.files("ddsetup.sandbox") / "sample_code"
    found = [each for each in samples.iterdir() if each.name.rpartition(".")[0] == code]
    return archive_of({each.name: each.read_bytes() for each in found})
