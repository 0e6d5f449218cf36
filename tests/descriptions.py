"""botocore's descriptions of AWS's services, read once by a process: each session would read them anew, and
tests make many. Nobody changes them."""

from __future__ import annotations

import functools

from botocore import loaders


@functools.cache
def read_once() -> None:
    """From now on, in this process."""
    setattr(  # noqa: B010 - for mypy it is a method
        loaders.JSONFileLoader, "load_file", staticmethod(functools.cache(loaders.JSONFileLoader().load_file))
    )
