"""What makes a client of botocore one of ours: bounds for answers, and the pace of each quota."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from platform import python_version
from typing import Any

from ddsetup._version import __version__
from ddsetup.gateways.aws.answers import check_bytes
from ddsetup.gateways.aws.bounded import Bounded
from ddsetup.gateways.aws.errors import is_throttle
from ddsetup.gateways.aws.limits import Limits
from ddsetup.model.clock import Clock

WORKERS = 32
"""Threads that may call at the same time; the connection pool of every client is as large."""

_PREFIXES: Mapping[str, str] = {
    "api-gateway": "apigateway",
    "apigatewayv2": "apigateway",
    "cloudwatch-logs": "logs",
    "resource-groups-tagging-api": "tag",
    "secrets-manager": "secretsmanager",
    "sfn": "states",
}
"""IAM prefixes by the service id in botocore's event names, where they differ."""


_SHARED = 256
"""Connections that a client keeps which many accounts share; more are made at need, and let go."""


def configuration(read_timeout: int, *, shared: bool = False) -> Any:
    """How a client calls, which many identities may share. botocore's own retries are off."""
    import botocore
    from botocore.config import Config

    return Config(
        connect_timeout=5,
        read_timeout=read_timeout,
        max_pool_connections=_SHARED if shared else WORKERS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        # botocore would put its own together anew for each call, which is a tenth of what a call takes.
        user_agent=f"ddsetup/{__version__} Botocore/{botocore.__version__} Python/{python_version()}",
    )


def keep_bounds(client: Any, clock: Clock) -> None:
    """Let the client read only what can be an answer of AWS's, of its size and in its time."""
    # botocore has no door for this one.
    endpoint = client._endpoint
    endpoint.http_session = Bounded(endpoint.http_session, clock)

    def before_parse(response_dict: Mapping[str, Any], operation_model: Any, **_: Any) -> None:
        check_bytes(response_dict, operation_model)

    client.meta.events.register("before-parse", before_parse)


def keep_pace(client: Any, pacing: Callable[[], tuple[Limits, Callable[[str], None]]], region: str) -> None:
    """Let each attempt of the client take a slot of its bucket first, and be counted by its name. `pacing`
    gives the limits of the call that the thread makes, and what counts it."""

    def before_send(event_name: str, **_: Any) -> None:
        prefix, operation = _operation(event_name)
        limits, count = pacing()
        limits.bucket(prefix, operation, region).take()
        count(f"{prefix}:{operation}")

    def response_received(event_name: str, parsed_response: Any, **_: Any) -> None:
        if _says_slow_down(parsed_response):
            prefix, operation = _operation(event_name)
            pacing()[0].bucket(prefix, operation, region).throttled()

    client.meta.events.register("before-send", before_send)
    client.meta.events.register("response-received", response_received)


def _says_slow_down(parsed: Any) -> bool:
    from botocore.exceptions import ClientError

    return bool(parsed and parsed.get("Error")) and is_throttle(ClientError(parsed, ""))


def _operation(event_name: str) -> tuple[str, str]:
    """IAM prefix and operation of an event such as `before-send.cloudwatch-logs.DescribeLogGroups`."""
    _, service, operation = event_name.split(".", 2)
    return _PREFIXES.get(service, service), operation
