"""botocore's descriptions of AWS's services, read once by a process: each session would read them anew, and
tests make many. Each gets the metadata as its own: moto adds to those of S3."""

from __future__ import annotations

import functools
from typing import Any

from botocore import loaders


@functools.cache
def read_once() -> None:
    """From now on, in this process."""
    read = functools.cache(loaders.JSONFileLoader().load_file)

    def load_file(path: str) -> Any:
        found = read(path)
        if isinstance(found, dict) and "metadata" in found:
            return {**found, "metadata": dict(found["metadata"])}
        return found

    # For mypy it is a method.
    setattr(loaders.JSONFileLoader, "load_file", staticmethod(load_file))  # noqa: B010
