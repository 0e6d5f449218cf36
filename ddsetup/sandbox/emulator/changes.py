"""Counts what changes in the account, so that who watches it need not read again what is as it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

PATH = "/_ddsetup/changes"
"""Answers `{"version": ..., "regions": {region: ...}, "subscriptions": ...}`: each differs from an earlier
one if something has changed in between, anywhere, in that region, or by which a log group may have lost its
subscription filters or somebody the right to see them."""

_in_region: Counter[str] = Counter()
"""How often, by region, in whichever of the accounts."""
_of_service: Counter[str] = Counter()
"""How often, by the service that was asked to."""
_OF_SUBSCRIPTIONS = ("logs", "iam", "cloudformation")


def note(region: str, service: str = "") -> None:
    """Something has changed there, or may have; by a call of `service`, if by one."""
    _in_region[region] += 1
    _of_service[service] += 1


def install() -> None:
    """Note what happens without a call: what functions and services count, and what stacks make."""
    from ministack.services import cloudwatch
    from ministack.services.cloudformation import stacks

    for module, name, service in (
        (cloudwatch, "record_metric", ""),
        (stacks, "_add_event", "cloudformation"),
    ):
        setattr(module, name, _then_noted(getattr(module, name), service))


def _then_noted(function: Callable[..., Any], service: str) -> Callable[..., Any]:
    from ministack.core.responses import get_region

    def noted(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        note(get_region(), service)
        return result

    return noted


def telling(
    application: Callable[[Any, Any, Any], Awaitable[None]], further: Callable[[], object]
) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """The application, and that path in front of it; `further` is what else answers may depend on."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await application(scope, receive, send)
            return
        answer = {
            "version": f"{_in_region.total()} {further()}",
            "regions": _in_region,
            "subscriptions": sum(_of_service[each] for each in _OF_SUBSCRIPTIONS),
        }
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return told
