"""Which versions of Datadog's layers and libraries go into files, from the bundled table or as asked."""

from __future__ import annotations

from collections.abc import Iterable

from ddsetup.facts import catalog
from ddsetup.project.iac.model import Newest, Wish

_ANY_REGION = "us-east-1"
_RUNTIME_NOW = {
    "python": "python3.13",
    "node": "nodejs22.x",
    "ruby": "ruby3.4",
    "java": "java21",
    "dotnet": "dotnet8",
}
"""A runtime whose layer stands for the newest release of its language's library."""
_MAJOR = {"python": 8, "node": 12}
"""A layer's number is the minor version of the library's release; this is the major one."""


def library_version(family: str, wanted: Wish) -> int | None:
    """The number of the library layer of a language, None if it has none."""
    if wanted.layer_version is not None:
        return wanted.layer_version
    runtime = _RUNTIME_NOW.get(family)
    name = catalog.library_layer(runtime, "x86_64") if runtime else None
    return _library(name, wanted) if name else None


def newest_for(family: str, runtimes: Iterable[str], wanted: Wish) -> int | None:
    """The number that a language's functions get: the newest of those that their runtimes have."""
    if wanted.layer_version is not None:
        return wanted.layer_version
    names = [catalog.library_layer(runtime, "x86_64") for runtime in runtimes]
    numbers = [_library(name, wanted) for name in names if name]
    return max((n for n in numbers if n), default=None) or library_version(family, wanted)


def exists(runtime: str, architecture: str, number: int, wanted: Wish) -> bool:
    """Whether a runtime's layer is published for an architecture in the region, and goes as far as a number.
    Only layers that ended fall short of any."""
    name = catalog.library_layer(runtime, architecture)
    if name is None:
        return True
    last = _of_table(name, wanted)
    return last is not None and (number <= last or runtime not in catalog.FROZEN_RUNTIMES)


def extension_version(wanted: Wish) -> int | None:
    """The number of the Extension's layer, which is also the tag of its image."""
    if wanted.extension_version is not None:
        return wanted.extension_version
    name = catalog.extension_layer("x86_64")
    return _newest(name, wanted, wanted.newest_extension)


def layer_version_for(runtime: str, architecture: str, wanted: Wish) -> tuple[str, int] | None:
    """Name and number of the library layer of one runtime, None if there is none."""
    name = catalog.library_layer(runtime, architecture)
    if name is None:
        return None
    number = wanted.layer_version or _library(name, wanted)
    return (name, number) if number else None


def python_requirement(wanted: Wish) -> str:
    """The Python library as a requirement: layer 127 holds release 8.127."""
    number = library_version("python", wanted)
    return f"datadog-lambda>={_MAJOR['python']}.{number},<{_MAJOR['python'] + 1}"


def _library(name: str, wanted: Wish) -> int | None:
    return _newest(name, wanted, wanted.newest_library)


def _newest(name: str, wanted: Wish, newer: Newest) -> int | None:
    known = _of_table(name, wanted)
    return max(known, newer(name) or 0) if known else None


def _of_table(name: str, wanted: Wish) -> int | None:
    return catalog.baseline_version(name, wanted.region or _ANY_REGION)
