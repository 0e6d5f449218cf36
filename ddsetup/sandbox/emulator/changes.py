"""Counts what changes in the account, so that who watches it need not read again what is as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

PATH = "/_ddsetup/changes"
"""Answers with a text that differs from an earlier one if something has changed in between."""

_count = 0


def note(*_: Any, **__: Any) -> None:
    """Something has changed, or may have."""
    global _count  # noqa: PLW0603 (one account to a process)
    _count += 1


def install() -> None:
    """Note what happens without a call: what functions and services count, and what stacks make."""
    from ministack.services import cloudwatch
    from ministack.services.cloudformation import stacks

    for module, name in ((cloudwatch, "record_metric"), (stacks, "_add_event")):
        setattr(module, name, _then_noted(getattr(module, name)))


def _then_noted(function: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        note()
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
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": f"{_count} {further()}".encode()})

    return told
