"""The emulated AWS as it is asked from inside, by what runs in it."""

from __future__ import annotations

import os
from typing import Any

from ddsetup.sandbox import aws
from ddsetup.sandbox.model import Keys


def address() -> str:
    """Where this process listens."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def client(service: str, region: str, keys: Keys) -> Any:
    """A client with the credentials of whoever asks."""
    return aws.client(service, address(), region, keys)
